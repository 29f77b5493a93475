"""Ranges, tags and names of content, through the app's own streaming."""

import base64
import hashlib
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from evidence_api.http.app import _on_range
from evidence_api.http.content import Content, RangeNotSatisfiable, disposition, respond, wanted

BYTES = bytes(range(256)) * 4
DIGEST = "sha256:" + hashlib.sha256(BYTES).hexdigest()


class Source:
    """Gives BYTES in small pieces and notes when it is closed."""

    def __init__(self, data: bytes = BYTES) -> None:
        self.data = data
        self.closed = 0

    def read(self, start: int, end: int) -> Iterator[bytes]:
        try:
            for offset in range(start, end, 100):
                yield self.data[offset : min(offset + 100, end)]
        finally:
            self.closed += 1


def client(source: Source, *, media_type: str = "audio/flac", attachment: bool = True) -> TestClient:
    app = FastAPI()
    app.add_exception_handler(RangeNotSatisfiable, _on_range)
    app.state.parts = None
    content = Content(DIGEST, len(BYTES), media_type, "жазба «1».flac", source.read)

    @app.api_route("/", methods=["GET", "HEAD"])
    def get(request: Request) -> Response:
        return respond(request, content, wanted(request, content), attachment=attachment)

    return TestClient(app)


def test_the_whole_says_what_it_is() -> None:
    source = Source()
    answer = client(source).get("/")
    assert (answer.status_code, answer.content) == (200, BYTES)
    assert answer.headers["etag"] == f'"{DIGEST}"'
    assert answer.headers["accept-ranges"] == "bytes"
    expected = base64.b64encode(hashlib.sha256(BYTES).digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{expected}:"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-store"
    assert source.closed == 1


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-1023", 0, 1024),
        ("bytes=10-", 10, 1024),
        ("bytes=-10", 1014, 1024),
        ("bytes=-5000", 0, 1024),
        ("bytes=1000-9999", 1000, 1024),
        ("bytes=1023-1023", 1023, 1024),
        ("bytes= 5 - 6", 5, 7),
    ],
)
def test_one_range_is_a_part(header: str, start: int, end: int) -> None:
    answer = client(Source()).get("/", headers={"Range": header})
    assert answer.status_code == 206
    assert answer.content == BYTES[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/1024"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("header", ["bytes=1024-", "bytes=5000-6000", "bytes=-0", "bytes=9999999999999999999-"])
def test_a_range_after_the_end_is_refused_with_the_size(header: str) -> None:
    answer = client(Source()).get("/", headers={"Range": header})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */1024"
    assert answer.json()["code"] == "range.not_satisfiable"


@pytest.mark.parametrize(
    "header", ["bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,5-6", "items=0-1", "bytes=a-b", "bytes=+1-2", "bytes=١-٢"]
)
def test_what_is_no_single_range_is_passed_over(header: str) -> None:
    answer = client(Source()).get("/", headers={"Range": header.encode()})
    assert (answer.status_code, len(answer.content)) == (200, 1024)


def test_if_range_of_other_bytes_gives_the_whole() -> None:
    headers = {"Range": "bytes=0-9", "If-Range": '"sha256:other"'}
    assert client(Source()).get("/", headers=headers).status_code == 200
    same = {"Range": "bytes=0-9", "If-Range": f'"{DIGEST}"'}
    assert client(Source()).get("/", headers=same).status_code == 206


def test_head_reads_nothing() -> None:
    source = Source()
    answer = client(source).head("/", headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "1024")
    assert source.closed == 0


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("audio/flac", "inline"),
        ("application/pdf", "inline"),
        ("text/html", "attachment"),
        ("image/svg+xml", "attachment"),
        ("application/octet-stream", "attachment"),
    ],
)
def test_only_what_runs_nothing_is_shown_in_the_browser(media_type: str, kind: str) -> None:
    answer = client(Source(), media_type=media_type, attachment=False).get("/")
    assert answer.headers["content-disposition"].startswith(kind)
    saved = client(Source(), media_type=media_type).get("/")
    assert saved.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("data", [BYTES[:-1], BYTES[:100]])
def test_a_source_that_ends_early_never_passes_for_whole(data: bytes) -> None:
    source = Source(data)
    with pytest.raises(ValueError, match="ended early"):
        client(source).get("/")
    assert source.closed == 1


def test_names_are_given_twice() -> None:
    assert disposition("a b.pdf", "inline") == "inline; filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf"
    kazakh = disposition('ң"\r\nX: y.pdf', "attachment")
    assert kazakh == "attachment; filename=\"____X_ y.pdf\"; filename*=UTF-8''%D2%A3%22%0D%0AX%3A%20y.pdf"
    assert disposition("🎥.mp4", "inline").isascii()
