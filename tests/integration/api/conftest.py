"""The API behind a real server, for clients that know only HTTP."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from evidence_api.http.main import application
from tests.whole import System, until


@pytest.fixture(scope="session")
def server(system: System) -> Iterator[str]:
    """The address of a real HTTP server on a free port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(application(system.services), log_level="warning", lifespan="off", ws="none")
        running = uvicorn.Server(config)
        serving = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, name="server")
        serving.start()
        until(lambda: running.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        running.should_exit = True
        serving.join()
