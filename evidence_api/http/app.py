"""The API as one ASGI application, made from the parts the composition root gives."""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from evidence_api.http import problem
from evidence_api.http.content import NotModified, RangeNotSatisfiable, not_satisfiable
from evidence_api.http.middleware import Envelope
from evidence_api.http.parts import Parts
from evidence_api.http.route import check_guarded
from evidence_api.http.routes import accounts, cases, devices, session, system

API = "/api/v1"
STREAMING = (f"{API}/uploads", "/uploads/")
"""Bodies under these paths (tus, the plain form) are as large as an upload may be, which counts them itself."""


def create_app(parts: Parts, routers: Sequence[APIRouter] = (), root_routers: Sequence[APIRouter] = ()) -> FastAPI:
    """The application. `routers` are added below `/api/v1`, `root_routers` (the public log) at the root.

    Nothing is connected to here: parts answer when they are asked. Raises ValueError for a route without exactly one
    guard (law 5), before anything is served.
    """
    app = FastAPI(
        title="Dälel",
        version="1",
        description="Digital evidence management with a chain of custody.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.state.parts = parts
    problem.install(app)
    app.add_exception_handler(RangeNotSatisfiable, _on_range)
    app.add_exception_handler(NotModified, _on_not_modified)
    for router in (session.routes, accounts.routes, devices.routes, cases.routes, system.description, *routers):
        check_guarded(router)
        app.include_router(router, prefix=API)
    for router in (system.health, *root_routers):
        check_guarded(router)
        app.include_router(router)
    app.add_middleware(
        Envelope,
        ids=parts.database.ids,
        body_limit_bytes=parts.settings.request_body_limit_bytes,
        https=parts.settings.https,
        streaming=STREAMING,
    )
    return app


async def _on_range(request: Request, error: Exception) -> Response:
    size_bytes = error.size_bytes if isinstance(error, RangeNotSatisfiable) else 0
    return problem.problem(
        request, 416, "range.not_satisfiable", {"size_bytes": size_bytes}, headers=not_satisfiable(size_bytes)
    )


async def _on_not_modified(_: Request, error: Exception) -> Response:
    return Response(status_code=304, headers=error.headers if isinstance(error, NotModified) else None)
