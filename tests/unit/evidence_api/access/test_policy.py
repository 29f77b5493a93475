"""Role by route by own, foreign and released: what is not listed here is refused."""

from collections.abc import Mapping
from uuid import uuid4

import pytest

from evidence_api.access import policy
from evidence_api.access.policy import ANONYMOUS, NOTHING, ROUTES, Predicate, Resource, Viewer, named, refusal
from evidence_api.registry.model import GRANTABLE, Role

OWN, FOREIGN, ME, SOMEONE = uuid4(), uuid4(), uuid4(), uuid4()

STAFF = {Role.INVESTIGATOR, Role.PROSECUTOR, Role.SUPERVISING_PROSECUTOR}
PROSECUTORS = {Role.PROSECUTOR, Role.SUPERVISING_PROSECUTOR}
READERS = STAFF | {Role.EXPERT}
EVERYONE = set(Role)
DEVICE = {Role.DEVICE}
PEOPLE = EVERYONE - DEVICE
SENDERS = STAFF | DEVICE
AUDITOR, ADMINISTRATOR, DEFENCE, CLERK = {Role.AUDITOR}, {Role.ADMINISTRATOR}, {Role.DEFENCE}, {Role.COURT_CLERK}
NOBODY: set[Role] = set()

# A thing of no case, not one's own.
ANYWHERE: Mapping[str, set[Role]] = {
    "health": EVERYONE,
    "openapi.read": EVERYONE,
    "log.read": EVERYONE,
    "session.create": EVERYONE,
    "page.public": EVERYONE,
    "session.read": EVERYONE,
    "session.close": EVERYONE,
    "page.home": PEOPLE,
    "ledger.page": PEOPLE,
    "account.manage": ADMINISTRATOR,
    "account.read": ADMINISTRATOR,
    "device.trail": ADMINISTRATOR | AUDITOR,
    "system.read": ADMINISTRATOR | AUDITOR,
    "case.create": STAFF,
    "case.list": READERS | CLERK | AUDITOR | DEVICE,
    "case.read": AUDITOR,
    "case.grants": AUDITOR | ADMINISTRATOR,
    "case.grant": ADMINISTRATOR,
    "case.revoke": ADMINISTRATOR,
    "exhibit.list": AUDITOR,
    "exhibit.read": AUDITOR,
    "exhibit.states": AUDITOR,
    "receipt.read": AUDITOR,
    "rendition.read": AUDITOR,
    "disclosure.list": AUDITOR | DEFENCE,
    "disclosure.read": AUDITOR,
    "trail.read": AUDITOR,
    "trail.export": AUDITOR,
    "trail.personal": AUDITOR,
    "ledger.check": AUDITOR,
    "fixity.read": AUDITOR | ADMINISTRATOR,
    "fixity.run": AUDITOR | ADMINISTRATOR,
    "exhibit.check": AUDITOR,
    "rules.read": STAFF | AUDITOR | ADMINISTRATOR,
    "rules.change": ADMINISTRATOR,
    "retention.read": AUDITOR,
    "disposal.read": AUDITOR,
}

# A thing of a case one is not on: as above, except what is only of no case.
IN_FOREIGN_CASE = {**ANYWHERE, "disclosure.list": AUDITOR}

# A thing of a case one is on, in the account's own role; not released, registered and submitted by someone else.
IN_OWN_CASE: Mapping[str, set[Role]] = {
    **IN_FOREIGN_CASE,
    "case.read": READERS | CLERK | AUDITOR,
    "case.grants": STAFF | AUDITOR | ADMINISTRATOR,
    "case.grant": STAFF | ADMINISTRATOR,
    "case.revoke": STAFF | ADMINISTRATOR,
    "exhibit.create": STAFF,
    "exhibit.list": READERS | AUDITOR,
    "exhibit.read": READERS | AUDITOR,
    "exhibit.states": READERS | AUDITOR | DEVICE,
    "exhibit.discard": STAFF,
    "exhibit.content": READERS,
    "exhibit.facts": READERS,
    "exhibit.examine": STAFF,
    "light.content": READERS,
    "upload.desk": STAFF,
    "upload.create": SENDERS,
    "receipt.issue": SENDERS,
    "receipt.read": STAFF | AUDITOR,
    "transcript.read": READERS,
    "transcript.request": STAFF,
    "transcript.correct": STAFF,
    "transcript.confirm": STAFF,
    "plan.read": STAFF,
    "plan.suggest": PROSECUTORS,
    "plan.decide": PROSECUTORS,
    "plan.submit": PROSECUTORS,
    "plan.approve": PROSECUTORS,
    "plan.return": PROSECUTORS,
    "rendition.read": READERS | AUDITOR,
    "rendition.content": READERS,
    "disclosure.draft": PROSECUTORS,
    "disclosure.release": PROSECUTORS,
    "disclosure.list": STAFF | AUDITOR,
    "disclosure.read": STAFF | AUDITOR,
    "trail.read": PROSECUTORS | AUDITOR,
    "trail.export": PROSECUTORS | AUDITOR,
    "trail.personal": {Role.SUPERVISING_PROSECUTOR} | AUDITOR,
    "content.copy": STAFF,
    "exhibit.check": STAFF | AUDITOR,
    "job.read": READERS,
    "retention.read": STAFF | AUDITOR,
    "retention.extend": STAFF,
    "hold.place": STAFF,
    "hold.lift": PROSECUTORS,
    "disposal.read": STAFF | AUDITOR,
    "disposal.propose": PROSECUTORS,
    "disposal.sign": PROSECUTORS,
    "disposal.approve": PROSECUTORS,
    "disposal.reject": PROSECUTORS,
}

# What was released to whoever asks, in a case they are not on.
RELEASED_TO_ME: Mapping[str, set[Role]] = {
    **IN_FOREIGN_CASE,
    "rendition.read": AUDITOR | DEFENCE,
    "rendition.content": DEFENCE,
    "disclosure.read": AUDITOR | DEFENCE,
    "disclosure.download": DEFENCE,
    "disclosure.receipt": DEFENCE,
}

# What was released to someone, in one's own case: the court's clerk may show it.
RELEASED_IN_OWN_CASE: Mapping[str, set[Role]] = {
    **IN_OWN_CASE,
    "rendition.read": READERS | AUDITOR | CLERK,
    "rendition.content": READERS | CLERK,
    "disclosure.read": STAFF | AUDITOR | CLERK,
}

# One's own upload in one's own case.
MINE_IN_OWN_CASE: Mapping[str, set[Role]] = {
    **IN_OWN_CASE,
    "upload.read": SENDERS,
    "upload.append": SENDERS,
    "upload.terminate": SENDERS,
    "receipt.read": SENDERS | AUDITOR,
    "job.read": EVERYONE,
}

# One's own upload in a case one was taken off.
MINE_IN_FOREIGN_CASE: Mapping[str, set[Role]] = {**IN_FOREIGN_CASE, "job.read": EVERYONE}

# A plan one submitted oneself.
SUBMITTED_BY_ME: Mapping[str, set[Role]] = {
    **IN_OWN_CASE,
    "plan.approve": NOBODY,
    "plan.return": NOBODY,
    "disposal.approve": NOBODY,
}

# One's own account.
MYSELF: Mapping[str, set[Role]] = {
    **ANYWHERE,
    "account.read": EVERYONE,
    "account.password": PEOPLE,
    "account.language": PEOPLE,
}

SITUATIONS: Mapping[str, tuple[Resource, Mapping[str, set[Role]]]] = {
    "anywhere": (NOTHING, ANYWHERE),
    "foreign case": (Resource(case_id=FOREIGN, owner=SOMEONE, submitted_by=SOMEONE), IN_FOREIGN_CASE),
    "own case": (Resource(case_id=OWN, owner=SOMEONE, submitted_by=SOMEONE), IN_OWN_CASE),
    "released to me": (Resource(case_id=FOREIGN, released=True, released_to=frozenset({ME})), RELEASED_TO_ME),
    "released to another": (
        Resource(case_id=FOREIGN, released=True, released_to=frozenset({SOMEONE})),
        IN_FOREIGN_CASE,
    ),
    "released, own case": (
        Resource(case_id=OWN, released=True, released_to=frozenset({SOMEONE})),
        RELEASED_IN_OWN_CASE,
    ),
    "mine, own case": (Resource(case_id=OWN, owner=ME), MINE_IN_OWN_CASE),
    "mine, foreign case": (Resource(case_id=FOREIGN, owner=ME), MINE_IN_FOREIGN_CASE),
    "submitted by me": (Resource(case_id=OWN, submitted_by=ME), SUBMITTED_BY_ME),
    "my account": (Resource(account_id=ME), MYSELF),
    "another's account": (Resource(account_id=SOMEONE), ANYWHERE),
}


def viewer(role: Role) -> Viewer:
    """Someone of this role who stands on the case OWN in it. The system never puts an auditor on a case: they still
    must gain nothing by it."""
    return Viewer(ME, role, frozenset({(OWN, role)}))


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("route", ROUTES)
def test_role_by_route_by_situation(route: str, situation: str) -> None:
    resource, allowed = SITUATIONS[situation]
    passed = {role for role in Role if refusal(viewer(role), route, resource) is None}
    assert passed == allowed.get(route, NOBODY)


def test_the_table_names_no_route_that_is_gone() -> None:
    listed = {route for _, allowed in SITUATIONS.values() for route in allowed}
    assert listed - ROUTES.keys() == set()


@pytest.mark.parametrize("situation", SITUATIONS)
def test_someone_not_signed_in_passes_only_what_is_open_to_all(situation: str) -> None:
    resource, _ = SITUATIONS[situation]
    passed = {route for route in ROUTES if refusal(ANONYMOUS, route, resource) is None}
    assert passed == {"health", "openapi.read", "log.read", "session.create", "page.public"}


def test_nobody_signed_in_owns_what_nobody_owns() -> None:
    assert refusal(ANONYMOUS, "job.read", Resource(owner=None)) == "role_in_case"
    assert refusal(ANONYMOUS, "account.password", Resource(account_id=None)) == "not_yours"


@pytest.mark.parametrize("role", Role)
def test_an_unlisted_route_is_refused_to_everyone(role: Role) -> None:
    assert refusal(viewer(role), "evidence.delete", Resource(case_id=OWN)) == "route_unlisted"


@pytest.mark.parametrize("route", ROUTES)
def test_an_upload_token_opens_its_upload_and_nothing_else(route: str) -> None:
    upload_id = uuid4()
    holder = Viewer(ME, Role.INVESTIGATOR, frozenset({(OWN, Role.INVESTIGATOR)}), only_upload=upload_id)
    mine = Resource(case_id=OWN, owner=ME, upload_id=upload_id)
    other = Resource(case_id=OWN, owner=ME, upload_id=uuid4())
    opens = {"upload.read", "upload.append", "upload.terminate"}
    assert (refusal(holder, route, mine) is None) == (route in opens)
    assert refusal(holder, route, other) == "upload_token_only"
    revoked = Viewer(ME, Role.INVESTIGATOR, frozenset(), only_upload=upload_id)
    assert refusal(revoked, route, mine) is not None


def test_reasons_say_what_is_missing() -> None:
    prosecutor = viewer(Role.PROSECUTOR)
    assert refusal(prosecutor, "plan.approve", Resource(case_id=OWN, submitted_by=ME)) == "second_person_needed"
    assert refusal(prosecutor, "plan.approve", Resource(case_id=FOREIGN)) == "role_in_case"
    assert refusal(prosecutor, "account.manage", NOTHING) == "role"
    assert refusal(viewer(Role.DEFENCE), "disclosure.download", Resource(case_id=OWN)) == "not_released_to_you"


@pytest.mark.parametrize(
    ("role", "resource", "may"),
    [
        (Role.PROSECUTOR, Resource(case_id=FOREIGN), False),
        (Role.PROSECUTOR, Resource(case_id=OWN), True),
        (Role.PROSECUTOR, NOTHING, True),
        (Role.AUDITOR, Resource(case_id=FOREIGN), True),
        (Role.ADMINISTRATOR, Resource(case_id=FOREIGN), True),
        (Role.DEFENCE, Resource(case_id=OWN), False),
        (Role.DEFENCE, Resource(case_id=FOREIGN, released_to=frozenset({ME})), True),
    ],
)
def test_who_may_learn_that_a_thing_exists(role: Role, resource: Resource, may: bool) -> None:
    assert policy.may_know(viewer(role), resource) is may


def test_the_algebra_keeps_names_and_reasons() -> None:
    def constant(name: str, value: bool) -> Predicate:
        return named(name, lambda _, __: value, reason=f"not_{name}", opposite=f"is_{name}")

    yes, no = constant("yes", True), constant("no", False)
    outcomes = {
        "(yes & yes)": (yes & yes, None),
        "(yes & no)": (yes & no, "not_no"),
        "(no & yes)": (no & yes, "not_no"),
        "(yes | no)": (yes | no, None),
        "(no | yes)": (no | yes, None),
        "(no | no)": (no | no, "not_no"),
        "~yes": (~yes, "is_yes"),
        "~no": (~no, None),
        "~(yes & no)": (~(yes & no), None),
        "~(yes & yes)": (~(yes & yes), "is_yes"),
        "~(yes | no)": (~(yes | no), "is_yes"),
        "~(no | no)": (~(no | no), None),
        "~~no": (~~no, "not_no"),
    }
    for name, (predicate, reason) in outcomes.items():
        assert (predicate.name, predicate.refusal(ANONYMOUS, NOTHING)) == (name, reason)


def test_an_act_is_done_in_the_role_of_the_case() -> None:
    supervisor = Viewer(ME, Role.SUPERVISING_PROSECUTOR, frozenset({(OWN, Role.PROSECUTOR)}))
    assert supervisor.acting_role(Resource(case_id=OWN)) is Role.PROSECUTOR
    assert supervisor.acting_role(Resource(case_id=FOREIGN)) is Role.SUPERVISING_PROSECUTOR
    both = Viewer(ME, Role.PROSECUTOR, frozenset({(OWN, Role.INVESTIGATOR), (OWN, Role.PROSECUTOR)}))
    assert both.acting_role(Resource(case_id=OWN)) is Role.PROSECUTOR
    assert both.cases() == frozenset({OWN})
    assert ANONYMOUS.acting_role(NOTHING) is None


def test_nobody_who_runs_or_audits_the_system_is_put_on_a_case() -> None:
    assert set(GRANTABLE) == set(Role)
    assert {role for role, granted in GRANTABLE.items() if not granted} == {Role.ADMINISTRATOR, Role.AUDITOR}
