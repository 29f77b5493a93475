"""A transcript: turns of words with times. Its canonical bytes (`dalel-transcript/1`) are what digests speak about.

Times are int milliseconds from the start of the exhibit's time line. Confidence is int parts per million, None where a
person wrote the word. Speakers are "1", "2", ... as the machine numbers them, "?" unknown, or a name given by a person.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from custody.kernel.errors import Corrupt, Invalid
from custody.proof import canonical

FORMAT = "dalel-transcript/1"
UNKNOWN_SPEAKER = "?"
MAX_SPEAKER_CHARS = 120
MAX_WORD_CHARS = 200
PPM = 1_000_000
_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)
_UNSEEN = {"Cc", "Cf", "Cs"}


@dataclass(frozen=True)
class Word:
    """One word with its punctuation, without spaces. Raises Invalid `transcript.malformed`."""

    text: str
    start_ms: int
    end_ms: int
    probability_ppm: int | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.text) <= MAX_WORD_CHARS or self.text.split() != [self.text] or _unseen(self.text):
            raise Invalid("transcript.malformed", part="word")
        if not 0 <= self.start_ms <= self.end_ms:
            raise Invalid("transcript.malformed", part="word time")
        if self.probability_ppm is not None and not 0 <= self.probability_ppm <= PPM:
            raise Invalid("transcript.malformed", part="word probability")


@dataclass(frozen=True)
class Turn:
    """What one speaker says without a break: at least one word, in order, within its own times.

    Raises Invalid `transcript.malformed`.
    """

    speaker: str
    language: str
    words: tuple[Word, ...]
    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        if not 0 < len(self.speaker) <= MAX_SPEAKER_CHARS or self.speaker.strip() != self.speaker:
            raise Invalid("transcript.malformed", part="speaker")
        if _unseen(self.speaker):
            raise Invalid("transcript.malformed", part="speaker")
        if not _LANGUAGE.fullmatch(self.language):
            raise Invalid("transcript.malformed", part="language")
        times = [self.start_ms, *(at for word in self.words for at in (word.start_ms, word.end_ms)), self.end_ms]
        if not self.words or self.start_ms < 0 or any(a > b for a, b in pairwise(times)):
            raise Invalid("transcript.malformed", part="turn times")

    @property
    def text(self) -> str:
        """The words with single spaces between them."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True)
class Transcript:
    """Everything said in a recording: turns by start time, no later than its end. Two channels may overlap.

    Raises Invalid `transcript.malformed`.
    """

    duration_ms: int
    turns: tuple[Turn, ...]

    def __post_init__(self) -> None:
        starts = [turn.start_ms for turn in self.turns]
        if self.duration_ms < 0 or starts != sorted(starts):
            raise Invalid("transcript.malformed", part="turn order")
        if any(turn.end_ms > self.duration_ms for turn in self.turns):
            raise Invalid("transcript.malformed", part="turn after the end")

    @property
    def speakers(self) -> tuple[str, ...]:
        """Speakers by first appearance."""
        return tuple(dict.fromkeys(turn.speaker for turn in self.turns))


def _unseen(text: str) -> bool:
    """Whether text holds what a reader cannot see: control, format (direction marks) or surrogate characters."""
    return any(unicodedata.category(char) in _UNSEEN for char in text)


def encode(transcript: Transcript) -> bytes:
    """The one spelling of a transcript: canonical JSON, format `dalel-transcript/1`."""
    return canonical.encode(
        {
            "format": FORMAT,
            "duration_ms": transcript.duration_ms,
            "turns": [
                {
                    "speaker": turn.speaker,
                    "language": turn.language,
                    "start_ms": turn.start_ms,
                    "end_ms": turn.end_ms,
                    "words": [[word.text, word.start_ms, word.end_ms, word.probability_ppm] for word in turn.words],
                }
                for turn in transcript.turns
            ],
        }
    )


def digest(content: bytes) -> str:
    """`sha256:<hex>` of bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def parse(content: bytes) -> Transcript:
    """The transcript whose canonical bytes these are. Raises Corrupt `transcript.damaged` for any other bytes."""
    try:
        value = canonical.decode(content)
        document = _fields(value, {"format": str, "duration_ms": int, "turns": list})
        if document["format"] != FORMAT:
            raise ValueError("another format")
        return Transcript(document["duration_ms"], tuple(_turn(turn) for turn in document["turns"]))
    except (ValueError, Invalid) as error:
        raise Corrupt("transcript.damaged") from error


def _turn(value: Any) -> Turn:
    kinds = {"speaker": str, "language": str, "start_ms": int, "end_ms": int, "words": list}
    turn = _fields(value, kinds)
    words = tuple(_word(word) for word in turn["words"])
    return Turn(turn["speaker"], turn["language"], words, turn["start_ms"], turn["end_ms"])


def _word(value: Any) -> Word:
    match value:
        case [str() as text, start, end, probability] if _int(start) and _int(end):
            if probability is None or _int(probability):
                return Word(text, start, end, probability)
    raise ValueError("not a word")


def _int(value: Any) -> bool:
    return type(value) is int


def _fields(value: Any, kinds: dict[str, type]) -> dict[str, Any]:
    """An object with exactly these fields of exactly these types (a bool is no int)."""
    if not isinstance(value, dict) or value.keys() != kinds.keys():
        raise ValueError("other fields")
    if any(type(value[name]) is not kind for name, kind in kinds.items()):
        raise ValueError("another type")
    return value
