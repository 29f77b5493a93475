"""The monitor over real HTTP: the public log of a running system, then a server that shows another history."""

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from custody import __main__ as command
from custody.proof import note
from custody.proof.checkpoint import Checkpoint
from custody.proof.strict import base64_bytes
from custody.signer import EncryptedFileSigner
from evidence_api.http.main import application
from evidence_api.services import Services
from tests.unit.custody.proof.test_monitor import Site, leaves
from tests.whole import System, until


@contextmanager
def serving(services: Services) -> Iterator[str]:
    """The API on a port of its own; the address of the public log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(application(services), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{port}/log"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def live(system: System) -> Iterator[str]:
    with serving(system.services) as url:
        yield url


@contextmanager
def another(system: System, size: int) -> Iterator[str]:
    """A server with the log's own key that tells another history of this size."""
    site = Site()
    site.publish(leaves(size, " forged"))
    settings = system.settings
    signer = EncryptedFileSigner(settings.log_origin, settings.log_key_file, settings.log_key_passphrase_file)
    text = note.parse(site.files["checkpoint"]).text.split("\n")
    head = Checkpoint(settings.log_origin, size, base64_bytes(text[2]))
    site.files["checkpoint"] = note.sign(head.text(), settings.log_origin, signer)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = site.files.get(self.path.removeprefix("/log/"))
            self.send_response(404 if data is None else 200)
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/log"
        server.shutdown()
        thread.join()


def test_follows_the_real_log_and_catches_another_history(
    system: System, live: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def look(url: str) -> int:
        options = ["--policy", str(system.settings.policy_file), "--state", str(state), "--lang", "en"]
        return command.main(["monitor", url, *options])

    state = tmp_path / "seen"
    assert look(live) == 0
    before = state.read_bytes()
    system.case()
    until(lambda: look(live) == 0 and state.read_bytes() != before)
    assert "the old ones unchanged" in capsys.readouterr().out
    size = int(state.read_bytes().split(b"\n")[1])
    kept = state.read_bytes()
    for forged, kind in ((size + 300, "fork"), (size, "fork"), (size - 1, "rollback")):
        with another(system, forged) as url:
            assert look(url) == 1
        (proof,) = set(tmp_path.glob(f"seen.{kind}-*.json")) - {tmp_path / "seen.fork-1.json"} or {
            tmp_path / "seen.fork-1.json"
        }
        confirm = ["monitor", "--policy", str(system.settings.policy_file), "--confirm", str(proof)]
        assert command.main(confirm) == 1
        assert state.read_bytes() == kept
    assert look("http://127.0.0.1:9/log") == 2
    assert look(live + "/nowhere") == 1
