"""The portal as a process: pages for people, and the same API beside them, so that a page may speak to it.

`uvicorn portal.app:create --factory`
"""

import logging
from collections.abc import Mapping
from urllib.parse import quote

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from custody.kernel.errors import DalelError, Unauthenticated
from evidence_api import container, settings
from evidence_api.http import problem
from evidence_api.http.main import application
from evidence_api.services import Services
from portal import assets, visits
from portal.pages.session import ErrorPage, render_error
from portal.views import (
    accounts,
    anchors,
    audit,
    cases,
    disclosures,
    disposals,
    exhibits,
    exports,
    fixity,
    printing,
    record,
    redaction,
    retention,
    session,
    transcripts,
    upload,
    verify,
)

PAGES = (
    session.routes,
    accounts.routes,
    cases.routes,
    upload.routes,
    exhibits.routes,
    transcripts.routes,
    redaction.routes,
    disclosures.routes,
    retention.routes,
    disposals.routes,
    audit.routes,
    fixity.routes,
    anchors.routes,
    record.routes,
    exports.routes,
    printing.routes,
    verify.routes,
)
log = logging.getLogger("dalel.portal")


def create() -> FastAPI:
    """The application from the environment's settings."""
    return build(container.services(settings.load()))


def build(services: Services) -> FastAPI:
    """Pages and API on parts that are there already."""
    app = application(services)
    for router in PAGES:
        app.include_router(router, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=assets.BUILD), name="static")
    app.add_exception_handler(DalelError, _on_error)
    app.add_exception_handler(HTTPException, _on_http)
    return app


def _is_page(request: Request) -> bool:
    """Whether a person asked: not the API, not a module that wants JSON."""
    path = request.url.path
    wants_json = request.headers.get("accept", "").startswith("application/json")
    return not wants_json and not path.startswith(("/api/", "/log/", "/healthz", "/readyz"))


async def _on_error(request: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, DalelError) else DalelError("request.failed")
    if not _is_page(request):
        return problem.from_error(request, refusal)
    if isinstance(refusal, Unauthenticated):
        here = request.url.path if request.method == "GET" else "/"
        return RedirectResponse(f"/sign-in?to={quote(here)}", 303)
    return _page(request, problem.status_of(refusal), refusal.code, refusal.params)


async def _on_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if isinstance(error.__cause__, DalelError):
        return await _on_error(request, error.__cause__)
    if not _is_page(request):
        return await problem.on_http(request, error)
    return _page(request, status, "request.no_such_route" if status == 404 else "request.malformed")


def _page(request: Request, status: int, code: str, params: Mapping[str, str | int | None] | None = None) -> Response:
    quote_id = getattr(request.state, "request_id", None)
    model = ErrorPage(status, code, quote=quote_id, params=params or {})
    return visits.html(render_error(visits.context(request), model), status)
