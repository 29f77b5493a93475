"""Wrapped data keys beside their objects: what a database restored from an old backup no longer knows.

One small object per blob in the bucket `keys`, which has neither versions nor locks: a record is replaced when its key
is wrapped anew, and destroyed with the key at disposal. It is written before the blob is recorded, so whatever is
sealed has one. Trust: the store may lose or forge a record. A wrap opens for its own blob only, and everything else in
it is held against the ledger before it is believed (`use_cases.recovering`).
"""

import base64
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from custody.kernel.clock import from_ms, to_ms
from custody.kernel.errors import Corrupt
from custody.proof import canonical
from storage.blob import BlobFacts
from storage.ports import KEYS, ObjectStore

TYPE: Final = "dalel-key-record"


def name_of(blob_id: UUID) -> str:
    """The record's object key."""
    return f"{blob_id.hex[-2:]}/{blob_id}"


def keep(store: ObjectStore, facts: BlobFacts) -> None:
    """Write a blob's record, or replace it by one with the present wrap. Durable when it returns."""
    store.put(KEYS, name_of(facts.blob_id), encode(facts))


def read(store: ObjectStore, blob_id: UUID) -> BlobFacts:
    """A blob's record. Raises NotFound `store.missing`, Corrupt `keys.record_malformed`."""
    facts = decode(store.read(KEYS, name_of(blob_id)))
    if facts.blob_id != blob_id:
        raise Corrupt("keys.record_malformed")
    return facts


def drop(store: ObjectStore, blob_id: UUID) -> None:
    """Destroy a blob's record. Again does nothing.

    For disposal: call it after the database's copies (`blobs`, `uploads`) are gone for good, so that nothing writes it
    again. Not guaranteed: that the store overwrites the bytes; they are useless once their version of the
    key-encryption key is retired.
    """
    store.delete(KEYS, name_of(blob_id), "")


def all_of(store: ObjectStore) -> Iterator[UUID]:
    """The blob of every record, in the order of their names."""
    for stored in store.list(KEYS, ""):
        yield UUID(stored.key.partition("/")[2])


def encode(facts: BlobFacts) -> bytes:
    """The canonical bytes of a record."""
    return canonical.encode(
        {
            "v": 1,
            "type": TYPE,
            "blob": str(facts.blob_id),
            "bucket": facts.bucket,
            "key": facts.key,
            "version": facts.version_id,
            "sealed_version": facts.sealed_version or facts.version_id,
            "format": facts.format,
            "sha256": facts.sha256,
            "size_bytes": facts.size_bytes,
            "segment_bytes": facts.segment_bytes,
            "ciphertext_sha256": facts.ciphertext_sha256,
            "ciphertext_bytes": facts.ciphertext_bytes,
            "retain_until_ms": to_ms(facts.retain_until),
            "key_id": facts.key_id,
            "wrapped_key": base64.b64encode(facts.wrapped_key).decode(),
        }
    )


def decode(data: bytes) -> BlobFacts:
    """The facts of a record. Raises Corrupt `keys.record_malformed`."""
    try:
        said: dict[str, Any] = canonical.decode(data)
        if (said["v"], said["type"]) != (1, TYPE):
            raise Corrupt("keys.record_malformed")
        return BlobFacts(
            blob_id=UUID(said["blob"]),
            bucket=said["bucket"],
            key=said["key"],
            version_id=said["version"],
            sealed_version=said.get("sealed_version", said["version"]),
            sha256=said["sha256"],
            size_bytes=said["size_bytes"],
            segment_bytes=said["segment_bytes"],
            ciphertext_sha256=said["ciphertext_sha256"],
            ciphertext_bytes=said["ciphertext_bytes"],
            wrapped_key=base64.b64decode(said["wrapped_key"], validate=True),
            key_id=said["key_id"],
            retain_until=from_ms(said["retain_until_ms"]),
            format=said["format"],
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Corrupt("keys.record_malformed") from error
