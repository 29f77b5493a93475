"""Outside anchors of the log, for everyone who is signed in: they are public anyway."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response
from starlette.requests import Request

from custody.heads import CheckpointView
from evidence_api.http.guard import Access, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import anchors
from portal import filters
from portal.pages.anchors import Anchors, Head, Mark, Outsider, render_anchors
from portal.visits import context, html

routes = router()
_HERE = "/ledger/anchors"
_PAGE = 50
_MOST = 2**53


@routes.get(_HERE)
def show(
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("ledger.page")],
    before: Annotated[int | None, Query(ge=0, le=_MOST)] = None,
) -> Response:
    """Published heads with their cosignatures and time stamps, the newest first."""
    asked = filters.given(request, filters.HEADS)
    found = anchors.anchors(services, filters.of_heads(asked), before_size=before, limit=_PAGE)
    more = found.page.next_size
    model = Anchors(
        heads=tuple(_head(one) for one in found.page.heads),
        witnesses=tuple(Outsider(one.name, one.key, one.size, one.at) for one in found.witnesses),
        authorities=tuple(Outsider(one.name, one.key, one.size, one.at) for one in found.authorities),
        quorum=found.quorum,
        recent=anchors.RECENT,
        filters=asked,
        next_href=f"{_HERE}?{urlencode(asked | {'before': more})}" if more is not None else None,
    )
    return html(render_anchors(context(request, access), model))


@routes.get(_HERE + "/{size}/checkpoint")
def checkpoint(size: int, services: ServicesOf, access: Annotated[Access, guard("ledger.page")]) -> Response:
    """The signed note of a head, with every cosignature that came in."""
    del access
    return _file(anchors.checkpoint(services, _sane(size)), "text/plain; charset=utf-8", f"checkpoint-{size}.txt")


@routes.get(_HERE + "/{size}/stamped-text")
def stamped_text(size: int, services: ServicesOf, access: Annotated[Access, guard("ledger.page")]) -> Response:
    """The exact text that authorities stamp: what `openssl ts -verify -data` asks for."""
    del access
    _, text = anchors.token(services, _sane(size), 0)
    return _file(text, "text/plain; charset=utf-8", f"stamped-{size}.txt")


@routes.get(_HERE + "/{size}/{number}.tsr")
def token(size: int, number: int, services: ServicesOf, access: Annotated[Access, guard("ledger.page")]) -> Response:
    """A time-stamp token (RFC 3161), DER: `openssl ts -verify -token_in -in` reads it."""
    del access
    data, _ = anchors.token(services, _sane(size), number)
    return _file(data, "application/vnd.etsi.timestamp-token", f"checkpoint-{size}-{number}.tsr")


def _sane(size: int) -> int:
    """A size that the database can hold; any other is of no head."""
    return size if 0 <= size <= _MOST else 0


def _head(one: CheckpointView) -> Head:
    here = f"{_HERE}/{one.size}"
    return Head(
        size=one.size,
        root=one.root.hex(),
        published_at=one.published_at,
        href=f"{here}/checkpoint",
        witnesses=tuple(Mark(witness.name, witness.at) for witness in one.witnesses),
        stamps=tuple(
            Mark(stamp.authority, stamp.at, f"{here}/{number}.tsr") for number, stamp in enumerate(one.timestamps)
        ),
        witnessed_at=one.witnessed_at,
    )


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=media_type, headers=headers)
