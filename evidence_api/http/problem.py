"""Refusals as problem details (RFC 9457): a stable code, a sentence in the reader's language, nothing private."""

import json
import logging
import traceback
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from custody.kernel import errors
from custody.kernel.errors import DalelError
from evidence_api.http.language import negotiate
from evidence_api.http.messages import sentence
from evidence_api.settings import LANGUAGES

MEDIA_TYPE = "application/problem+json"
URN = "urn:dalel:problem:"
STATUS: Mapping[type[DalelError], int] = {
    errors.Invalid: 422,
    errors.Unauthenticated: 401,
    errors.Denied: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.TooMany: 429,
    errors.Gone: 410,
    errors.Unavailable: 503,
    errors.Corrupt: 500,
}
_TITLES = {
    400: "kind.invalid",
    401: "kind.unauthenticated",
    403: "kind.denied",
    404: "kind.not_found",
    405: "kind.invalid",
    409: "kind.conflict",
    410: "kind.gone",
    413: "kind.too_large",
    415: "kind.invalid",
    416: "kind.invalid",
    422: "kind.invalid",
    429: "kind.too_many",
    500: "kind.failed",
    503: "kind.unavailable",
}
_HTTP_CODES = {
    404: "request.no_such_route",
    405: "request.method_not_allowed",
    413: "request.too_large",
    415: "request.media_type",
}
RETRY_SECONDS = 5
log = logging.getLogger("dalel.http")


def language_of(request: Request) -> str:
    """The language to answer in: that of the signed-in account unless the request names one."""
    header = request.headers.get("accept-language")
    visitor = getattr(request.state, "visitor", None)
    if header is None and visitor is not None and visitor.account is not None:
        return str(visitor.account.language)
    parts = getattr(request.app.state, "parts", None)
    return negotiate(header, parts.settings.languages if parts else LANGUAGES)


def problem(
    request: Request,
    status: int,
    code: str,
    params: Mapping[str, str | int | None] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    **extra: Any,
) -> Response:
    """A problem response. `params` are the code's own; `extra` are extension members."""
    language = language_of(request)
    body = {
        "type": URN + code,
        "title": sentence(_TITLES.get(status, "kind.failed"), language, {}),
        "status": status,
        "detail": sentence(code, language, params or {}),
        "code": code,
        "request": getattr(request.state, "request_id", None),
        **({"params": dict(params)} if params else {}),
        **extra,
    }
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, {"Content-Language": language, **(headers or {})}, MEDIA_TYPE)


def status_of(error: DalelError) -> int:
    """The HTTP status of a refusal: its kind's."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def from_error(request: Request, error: DalelError) -> Response:
    """The problem of a refusal. 401 says how to sign in, 429 and 503 when to come again."""
    status = status_of(error)
    headers: dict[str, str] = {}
    match status:
        case 401:
            headers["WWW-Authenticate"] = 'Bearer realm="dalel"'
        case 429 | 503:
            headers["Retry-After"] = str(error.params.get("retry_after_seconds") or RETRY_SECONDS)
        case 500:
            log.error("refused: %s", error)
    return problem(request, status, error.code, error.params, headers=headers)


def from_fault(request: Request, fault: BaseException) -> Response:
    """The problem of what nobody foresaw. The log gets type and place, never the message: it may quote anybody."""
    incident = str(getattr(request.state, "request_id", ""))
    trace = "".join(traceback.format_tb(fault.__traceback__))
    log.error("incident %s: %s\n%s", incident, type(fault).__qualname__, trace)
    return problem(request, 500, "request.failed", {"incident": incident})


def install(app: FastAPI) -> None:
    """Make every refusal of the app a problem."""
    app.add_exception_handler(DalelError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(OperationalError, _on_database)
    app.add_exception_handler(PoolTimeout, _on_database)


async def _on_error(request: Request, error: Exception) -> Response:
    return from_error(request, error) if isinstance(error, DalelError) else from_fault(request, error)


async def _on_validation(request: Request, error: Exception) -> Response:
    """Names the fields and what is wrong with each; never what was given, which may be a password."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    fields = [{"pointer": "/" + "/".join(str(part) for part in one["loc"]), "rule": str(one["type"])} for one in found]
    return problem(request, 422, "request.invalid", {"field": fields[0]["pointer"] if fields else ""}, errors=fields)


async def on_http(request: Request, error: Exception) -> Response:
    if isinstance(error.__cause__, DalelError):
        return from_error(request, error.__cause__)
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return problem(request, status, _HTTP_CODES.get(status, "request.malformed"), headers=headers)


async def _on_database(request: Request, error: Exception) -> Response:
    log.error("the database does not answer: %s", type(error).__qualname__)
    return from_error(request, errors.Unavailable("database.unavailable"))
