"""Outside anchors: every published head with the witnesses' cosignatures and the authorities' time stamps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from portal.context import RequestContext
from portal.rendering import page

SHOW = ("all", "stamped", "unwitnessed")


@dataclass(frozen=True)
class Mark:
    """A cosignature or a time stamp: by whom, when by its own clock; `href` to the token."""

    name: str
    at: datetime
    href: str | None = None


@dataclass(frozen=True)
class Head:
    """A published head. `witnessed_at` None: the quorum was not reached, and the page says so."""

    size: int
    root: str
    published_at: datetime
    href: str
    witnesses: tuple[Mark, ...]
    stamps: tuple[Mark, ...]
    witnessed_at: datetime | None


@dataclass(frozen=True)
class Outsider:
    """A witness or an authority, and the newest head it stands behind; None when among the newest it is behind none."""

    name: str
    key: str
    size: int | None
    at: datetime | None


@dataclass(frozen=True)
class Anchors:
    """The page. Filters live in the address: since, until, show."""

    heads: tuple[Head, ...]
    witnesses: tuple[Outsider, ...]
    authorities: tuple[Outsider, ...]
    quorum: str
    recent: int
    filters: Mapping[str, str] = field(default_factory=dict)
    next_href: str | None = None


def render_anchors(context: RequestContext, model: Anchors) -> str:
    return page("anchors.html", context, model, shows=SHOW)
