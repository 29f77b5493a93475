"""Draft, corrected, confirmed: the rules of revisions. Pure.

1. Revision 1 is the machine's draft. Every later one names its parent, the latest before it, and its author.
2. Only the latest revision can be corrected or confirmed; who worked on an older one is told so (`transcript.stale`).
3. A confirmation is the act of a named person about exactly the bytes that person saw.
4. A confirmed revision never changes. A correction afterwards is a new revision; the confirmed one stays what it is.
"""

from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from uuid import UUID

from custody.kernel.errors import Conflict, Invalid
from transcription.model import Transcript, Turn, digest, encode


class State(StrEnum):
    """How far a revision has come."""

    DRAFT = "draft"
    CORRECTED = "corrected"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Head:
    """The latest revision, as far as the rules need it. `sha256` is of its canonical bytes."""

    number: int
    state: State
    sha256: str


@dataclass(frozen=True)
class Correction:
    """A new revision about to be written. `content` is canonical, `sha256` its digest."""

    number: int
    parent: int
    author: UUID
    content: bytes
    sha256: str


def correct(head: Head, parent: int, changed: Transcript, author: UUID | None) -> Correction:
    """The next revision, holding `changed`.

    Raises Conflict `transcript.stale` when `parent` is not the latest, Invalid `transcript.unnamed` without a person
    and `transcript.unchanged` when nothing differs.
    """
    check_latest(head, parent)
    if author is None:
        raise Invalid("transcript.unnamed")
    content = encode(changed)
    sha256 = digest(content)
    if sha256 == head.sha256:
        raise Invalid("transcript.unchanged")
    return Correction(head.number + 1, parent, author, content, sha256)


def check_confirm(head: Head, number: int, sha256: str, person: UUID | None) -> None:
    """Whether `person` may confirm revision `number`, having seen bytes with this digest.

    Raises Conflict `transcript.stale` when it is not the latest or other bytes were seen, Conflict
    `transcript.already_confirmed`, Invalid `transcript.unnamed` without a person.
    """
    check_latest(head, number)
    if person is None:
        raise Invalid("transcript.unnamed")
    if sha256 != head.sha256:
        raise Conflict("transcript.stale", latest=head.number)
    if head.state is State.CONFIRMED:
        raise Conflict("transcript.already_confirmed", revision=head.number)


def check_latest(head: Head, number: int) -> None:
    """Whether it is the latest revision. Raises Conflict `transcript.stale`, whose `latest` names the one that is."""
    if number != head.number:
        raise Conflict("transcript.stale", latest=head.number)


@dataclass(frozen=True)
class Change:
    """One difference between two revisions. `kind` is text, speaker or language; times are where it stands.

    For text `before` and `after` are words (either may be empty); otherwise the speaker or language.
    """

    kind: str
    start_ms: int
    end_ms: int
    before: str
    after: str


@dataclass(frozen=True)
class _Said:
    text: str
    speaker: str
    language: str
    start_ms: int
    end_ms: int


def diff(old: Transcript, new: Transcript) -> tuple[Change, ...]:
    """Word by word what changed, in order. Turn bounds alone are no change.

    Whole turns are matched first, words only inside turns that differ, so 20,000 words take well under a second.
    """
    changes: list[Change] = []
    matcher = SequenceMatcher(
        None, [_key(turn) for turn in old.turns], [_key(turn) for turn in new.turns], autojunk=False
    )
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            changes += _words_changed(_said(old.turns[i1:i2]), _said(new.turns[j1:j2]))
    return tuple(changes)


def _key(turn: Turn) -> tuple[str, str, str]:
    return turn.speaker, turn.language, turn.text


def _said(turns: tuple[Turn, ...]) -> list[_Said]:
    return [
        _Said(word.text, turn.speaker, turn.language, word.start_ms, word.end_ms)
        for turn in turns
        for word in turn.words
    ]


def _words_changed(old: list[_Said], new: list[_Said]) -> list[Change]:
    changes: list[Change] = []
    matcher = SequenceMatcher(None, [word.text for word in old], [word.text for word in new], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            changes += _attributes_changed(old[i1:i2], new[j1:j2])
            continue
        place = old[i1:i2] or new[j1:j2]
        before, after = (" ".join(word.text for word in words) for words in (old[i1:i2], new[j1:j2]))
        changes.append(Change("text", place[0].start_ms, place[-1].end_ms, before, after))
    return changes


def _attributes_changed(old: list[_Said], new: list[_Said]) -> list[Change]:
    changes: list[Change] = []
    for kind in ("speaker", "language"):
        run: list[tuple[_Said, str, str]] = []
        for word, other in zip(old, new, strict=True):
            before, after = getattr(word, kind), getattr(other, kind)
            if run and (before, after) != run[-1][1:]:
                changes.append(_change(kind, run))
                run = []
            if before != after:
                run.append((word, before, after))
        if run:
            changes.append(_change(kind, run))
    return sorted(changes, key=lambda change: change.start_ms)


def _change(kind: str, run: list[tuple[_Said, str, str]]) -> Change:
    return Change(kind, run[0][0].start_ms, run[-1][0].end_ms, run[0][1], run[0][2])
