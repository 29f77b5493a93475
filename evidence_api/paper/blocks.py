"""What an act on paper is made of. Texts arrive in the act's language; nothing is translated or shortened here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Language = Literal["kk", "ru", "en"]


@dataclass(frozen=True)
class Heading:
    """A heading inside the act."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Plain text; a line break stays one."""

    text: str


@dataclass(frozen=True)
class Facts:
    """Names and values, a line each: case, officer, digest."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A table whose head is repeated on every page. `widths` are parts of the line, one per column (sum 1)."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]


@dataclass(frozen=True)
class Exact:
    """Bytes to be compared character by character (canonical JSON, a checkpoint): set small, broken anywhere."""

    text: str


@dataclass(frozen=True)
class SignatureLines:
    """Ruled lines for signatures by hand, a name and role under each."""

    names: Sequence[str]


Block = Heading | Paragraph | Facts | Table | Exact | SignatureLines


@dataclass(frozen=True)
class Paper:
    """An act. `case` stands on every page (case and exhibit number), `made_at` as it shall be read.

    `code` is what the QR code says (R19): an address, or the digests themselves so that it can be checked offline.
    """

    language: Language
    title: str
    case: str
    made_at: str
    blocks: Sequence[Block]
    code: str | None = None
