"""How long things are kept and how they end: an exhibit's term, a case's terms, a destruction act, the rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.context import EMPTY_FORM, Form, RequestContext
from portal.pages.cases import CaseHead
from portal.pages.exhibits import ExhibitRef, Job
from portal.rendering import page


@dataclass(frozen=True)
class HoldRow:
    """A hold, standing or lifted. `lift_href` is where to post to lift it, None if this person may not."""

    ground: str
    note: str
    by: str
    at: datetime
    whole_case: bool
    lifted_by: str | None = None
    lifted_at: datetime | None = None
    lift_ground: str | None = None
    lift_href: str | None = None


@dataclass(frozen=True)
class ActRow:
    """An act in a list."""

    number: int
    state: str
    href: str
    exhibits: int
    at: datetime


@dataclass(frozen=True)
class Offers:
    """What this person may do, and the choices of its forms. A category is (code, name)."""

    categories: Sequence[tuple[str, str]] = ()
    hold_grounds: Sequence[str] = ()
    lift_grounds: Sequence[str] = ()
    propose: bool = False


@dataclass(frozen=True)
class ExhibitTerm:
    """The retention page of an exhibit. `locked_until` is what the store was seen to hold to."""

    head: CaseHead
    exhibit: ExhibitRef
    basis: str
    purpose: str
    category: str | None
    rule_version: int | None
    retain_until: datetime | None
    locked_until: datetime | None
    objects: int
    store_holds: int
    holds: tuple[HoldRow, ...]
    offers: Offers
    act: ActRow | None = None
    form: Form = EMPTY_FORM


@dataclass(frozen=True)
class TermRow:
    """An exhibit in the list of terms. `state` is kept, over, held or destroyed."""

    id: UUID
    number: int
    name: str
    category: str | None
    retain_until: datetime | None
    state: str
    act_number: int | None = None
    act_href: str | None = None


@dataclass(frozen=True)
class CaseTerms:
    """The retention tab of a case. `wanted` is the filter, one of `states`."""

    head: CaseHead
    rows: tuple[TermRow, ...]
    wanted: str
    states: Sequence[str]
    holds: tuple[HoldRow, ...]
    acts: tuple[ActRow, ...]
    offers: Offers
    next_href: str | None = None
    form: Form = EMPTY_FORM


@dataclass(frozen=True)
class ActLine:
    """One exhibit of an act. `locked` objects go when the store lets them; counts are None until it is done."""

    id: UUID
    number: int
    name: str
    size_bytes: int
    digest: str
    basis: str
    category: str | None
    retain_until: datetime
    objects: int
    keys_destroyed: int | None = None
    objects_removed: int | None = None
    locked: int = 0
    locked_until: datetime | None = None


@dataclass(frozen=True)
class PackageLine:
    """The package of a round in an act; counts as of `ActLine`."""

    id: UUID
    round: int
    recipient: str
    size_bytes: int
    digest: str
    retain_until: datetime
    keys_destroyed: int | None = None
    objects_removed: int | None = None
    locked: int = 0
    locked_until: datetime | None = None
    objects: int = 1


@dataclass(frozen=True)
class Signature:
    """Who did what to an act, and when. `act` is proposed, signed, approved, rejected, stopped or done."""

    act: str
    by: str | None
    at: datetime


@dataclass(frozen=True)
class ActPage:
    """A destruction act. `steps` are what this person may do: sign, approve, reject; `text` are the exact bytes."""

    head: CaseHead
    id: UUID
    number: int
    state: str
    digest: str
    text: str
    lines: tuple[ActLine, ...]
    signatures: tuple[Signature, ...]
    steps: tuple[str, ...]
    reasons: Sequence[str]
    packages: tuple[PackageLine, ...] = ()
    ended_code: str | None = None
    obstacle: str | None = None
    obstacle_params: Mapping[str, str | int | None] | None = None
    job: Job | None = None
    form: Form = EMPTY_FORM


@dataclass(frozen=True)
class RuleRow:
    """A category's rule as it stands in the form: texts, so that what was mistyped comes back."""

    code: str = ""
    kk: str = ""
    ru: str = ""
    en: str = ""
    term_days: str = ""
    min_days: str = ""
    extendable: bool = False


@dataclass(frozen=True)
class VersionRow:
    """A version of the rules."""

    version: int
    digest: str
    by: str | None
    at: datetime


@dataclass(frozen=True)
class RulesPage:
    """The rules: the version that is shown, and all there are. `editable`: this person may change those in force."""

    shown: int
    current: int
    rules: tuple[RuleRow, ...]
    versions: tuple[VersionRow, ...]
    editable: bool
    form: Form = EMPTY_FORM


def render_exhibit_term(context: RequestContext, model: ExhibitTerm) -> str:
    return page("retention.html", context, model)


def render_case_terms(context: RequestContext, model: CaseTerms) -> str:
    return page("case_retention.html", context, model, tab="retention")


def render_act(context: RequestContext, model: ActPage) -> str:
    return page("disposal.html", context, model)


def render_rules(context: RequestContext, model: RulesPage) -> str:
    return page("retention_rules.html", context, model)
