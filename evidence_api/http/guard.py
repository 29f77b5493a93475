"""Guards: what stands in front of every route. A guard names its route in the policy and loads what is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Depends
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from custody.kernel.errors import Denied, NotFound
from custody.kernel.outbox import Actor
from evidence_api.access.authorize import authorize, record_denial
from evidence_api.access.policy import NOTHING, Resource, Viewer, refusal
from evidence_api.http.parts import parts_of
from evidence_api.http.visitor import Visitor, check_csrf, visitor_of
from evidence_api.registry import reads

Load = Callable[[Session, Request], Resource]
"""Finds what the policy must know about the thing in the path. Raises NotFound."""


@dataclass(frozen=True)
class Access:
    """What a guard let through: the actor for the use case, and who is behind it."""

    actor: Actor
    visitor: Visitor
    resource: Resource

    @property
    def case_id(self) -> UUID:
        """The case the thing belongs to. Raises NotFound `access.not_found` for a thing of no case."""
        if self.resource.case_id is None:
            raise NotFound("access.not_found")
        return self.resource.case_id

    @property
    def viewer(self) -> Viewer:
        """Who asks, as the policy sees them."""
        return self.visitor.viewer


class Guard:
    """A dependency that lets a request through only when the policy does. `route` is its name in `ROUTES`."""

    def __init__(self, route: str, load: Load | None = None) -> None:
        self.route = route
        self._load = load

    async def __call__(self, request: Request) -> Access:
        """Raises Unauthenticated, Denied, NotFound, TooMany. Denials are recorded before they are raised."""
        visitor = await run_in_threadpool(visitor_of, request)
        try:
            await check_csrf(request, visitor)
        except Denied:
            await run_in_threadpool(self._record_forgery, request, visitor)
            raise
        access = await run_in_threadpool(self._authorize, request, visitor)
        request.state.access = access
        return access

    def _record_forgery(self, request: Request, visitor: Visitor) -> None:
        if visitor.account is not None:
            actor = Actor(visitor.account.id, visitor.account.role.value, visitor.means, visitor.address)
            record_denial(parts_of(request).database, actor, self.route, "csrf", None)

    def _authorize(self, request: Request, visitor: Visitor) -> Access:
        if visitor.problem is not None and self._needs_someone(visitor):
            raise visitor.problem
        database = parts_of(request).database
        resource = NOTHING
        if self._load is not None:
            if visitor.viewer.account_id is None:
                # Nobody is signed in: whether the thing exists is not even looked up.
                authorize(database, visitor.viewer, self.route, NOTHING, means=visitor.means, address=visitor.address)
            try:
                with database.look() as session:
                    resource = self._load(session, request)
            except NotFound:
                # The same words as for another's: nobody learns from the difference.
                raise NotFound("access.not_found") from None
        actor = authorize(database, visitor.viewer, self.route, resource, means=visitor.means, address=visitor.address)
        return Access(actor, visitor, resource)

    def _needs_someone(self, visitor: Visitor) -> bool:
        return refusal(visitor.viewer, self.route, NOTHING) is not None


def guard(route: str, load: Load | None = None) -> Any:
    """A guard as a dependency of a route.

    In its parameters: `access: Annotated[Access, guard("case.read", by_case)]`.
    """
    return Depends(Guard(route, load))


def path_id(request: Request, name: str) -> UUID:
    """The id in the path. Raises NotFound `access.not_found` when it is none: no such thing can exist."""
    text = str(request.path_params.get(name, ""))
    try:
        parsed = UUID(text)
    except ValueError:
        raise NotFound("access.not_found") from None
    if str(parsed) != text:
        raise NotFound("access.not_found")
    return parsed


def by_case(session: Session, request: Request) -> Resource:
    """The case `{case_id}`."""
    return Resource(case_id=reads.get_case(session, path_id(request, "case_id")).id)


def by_exhibit(session: Session, request: Request) -> Resource:
    """The exhibit `{exhibit_id}`, as a thing of its case."""
    exhibit = reads.get_exhibit(session, path_id(request, "exhibit_id"))
    return Resource(case_id=exhibit.case_id, owner=exhibit.registered_by, upload_id=exhibit.upload_id)


def by_account(session: Session, request: Request) -> Resource:
    """The account `{account_id}`."""
    return Resource(account_id=reads.get_account(session, path_id(request, "account_id")).id)


def by_self(_: Session, request: Request) -> Resource:
    """The account of whoever asks."""
    return Resource(account_id=visitor_of(request).viewer.account_id)
