"""What was found out about a file, on its exhibit's page: its own claims, the scanner's word, its light copy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal import catalog, formats
from portal.catalog import Language

FIRST = 12
"""How many of the claims that have a name in the reader's language are shown before the list has to be opened."""
_STREAM = "media.stream."
_WORRYING = frozenset(
    {"name_mismatch", "archive.bomb", "archive.unsafe_names", "c2pa.broken", "active_content", "xml_entities"}
)


@dataclass(frozen=True)
class LightCopy:
    """A light copy that can be looked at. `pages` 0 where the copy is no set of pages; `faults` of the original."""

    id: UUID
    kind: str
    size_bytes: int
    digest: str
    tool: str
    tool_version: str
    pages: int = 0
    pages_total: int = 0
    faults: int = 0

    @property
    def href(self) -> str:
        """Its bytes, shown in the browser."""
        return f"/api/v1/light-copies/{self.id}/content?view=true"

    @property
    def download_href(self) -> str:
        """Its bytes, to keep."""
        return f"/api/v1/light-copies/{self.id}/content"


@dataclass(frozen=True)
class Scan:
    """`state` is off, waiting, clean, infected or not_scanned."""

    state: str
    engine: str = ""
    signature: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Signature:
    """C2PA: `verdict` is trusted, untrusted, intact, broken, remote or unreadable; who signed is a claim."""

    verdict: str
    issuer: str = ""
    generator: str = ""


@dataclass(frozen=True)
class Findings:
    """All of it. `claims` are (key, value); `not_read` and `copy_missing` are codes; `page` is the page to show."""

    scan: Scan
    media_type: str = ""
    claims: Sequence[tuple[str, str | int]] = ()
    flags: Sequence[str] = ()
    entries: Sequence[tuple[str, int]] = ()
    entries_total: int = 0
    read_at: datetime | None = None
    digest: str = ""
    not_read: str | None = None
    signature: Signature | None = None
    copies: Sequence[LightCopy] = ()
    copy_missing: str | None = None
    page: int = 1
    can_ask: bool = False

    @property
    def infected(self) -> bool:
        """Whether nothing of the file is shown here."""
        return self.scan.state == "infected"

    @property
    def hidden(self) -> bool:
        """Whether the content waits for the scanner."""
        return self.scan.state == "waiting"


@dataclass(frozen=True)
class Line:
    """One claim as it is read."""

    label: str
    value: str


def lines(language: Language, claims: Sequence[tuple[str, str | int]]) -> tuple[Line, ...]:
    """Claims in the reader's language; those the catalog has no word for keep their technical name."""
    return tuple(Line(_label(language, key), _value(language, key, value)) for key, value in claims)


def worrying(flag: str) -> bool:
    """Whether a flag is more than a remark."""
    return flag in _WORRYING


def _label(language: Language, key: str) -> str:
    if catalog.has(language, f"claim.{key}"):
        return catalog.text(language, f"claim.{key}")
    if key.startswith(_STREAM):
        number, _, rest = key.removeprefix(_STREAM).partition(".")
        named = catalog.text(language, "claim.media.stream", number=number)
        return f"{named}, {rest}" if rest else named
    return _technical(key)


def _technical(key: str) -> str:
    return key.replace(".", " · ", 1)


def _value(language: Language, key: str, value: str | int) -> str:
    if isinstance(value, str):
        return value
    if key.endswith("_ms"):
        return formats.duration(value)
    return formats.size(value, language) if key.endswith("_bytes") else catalog.grouped(value)


def more(model: Findings, language: Language) -> Mapping[str, object]:
    """What the template takes besides the model."""
    known = [claim for claim in model.claims if _label(language, claim[0]) != _technical(claim[0])]
    return {
        "first_claims": lines(language, known[:FIRST]),
        "all_claims": lines(language, model.claims),
        "worrying": worrying,
    }
