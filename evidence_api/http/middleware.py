"""What surrounds every request: an id, a size limit, safe headers, a log line without personal data, a last catch."""

import logging
import time
from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from custody.kernel.errors import TooLarge
from custody.kernel.ids import IdFactory
from evidence_api.http import problem

log = logging.getLogger("dalel.access")

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Unless the answer says otherwise itself."""


class StreamBroken(Exception):
    """An answer broke off after it had begun: the connection is cut so that nobody takes it for whole."""


class Envelope:
    """The outermost layer of an app of ours. `streaming` are path prefixes whose bodies set their own limits."""

    def __init__(
        self, app: ASGIApp, *, ids: IdFactory, body_limit_bytes: int, https: bool, streaming: Sequence[str] = ()
    ) -> None:
        self._app = app
        self._ids = ids
        self._limit = body_limit_bytes
        self._https = https
        self._streaming = tuple(streaming)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; whatever is raised below becomes an answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        request_id = str(self._ids.new())
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_safely(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(MutableHeaders(scope=message), request_id)
            await send(message)

        request = Request(scope)
        limited = receive if scope["path"].startswith(self._streaming) else self._limited(request, receive)
        try:
            if isinstance(limited, TooLarge):
                await problem.from_error(request, limited)(scope, receive, send_safely)
            else:
                await self._app(scope, limited, send_safely)
        except Exception as fault:
            answer = problem.from_fault(request, fault)
            if status:
                raise StreamBroken(request_id) from None
            await answer(scope, receive, send_safely)
        finally:
            self._log(scope, status, started, request_id)

    def _limited(self, request: Request, receive: Receive) -> Receive | TooLarge:
        """A receiver that counts; a refusal at once when the request announces too much."""
        length = request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._limit:
            return TooLarge("request.too_large", limit_bytes=self._limit)
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise TooLarge("request.too_large", limit_bytes=self._limit)
            return message

        return counted

    def _complete(self, headers: MutableHeaders, request_id: str) -> None:
        headers["X-Request-Id"] = request_id
        for name, value in SAFE_HEADERS.items():
            headers.setdefault(name, value)
        if self._https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")

    def _log(self, scope: Scope, status: int, started: float, request_id: str) -> None:
        """The route's pattern, not the path: what stands in a path may be personal."""
        pattern = getattr(scope.get("route"), "path", "-")
        elapsed_ms = int((time.monotonic() - started) * 1000)
        log.info("%s %s %s %d ms %s", scope["method"], pattern, status, elapsed_ms, request_id)
