"""The logs before the package's own: their share of steps 2, 8 and 9.

An exhibit's chain may have begun in a log that was closed since. Its events are then proved under that log's final
head, and the head by what the next log begins with (`handover`), one log after the other up to the log of the
checkpoint, whose key alone the reader's policy must name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from custody.proof import bundle, handover
from custody.proof.checkpoint import Checkpoint
from custody.proof.handover import Handover
from custody.proof.note import Verifier
from custody.proof.package import Package
from custody.proof.refusal import Step, refused_at


@dataclass(frozen=True)
class EarlierLog:
    """A closed log, and how many of the package's events are its."""

    handover: Handover
    events: int


class Read(Protocol):
    """Reads an entry of the package; what cannot be read is refused at the step."""

    def __call__(self, entry: str, step: Step, /) -> bytes: ...


class Inclusion(Protocol):
    """Step 8 for the events from `begin` to `end` under `head`, by the lines of `data`."""

    def __call__(self, begin: int, data: bytes, head: Checkpoint, end: int, /) -> None: ...


def required(opened: Package) -> list[str]:
    """Step 2: the files that must be there when any file of a closed log is."""
    last = max(map(bundle.closed_number, opened.sizes), default=0)
    return [entry for number in range(1, last + 1) for entry in bundle.closed_entries(number)]


def logs(opened: Package, read: Read, inclusion: Inclusion, last: Checkpoint) -> list[EarlierLog]:
    """Step 8: the events of closed logs, each under the final head of its own, and every log begun where the one before
    it ended, up to the log of the head `last`. Oldest first. Raises VerificationError.
    """
    found: list[EarlierLog] = []
    openings: list[tuple[bytes, ...]] = []
    begin = 0
    for number in range(1, max(map(bundle.closed_number, opened.sizes), default=0) + 1):
        head, proofs, boundary, boundary_proofs = bundle.closed_entries(number)
        data = read(proofs, Step.INCLUSION)
        with refused_at(Step.INCLUSION, "form", entry=proofs):
            count = len(bundle.proof_lines(data))
        parts = [read(entry, Step.INCLUSION) for entry in (head, boundary, boundary_proofs)]
        with refused_at(Step.INCLUSION, "proofs.handover", number=number):
            handed, opening = handover.of_package(parts[0], parts[1], parts[2])
        inclusion(begin, data, handed.head, begin + count)
        begin += count
        found.append(EarlierLog(handed, count))
        openings.append(opening)
    heads = [log.handover.head for log in found[1:]] + [last]
    for number, (log, proof, following) in enumerate(zip(found, openings, heads, strict=False), 1):
        with refused_at(Step.INCLUSION, "proofs.handover", number=number):
            handover.verify_last(log.handover)
            handover.verify_begin(log.handover, proof, following)
    return found


def check_keys(closed: Sequence[EarlierLog], key: Verifier) -> None:
    """Step 9: each closed log's final head is signed by the key that its successor gives for it, and each names its
    successor's key; the last one's is `key`, which the policy knows. Raises ProofError.
    """
    keys = [one.handover.key for one in closed[1:]] + [key]
    for one, following in zip(closed, keys, strict=False):
        handover.verify_signature(one.handover)
        handover.check_successor(one.handover, following)
