"""Object stores in memory: one that keeps its word, and ones that lie in a single named way."""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count

from custody.kernel.errors import Conflict, Corrupt, NotFound
from storage.ports import LOCKED_BUCKETS, Begun, Part, Stored


class MemoryStore:
    """`ObjectStore` in a dictionary, with versions and locks; `piece_bytes` is how it cuts what it streams."""

    def __init__(self, piece_bytes: int = 10_000) -> None:
        self.versions: dict[tuple[str, str], dict[str, bytes]] = {}
        self.locks: dict[tuple[str, str, str], datetime] = {}
        self.multiparts: dict[str, dict[int, dict[str, bytes]]] = {}
        self.completed: dict[str, str] = {}
        self.reads: list[tuple[int, int]] = []
        self.piece_bytes = piece_bytes
        self._numbers = count(1)

    def put(self, bucket: str, key: str, data: bytes | bytearray, sha256: bytes | None = None) -> str:
        version = f"v{next(self._numbers):06}"
        held = self.versions.setdefault((bucket, key), {})
        if bucket not in LOCKED_BUCKETS:
            held.clear()
        held[version] = bytes(data)
        return version

    def put_once(self, bucket: str, key: str, data: bytes | bytearray) -> str:
        if self.versions.get((bucket, key)):
            raise Conflict("store.exists")
        return self.put(bucket, key, data)

    def create_multipart(self, bucket: str, key: str) -> str:
        upload_id = secrets.token_hex(8)
        self.multiparts[upload_id] = {}
        return upload_id

    def put_part(
        self, bucket: str, key: str, upload_id: str, number: int, data: bytes | bytearray, sha256: bytes = b""
    ) -> Part:
        if upload_id not in self.multiparts:
            raise NotFound("store.missing")
        etag = hashlib.sha256(data).hexdigest()[:32]
        self.multiparts[upload_id].setdefault(number, {})[etag] = bytes(data)
        return Part(number, etag, len(data))

    def list_parts(self, bucket: str, key: str, upload_id: str) -> list[Part]:
        if upload_id not in self.multiparts:
            raise NotFound("store.missing")
        return [
            Part(number, etag, len(data))
            for number, attempts in sorted(self.multiparts[upload_id].items())
            for etag, data in attempts.items()
        ]

    def complete(self, bucket: str, key: str, upload_id: str, parts: Sequence[Part]) -> str:
        if upload_id in self.completed:
            return self.completed[upload_id]
        if upload_id not in self.multiparts:
            raise NotFound("store.missing")
        try:
            data = b"".join(self.multiparts[upload_id][part.number][part.etag] for part in parts)
        except KeyError as fault:
            raise Corrupt("store.corrupt", what="InvalidPart") from fault
        del self.multiparts[upload_id]
        self.completed[upload_id] = self.put(bucket, key, data)
        return self.completed[upload_id]

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        self.multiparts.pop(upload_id, None)

    def begun(self, bucket: str) -> Iterator[Begun]:
        """Keys are not kept here."""
        return (Begun("", upload_id, None) for upload_id in sorted(self.multiparts))

    def get(self, bucket: str, key: str, version_id: str, offset: int, length: int) -> Iterator[bytes]:
        self.reads.append((offset, length))
        data = self._data(bucket, key, version_id)[offset : offset + length]
        for start in range(0, len(data), self.piece_bytes):
            yield data[start : start + self.piece_bytes]
        if len(data) < length:
            raise Corrupt("store.corrupt", what="length")

    def read(self, bucket: str, key: str) -> bytes:
        return self._data(bucket, key, "")

    def head(self, bucket: str, key: str, version_id: str) -> Stored:
        size_bytes = len(self._data(bucket, key, version_id))
        return Stored(key, version_id, size_bytes, locked_until=self.locks.get((bucket, key, version_id)))

    def read_version(self, bucket: str, key: str, version_id: str, size_bytes: int) -> tuple[Stored, bytes]:
        return self.head(bucket, key, version_id), b"".join(self.get(bucket, key, version_id, 0, size_bytes))

    def lock(self, bucket: str, key: str, version_id: str, until: datetime) -> None:
        self._data(bucket, key, version_id)
        if until < self.locks.get((bucket, key, version_id), until):
            raise Conflict("store.locked")
        self.locks[bucket, key, version_id] = until

    def delete(self, bucket: str, key: str, version_id: str) -> None:
        held = self.versions.get((bucket, key), {})
        if (bucket, key, version_id) in self.locks:
            raise Conflict("store.locked")
        held.pop(version_id or max(held, default=""), None)

    def delete_bypassing(self, bucket: str, key: str, version_id: str) -> None:
        self._data(bucket, key, version_id)
        self.delete(bucket, key, version_id)

    def list(self, bucket: str, prefix: str) -> Iterator[Stored]:
        for (held_in, key), versions in sorted(self.versions.items()):
            if held_in == bucket and key.startswith(prefix):
                for version, data in versions.items():
                    yield Stored(key, version, len(data))

    def _data(self, bucket: str, key: str, version_id: str) -> bytes:
        versions = self.versions.get((bucket, key), {})
        version = version_id or max(versions, default="")
        if version not in versions:
            raise NotFound("store.missing")
        return versions[version]


class FlippingStore(MemoryStore):
    """Gives back one byte other than it was given."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position

    def get(self, bucket: str, key: str, version_id: str, offset: int, length: int) -> Iterator[bytes]:
        for piece in super().get(bucket, key, version_id, offset, length):
            if offset <= self.position < offset + len(piece):
                at = self.position - offset
                yield piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :]
            else:
                yield piece
            offset += len(piece)


class ForgetfulStore(MemoryStore):
    """Answers «locked» and locks nothing."""

    def lock(self, bucket: str, key: str, version_id: str, until: datetime) -> None:
        self._data(bucket, key, version_id)


class BriefStore(MemoryStore):
    """Loses the last bytes but says the right size."""

    def get(self, bucket: str, key: str, version_id: str, offset: int, length: int) -> Iterator[bytes]:
        yield from super().get(bucket, key, version_id, offset, length - 1)


class ShrinkingStore(MemoryStore):
    """Has lost a part and says so."""

    def head(self, bucket: str, key: str, version_id: str) -> Stored:
        found = super().head(bucket, key, version_id)
        return replace(found, size_bytes=found.size_bytes - 1)


class AttemptSwappingStore(MemoryStore):
    """Makes the object of an older attempt at a part: authentic bytes, but not those that were named."""

    def complete(self, bucket: str, key: str, upload_id: str, parts: Sequence[Part]) -> str:
        held = self.multiparts.get(upload_id, {})
        first = [Part(part.number, next(iter(held[part.number])), part.size_bytes) for part in parts] if held else parts
        return super().complete(bucket, key, upload_id, first)


class YieldingStore(MemoryStore):
    """Deletes and shortens whatever is locked."""

    def delete(self, bucket: str, key: str, version_id: str) -> None:
        self.versions.get((bucket, key), {}).pop(version_id, None)

    def lock(self, bucket: str, key: str, version_id: str, until: datetime) -> None:
        self.locks[bucket, key, version_id] = until


class BypassedStore(MemoryStore):
    """Knows only GOVERNANCE locks: whoever asks to be let past is."""

    def delete_bypassing(self, bucket: str, key: str, version_id: str) -> None:
        self.versions.get((bucket, key), {}).pop(version_id, None)


class ShorteningStore(MemoryStore):
    """Lets a lock be shortened."""

    def lock(self, bucket: str, key: str, version_id: str, until: datetime) -> None:
        self.locks[bucket, key, version_id] = until


class OverwritingStore(MemoryStore):
    """Has one version of everything, and write-once means nothing to it."""

    def put(self, bucket: str, key: str, data: bytes | bytearray, sha256: bytes | None = None) -> str:
        self.versions[bucket, key] = {"": bytes(data)}
        return ""

    def put_once(self, bucket: str, key: str, data: bytes | bytearray) -> str:
        return self.put(bucket, key, data)
