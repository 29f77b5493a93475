"""What every page needs to know about the request: language, theme, person, where we are, form state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from portal.catalog import Language

OFFSET_HOURS = 5
"""Kazakhstan's one zone since 2024: days that people write and times that they read are of it."""

Theme = Literal["auto", "light", "dark"]
Role = Literal["investigator", "prosecutor", "supervising_prosecutor", "defence", "auditor", "administrator"]
Tone = Literal["info", "good", "wait", "bad"]


@dataclass(frozen=True)
class Person:
    """Who is signed in. `role` is the account's own; roles in a case come from grants."""

    id: UUID
    name: str
    role: str


@dataclass(frozen=True)
class Notice:
    """One sentence above the page after an act: `key` is a catalog key."""

    key: str
    tone: Tone = "good"
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class RequestContext:
    """The part of a request that pages read. `path` and `query` are kept when the language changes.

    `csrf_token` goes into every form and, for modules, into a meta element. `offset_hours` is the reader's UTC offset.
    """

    language: Language
    path: str
    csrf_token: str
    now: datetime
    query: str = ""
    theme: Theme = "auto"
    person: Person | None = None
    notice: Notice | None = None
    offset_hours: int = OFFSET_HOURS


@dataclass(frozen=True)
class Form:
    """A form coming back: what was typed, and for each field the code of what is wrong (key '' is the whole form).

    `params` are the refusal's own, for its sentence.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str | int | None] = field(default_factory=dict)


EMPTY_FORM = Form()
