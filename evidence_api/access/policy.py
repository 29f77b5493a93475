"""Who may do what: small named predicates joined by `&`, `|` and `~`, and one table that names every route (law 5).

A route or page that is not in `ROUTES` is refused. Predicates are pure: they look at a `Viewer` and a `Resource` and
nothing else. Who is on a case is decided by standing grants; the role of the account alone opens only what belongs to
no case. An administrator reads no evidence; an auditor reads trails and metadata of every case and no content; the
defence sees what was released to it and nothing else, even in a case it is granted to. A device is no person: it sends
to the cases it is granted, asks after what it sent, gets its receipts, and reads nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from evidence_api.registry.model import Role


@dataclass(frozen=True)
class Viewer:
    """Who asks. `account_id` and `role` are None for someone not signed in.

    `only_upload` is set when the request came with an upload token: it then opens that one upload and nothing else.
    """

    account_id: UUID | None
    role: Role | None
    grants: frozenset[tuple[UUID, Role]] = frozenset()
    only_upload: UUID | None = None

    def roles_in(self, case_id: UUID | None) -> frozenset[Role]:
        """The roles of the viewer's standing grants in a case."""
        return frozenset(role for case, role in self.grants if case == case_id)

    def cases(self) -> frozenset[UUID]:
        """The cases the viewer stands on."""
        return frozenset(case for case, _ in self.grants)

    def acting_role(self, resource: "Resource") -> Role | None:
        """The role an act on the resource is done in: the grant's in its case, else the account's."""
        roles = self.roles_in(resource.case_id)
        if not roles or self.role in roles:
            return self.role
        return min(roles)


ANONYMOUS = Viewer(None, None)


@dataclass(frozen=True)
class Resource:
    """What is asked for, as far as a predicate must know it. The default is a thing of no case."""

    case_id: UUID | None = None
    released_to: frozenset[UUID] = frozenset()
    released: bool = False
    submitted_by: UUID | None = None
    owner: UUID | None = None
    account_id: UUID | None = None
    upload_id: UUID | None = None


NOTHING = Resource()
Test = Callable[[Viewer, Resource], bool]


@dataclass(frozen=True)
class Predicate:
    """A named condition. `refusal` returns None when it lets the viewer through, else the reason code of the refusal.

    `a & b`: both, the reason of the first that refuses. `a | b`: either, the reason of the first. `~a`: not `a`, with
    the reason that `a` was named with for its opposite.
    """

    name: str
    refusal: Callable[[Viewer, Resource], str | None]
    opposite: Callable[[Viewer, Resource], str | None]

    def __and__(self, other: "Predicate") -> "Predicate":
        return Predicate(
            f"({self.name} & {other.name})",
            lambda viewer, resource: self.refusal(viewer, resource) or other.refusal(viewer, resource),
            lambda viewer, resource: self.opposite(viewer, resource) and other.opposite(viewer, resource),
        )

    def __or__(self, other: "Predicate") -> "Predicate":
        def refusal(viewer: Viewer, resource: Resource) -> str | None:
            reason = self.refusal(viewer, resource)
            return reason if reason and other.refusal(viewer, resource) else None

        return Predicate(
            f"({self.name} | {other.name})",
            refusal,
            lambda viewer, resource: self.opposite(viewer, resource) or other.opposite(viewer, resource),
        )

    def __invert__(self) -> "Predicate":
        return Predicate(f"~{self.name}", self.opposite, self.refusal)


def named(name: str, test: Test, reason: str, opposite: str) -> Predicate:
    """A predicate from a plain test: `reason` when it fails, `opposite` when its negation does."""
    return Predicate(
        name,
        lambda viewer, resource: None if test(viewer, resource) else reason,
        lambda viewer, resource: opposite if test(viewer, resource) else None,
    )


def is_role(*roles: Role) -> Predicate:
    """The account has one of these roles, whatever the case."""
    return named(
        f"is({', '.join(roles)})", lambda viewer, _: viewer.role in roles, reason="role", opposite="role_excluded"
    )


def on_case(*roles: Role) -> Predicate:
    """The viewer has a standing grant in the resource's case in one of these roles."""
    return named(
        f"on_case({', '.join(roles)})",
        lambda viewer, resource: not viewer.roles_in(resource.case_id).isdisjoint(roles),
        reason="role_in_case",
        opposite="role_excluded",
    )


anyone = named("anyone", lambda viewer, resource: True, reason="never", opposite="nobody")
signed_in = named(
    "signed_in", lambda viewer, _: viewer.account_id is not None, reason="not_signed_in", opposite="signed_in"
)
recipient = named(
    "recipient",
    lambda viewer, resource: viewer.account_id in resource.released_to,
    reason="not_released_to_you",
    opposite="released_to_you",
)
released = named("released", lambda _, resource: resource.released, reason="not_released", opposite="already_released")
owner = named(
    "owner",
    lambda viewer, resource: viewer.account_id is not None and viewer.account_id == resource.owner,
    reason="not_yours",
    opposite="yours",
)
own_account = named(
    "own_account",
    lambda viewer, resource: viewer.account_id is not None and viewer.account_id == resource.account_id,
    reason="not_yours",
    opposite="yours",
)
submitter = named(
    "submitter",
    lambda viewer, resource: viewer.account_id is not None and viewer.account_id == resource.submitted_by,
    reason="not_submitter",
    opposite="second_person_needed",
)
of_no_case = named(
    "of_no_case", lambda _, resource: resource.case_id is None, reason="of_a_case", opposite="of_no_case"
)

INVESTIGATOR, PROSECUTOR, SUPERVISOR = Role.INVESTIGATOR, Role.PROSECUTOR, Role.SUPERVISING_PROSECUTOR
prosecution = on_case(PROSECUTOR, SUPERVISOR)
team = on_case(INVESTIGATOR, PROSECUTOR, SUPERVISOR)
team_and_expert = on_case(INVESTIGATOR, PROSECUTOR, SUPERVISOR, Role.EXPERT)
device = is_role(Role.DEVICE)
sender = team | on_case(Role.DEVICE)
person = signed_in & ~device
clerk_of_released = on_case(Role.COURT_CLERK) & released
auditor = is_role(Role.AUDITOR)
administrator = is_role(Role.ADMINISTRATOR)
defence_recipient = is_role(Role.DEFENCE) & recipient

ROUTES: Mapping[str, Predicate] = {
    # open to all
    "health": anyone,
    "openapi.read": anyone,
    "log.read": anyone,
    "session.create": anyone,
    "page.public": anyone,
    # oneself
    "session.read": signed_in,
    "session.close": signed_in,
    "account.password": own_account & ~device,
    "account.language": own_account & ~device,
    "page.home": person,
    # running the system
    "account.manage": administrator,
    "account.read": administrator | own_account,
    "device.trail": administrator | auditor,
    "system.read": administrator | auditor,
    # cases
    "case.create": is_role(INVESTIGATOR, PROSECUTOR, SUPERVISOR),
    "case.list": is_role(INVESTIGATOR, PROSECUTOR, SUPERVISOR, Role.EXPERT, Role.COURT_CLERK, Role.AUDITOR) | device,
    "case.read": on_case(INVESTIGATOR, PROSECUTOR, SUPERVISOR, Role.EXPERT, Role.COURT_CLERK) | auditor,
    "case.grants": team | auditor | administrator,
    "case.grant": team | administrator,
    "case.revoke": team | administrator,
    # exhibits and their bytes
    "exhibit.create": team,
    "exhibit.list": team_and_expert | auditor,
    "exhibit.read": team_and_expert | auditor,
    "exhibit.states": team_and_expert | auditor | on_case(Role.DEVICE),
    "exhibit.discard": team,
    "exhibit.content": team_and_expert,
    "exhibit.facts": team_and_expert,
    "exhibit.examine": team,
    "light.content": team_and_expert,
    "upload.desk": team,
    "upload.create": sender,
    "upload.read": sender & owner,
    "upload.append": sender & owner,
    "upload.terminate": sender & owner,
    "receipt.issue": sender,
    "receipt.read": team | auditor | (on_case(Role.DEVICE) & owner),
    # transcripts
    "transcript.read": team_and_expert,
    "transcript.request": team,
    "transcript.correct": team,
    "transcript.confirm": team,
    # plans and renditions
    "plan.read": team,
    "plan.suggest": prosecution,
    "plan.decide": prosecution,
    "plan.submit": prosecution,
    "plan.approve": prosecution & ~submitter,
    "plan.return": prosecution & ~submitter,
    "rendition.read": team_and_expert | auditor | clerk_of_released | defence_recipient,
    "rendition.content": team_and_expert | clerk_of_released | defence_recipient,
    # disclosure
    "disclosure.draft": prosecution,
    "disclosure.release": prosecution,
    "disclosure.list": team | auditor | (is_role(Role.DEFENCE) & of_no_case),
    "disclosure.read": team | auditor | clerk_of_released | defence_recipient,
    "disclosure.download": defence_recipient,
    "disclosure.receipt": defence_recipient,
    # keeping and destroying
    "rules.read": is_role(INVESTIGATOR, PROSECUTOR, SUPERVISOR, Role.AUDITOR, Role.ADMINISTRATOR),
    "rules.change": administrator,
    "retention.read": team | auditor,
    "retention.extend": team,
    "hold.place": team,
    "hold.lift": prosecution,
    "disposal.read": team | auditor,
    "disposal.propose": prosecution,
    "disposal.sign": prosecution,
    "disposal.approve": prosecution & ~submitter,
    "disposal.reject": prosecution,
    # the record
    "trail.read": prosecution | auditor,
    "trail.export": prosecution | auditor,
    "trail.personal": on_case(SUPERVISOR) | auditor,
    "content.copy": team,
    "ledger.check": auditor,
    "fixity.read": auditor | administrator,
    "fixity.run": auditor | administrator,
    "exhibit.check": team | auditor,
    "ledger.page": person,
    "job.read": team_and_expert | owner,
}
"""Every route and page, and the predicate that lets it through. What is not here is refused."""

UPLOAD_ROUTES = frozenset({"upload.read", "upload.append", "upload.terminate"})
"""What an upload token opens."""


def refusal(viewer: Viewer, route: str, resource: Resource) -> str | None:
    """None when the viewer may pass, else the reason code. An unknown route is refused: `route_unlisted`."""
    predicate = ROUTES.get(route)
    if predicate is None:
        return "route_unlisted"
    if viewer.only_upload is not None and not (route in UPLOAD_ROUTES and viewer.only_upload == resource.upload_id):
        return "upload_token_only"
    return predicate.refusal(viewer, resource)


def may_know(viewer: Viewer, resource: Resource) -> bool:
    """Whether a refused viewer may learn that the resource exists: a refusal is otherwise «not found».

    Auditors and administrators may, and so may those who stand on the case; the defence only of what it was given.
    """
    if resource.case_id is None or viewer.account_id in resource.released_to:
        return True
    if viewer.role in (Role.AUDITOR, Role.ADMINISTRATOR):
        return True
    return bool(viewer.roles_in(resource.case_id) - {Role.DEFENCE})
