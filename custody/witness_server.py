"""The witness over HTTP: `POST /add-checkpoint` (C2SP tlog-witness), and its keys at `GET /`.

A small server for few clients: bodies are bounded, slow and surplus connections are closed. TLS and rate limits are a
reverse proxy's business.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any

from custody.proof import note, policy
from custody.proof.note import Verifier
from custody.proof.strict import Malformed
from custody.witness import MAX_BODY_BYTES, Refused, Unusable, Witness, WitnessState, load

_CONNECTIONS = 32
_SILENCE_S = 10.0
_PLAIN = "text/plain; charset=utf-8"


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness. At most 32 connections at once: what comes beyond is closed unanswered."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        self.witness = witness
        self._free = threading.BoundedSemaphore(_CONNECTIONS)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand the connection to a thread of its own, if one is free."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """Serve the connection, then give its place free."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """One line: a connection that breaks off is not worth a traceback."""
        kind = sys.exc_info()[0]
        sys.stderr.write(f"witness: connection ended, {kind.__name__ if kind else 'unknown'}\n")


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"
    server_version = "dalel-witness"
    sys_version = ""
    timeout = _SILENCE_S

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(HTTPStatus.OK, "".join(f"{vkey}\n" for vkey in self.server.witness.vkeys), _PLAIN)
        else:
            self._answer(HTTPStatus.NOT_FOUND, "not found\n", _PLAIN)

    def do_POST(self) -> None:
        try:
            body = self._body()
            if self.path != "/add-checkpoint":
                raise Refused(404, "not found\n")
            line = self.server.witness.add_checkpoint(body)
        except Refused as refused:
            self._answer(refused.status, refused.body, refused.content_type)
        else:
            self._answer(HTTPStatus.OK, line, _PLAIN)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self.close_connection = True
            raise Refused(411, "a length is needed\n")
        if len(length) > 9 or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            raise Refused(413, "too large\n")
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            self.close_connection = True
            raise Refused(400, "cut off\n")
        return body

    def _answer(self, status: int, text: str, content_type: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Which line was asked and what was answered; no addresses."""
        sys.stderr.write(f"witness: {format % arguments}\n")


def serve(
    key_file: Path,
    state_file: Path,
    listen: str,
    log_vkeys: Sequence[str],
    now_s: Callable[[], int],
    policy_file: Path | None = None,
) -> WitnessServer:
    """A server that listens at `listen` (`host:port`), ready for `serve_forever`. Raises Unusable.

    `log_vkeys` name the logs it cosigns for, and so do the `log` lines of `policy_file` (C2SP tlog-policy), which is
    read again at each submission; a submission for any other log is answered with 404.
    """
    key = load(key_file)
    host, _, port = listen.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise Unusable(f"{listen} is not host:port")
    try:
        logs = [note.parse_vkey(vkey) for vkey in log_vkeys]
    except Malformed as error:
        raise Unusable(f"--log: {error.reason}") from error
    if any(log.key_type != note.ED25519 for log in logs):
        raise Unusable("--log: the key of a witness, not of a log")

    def also() -> tuple[Verifier, ...]:
        return policy.parse(policy_file.read_bytes()).logs if policy_file else ()

    try:
        also()
    except (OSError, Malformed) as error:
        raise Unusable(f"--policy: {error}") from error
    witness = Witness(key, WitnessState(state_file, key.vkey), logs, now_s, also)
    try:
        return WitnessServer((host.strip("[]"), int(port)), witness)
    except OSError as error:
        raise Unusable(f"{listen}: {error.strerror}") from error
