"""The seal: what was uploaded is read back from the store, compared, recognized and locked. No database here.

`inspect` may be killed at any line and run again: completing, verifying and locking again give the same result.
Law: nothing is `sealed` that was not re-read after it was stored.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from custody.kernel.errors import Corrupt, Invalid
from storage import key_records
from storage.blob import BlobFacts, FileName
from storage.keys import KeyWrapper
from storage.media_type import HEAD_BYTES, Kind, sniff
from storage.ports import EVIDENCE, STAGING, ObjectStore, Part, Stored
from storage.segments import Fetch, Layout, read_range


@dataclass(frozen=True)
class SentSegment:
    """A segment as it was sent to the store: the store's name for it, the digest and size of its ciphertext."""

    number: int
    etag: str
    ciphertext_sha256: str
    ciphertext_bytes: int


@dataclass(frozen=True)
class SealPlan:
    """All that sealing an upload needs to know, read from the database beforehand."""

    upload_id: UUID
    exhibit_id: UUID
    blob_id: UUID
    name: FileName
    sha256: str
    size_bytes: int
    segment_bytes: int
    wrapped_key: bytes = field(repr=False)
    key_id: str
    retain_until: datetime
    multipart_id: str | None
    version_id: str | None
    segments: tuple[SentSegment, ...]
    whole: bool = False
    """It came with its creation, in one request: there never was a tail."""

    @property
    def layout(self) -> Layout:
        """Where the blob's bytes lie."""
        return Layout(self.blob_id, self.size_bytes, self.segment_bytes)


@dataclass(frozen=True)
class SealFacts:
    """An upload that was found to be what its sender announced, and is locked."""

    upload_id: UUID
    exhibit_id: UUID
    blob: BlobFacts
    media_type: str
    mismatch: bool


@dataclass(frozen=True)
class ReadBack:
    """What the store gave back for one object version: digests `sha256:<hex>` and both ends of the plaintext."""

    sha256: str
    ciphertext_sha256: str
    head: bytes
    tail: bytes


_ENDS: Final = HEAD_BYTES


def evidence_key(blob_id: UUID) -> str:
    """The object's key: spread by the id's random end, saying nothing of case or name."""
    return f"{blob_id.hex[-2:]}/{blob_id}"


def inspect(store: ObjectStore, keys: KeyWrapper, plan: SealPlan) -> SealFacts:
    """Complete, re-read, compare, recognize, lock, read the lock back; what came whole is locked before it is re-read.

    Raises Invalid `upload.empty`, `upload.digest_mismatch` (expected, found): the sender's bytes are not what was
    announced; refuse the upload and `discard` it. Raises Corrupt `store.corrupt`, `store.not_locked`: the store does
    not hold what it was given; nothing is sealed. Raises Unavailable `store.unreachable`: try again.
    """
    if plan.size_bytes <= 0:
        raise Invalid("upload.empty")
    key = evidence_key(plan.blob_id)
    version_id = _complete(store, plan, key)
    data_key = keys.unwrap(plan.wrapped_key, plan.key_id, plan.blob_id)
    expected = [segment.ciphertext_sha256 for segment in plan.segments]
    if plan.whole:
        found = _lock_and_read(store, data_key, plan, version_id, expected)
    else:
        found = read_back(store, data_key, plan.layout, EVIDENCE, key, version_id, expected)
    if found.sha256 != plan.sha256:
        raise Invalid("upload.digest_mismatch", expected=plan.sha256, found=found.sha256)
    kind: Kind = sniff(found.head, found.tail, plan.name)
    if not plan.whole:
        lock_and_check(store, EVIDENCE, key, version_id, plan.retain_until, plan.layout.ciphertext_bytes)
        drop_tails(store, plan.blob_id)
    blob = BlobFacts(
        blob_id=plan.blob_id,
        bucket=EVIDENCE,
        key=key,
        version_id=version_id,
        sha256=found.sha256,
        size_bytes=plan.size_bytes,
        segment_bytes=plan.segment_bytes,
        ciphertext_sha256=found.ciphertext_sha256,
        ciphertext_bytes=plan.layout.ciphertext_bytes,
        wrapped_key=plan.wrapped_key,
        key_id=plan.key_id,
        retain_until=plan.retain_until,
    )
    key_records.keep(store, blob)
    return SealFacts(plan.upload_id, plan.exhibit_id, blob, kind.media_type, kind.mismatch)


def _complete(store: ObjectStore, plan: SealPlan, key: str) -> str:
    """The object's version: a small upload was put at once, a large one is made of its parts now."""
    if len(plan.segments) != plan.layout.count:
        raise Corrupt("store.corrupt", what="segments")
    if plan.multipart_id is None:
        if plan.version_id is None:
            raise Corrupt("store.corrupt", what="version")
        return plan.version_id
    parts = [Part(sent.number + 1, sent.etag, sent.ciphertext_bytes) for sent in plan.segments]
    return store.complete(EVIDENCE, key, plan.multipart_id, parts)


def _lock_and_read(
    store: ObjectStore, data_key: bytes, plan: SealPlan, version_id: str, expected: list[str]
) -> ReadBack:
    """What came whole was held against the sender's digest before it was put: no refusal will have to remove it, so it
    is locked first, and one answer tells its bytes, its size and its lock.
    """
    key, size_bytes = evidence_key(plan.blob_id), plan.layout.ciphertext_bytes
    store.lock(EVIDENCE, key, version_id, plan.retain_until)
    held, ciphertext = store.read_version(EVIDENCE, key, version_id, size_bytes)
    _check_held(held, plan.retain_until, size_bytes)
    return _compare(data_key, plan.layout, lambda at, length: iter((ciphertext[at : at + length],)), expected)


def read_back(
    store: ObjectStore, data_key: bytes, layout: Layout, bucket: str, key: str, version_id: str, expected: list[str]
) -> ReadBack:
    """Read a whole object from the store, decrypt it and digest both; compare each segment with what was sent.

    `expected` holds the ciphertext digest of every segment as sent. Raises Corrupt `store.corrupt`. Not seen here: that
    the object is longer than it should be; `lock_and_check` sees it.
    """
    return _compare(data_key, layout, partial(store.get, bucket, key, version_id), expected)


def _compare(data_key: bytes, layout: Layout, fetch: Fetch, expected: list[str]) -> ReadBack:
    """As `read_back`, of bytes that come from anywhere."""
    digests = _CiphertextDigests(layout, expected)

    def digested(offset: int, length: int) -> Iterator[bytes]:
        for piece in fetch(offset, length):
            digests.update(piece)
            yield piece

    plain = hashlib.sha256()
    head, tail = bytearray(), b""
    for piece in read_range(data_key, layout, digested, 0, layout.size_bytes):
        plain.update(piece)
        if len(head) < _ENDS:
            head += piece[: _ENDS - len(head)]
        tail = bytes(piece[-_ENDS:]) if len(piece) >= _ENDS else (tail + piece)[-_ENDS:]
    return ReadBack("sha256:" + plain.hexdigest(), digests.finish(), bytes(head), tail)


class _CiphertextDigests:
    """SHA-256 of the object, and of each of its segments against what was sent, while it streams by."""

    def __init__(self, layout: Layout, expected: list[str]) -> None:
        self._layout = layout
        self._expected = expected
        self._whole = hashlib.sha256()
        self._segment = hashlib.sha256()
        self._number = 0
        self._left = layout.sealed(0)

    def update(self, piece: bytes) -> None:
        self._whole.update(piece)
        view = memoryview(piece)
        while len(view) >= self._left:
            self._segment.update(view[: self._left])
            view = view[self._left :]
            self._close()
            if self._number == self._layout.count:
                return
        self._segment.update(view)
        self._left -= len(view)

    def _close(self) -> None:
        if "sha256:" + self._segment.hexdigest() != self._expected[self._number]:
            raise Corrupt("store.corrupt", what="segment", segment=self._number)
        self._number += 1
        self._segment = hashlib.sha256()
        self._left = self._layout.sealed(self._number) if self._number < self._layout.count else 0

    def finish(self) -> str:
        return "sha256:" + self._whole.hexdigest()


def lock_and_check(
    store: ObjectStore, bucket: str, key: str, version_id: str, until: datetime, size_bytes: int
) -> None:
    """Lock a version and read the lock back, and its size with it.

    Raises Corrupt `store.not_locked` when the store did not keep the lock, `store.corrupt` for another size.
    """
    store.lock(bucket, key, version_id, until)
    _check_held(store.head(bucket, key, version_id), until, size_bytes)


def _check_held(held: Stored, until: datetime, size_bytes: int) -> None:
    if held.size_bytes != size_bytes:
        raise Corrupt("store.corrupt", what="length")
    if held.locked_until is None or held.locked_until < until:
        raise Corrupt("store.not_locked")


def discard(store: ObjectStore, plan: SealPlan) -> None:
    """Remove whatever a refused, expired or terminated upload left in the store. Again does nothing.

    Raises Conflict `store.locked` if it was sealed after all: then nothing may be removed.
    """
    key = evidence_key(plan.blob_id)
    if plan.multipart_id is not None:
        store.abort(EVIDENCE, key, plan.multipart_id)
    for stored in list(store.list(EVIDENCE, key)):
        store.delete(EVIDENCE, stored.key, stored.version_id)
    key_records.drop(store, plan.blob_id)
    drop_tails(store, plan.blob_id)


def drop_tails(store: ObjectStore, blob_id: UUID) -> None:
    """Remove every tail of an upload that takes no more bytes, also those a killed process left."""
    for stored in list(store.list(STAGING, f"{blob_id}/")):
        store.delete(STAGING, stored.key, "")
