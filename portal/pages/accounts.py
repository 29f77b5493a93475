"""Devices that send by themselves (an administrator's pages), and everybody's page of the own account."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.context import EMPTY_FORM, Form, RequestContext
from portal.pages.events import EventLine, sentence
from portal.rendering import page


@dataclass(frozen=True)
class DeviceRow:
    """A device: `state` is open, over or revoked, `cases` the ЕРДР numbers it may send to now."""

    id: UUID
    name: str
    login: str
    since: datetime
    until: datetime | None
    state: str
    cases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Devices:
    """Every device by login, and the form that issues a credential."""

    rows: tuple[DeviceRow, ...]
    days: int
    next_href: str | None = None
    form: Form = EMPTY_FORM


@dataclass(frozen=True)
class IssuedDevice:
    """A new device with its credential: the only page that ever shows it."""

    device: DeviceRow
    credential: str


@dataclass(frozen=True)
class DeviceTrail:
    """What a device did, newest first."""

    device: DeviceRow
    events: tuple[EventLine, ...]
    next_href: str | None = None
    can_revoke: bool = False


@dataclass(frozen=True)
class SessionRow:
    """One of one's open sessions. `here`: the one that this page was asked for in."""

    means: str
    opened_at: datetime
    seen_at: datetime
    ends_at: datetime
    here: bool


@dataclass(frozen=True)
class OwnAccount:
    """One's own account: who one is, where one is signed in, and the form for another password."""

    login: str
    since: datetime
    sessions: tuple[SessionRow, ...]
    form: Form = EMPTY_FORM


def render_devices(context: RequestContext, model: Devices) -> str:
    return page("devices.html", context, model)


def render_issued_device(context: RequestContext, model: IssuedDevice) -> str:
    return page("device_issued.html", context, model)


def render_device(context: RequestContext, model: DeviceTrail) -> str:
    sentences = [sentence(context.language, context.offset_hours, event) for event in model.events]
    return page("device.html", context, model, sentences=sentences)


def render_account(context: RequestContext, model: OwnAccount) -> str:
    return page("account.html", context, model)
