"""The public log's files (tiles, checkpoints) in the object store, each written once."""

from custody.kernel.errors import Conflict, NotFound
from storage.ports import LOG, ObjectStore


class StoreTiles:
    """`custody.tile_store.TileStore` over the bucket `log`, below `prefix` (`public/` or `private/`).

    Trust: the store may still lose or change a file; who reads recomputes hashes up to a signed checkpoint.
    """

    def __init__(self, store: ObjectStore, prefix: str = "public/") -> None:
        self._store = store
        self._prefix = prefix

    def put_new(self, path: str, data: bytes) -> bool:
        """Write a file that is not there; whether it was written. What is there already is never overwritten."""
        try:
            self._store.put_once(LOG, self._prefix + path, data)
        except Conflict:
            return False
        return True

    def read(self, path: str) -> bytes | None:
        """The file, or None when there is none. Raises Unavailable `store.unreachable`, Corrupt `store.corrupt`."""
        try:
            return self._store.read(LOG, path)
        except NotFound:
            return None
