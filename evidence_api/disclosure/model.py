"""The rules of a disclosure round, free of web, queue and database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from custody.kernel.errors import Conflict, Invalid
from custody.proof import canonical

MANIFEST_TYPE = "dalel-disclosure"
MANIFEST_VERSION = 1

WITHHOLD_GROUNDS = ("under_review", "witness_safety", "personal_data", "minor", "state_secret", "not_material")
"""Why an exhibit is not handed over in this round. `under_review`: its redaction is not finished."""

DRAFT, RELEASING, READY, FAILED = "draft", "releasing", "ready", "failed"

FILE_NAMES = {"transcript": "transcript.txt", "sound": "sound.flac", "pdf": "document.pdf"}
"""Names in a package say what a file is. The original name may itself name a witness, so it is not used (U6)."""


@dataclass(frozen=True)
class File:
    """One file of a package. Digests are `sha256:<hex>`, sizes bytes, `number` the exhibit's number in its case."""

    path: str
    exhibit: UUID
    number: int
    kind: str
    sha256: str
    size_bytes: int
    source_sha256: str
    rendition: UUID


@dataclass(frozen=True)
class Withheld:
    """An exhibit of the case that this round does not hand over, and the ground for it."""

    exhibit: UUID
    number: int
    ground: str


@dataclass(frozen=True)
class Previous:
    """The round before this one to the same recipient."""

    disclosure: UUID
    manifest_sha256: str


@dataclass(frozen=True)
class Candidate:
    """A rendition as the release sees it: every condition for letting it out, as facts."""

    file: File
    plan_approved: bool
    leak_result: str | None
    needs_confirmed_transcript: bool
    transcript_confirmed: bool


@dataclass(frozen=True)
class Manifest:
    """What a round says of itself. Its canonical digest stands in the ledger, in every disclosed exhibit's chain."""

    disclosure: UUID
    case: UUID
    erdr: str
    round: int
    recipient: str
    released_ms: int
    files: tuple[File, ...]
    withheld: tuple[Withheld, ...]
    previous: Previous | None
    exhibits_total: int

    def encode(self) -> bytes:
        """The canonical bytes (RFC 8785 profile of `custody.proof.canonical`)."""
        return canonical.encode(
            {
                "v": MANIFEST_VERSION,
                "type": MANIFEST_TYPE,
                "disclosure": str(self.disclosure),
                "case": str(self.case),
                "erdr": self.erdr,
                "round": self.round,
                "recipient": self.recipient,
                "released_ms": self.released_ms,
                "files": [_file(file) for file in self.files],
                "withheld": [
                    {"exhibit": str(item.exhibit), "number": item.number, "ground": item.ground}
                    for item in self.withheld
                ],
                "previous": self.previous
                and {"disclosure": str(self.previous.disclosure), "manifest_sha256": self.previous.manifest_sha256},
                "exhibits_total": self.exhibits_total,
            }
        )


def _file(file: File) -> dict[str, str | int]:
    return {
        "path": file.path,
        "exhibit": str(file.exhibit),
        "number": file.number,
        "kind": file.kind,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "source_sha256": file.source_sha256,
        "rendition": str(file.rendition),
    }


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
        _check_candidate(candidate)
    for item in withheld:
        if item.ground not in WITHHOLD_GROUNDS:
            raise Invalid("disclosure.unknown_ground", number=item.number)
    disclosed = {candidate.file.exhibit for candidate in candidates}
    kept = [item.exhibit for item in withheld]
    if len(kept) != len(set(kept)) or disclosed & set(kept):
        raise Invalid("disclosure.twice")
    if missing := set(exhibits) - disclosed - set(kept):
        raise Invalid("disclosure.incomplete", missing=len(missing))
    if disclosed | set(kept) != set(exhibits):
        raise Invalid("disclosure.foreign_exhibit")


def _check_candidate(candidate: Candidate) -> None:
    number = candidate.file.number
    if candidate.needs_confirmed_transcript and not candidate.transcript_confirmed:
        raise Conflict("disclosure.transcript_unconfirmed", number=number)
    if not candidate.plan_approved:
        raise Conflict("disclosure.plan_unapproved", number=number)
    if candidate.leak_result is None:
        raise Conflict("disclosure.rendition_unchecked", number=number)
    if candidate.leak_result != "passed":
        raise Conflict("disclosure.rendition_leaks", number=number)


def ordered(files: Sequence[File]) -> tuple[File, ...]:
    """Files by exhibit number, then path; two of one kind for one exhibit get distinct paths."""
    taken: dict[str, int] = {}
    result = []
    for file in sorted(files, key=lambda entry: (entry.number, entry.path, str(entry.rendition))):
        count = taken[file.path] = taken.get(file.path, 0) + 1
        stem, dot, suffix = file.path.rpartition(".")
        result.append(file if count == 1 else replace(file, path=f"{stem}-{count}{dot}{suffix}"))
    return tuple(result)
