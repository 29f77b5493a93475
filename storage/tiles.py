"""The ledger's files (tiles, entry bundles) in the object store, each written once."""

from custody.kernel.errors import Conflict, NotFound
from storage.ports import ObjectStore


class StoreTiles:
    """`custody.tile_store.TileStore` over one bucket: `ports.LOG` for the public files, `ports.BUNDLES` for leaves.

    Trust: the store may still lose or change a file; who reads recomputes hashes up to a signed checkpoint.
    """

    def __init__(self, store: ObjectStore, bucket: str) -> None:
        self._store = store
        self._bucket = bucket

    def put_new(self, path: str, data: bytes) -> bool:
        """Write a file unless there is one; whether it was written. Of many writers at once one wins.

        Not guaranteed: True for the writer that won, when the store's answer to it was lost. What lies there may be
        another's bytes: the caller reads it back. Raises Unavailable `store.unreachable`.
        """
        try:
            self._store.put_once(self._bucket, path, data)
        except Conflict:
            return False
        return True

    def read(self, path: str) -> bytes | None:
        """The file, or None when there is none. Raises Unavailable `store.unreachable`."""
        try:
            return self._store.read(self._bucket, path)
        except NotFound:
            return None
