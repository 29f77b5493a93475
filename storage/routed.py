"""Several stores behind one port, while objects move from one to another: a bucket's name says which store is meant.

`evidence` is in the store that takes what is new; `archive:evidence` is in the store called `archive`.
The records of wrapped keys are the exception: while two stores are known they are written to both and destroyed in
both, so that a disposal or a rotation leaves no wrap behind in either.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from custody.kernel.errors import Unavailable
from storage.ports import KEYS, Begun, Bytes, ObjectStore, Part, Stored


def elsewhere(store: str, bucket: str) -> str:
    """The bucket of another store."""
    return f"{store}:{bucket}"


def home(bucket: str) -> str:
    """The bucket's own name, whatever store it is in."""
    return bucket.rpartition(":")[2]


class RoutedStore:
    """`ObjectStore` over the present store, called `name`, and others by name. Knows nothing of what lies where.

    Raises Unavailable `store.unknown` for a store that this process was not told of.
    """

    def __init__(self, name: str, present: ObjectStore, others: Mapping[str, ObjectStore]) -> None:
        self._stores = {**others, "": present, name: present}
        self._others = tuple(others.values())

    def at(self, bucket: str) -> tuple[ObjectStore, str]:
        """The store that a bucket is in, and its own name there."""
        name, _, own = bucket.rpartition(":")
        store = self._stores.get(name)
        if store is None:
            raise Unavailable("store.unknown", store=name)
        return store, own

    def put(self, bucket: str, key: str, data: Bytes, sha256: bytes | None = None) -> str:
        store, own = self.at(bucket)
        for other in self._others if bucket == KEYS else ():
            other.put(KEYS, key, data, sha256)
        return store.put(own, key, data, sha256)

    def put_once(self, bucket: str, key: str, data: Bytes) -> str:
        store, own = self.at(bucket)
        return store.put_once(own, key, data)

    def create_multipart(self, bucket: str, key: str) -> str:
        store, own = self.at(bucket)
        return store.create_multipart(own, key)

    def put_part(self, bucket: str, key: str, upload_id: str, number: int, data: Bytes, sha256: bytes) -> Part:
        store, own = self.at(bucket)
        return store.put_part(own, key, upload_id, number, data, sha256)

    def list_parts(self, bucket: str, key: str, upload_id: str) -> list[Part]:
        store, own = self.at(bucket)
        return store.list_parts(own, key, upload_id)

    def complete(self, bucket: str, key: str, upload_id: str, parts: Sequence[Part]) -> str:
        store, own = self.at(bucket)
        return store.complete(own, key, upload_id, parts)

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        store, own = self.at(bucket)
        store.abort(own, key, upload_id)

    def begun(self, bucket: str) -> Iterator[Begun]:
        store, own = self.at(bucket)
        return store.begun(own)

    def get(self, bucket: str, key: str, version_id: str, offset: int, length: int) -> Iterator[bytes]:
        store, own = self.at(bucket)
        return store.get(own, key, version_id, offset, length)

    def read(self, bucket: str, key: str) -> bytes:
        store, own = self.at(bucket)
        return store.read(own, key)

    def head(self, bucket: str, key: str, version_id: str) -> Stored:
        store, own = self.at(bucket)
        return store.head(own, key, version_id)

    def read_version(self, bucket: str, key: str, version_id: str, size_bytes: int) -> tuple[Stored, bytes]:
        store, own = self.at(bucket)
        return store.read_version(own, key, version_id, size_bytes)

    def lock(self, bucket: str, key: str, version_id: str, until: datetime) -> None:
        store, own = self.at(bucket)
        store.lock(own, key, version_id, until)

    def set_hold(self, bucket: str, key: str, version_id: str, *, on: bool) -> None:
        store, own = self.at(bucket)
        store.set_hold(own, key, version_id, on=on)

    def is_held(self, bucket: str, key: str, version_id: str) -> bool:
        store, own = self.at(bucket)
        return store.is_held(own, key, version_id)

    def delete(self, bucket: str, key: str, version_id: str) -> None:
        store, own = self.at(bucket)
        for other in self._others if bucket == KEYS else ():
            other.delete(KEYS, key, version_id)
        store.delete(own, key, version_id)

    def delete_bypassing(self, bucket: str, key: str, version_id: str) -> None:
        store, own = self.at(bucket)
        store.delete_bypassing(own, key, version_id)

    def list(self, bucket: str, prefix: str) -> Iterator[Stored]:
        store, own = self.at(bucket)
        return store.list(own, prefix)
