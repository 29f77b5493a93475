"""The route class of every router of ours: it adds `Idempotency-Key` to POST. `router()` makes such a router."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from custody.kernel import errors
from custody.kernel.outbox import Actor
from evidence_api.access.authorize import record_refusals
from evidence_api.access.policy import ROUTES
from evidence_api.http import idempotency
from evidence_api.http.guard import Guard
from evidence_api.http.idempotency import Answer
from evidence_api.http.parts import parts_of
from evidence_api.http.problem import MEDIA_TYPE
from evidence_api.http.visitor import SAFE_METHODS, visitor_of
from storage import whole

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
REFUSALS = (
    errors.Invalid,
    errors.Unauthenticated,
    errors.Denied,
    errors.NotFound,
    errors.Conflict,
    errors.TooLarge,
    errors.TooMany,
    errors.Gone,
    RequestValidationError,
)
"""After these nothing was changed. After anything else the outcome is not known."""


RECORDED = (
    errors.Invalid,
    errors.Denied,
    errors.NotFound,
    errors.Conflict,
    errors.TooLarge,
    errors.Gone,
    RequestValidationError,
)
"""Refusals of a change that its guard had let through. What the guard itself refuses it records as `access.denied`."""


def note_refusal(request: Request, refusal: errors.DalelError) -> None:
    """Say that an act was refused although the route will answer with a page: it is recorded before that answer."""
    if isinstance(refusal, RECORDED):
        request.state.refusals = (*getattr(request.state, "refusals", ()), refusal)


def guards_of(route: APIRoute) -> list[Guard]:
    """The guards in front of a route."""
    return [dependency.call for dependency in route.dependant.dependencies if isinstance(dependency.call, Guard)]


def check_guarded(routes: APIRouter) -> dict[str, str]:
    """Policy names by `METHOD path` of a router's routes, those of routers included in it too.

    Raises ValueError for a route that has not exactly one guard, whose name is not in the policy, or that no guard can
    stand in front of (a mount, a plain Starlette route).
    """
    found: dict[str, str] = {}
    for route in routes.routes:
        inner = getattr(route, "original_router", None)
        if isinstance(inner, APIRouter):
            found |= check_guarded(inner)
            continue
        names = [guard.route for guard in guards_of(route)] if isinstance(route, APIRoute) else []
        if len(names) != 1 or names[0] not in ROUTES:
            raise ValueError(f"{getattr(route, 'path', route)} has no single guard that the policy knows: {names}")
        if isinstance(route, APIRoute):
            found |= {f"{method} {route.path}": names[0] for method in route.methods or ()}
    return found


class GuardedRoute(APIRoute):
    """An APIRoute that lets a repeated POST act once, the creation of an upload too: its answer may be lost on the way.

    A creation that brings more bytes than are held in memory is left alone: nobody reads them twice. Repeated, it finds
    the upload that its first bytes made.
    """

    def get_route_handler(self) -> Handler:
        """The handler, with the key looked at first and refusals recorded."""
        act = self._recording(super().get_route_handler())

        async def handle(request: Request) -> Response:
            header = request.headers.get(idempotency.HEADER)
            if header is None or request.method != "POST" or _brings_many_bytes(request):
                return await act(request)
            key = idempotency.parse_key(header)
            visitor = await run_in_threadpool(visitor_of, request)
            if visitor.viewer.account_id is None:
                return await act(request)
            for guard in guards_of(self):
                await guard(request)
            return await self._once(request, act, visitor.viewer.account_id, key)

        return handle

    def _recording(self, act: Handler) -> Handler:
        """`act`, whose refusals are durable before they are answered: also of what somebody was allowed to try."""
        route = guards_of(self)[0].route if guards_of(self) else ""

        async def recorded(request: Request) -> Response:
            try:
                response = await act(request)
            except RECORDED as refusal:
                await run_in_threadpool(_record, request, route, [getattr(refusal, "code", "request.invalid")])
                raise
            shown = [refusal.code for refusal in getattr(request.state, "refusals", ())]
            if shown:
                await run_in_threadpool(_record, request, route, shown)
            return response

        return recorded

    async def _once(self, request: Request, act: Handler, account_id: UUID, key: str) -> Response:
        body = await request.body()
        said = "".join(request.headers.get(name, "") for name in ("upload-length", "upload-metadata")).encode()
        digest = idempotency.request_digest(request.method, request.url.path, request.url.query, said + body)
        before = await run_in_threadpool(_reserve, request, account_id, key, digest)
        if before is not None:
            headers = {idempotency.REPLAYED: "true"} | ({"Location": before.location} if before.location else {})
            return Response(before.body, before.status, headers, before.media_type)
        try:
            response = await act(request)
        except REFUSALS:
            await run_in_threadpool(_forget, request, account_id, key)
            raise
        body_out = None if isinstance(response, StreamingResponse) else bytes(response.body)
        if body_out is None or len(body_out) > idempotency.LARGEST_ANSWER_BYTES:
            raise TypeError(f"{self.path} answers with what an Idempotency-Key cannot keep")
        answer = Answer(
            response.status_code, response.headers.get("content-type"), response.headers.get("location"), body_out
        )
        await run_in_threadpool(_finish, request, account_id, key, answer)
        return response


def _brings_many_bytes(request: Request) -> bool:
    length = request.headers.get("content-length", "0")
    small = "transfer-encoding" not in request.headers and length.isdigit() and int(length) <= whole.MOST_BYTES
    return "upload-length" in request.headers and not small


def router(prefix: str = "", tag: str = "") -> APIRouter:
    """A router whose routes are guarded and whose refusals are described in OpenAPI."""
    described = {"description": "Problem details (RFC 9457) with a stable `code`", "content": {MEDIA_TYPE: {}}}
    return APIRouter(
        prefix=prefix, route_class=GuardedRoute, tags=[tag] if tag else None, responses={"default": described}
    )


def _record(request: Request, route: str, codes: Sequence[str]) -> None:
    """Nothing for a reader, nor for someone whom no guard let through."""
    access = getattr(request.state, "access", None)
    if access is None or access.actor.id is None or request.method in SAFE_METHODS:
        return
    record_refusals(parts_of(request).database, access.actor, route, codes, access.resource.case_id)


def _operational(account_id: UUID) -> Actor:
    """Keys are operational: nothing is recorded under this actor."""
    return Actor(account_id, "system", "api")


def _reserve(request: Request, account_id: UUID, key: str, digest: bytes) -> Answer | None:
    with parts_of(request).database.begin(_operational(account_id)) as work:
        answer = idempotency.reserve(work, account_id, key, digest)
        work.commit()
    return answer


def _finish(request: Request, account_id: UUID, key: str, answer: Answer) -> None:
    with parts_of(request).database.begin(_operational(account_id)) as work:
        idempotency.finish(work, account_id, key, answer)
        work.commit()


def _forget(request: Request, account_id: UUID, key: str) -> None:
    with parts_of(request).database.begin(_operational(account_id)) as work:
        idempotency.forget(work, account_id, key)
        work.commit()
