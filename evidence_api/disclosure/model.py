"""The rules of a disclosure round, free of web, queue and database. Its manifest is `custody.proof.disclosure`'s."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from custody.kernel.errors import Conflict, Invalid
from custody.proof.disclosure import DisclosedFile, Withheld

WITHHOLD_GROUNDS = ("under_review", "witness_safety", "personal_data", "minor", "state_secret", "not_material")
"""Why an exhibit is not handed over in this round. `under_review`: its redaction is not finished."""

DESTROYED = "destroyed"
"""The first word of the ground that the release itself gives for an exhibit that was destroyed under an act."""

DRAFT, RELEASING, READY, FAILED = "draft", "releasing", "ready", "failed"

FILE_NAMES = {
    "transcript": "transcript.json",
    "text": "transcript.txt",
    "sound": "sound.flac",
    "pdf": "document.pdf",
    "picture": "picture.png",
}
"""Names in a package say what a file is. The original name may itself name a witness, so it is not used (U6)."""
SPOKEN_KINDS = frozenset({"transcript", "text", "sound"})
"""Renditions whose plan refers to the words of a transcript, which a person must have confirmed (R16)."""


@dataclass(frozen=True)
class Candidate:
    """A rendition as the release sees it: every condition for letting it out, as facts."""

    file: DisclosedFile
    plan_approved: bool
    leak_result: str | None
    transcript_confirmed: bool


def path_of(number: int, kind: str) -> str:
    """Where a rendition lies in the package: `data/0007/0007-sound.flac`. Raises Invalid for an unknown kind."""
    name = FILE_NAMES.get(kind)
    if name is None:
        raise Invalid("disclosure.unknown_kind", kind=kind)
    return f"data/{number:04d}/{number:04d}-{name}"


def check_release(candidates: Sequence[Candidate], withheld: Sequence[Withheld], exhibits: Sequence[UUID]) -> None:
    """Refuse a round that is empty, incomplete (U8), or would let out what nobody approved (R16, R27, U6).

    `exhibits` are all sealed exhibits of the case: each must be disclosed or withheld with a ground, never both.
    """
    if not candidates:
        raise Invalid("disclosure.empty")
    for candidate in candidates:
        check_candidate(candidate)
    check_grounds(withheld)
    disclosed = {candidate.file.exhibit for candidate in candidates}
    kept = [item.exhibit for item in withheld]
    if len(kept) != len(set(kept)) or disclosed & set(kept):
        raise Invalid("disclosure.twice")
    known = {str(exhibit) for exhibit in exhibits}
    if missing := known - disclosed - set(kept):
        raise Invalid("disclosure.incomplete", missing=len(missing))
    if disclosed | set(kept) != known:
        raise Invalid("disclosure.foreign_exhibit")


def destroyed_ground(on: str, act: int | None) -> str:
    """`destroyed 2026-11-22 3`: the day and the number of the destruction act, for reader and manifest."""
    return f"{DESTROYED} {on} {act}"


def destroyed_by(ground: str) -> tuple[str, str] | None:
    """The day and the act's number of such a ground, None for every other."""
    word, _, rest = ground.partition(" ")
    day, _, act = rest.partition(" ")
    return (day, act) if word == DESTROYED else None


def check_grounds(withheld: Sequence[Withheld]) -> None:
    """Raises Invalid `disclosure.unknown_ground`."""
    for item in withheld:
        if item.ground not in WITHHOLD_GROUNDS and destroyed_by(item.ground) is None:
            raise Invalid("disclosure.unknown_ground", number=item.number)


def check_candidate(candidate: Candidate) -> None:
    """Raises Conflict for what keeps one rendition back: `disclosure.transcript_unconfirmed` and its like."""
    number = candidate.file.number
    if candidate.file.kind in SPOKEN_KINDS and not candidate.transcript_confirmed:
        raise Conflict("disclosure.transcript_unconfirmed", number=number)
    if not candidate.plan_approved:
        raise Conflict("disclosure.plan_unapproved", number=number)
    if candidate.leak_result is None:
        raise Conflict("disclosure.rendition_unchecked", number=number)
    if candidate.leak_result != "passed":
        raise Conflict("disclosure.rendition_leaks", number=number)


def ordered(files: Sequence[DisclosedFile]) -> tuple[DisclosedFile, ...]:
    """Files by exhibit number, then path; two of one kind for one exhibit get distinct paths."""
    taken: dict[str, int] = {}
    result = []
    for file in sorted(files, key=lambda entry: (entry.number, entry.path, entry.rendition or "")):
        count = taken[file.path] = taken.get(file.path, 0) + 1
        stem, dot, suffix = file.path.rpartition(".")
        result.append(file if count == 1 else replace(file, path=f"{stem}-{count}{dot}{suffix}"))
    return tuple(result)
