"""The system as people use it, for measuring: the embedded servers with durable commits, and our own processes."""

import http.client
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evidence_api import embedded, prepare
from evidence_api.demo.cast import CAST
from evidence_api.settings import Settings, as_environment
from evidence_api.stack.endpoints import Endpoints
from evidence_api.stack.probe import answers
from evidence_api.stack.stack import Stack
from evidence_api.stack.words import StackError

WORKERS = 2


@dataclass(frozen=True)
class System:
    """A running system: where its API and its servers are, and which processes are API and workers."""

    settings: Settings
    endpoints: Endpoints
    api_port: int
    api_pid: int
    worker_pid: int
    password: str


@contextmanager
def running() -> Iterator[System]:
    """Servers, sequencer, beat, seal workers and the API as a uvicorn process, in a directory that goes away.

    The API alone (`evidence_api.http.main`), without pages: uploads and downloads are the same code in both.
    """
    directory = Path(tempfile.mkdtemp(prefix="dalel-bench-"))
    password = "a-password-for-measuring"
    try:
        with Stack(directory) as stack:
            endpoints = stack.start()
            port = stack.kept.port("api")
            settings = embedded.settings_of(endpoints, stack.kept, f"http://127.0.0.1:{port}").model_copy(
                update={
                    "requests_per_minute": 10_000_000,
                    "worker_fast_processes": WORKERS,
                    "tsa_urls": (),  # no authority runs here
                    "tsa_roots_file": None,
                }
            )
            prepare.keys(settings)
            prepare.everything(settings)
            prepare.people(settings, CAST, lambda _: password)
            _start(stack, settings, port)
            processes = stack.supervisor.status()
            api, worker = processes["API"][1], processes["worker fast"][1]
            if api is None or worker is None:
                raise StackError("API or worker does not run")
            yield System(settings, endpoints, port, api, worker, password)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _start(stack: Stack, settings: Settings, port: int) -> None:
    env = as_environment(dict(settings))
    cli = (sys.executable, "-m", "evidence_api.cli")
    web = (sys.executable, "-m", "uvicorn", "evidence_api.http.main:create", "--factory", "--host", "127.0.0.1")
    stack.run(
        [
            stack.program("sequencer", [*cli, "sequencer"], env),
            stack.program("beat", [*cli, "beat"], env),
            stack.program("worker fast", [*cli, "worker", "fast"], env),
            stack.program(
                "API",
                [*web, "--port", str(port), "--no-access-log", "--no-server-header", "--timeout-keep-alive", "120"],
                env,
                lambda: answers(f"http://127.0.0.1:{port}/readyz", http.client.OK),
            ),
        ]
    )
