"""A proxy in front of the real object store that does one wrong thing: over real sockets, so that what is tested is
what the SDK and the wire make of it. Signatures hold, because the client's Host header goes through as it came.
"""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from storage.s3 import S3Address, S3Store

ANSWER_SECONDS = 1.0
"""How long the client of the proxy waits for an answer."""


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def act(self) -> str:
        """What it asks of the store, in a word."""
        query = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        if "retention" in query:
            return "lock"
        if "partNumber" in query:
            return "put part"
        if "uploads" in query and self.method == "POST":
            return "begin parts"
        if "uploadId" in query and self.method == "POST":
            return "complete"
        return {"PUT": "put", "GET": "get", "HEAD": "head", "DELETE": "delete"}.get(self.method, self.method)


@dataclass(frozen=True)
class Answer:
    """An answer as it goes back. `cut` ends the connection after so many bytes of the body, whatever was announced."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    cut: int | None = None


Forward = Callable[[Asked], Answer]
Fault = Callable[[Asked, Forward], Answer | None]
"""Makes an answer of a request; None drops the connection without one."""


class FaultyStore:
    """The proxy. `failing(act, fault)` is the one wrong thing, for so many requests of that act (None: for all)."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._fault: tuple[str, Fault] | None = None
        self._left: int | None = 0
        self._lock = threading.Lock()
        self.seen: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                proxy._serve(self)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def failing(self, act: str, fault: Fault, times: int | None = None) -> Iterator[None]:
        self._fault, self._left = (act, fault), times
        self.seen = []
        try:
            yield
        finally:
            self._fault = None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length", 0))
        asked = Asked(handler.command, handler.path, list(handler.headers.items()), handler.rfile.read(length))
        answer = self._answer(asked)
        if answer is None:
            handler.close_connection = True
            return
        handler.send_response_only(answer.status)
        for name, value in answer.headers:
            handler.send_header(name, value)
        handler.end_headers()
        if answer.cut is not None:
            handler.close_connection = True
        if asked.method != "HEAD":
            handler.wfile.write(answer.body[: answer.cut])

    def _answer(self, asked: Asked) -> Answer | None:
        with self._lock:
            self.seen.append(asked.act)
            fault = self._fault
            wrong = fault is not None and fault[0] == asked.act and self._left != 0
            if wrong and self._left is not None:
                self._left -= 1
        return fault[1](asked, self._forward) if wrong and fault else self._forward(asked)

    def _forward(self, asked: Asked) -> Answer:
        connection = http.client.HTTPConnection(self._endpoint, timeout=30)
        try:
            connection.putrequest(asked.method, asked.target, skip_host=True, skip_accept_encoding=True)
            for name, value in asked.headers:
                if name.lower() != "connection":
                    connection.putheader(name, value)
            connection.endheaders(asked.body or None)
            answer = connection.getresponse()
            body = answer.read()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP]
            if asked.method != "HEAD" and answer.status != 204:
                kept.append(("Content-Length", str(len(body))))
            elif asked.method == "HEAD":
                kept.append(("Content-Length", answer.headers.get("Content-Length", "0")))
            return Answer(answer.status, kept, body)
        finally:
            connection.close()


_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


def dropped_before(asked: Asked, forward: Forward) -> None:
    """The connection breaks before the store has done anything."""


def dropped_after(asked: Asked, forward: Forward) -> None:
    """The store has done it; its answer is lost."""
    forward(asked)


def late(asked: Asked, forward: Forward) -> Answer:
    """The store does it and answers after everybody has given up."""
    answer = forward(asked)
    time.sleep(ANSWER_SECONDS + 0.3)
    return answer


def status(code: int, name: str) -> Fault:
    """The store refuses without doing anything."""

    def refuse(asked: Asked, forward: Forward) -> Answer:
        body = f'<?xml version="1.0"?><Error><Code>{name}</Code><Message>x</Message></Error>'.encode()
        return Answer(code, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body)

    return refuse


def other_bytes(asked: Asked, forward: Forward) -> Answer:
    """One bit differs."""
    answer = forward(asked)
    middle = len(answer.body) // 2
    changed = answer.body[:middle] + bytes([answer.body[middle] ^ 1]) + answer.body[middle + 1 :]
    return replace(answer, body=changed)


def cut_short(asked: Asked, forward: Forward) -> Answer:
    """The announced length, but the connection ends before the last bytes."""
    answer = forward(asked)
    return replace(answer, cut=len(answer.body) - 10)


def truncated(asked: Asked, forward: Forward) -> Answer:
    """It says and gives fewer bytes than it was given."""
    answer = forward(asked)
    body = answer.body[:-10]
    kept = [(name, value) for name, value in answer.headers if name.lower() not in ("content-length", "content-range")]
    return replace(answer, body=body, headers=[*kept, ("Content-Length", str(len(body)))])


def claimed(asked: Asked, forward: Forward) -> Answer:
    """It says «done» and has done nothing: a part lost, a lock forgotten."""
    return Answer(200, [("ETag", '"0123456789abcdef0123456789abcdef"'), ("Content-Length", "0")], b"")


def wrong_etag(asked: Asked, forward: Forward) -> Answer:
    """It has done it and names it wrongly."""
    answer = forward(asked)
    kept = [(name, value) for name, value in answer.headers if name.lower() != "etag"]
    return replace(answer, headers=[*kept, ("ETag", '"ffffffffffffffffffffffffffffffff"')])


def store_behind(proxy: FaultyStore, endpoint: S3Address) -> S3Store:
    """The SDK's client of the proxy, with short patience."""
    return S3Store(replace(endpoint, endpoint=proxy.endpoint), connect_seconds=1, answer_seconds=ANSWER_SECONDS)
