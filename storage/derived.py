"""Storing what workers make: renditions, transcripts, packages. Encrypted, put, read back, locked; no database here."""

import hashlib
import io
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from custody.kernel.errors import Corrupt, Invalid
from storage import key_records
from storage.blob import BlobFacts
from storage.crypto import new_key
from storage.keys import KeyWrapper
from storage.ports import Bytes, ObjectStore, Part
from storage.retention import whole_seconds
from storage.seal import evidence_key, lock_and_check, read_back
from storage.segments import Layout, encrypt_segment, segment_bytes_for


def put_derived(
    store: ObjectStore, keys: KeyWrapper, blob_id: UUID, source: Path | bytes, *, bucket: str, retain_until: datetime
) -> BlobFacts:
    """Store a file or bytes as a new blob in `bucket` (`storage.ports.RENDITIONS` or `PACKAGES`).

    Slow and without a database: call it before the unit of work, then `service.record_blob`. Give the same `blob_id`
    when a job is run again: the attempt before is then another version of the same key, never another blob.
    Raises Invalid `blob.empty`; Corrupt `store.corrupt`, `store.not_locked`; Unavailable `store.unreachable`.
    """
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        size_bytes = file.seek(0, io.SEEK_END)
        file.seek(0)
        if not size_bytes:
            raise Invalid("blob.empty")
        layout = Layout(blob_id, size_bytes, segment_bytes_for(size_bytes))
        key = evidence_key(blob_id)
        data_key = new_key()
        writing = _Writing(store, bucket, key, layout, data_key)
        version_id = writing.run(file)
    found = read_back(store, data_key, layout, bucket, key, version_id, writing.sent)
    if found.sha256 != writing.sha256:
        raise Corrupt("store.corrupt", what="digest")
    until = whole_seconds(retain_until)
    lock_and_check(store, bucket, key, version_id, until, layout.ciphertext_bytes)
    wrapped = keys.wrap(data_key, blob_id)
    facts = BlobFacts(
        blob_id=blob_id,
        bucket=bucket,
        key=key,
        version_id=version_id,
        sha256=found.sha256,
        size_bytes=size_bytes,
        segment_bytes=layout.segment_bytes,
        ciphertext_sha256=found.ciphertext_sha256,
        ciphertext_bytes=layout.ciphertext_bytes,
        wrapped_key=wrapped.data,
        key_id=wrapped.key_id,
        retain_until=until,
    )
    key_records.keep(store, facts)
    return facts


class _Writing:
    """One pass over a file: encrypted, sent, and both digests kept to compare with what comes back."""

    def __init__(self, store: ObjectStore, bucket: str, key: str, layout: Layout, data_key: bytes) -> None:
        self._store, self._bucket, self._key, self._layout, self._data_key = store, bucket, key, layout, data_key
        self._plain = hashlib.sha256()
        self.sent: list[str] = []

    @property
    def sha256(self) -> str:
        """Digest of the plaintext that was read from the file."""
        return "sha256:" + self._plain.hexdigest()

    def run(self, file: BinaryIO) -> str:
        """Send every segment; returns the object's version id."""
        if self._layout.count == 1:
            return self._store.put(self._bucket, self._key, *self._segment(file, 0))
        upload_id = self._store.create_multipart(self._bucket, self._key)
        try:
            parts: list[Part] = []
            for number in range(self._layout.count):
                data, sha256 = self._segment(file, number)
                parts.append(self._store.put_part(self._bucket, self._key, upload_id, number + 1, data, sha256))
        except BaseException:
            self._store.abort(self._bucket, self._key, upload_id)
            raise
        return self._store.complete(self._bucket, self._key, upload_id, parts)

    def _segment(self, file: BinaryIO, number: int) -> tuple[Bytes, bytes]:
        """A segment's ciphertext and its SHA-256."""
        plaintext = file.read(self._layout.plain(number))
        self._plain.update(plaintext)
        ciphertext = encrypt_segment(self._data_key, self._layout, number, plaintext)
        digest = hashlib.sha256(ciphertext)
        self.sent.append("sha256:" + digest.hexdigest())
        return ciphertext, digest.digest()
