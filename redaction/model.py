"""The values of this room: regions, findings, suggestions. Frozen, without web, queue, cloud or SQL.

Boxes are fractions of the page as it is shown (rotation applied), from its top left corner, held as millionths
because canonical JSON has no floats. Times are milliseconds from the beginning of the recording, spans half-open.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar
from uuid import UUID

from custody.kernel.errors import Invalid

MILLION = 1_000_000
ENTITIES = (
    "PERSON",
    "LOCATION",
    "ADDRESS",
    "IIN",
    "BIN",
    "PHONE",
    "EMAIL",
    "IBAN",
    "CARD",
    "PLATE",
    "ID_CARD",
    "PASSPORT",
    "CASE_NUMBER",
    "BIRTH_DATE",
    "OTHER",
)


def _order(first: int, last: int) -> None:
    if not 0 <= first < last:
        raise Invalid("plan.bad_region")


@dataclass(frozen=True, order=True)
class WordSpan:
    """Words `first`..`last` (both included) of a transcript and the time they take."""

    kind: ClassVar[str] = "words"
    first: int
    last: int
    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        _order(self.first, self.last + 1)
        _order(self.start_ms, self.end_ms)


@dataclass(frozen=True, order=True)
class TextSpan:
    """Characters `start`..`end` (end excluded) of the text extracted from a document."""

    kind: ClassVar[str] = "text"
    start: int
    end: int

    def __post_init__(self) -> None:
        _order(self.start, self.end)


@dataclass(frozen=True, order=True)
class TimeSpan:
    """A stretch of a recording."""

    kind: ClassVar[str] = "time"
    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        _order(self.start_ms, self.end_ms)


@dataclass(frozen=True, order=True)
class PageBox:
    """A box on a page (from 0) or on a picture (page 0); edges in millionths of the width and height."""

    kind: ClassVar[str] = "box"
    page: int
    left_ppm: int
    top_ppm: int
    right_ppm: int
    bottom_ppm: int

    def __post_init__(self) -> None:
        _order(self.left_ppm, self.right_ppm)
        _order(self.top_ppm, self.bottom_ppm)
        if self.page < 0 or max(self.right_ppm, self.bottom_ppm) > MILLION:
            raise Invalid("plan.bad_region")


Region = WordSpan | TextSpan | TimeSpan | PageBox
_KINDS: Mapping[str, type[Region]] = {kind.kind: kind for kind in (WordSpan, TextSpan, TimeSpan, PageBox)}


def region_to_json(region: Region) -> dict[str, Any]:
    """The region as JSON: its kind and its whole numbers."""
    return {"kind": region.kind, **asdict(region)}


def region_from_json(value: Mapping[str, Any]) -> Region:
    """The region of such JSON. Raises Invalid `plan.bad_region` for anything else."""
    fields = {name: number for name, number in value.items() if name != "kind"}
    kind = _KINDS.get(str(value.get("kind")))
    if kind is None or any(type(number) is not int for number in fields.values()):
        raise Invalid("plan.bad_region")
    try:
        return kind(**fields)
    except TypeError as wrong:
        raise Invalid("plan.bad_region") from wrong


@dataclass(frozen=True)
class Finding:
    """What a recognizer saw in a text: characters `start`..`end`, certainty in millionths. Not a decision."""

    entity: str
    start: int
    end: int
    score_ppm: int
    recognizer: str


@dataclass(frozen=True)
class SpokenWord:
    """One word of a transcript, without surrounding blanks; `turn` is the index of the turn it was said in."""

    text: str
    start_ms: int
    end_ms: int
    turn: int = 0


@dataclass(frozen=True)
class Proposal:
    """A finding brought to its place in the source. One finding that spans two lines of a page has two regions.

    `text` is personal: it goes to the suggestion tables and the screen, never to an event or a log.
    """

    entity: str
    regions: tuple[Region, ...]
    text: str
    score_ppm: int
    recognizer: str


@dataclass(frozen=True)
class Suggestion:
    """A proposal waiting for, or bearing, a person's decision: `open`, `accepted` or `rejected`."""

    id: UUID
    entity: str
    regions: tuple[Region, ...]
    text: str
    score_ppm: int
    recognizer: str
    state: str = "open"
    reason: str | None = None
    replacement: str | None = None
