"""Every refused combination of role and route, own case or foreign, is an event before it is an answer."""

import json
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from custody.kernel.errors import DalelError, Denied, NotFound, Unauthenticated
from evidence_api.access.authorize import authorize
from evidence_api.access.policy import ANONYMOUS, NOTHING, ROUTES, Resource, Viewer, refusal
from evidence_api.registry.model import Role
from tests.integration.access.conftest import EventTypes, TestParts


def refuse(parts: TestParts, viewer: Viewer, route: str, resource: Resource) -> DalelError | None:
    try:
        authorize(parts.database, viewer, route, resource, means="api", address="192.0.2.1")
    except DalelError as error:
        return error
    return None


def denials(parts: TestParts, account_id: UUID) -> list[dict[str, object]]:
    query = text("SELECT body FROM event_outbox WHERE body::jsonb -> 'actor' ->> 'id' = :id ORDER BY position")
    with parts.database.read() as session:
        return [json.loads(body) for body in session.scalars(query, {"id": str(account_id)})]


@pytest.mark.parametrize("role", Role)
def test_what_is_refused_is_recorded_and_what_passes_is_not(role: Role, parts: TestParts) -> None:
    own, foreign, me = uuid4(), uuid4(), uuid4()
    viewer = Viewer(me, role, frozenset({(own, role)}))
    expected: list[tuple[object, object, object]] = []
    for case_id in (own, foreign):
        resource = Resource(case_id=case_id)
        for route in (*ROUTES, "evidence.delete"):
            error = refuse(parts, viewer, route, resource)
            reason = refusal(viewer, route, resource)
            assert (error is None) == (reason is None)
            if error is None:
                continue
            hidden = case_id == foreign and role not in (Role.AUDITOR, Role.ADMINISTRATOR)
            assert isinstance(error, NotFound if hidden or role is Role.DEFENCE else Denied)
            expected.append((f"case:{case_id}", route, reason))
    recorded = denials(parts, me)
    assert [(one["item"], one["data"]["action"], one["data"]["predicate"]) for one in recorded] == expected
    assert {one["type"] for one in recorded} == {"access.denied"}
    assert len(expected) > 20


def test_approving_ones_own_plan_is_refused_in_its_own_words(parts: TestParts) -> None:
    case_id, me = uuid4(), uuid4()
    viewer = Viewer(me, Role.PROSECUTOR, frozenset({(case_id, Role.PROSECUTOR)}))
    error = refuse(parts, viewer, "plan.approve", Resource(case_id=case_id, submitted_by=me))
    assert isinstance(error, Denied)
    assert error.code == "plan.self_approval"
    assert denials(parts, me)[0]["data"]["predicate"] == "second_person_needed"


def test_nobody_is_told_to_sign_in_and_not_recorded(parts: TestParts, recorded: EventTypes) -> None:
    before = recorded()
    assert isinstance(refuse(parts, ANONYMOUS, "case.list", NOTHING), Unauthenticated)
    assert recorded() == before


def test_a_denial_of_no_case_is_on_the_chain_of_the_account(parts: TestParts) -> None:
    me = uuid4()
    assert isinstance(refuse(parts, Viewer(me, Role.AUDITOR), "account.manage", NOTHING), Denied)
    assert denials(parts, me)[0]["item"] == f"account:{me}"


def test_the_actor_acts_in_the_role_of_the_case(parts: TestParts) -> None:
    case_id, me = uuid4(), uuid4()
    viewer = Viewer(me, Role.SUPERVISING_PROSECUTOR, frozenset({(case_id, Role.PROSECUTOR)}))
    actor = authorize(parts.database, viewer, "case.read", Resource(case_id=case_id), means="api", address="192.0.2.1")
    assert (actor.id, actor.role, actor.means, actor.address) == (me, "prosecutor", "api", "192.0.2.1")
