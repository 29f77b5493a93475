"""The public log: checkpoint and hash tiles as C2SP tlog-tiles serves them. Entries are not public."""

from typing import Annotated

from fastapi import Response

from custody.kernel.errors import NotFound
from evidence_api.http.guard import Access, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import log

routes = router("/log", "log")
_TEXT = "text/plain; charset=utf-8"
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_FRESH = {"Cache-Control": "no-cache"}


@routes.get("/checkpoint")
def checkpoint(services: ServicesOf, access: Annotated[Access, guard("log.read")]) -> Response:
    """The last signed head of the ledger."""
    del access
    return Response(log.checkpoint(services), headers=_FRESH, media_type=_TEXT)


@routes.get("/policy")
def policy(services: ServicesOf, access: Annotated[Access, guard("log.read")]) -> Response:
    """The log's verifier key as a policy. Convenient, not trustworthy: a verifier gets its policy from elsewhere."""
    del access
    return Response(log.policy(services), headers=_FRESH, media_type=_TEXT)


@routes.get("/tsa-roots")
def tsa_roots(services: ServicesOf, access: Annotated[Access, guard("log.read")]) -> Response:
    """The roots of the log's time-stamping authorities. Convenient, not trustworthy, as the policy is."""
    del access
    return Response(log.tsa_roots(services), headers=_FRESH, media_type="application/x-pem-file")


@routes.get("/tile/{path:path}")
def tile(path: str, services: ServicesOf, access: Annotated[Access, guard("log.read")]) -> Response:
    """A hash tile, written once."""
    del access
    data = log.tile(services, path)
    if data is None:
        raise NotFound("log.no_such_tile")
    return Response(data, headers=_FOR_EVER, media_type="application/octet-stream")
