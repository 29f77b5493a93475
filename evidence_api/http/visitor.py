"""Who sent a request: a session by cookie (browser) or bearer token (program), an upload token, or nobody."""

import ipaddress
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from custody.kernel.errors import Denied, Unauthenticated
from custody.kernel.outbox import Actor
from evidence_api.access import limits, sessions, upload_tokens
from evidence_api.access.policy import ANONYMOUS, Viewer
from evidence_api.http.parts import Parts, parts_of, request_limit, session_terms
from evidence_api.registry import reads
from evidence_api.registry.facts import Account
from evidence_api.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")

_UNKNOWN = Actor(None, "system", "api")
"""Whoever it will turn out to be. Nothing is recorded under this actor."""


@dataclass(frozen=True)
class Visitor:
    """Who asks and how. `problem` says why a token that was shown did not open anything.

    `token` is the session's token when it came by cookie, so that pages can derive their CSRF token from it.
    """

    viewer: Viewer
    means: str
    address: str | None
    account: Account | None = None
    session_id: UUID | None = None
    token: str | None = None
    by_cookie: bool = False
    problem: Unauthenticated | None = None

    @property
    def csrf_token(self) -> str | None:
        """What a form on a page of this session carries in `csrf_token`."""
        return sessions.csrf_token(self.token) if self.token and self.session_id else None


def cookie_name(settings: Settings) -> str:
    """Over TLS the name binds the cookie to this host (RFC 6265bis, section 4.1.3.2)."""
    return "__Host-dalel" if settings.https else "dalel"


def set_session_cookie(response: Response, settings: Settings, token: str) -> None:
    """Hand the token to a browser: no script reads it, no other site sends it, it ends with the browser."""
    response.set_cookie(cookie_name(settings), token, path="/", secure=settings.https, httponly=True, samesite="strict")


def clear_session_cookie(response: Response, settings: Settings) -> None:
    """Take the token back."""
    response.delete_cookie(cookie_name(settings), path="/", secure=settings.https, httponly=True, samesite="strict")


def visitor_of(request: Request) -> Visitor:
    """The request's visitor, found once per request. Reads the database when a token was shown.

    Raises TooMany `rate.limited` when the session asks too often. A token that opens nothing gives an anonymous
    visitor with `problem`, so that public routes still answer.
    """
    known = getattr(request.state, "visitor", None)
    if isinstance(known, Visitor):
        return known
    visitor = _find(request, parts_of(request))
    request.state.visitor = visitor
    return visitor


def address_of(request: Request, trusted_proxies: tuple[str, ...]) -> str | None:
    """The address of the visitor: the connection's, or the last one before our own proxies in X-Forwarded-For."""
    address = request.client.host if request.client else None
    if address not in trusted_proxies:
        return address
    for hop in reversed(request.headers.get("x-forwarded-for", "").split(",")):
        try:
            candidate = str(ipaddress.ip_address(hop.strip()))
        except ValueError:
            return address
        if candidate not in trusted_proxies:
            return candidate
    return address


async def check_csrf(request: Request, visitor: Visitor) -> None:
    """A change by cookie must carry the session's CSRF token, in a header or a form field. Raises `session.csrf`.

    A request that the browser itself says comes from another site is refused whatever it carries.
    """
    if request.method in SAFE_METHODS or not visitor.by_cookie or visitor.token is None:
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Denied("session.csrf")
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.headers.get("content-type", "").startswith(FORM_TYPES):
        given = _text(await request.form())
    if given is None or not sessions.csrf_matches(visitor.token, given):
        raise Denied("session.csrf")


def _text(form: FormData) -> str | None:
    value = form.get(CSRF_FIELD)
    return value if isinstance(value, str) else None


def _find(request: Request, parts: Parts) -> Visitor:
    address = address_of(request, parts.settings.trusted_proxies)
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return _by_session(parts, secret.strip(), address, by_cookie=False)
        case "upload":
            return _by_upload_token(parts, secret.strip(), address)
    cookie = request.cookies.get(cookie_name(parts.settings))
    if cookie is not None:
        return _by_session(parts, cookie, address, by_cookie=True)
    return Visitor(ANONYMOUS, "browser" if "text/html" in request.headers.get("accept", "") else "api", address)


def _by_session(parts: Parts, token: str, address: str | None, *, by_cookie: bool) -> Visitor:
    database, means = parts.database, "browser" if by_cookie else "api"
    try:
        with database.begin(_UNKNOWN) as work:
            opened = sessions.resolve(work.session, token, work.clock.now(), session_terms(parts.settings))
            viewer = _viewer(work.session, parts, opened.account)
            # All requests of a session take turns from here to the commit: none may wait for the disk.
            limits.take(work, limits.bucket("session", str(opened.id)), request_limit(parts.settings))
            if opened.due:
                sessions.touch(work, opened.id)
                work.may_be_lost()
            work.commit()
    except Unauthenticated as problem:
        return Visitor(ANONYMOUS, means, address, token=token, by_cookie=by_cookie, problem=problem)
    return Visitor(viewer, means, address, opened.account, opened.id, token, by_cookie)


def _by_upload_token(parts: Parts, token: str, address: str | None) -> Visitor:
    with parts.database.look() as session:
        try:
            now = parts.database.clock.now()
            upload_id, account_id = upload_tokens.resolve(session, token, now)
        except Unauthenticated as problem:
            return Visitor(ANONYMOUS, "api", address, problem=problem)
        account = reads.get_account(session, account_id)
        if not account.usable(now):
            return Visitor(ANONYMOUS, "api", address, problem=Unauthenticated("upload.token_expired"))
        viewer = _viewer(session, parts, account, upload_id)
    return Visitor(viewer, "api", address, account)


def _viewer(session: Session, parts: Parts, account: Account, only_upload: UUID | None = None) -> Viewer:
    grants = reads.cases_of(session, account.id, parts.database.clock.now())
    return Viewer(account.id, account.role, grants, only_upload)
