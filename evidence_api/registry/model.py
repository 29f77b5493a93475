"""The registry's rules: roles, the ЕРДР number, names of people and files, states of an exhibit. No SQL, no web."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from custody.kernel.errors import Conflict, Invalid, TooLarge
from storage.blob import FileName, FolderPath
from storage.retention import Term

TEXT_CHARACTERS = 500
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,62}[a-z0-9]", re.ASCII)
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


class Role(StrEnum):
    """What an account is to the system; the role within one case is the grant's. A device is no person: it sends."""

    INVESTIGATOR = "investigator"
    PROSECUTOR = "prosecutor"
    SUPERVISING_PROSECUTOR = "supervising_prosecutor"
    DEFENCE = "defence"
    EXPERT = "expert"
    COURT_CLERK = "court_clerk"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    DEVICE = "device"


GRANTABLE: Mapping[Role, frozenset[Role]] = {
    Role.INVESTIGATOR: frozenset({Role.INVESTIGATOR}),
    Role.PROSECUTOR: frozenset({Role.PROSECUTOR}),
    Role.SUPERVISING_PROSECUTOR: frozenset({Role.PROSECUTOR, Role.SUPERVISING_PROSECUTOR}),
    Role.DEFENCE: frozenset({Role.DEFENCE}),
    Role.EXPERT: frozenset({Role.EXPERT}),
    Role.COURT_CLERK: frozenset({Role.COURT_CLERK}),
    Role.AUDITOR: frozenset(),
    Role.ADMINISTRATOR: frozenset(),
    Role.DEVICE: frozenset({Role.DEVICE}),
}
"""In which roles an account of this role may be put on a case. An administrator or auditor is never put on one."""


class ExhibitState(StrEnum):
    """Where an exhibit is on its way to the seal."""

    DRAFT = "draft"
    RECEIVING = "receiving"
    CHECKING = "checking"
    SEALED = "sealed"
    REFUSED = "refused"
    DISCARDED = "discarded"


NEXT: Mapping[ExhibitState, frozenset[ExhibitState]] = {
    ExhibitState.DRAFT: frozenset({ExhibitState.RECEIVING, ExhibitState.DISCARDED}),
    ExhibitState.RECEIVING: frozenset(
        {ExhibitState.DRAFT, ExhibitState.CHECKING, ExhibitState.REFUSED, ExhibitState.DISCARDED}
    ),
    ExhibitState.CHECKING: frozenset({ExhibitState.SEALED, ExhibitState.REFUSED}),
    ExhibitState.SEALED: frozenset(),
    ExhibitState.REFUSED: frozenset({ExhibitState.DRAFT, ExhibitState.DISCARDED}),
    ExhibitState.DISCARDED: frozenset(),
}
"""Receiving goes back to draft when an upload expires; a refused one may be tried again. Sealed is for ever."""


def check_step(now: ExhibitState, to: ExhibitState) -> None:
    """Raises Conflict `exhibit.wrong_state` unless an exhibit may go from `now` to `to`."""
    if to not in NEXT[now]:
        raise Conflict("exhibit.wrong_state", state=now.value, wanted=to.value)


@dataclass(frozen=True)
class CaseNumber:
    """A criminal case's number in the ЕРДР (Unified Register of Pre-trial Investigations): ASCII digits only."""

    digits: str

    @classmethod
    def parse(cls, text: str, pattern: str = "[0-9]{15}") -> "CaseNumber":
        """The number in `text`, which must match `pattern` whole; nothing is trimmed, folded or guessed.

        Raises Invalid `case.number_invalid`. Other scripts' digits are refused whatever the pattern says.
        """
        if not text.isascii() or not text.isdigit() or not re.fullmatch(pattern, text, re.ASCII):
            raise Invalid("case.number_invalid")
        return cls(text)

    def __str__(self) -> str:
        return self.digits


def parse_role(text: str) -> Role:
    """Raises Invalid `role.unknown`."""
    try:
        return Role(text)
    except ValueError:
        raise Invalid("role.unknown") from None


def check_grant(account_role: Role, role: Role) -> None:
    """Raises Invalid `grant.role_not_allowed` unless an account of `account_role` may act as `role` in a case."""
    if role not in GRANTABLE[account_role]:
        raise Invalid("grant.role_not_allowed", account_role=account_role.value, role=role.value)


def parse_login(text: str) -> str:
    """The login in its one stored form (lower case). Raises Invalid `account.login_invalid`."""
    login = text.lower()
    # Some letters of other alphabets become Latin ones in lower case (the Kelvin sign): those are refused as they came.
    if not text.isascii() or not _LOGIN.fullmatch(login):
        raise Invalid("account.login_invalid")
    return login


def parse_person_name(text: str) -> str:
    """A person's name: 1 to 200 printable characters, inner spaces kept. Raises Invalid `account.name_invalid`."""
    name = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(name) <= 200 or _unprintable(name):
        raise Invalid("account.name_invalid")
    return name


def parse_text(text: str, field: str) -> str:
    """A required line of plain text, such as a title. Raises Invalid `text.invalid` naming the field."""
    line = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(line) <= TEXT_CHARACTERS or _unprintable(line):
        raise Invalid("text.invalid", field=field, limit=TEXT_CHARACTERS)
    return line


def parse_sha256(text: str) -> str:
    """`sha256:` and 64 lower-case hexadecimal digits. Raises Invalid `digest.invalid`."""
    if not _SHA256.fullmatch(text):
        raise Invalid("digest.invalid")
    return text


def _unprintable(text: str) -> bool:
    """Control characters, line and paragraph separators, lone surrogates."""
    return any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text)


@dataclass(frozen=True)
class ExhibitForm:
    """What an exhibit must say before it leaves draft (R8): checked as a whole by `check`."""

    filename: str
    folder: str
    sha256: str
    size_bytes: int
    basis: str
    purpose: str
    retain_days: int
    recorded_at: str = ""
    category: str = ""
    rule_version: int | None = None

    @property
    def term(self) -> Term:
        """Why, for what and how long it is kept. Raises Invalid `retention.bad_basis`, `.bad_purpose`, `.bad_days`."""
        return Term.parse(self.basis, self.purpose, self.retain_days)

    @property
    def announced(self) -> tuple[str | int, ...]:
        """What its sender says of it: two that are equal here announce the same file in the same words."""
        said = (self.filename, self.folder, self.sha256, self.size_bytes)
        return (*said, self.basis, self.purpose, self.retain_days, self.recorded_at, self.category)

    def check(self, limit_bytes: int) -> "ExhibitForm":
        """The form with its texts in their stored form. `recorded_at` is a claim and is kept as text (R2).

        Raises Invalid: `exhibit.empty` for zero bytes, `upload.bad_name`, `upload.bad_folder`, `retention.…`,
        `digest.invalid`, `text.invalid`; and TooLarge `exhibit.too_large`.
        """
        if self.size_bytes <= 0:
            raise Invalid("exhibit.empty")
        if self.size_bytes > limit_bytes:
            raise TooLarge("exhibit.too_large", limit_bytes=limit_bytes)
        term = self.term
        return ExhibitForm(
            filename=FileName(self.filename).text,
            folder=str(FolderPath.parse(self.folder)),
            sha256=parse_sha256(self.sha256),
            size_bytes=self.size_bytes,
            basis=term.basis.value,
            purpose=term.purpose.value,
            retain_days=term.retain_days,
            recorded_at=parse_text(self.recorded_at, "recorded_at") if self.recorded_at else "",
            category=self.category,
            rule_version=self.rule_version,
        )
