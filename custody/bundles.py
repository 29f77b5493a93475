"""Entry bundles: the leaves themselves, kept privately, so that a lost database can be rebuilt entry by entry.

A bundle holds consecutive leaves, each after its length in two bytes, big-endian (the entry format of C2SP
tlog-tiles). Unlike the public tiles it is not cut at multiples of 256: a bundle is what one publication added, named
by the index of its first leaf, so no leaf is stored twice.
"""

from collections.abc import Iterator, Sequence

from custody.kernel.errors import Conflict, Corrupt
from custody.tile_store import TileStore


class EntryBundles:
    """Bundles in a private store. Holds personal circumstances in the clear of an event's data: never publish it."""

    def __init__(self, store: TileStore) -> None:
        self._store = store

    def append(self, start: int, leaves: Sequence[bytes]) -> None:
        """Store the leaves from index `start` on. What an interrupted publication left there already is kept.

        Raises Corrupt `ledger.bundle_differs` when other leaves stand there, Conflict `ledger.checkpoint_moved` when
        another publisher, which has seen more, stored these leaves and further ones: look again and go on from there.
        """
        rest = list(leaves)
        while rest:
            stored = self.at(start)
            if stored is None:
                self._store.put_new(path(start), encode(rest))
                stored = self.at(start)
            if not stored or stored[: len(rest)] != rest[: len(stored)]:
                raise Corrupt("ledger.bundle_differs", start=start)
            if len(stored) > len(rest):
                raise Conflict("ledger.checkpoint_moved")
            start += len(stored)
            rest = rest[len(stored) :]

    def leaves(self, start: int = 0) -> Iterator[bytes]:
        """Every stored leaf in order, from `start`, which must be the first index of a bundle."""
        while (stored := self.at(start)) is not None:
            yield from stored
            start += len(stored)

    def at(self, start: int) -> list[bytes] | None:
        """The leaves of the bundle that begins at `start`, None when none does.

        Raises Corrupt `ledger.bundle_malformed`.
        """
        data = self._store.read(path(start))
        return None if data is None else decode(data)


def path(start: int) -> str:
    """Where the bundle that begins at index `start` lies."""
    return f"entries/{start:020d}"


def encode(leaves: Sequence[bytes]) -> bytes:
    """A bundle's bytes. A leaf has at most 65,535 bytes."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def decode(data: bytes) -> list[bytes]:
    """The leaves of a bundle. Raises Corrupt `ledger.bundle_malformed`."""
    leaves, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        leaf = data[at + 2 : at + 2 + length]
        if len(leaf) != length or not length:
            raise Corrupt("ledger.bundle_malformed")
        leaves.append(leaf)
        at += 2 + length
    return leaves
