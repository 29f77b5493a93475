"""Proofs of a package's events: under the head of its log, and for what is older under closed logs' final heads."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from custody import audit, heads, logs
from custody.audit import EntryView
from custody.heads import CheckpointView
from custody.kernel.errors import Unavailable
from custody.ledger import Proofs
from custody.logs import Log
from custody.proof.bundle import ClosedLog, ProvenLeaf
from custody.tile_store import TileStore


@dataclass(frozen=True)
class Head:
    """A log with the head that its share of a package is proved under."""

    log: Log
    head: CheckpointView


@dataclass(frozen=True)
class Plan:
    """What is to be proved: the heads from the oldest log that is needed to the one of the package's checkpoint, and
    the two events around each boundary between them.
    """

    heads: tuple[Head, ...]
    boundaries: tuple[tuple[EntryView, EntryView], ...]


def plan(session: Session, entries: Sequence[EntryView], head: CheckpointView) -> Plan:
    """The logs that hold these entries, up to the one of `head`. Raises Unavailable `disclosure.not_published`."""
    opened = logs.opened(session) or [Log(1, head.origin, "", 0)]
    last = logs.holding(opened, head.size - 1)
    first = logs.holding(opened, min(entry.seq for entry in entries))
    finals, boundaries = [], []
    for log in opened[first.number - 1 : last.number - 1]:
        final = heads.latest_of(session, log)
        following = opened[log.number]
        both = audit.entries_at(session, (following.start - 1, following.start))
        if final is None or len(both) != 2:
            raise Unavailable("disclosure.not_published")
        finals.append(Head(log, final))
        boundaries.append((both[0], both[1]))
    return Plan((*finals, Head(last, head)), tuple(boundaries))


def proven(tiles: TileStore, plan: Plan, entries: Sequence[EntryView]) -> tuple[list[ProvenLeaf], list[ClosedLog]]:
    """The leaves under the package's checkpoint, and the shares of the closed logs before it, oldest first."""
    provers = [_Prover(tiles, head) for head in plan.heads]
    shares = [prover.leaves([entry for entry in entries if prover.holds(entry)]) for prover in provers]
    closed = []
    for place, (last, first) in enumerate(plan.boundaries):
        ours, following = provers[place], provers[place + 1]
        head = plan.heads[place].head.note.encode()
        closed.append(ClosedLog(head, shares[place], ours.leaves([last])[0], following.leaves([first])[0]))
    return shares[-1], closed


class _Prover:
    """Proofs under one head of one log."""

    def __init__(self, tiles: TileStore, head: Head) -> None:
        self._start = head.log.start
        self._size = head.head.tree_size
        self._proofs = Proofs(head.log.tiles(tiles))

    def holds(self, entry: EntryView) -> bool:
        return self._start <= entry.seq < self._start + self._size

    def leaves(self, entries: Sequence[EntryView]) -> list[ProvenLeaf]:
        indexes = [entry.seq - self._start for entry in entries]
        proofs = self._proofs.inclusion(indexes, self._size)
        return [
            ProvenLeaf(index, entry.canonical, tuple(proofs[index]))
            for index, entry in zip(indexes, entries, strict=True)
        ]
