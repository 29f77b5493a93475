"""The public log: checkpoint and hash tiles as C2SP tlog-tiles serves them. Entries are not public.

The first log lies at `/log`, the one that followed it when the key was changed at `/log/2`, and so on, each for ever.
"""

from typing import Annotated

from fastapi import Path, Response

from custody.kernel.errors import NotFound
from evidence_api.http.guard import Access, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import log
from evidence_api.services import Services

routes = router("/log", "log")
_TEXT = "text/plain; charset=utf-8"
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_FRESH = {"Cache-Control": "no-cache"}
FIRST = 1
Number = Annotated[int, Path(ge=2, le=999_999)]


@routes.get("/checkpoint")
def checkpoint(services: ServicesOf, access: Annotated[Access, guard("log.read")]) -> Response:
    """The last signed head of the first log; a closed one's for ever its final one."""
    del access
    return Response(log.checkpoint(services, FIRST), headers=_FRESH, media_type=_TEXT)


@routes.get("/handover")
def handover(services: ServicesOf, access: Annotated[Access, guard("log.read")]) -> Response:
    """How the first log ended and the next began, once it is closed."""
    del access
    return Response(log.handover(services, FIRST), headers=_FRESH, media_type="application/json")


@routes.get("/{number:int}/checkpoint")
def later_checkpoint(number: Number, services: ServicesOf, access: Annotated[Access, guard("log.read")]) -> Response:
    """The last signed head of a later log."""
    del access
    return Response(log.checkpoint(services, number), headers=_FRESH, media_type=_TEXT)


@routes.get("/{number:int}/handover")
def later_handover(number: Number, services: ServicesOf, access: Annotated[Access, guard("log.read")]) -> Response:
    """How a later log ended."""
    del access
    return Response(log.handover(services, number), headers=_FRESH, media_type="application/json")


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
    """A hash tile of the first log, written once."""
    del access
    return _tile(services, FIRST, path)


@routes.get("/{number:int}/tile/{path:path}")
def later_tile(
    number: Number, path: str, services: ServicesOf, access: Annotated[Access, guard("log.read")]
) -> Response:
    """A hash tile of a later log."""
    del access
    return _tile(services, number, path)


def _tile(services: Services, number: int, path: str) -> Response:
    data = log.tile(services, number, path)
    if data is None:
        raise NotFound("log.no_such_tile")
    return Response(data, headers=_FOR_EVER, media_type="application/octet-stream")
