"""Content over HTTP: one range at a time (RFC 9110, section 14), strong tags, digests, safe headers.

A content route first reads the range (`wanted`), then records the read event and commits, then answers (`respond`):
law 2. What was asked for is thus known to the event before the first byte leaves.
"""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from anyio import CancelScope
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from custody.kernel.errors import Invalid

Read = Callable[[int, int], Iterator[bytes | memoryview]]
"""Yields the bytes from `start` up to, not including, `end`. Closed when the reader goes away."""

_RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})", re.ASCII)
_PLAIN = re.compile(r"[^A-Za-z0-9._ ()+-]")
_INLINE = frozenset({"application/pdf", "text/plain", "image/png", "image/jpeg", "image/webp", "image/gif"})
SANDBOX = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'; frame-ancestors 'self'"
)


class RangeNotSatisfiable(Invalid):
    """The range begins after the end. Answered with 416 and the size."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__("range.not_satisfiable", size_bytes=size_bytes)
        self.size_bytes = size_bytes


class NotModified(Exception):
    """Whoever asks has these very bytes already (`If-None-Match`): nothing is read and nothing recorded."""

    def __init__(self, content: "Content") -> None:
        super().__init__(content.etag)
        self.headers = {
            "ETag": content.etag,
            "Repr-Digest": repr_digest(content.sha256),
            "Cache-Control": "private, no-store",
        }


@dataclass(frozen=True)
class Content:
    """A sealed sequence of bytes: what it is and how to read it. `sha256` is `sha256:<hex>` of the whole."""

    sha256: str
    size_bytes: int
    media_type: str
    filename: str
    read: Read

    @property
    def etag(self) -> str:
        """A strong tag: the digest itself."""
        return f'"{self.sha256}"'


@dataclass(frozen=True)
class Wanted:
    """What a request wants of a content: bytes from `start` up to `end`. `partial` when it asked for a range."""

    start: int
    end: int
    partial: bool

    @property
    def text(self) -> str:
        """For the event: `start-last` of a range, `all` otherwise."""
        return f"{self.start}-{self.end - 1}" if self.partial else "all"


def wanted(request: Request, content: Content) -> Wanted:
    """The range of the request. A header that is not one plain range is passed over, as RFC 9110 says.

    Raises NotModified, RangeNotSatisfiable. A range whose If-Range names other bytes becomes the whole.
    """
    known = request.headers.get("if-none-match")
    if known is not None and _names(known, content.etag):
        raise NotModified(content)
    size = content.size_bytes
    whole = Wanted(0, size, partial=False)
    header = request.headers.get("range")
    guard = request.headers.get("if-range")
    if header is None or request.method != "GET" or (guard is not None and guard.strip() != content.etag):
        return whole
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None or found.groups() == ("", ""):
        return whole
    first, last = found.groups()
    if first == "":
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < start:
            return whole
    if start >= size:
        raise RangeNotSatisfiable(size)
    return Wanted(start, end, partial=True)


def _names(tags: str, etag: str) -> bool:
    """Whether `If-None-Match` names this tag; compared weakly, as RFC 9110, section 13.1.2, asks."""
    return tags.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]


def respond(request: Request, content: Content, part: Wanted, *, attachment: bool = True) -> Response:
    """Stream the part. The length is announced, so an answer that breaks off can never pass for whole.

    `attachment` False shows it in the browser, for the few media types that run nothing. HEAD gives the headers alone.
    """
    inline = not attachment and (content.media_type in _INLINE or content.media_type.startswith(("audio/", "video/")))
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": content.etag,
        "Repr-Digest": repr_digest(content.sha256),
        "Content-Length": str(part.end - part.start),
        "Content-Disposition": disposition(content.filename, "inline" if inline else "attachment"),
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Cache-Control": "private, no-store",
    }
    if part.partial:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{content.size_bytes}"
    status = 206 if part.partial else 200
    media_type = "text/plain; charset=utf-8" if content.media_type == "text/plain" else content.media_type
    if request.method == "HEAD":
        return Response(None, status, headers, media_type)
    return StreamingResponse(_stream(content.read, part), status, headers, media_type)


def not_satisfiable(size_bytes: int) -> dict[str, str]:
    """The headers of a 416."""
    return {"Content-Range": f"bytes */{size_bytes}", "Accept-Ranges": "bytes"}


def repr_digest(sha256: str) -> str:
    """Repr-Digest of the whole representation (RFC 9530, section 3) from `sha256:<hex>`."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256.removeprefix('sha256:'))).decode()}:"


def disposition(filename: str, kind: str) -> str:
    """Content-Disposition with a plain name for old programs and the exact one (RFC 6266, section 4; RFC 8187)."""
    plain = _PLAIN.sub("_", filename)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


async def _stream(read: Read, part: Wanted) -> AsyncIterator[bytes | memoryview]:
    """Reads in a worker thread, one piece ahead of what is being sent; closes the source when the reader goes away.

    Raises Corrupt when the source gives more or less than it must: the connection then breaks, visibly.
    """
    source = read(part.start, part.end)
    left = part.end - part.start
    ahead = asyncio.ensure_future(run_in_threadpool(next, source, None))
    try:
        while (chunk := await ahead) is not None:
            left -= len(chunk)
            if left < 0:
                raise ValueError("the source gave more bytes than asked for")
            ahead = asyncio.ensure_future(run_in_threadpool(next, source, None))
            yield chunk
        if left:
            raise ValueError("the source ended early")
    finally:
        # Shielded: the reader may have gone away, and a source cannot be closed while it still reads.
        with CancelScope(shield=True):
            await asyncio.wait([ahead])
            if not ahead.cancelled():
                ahead.exception()  # looked at, so that nobody complains of it
            close = getattr(source, "close", None)
            if close is not None:
                await run_in_threadpool(close)
