"""The one gate: asks the policy, records a refusal in a unit of work of its own, and says no in the right words."""

from collections.abc import Sequence
from uuid import UUID

from custody import event
from custody.kernel.errors import Denied, NotFound, Unauthenticated
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import Database
from evidence_api.access import policy
from evidence_api.access.policy import Resource, Viewer


def authorize(
    database: Database, viewer: Viewer, route: str, resource: Resource, *, means: str, address: str | None = None
) -> Actor:
    """The actor of the act when the policy lets the viewer through: who, in which role, by which means.

    A refusal is durable as `access.denied` before it is raised. Raises Unauthenticated `session.required` for someone
    not signed in (not recorded: there is nobody to name), NotFound `access.not_found` when the viewer may not know
    that the thing exists, Denied `plan.self_approval` or `disposal.self_approval` for approving one's own
    work, Denied `access.denied` otherwise.
    """
    reason = policy.refusal(viewer, route, resource)
    role = viewer.acting_role(resource)
    actor = Actor(viewer.account_id, role.value if role else "anonymous", means, address)
    if reason is None:
        return actor
    if viewer.account_id is None:
        raise Unauthenticated("session.required")
    record_denial(database, actor, route, reason, resource.case_id)
    if not policy.may_know(viewer, resource):
        raise NotFound("access.not_found")
    if reason == "second_person_needed":
        raise Denied("disposal.self_approval") if route.startswith("disposal.") else Denied("plan.self_approval")
    raise Denied("access.denied", reason=reason)


def record_refusals(database: Database, actor: Actor, route: str, codes: Sequence[str], case_id: UUID | None) -> None:
    """Make it durable that an act somebody was allowed to try was refused, and with which codes (U1)."""
    item = f"case:{case_id}" if case_id else f"account:{actor.id}"
    with database.begin(actor) as work:
        work.record_all(
            [event.draft("act.refused", item=item, case_id=case_id, action=route, code=code) for code in codes]
        )
        work.commit()


def record_denial(database: Database, actor: Actor, route: str, reason: str, case_id: UUID | None) -> None:
    """Make a denial durable: on the chain of the case it was about, else on that of the account."""
    item = f"case:{case_id}" if case_id else f"account:{actor.id}"
    with database.begin(actor) as work:
        work.record(event.draft("access.denied", item=item, case_id=case_id, action=route, predicate=reason))
        work.commit()
