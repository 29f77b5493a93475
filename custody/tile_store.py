"""Where the log's static files lie: the port, and reading hashes through it."""

from typing import Protocol

from custody.kernel.errors import Corrupt
from custody.proof import merkle, tiles


class TileStore(Protocol):
    """An object store for files written once. Paths are relative, ASCII, with slashes."""

    def put_new(self, path: str, data: bytes) -> bool:
        """Store `data` durably unless `path` exists; whether it was stored. Never overwrites."""
        ...

    def read(self, path: str) -> bytes | None:
        """The bytes at `path`, None if there is nothing. Raises Unavailable when the store does not answer."""
        ...


class Tiles:
    """The hash tiles of one tree size, as `custody.proof.tiles` reads them. Every tile is fetched once.

    Raises Corrupt `ledger.tile_missing` when a tile that must be there is not, or has another length.
    """

    def __init__(self, store: TileStore, size: int) -> None:
        self._store = store
        self._size = size
        self._fetched: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int, width: int) -> bytes:
        """The tile as a tree of `size` has it: at least `width` hashes."""
        if (level, index) not in self._fetched:
            wide = tiles.width_at(level, index, self._size)
            data = self._store.read(tiles.path(level, index, wide)) if wide >= width else None
            if data is None or len(data) != wide * merkle.HASH_BYTES:
                raise Corrupt("ledger.tile_missing", level=level, index=index)
            self._fetched[level, index] = data
        return self._fetched[level, index]
