"""Alive, ready, and the description of the API."""

import logging
from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel
from starlette.requests import Request

from evidence_api.http.guard import Access, guard
from evidence_api.http.parts import PartsOf
from evidence_api.http.route import router

health = router(tag="health")
description = router(tag="openapi")
log = logging.getLogger("dalel.http")


class Alive(BaseModel):
    """This process answers."""

    status: str = "alive"


class Ready(BaseModel):
    """By part: whether it answers. `reason` is a code or the kind of fault, never a message."""

    ready: bool
    parts: dict[str, str]


@health.get("/healthz")
def alive(access: Annotated[Access, guard("health")]) -> Alive:
    """Whether this process answers at all; asks no other part."""
    del access
    return Alive()


@health.get("/readyz", responses={503: {"model": Ready}})
def ready(response: Response, parts: PartsOf, access: Annotated[Access, guard("health")]) -> Ready:
    """Whether every part that this process needs answers now: 200 or 503, with each part's state."""
    del access
    states = {}
    for name, check in parts.ready_checks.items():
        try:
            check()
        except Exception as fault:
            log.warning("part %s is not ready: %s", name, type(fault).__qualname__)
            states[name] = getattr(fault, "code", type(fault).__qualname__)
        else:
            states[name] = "ok"
    is_ready = all(state == "ok" for state in states.values())
    response.status_code = 200 if is_ready else 503
    return Ready(ready=is_ready, parts=states)


@description.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, access: Annotated[Access, guard("openapi.read")]) -> dict[str, Any]:
    """OpenAPI 3.1 of this API."""
    del access
    schema: dict[str, Any] = request.app.openapi()
    return schema
