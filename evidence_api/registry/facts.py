"""What the registry tells the rest of the program: frozen facts, never rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from custody.kernel.errors import Conflict, Gone
from evidence_api.registry.model import ExhibitState, Role

T = TypeVar("T")


@dataclass(frozen=True)
class Account:
    """Who may sign in: a person, or a device. Without the password hash: see `Credentials`. `ends_at`: its term."""

    id: UUID
    login: str
    display_name: str
    role: Role
    language: str
    created_at: datetime
    disabled: bool
    ends_at: datetime | None = None

    def usable(self, now: datetime) -> bool:
        """Whether it opens anything: not shut, and its term not over."""
        return not self.disabled and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True)
class Credentials:
    """What signing in needs; it goes no further than `use_cases.people`."""

    account: Account
    password_hash: str


@dataclass(frozen=True)
class Case:
    """A criminal case's header."""

    id: UUID
    erdr: str
    title: str
    opened_by: UUID
    opened_at: datetime


@dataclass(frozen=True)
class Grant:
    """An account's role in a case. `login` and `display_name` are the account's, for lists."""

    id: UUID
    account_id: UUID
    case_id: UUID
    role: Role
    login: str
    display_name: str
    granted_at: datetime
    until: datetime | None


@dataclass(frozen=True)
class Exhibit:
    """One exhibit. Until `state` is sealed, `sha256` and `size_bytes` are what the client announced.

    `recorded_at` and `metadata` are claims of the file or its bearer, never facts (R2). `held`: a hold on it or on its
    case stands. What was destroyed keeps its facts, and names the act by its number in the case.
    """

    id: UUID
    case_id: UUID
    number: int
    filename: str
    folder: str
    state: ExhibitState
    sha256: str
    size_bytes: int
    media_type: str | None
    basis: str
    purpose: str
    retain_days: int
    registered_by: UUID
    registered_at: datetime
    sealed_at: datetime | None
    retain_until: datetime | None
    blob_id: UUID | None
    upload_id: UUID | None
    reason: str | None
    recorded_at: str
    metadata: Mapping[str, Any]
    category: str | None
    rule_version: int | None
    held: bool
    disposal_id: UUID | None
    disposal_number: int | None
    destroyed_at: datetime | None

    @property
    def announced(self) -> tuple[str | int, ...]:
        """What its sender said of it, as `ExhibitForm.announced`."""
        said = (self.filename, self.folder, self.sha256, self.size_bytes)
        return (*said, self.basis, self.purpose, self.retain_days, self.recorded_at, self.category or "")

    def check_content(self) -> UUID:
        """The blob of its bytes. Raises Conflict `exhibit.not_sealed`, Gone `exhibit.destroyed` naming the act."""
        if self.destroyed_at is not None:
            raise Gone(
                "exhibit.destroyed", on=f"{self.destroyed_at.astimezone(UTC):%Y-%m-%d}", act=self.disposal_number
            )
        if self.blob_id is None:
            raise Conflict("exhibit.not_sealed")
        return self.blob_id


@dataclass(frozen=True)
class Hold:
    """A ground in law why nothing may be destroyed: of one exhibit, or of the whole case (`exhibit_id` None)."""

    id: UUID
    case_id: UUID
    exhibit_id: UUID | None
    ground: str
    note: str
    placed_by: UUID
    placed_at: datetime
    lifted_by: UUID | None
    lifted_at: datetime | None
    lift_ground: str | None


@dataclass(frozen=True)
class Sealed:
    """What the seal found of an exhibit, and the event that says so."""

    exhibit_id: UUID
    blob_id: UUID
    media_type: str
    retain_until: datetime
    event_id: UUID


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list in key order; `after` is the key to go on from, None at the end."""

    items: tuple[T, ...]
    after: tuple[str | int, ...] | None
