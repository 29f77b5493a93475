"""The public log's files (tiles, checkpoints) in the object store, each written once."""

from custody.kernel.errors import Conflict, NotFound
from storage.ports import LOG, ObjectStore


class StoreTiles:
    """`custody.publisher.TileStore` over the bucket `log`.

    Trust: the store may still lose or change a file; who reads recomputes hashes up to a signed checkpoint.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def put_new(self, path: str, data: bytes) -> None:
        """Write a file that is not there. The same bytes again are fine; raises Conflict `log.differs` for others."""
        try:
            self._store.put_once(LOG, path, data)
        except Conflict as fault:
            if self.read(path) != data:
                raise Conflict("log.differs", path=path) from fault

    def read(self, path: str) -> bytes | None:
        """The file, or None when there is none. Raises Unavailable `store.unreachable`, Corrupt `store.corrupt`."""
        try:
            return self._store.read(LOG, path)
        except NotFound:
            return None
