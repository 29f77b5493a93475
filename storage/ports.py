"""The object store as the program sees it.

Trust: the store is not trusted. It may lose, change, swap, delay or delete what it was given, or forget a lock. So
what is read is authenticated against digests and keys kept elsewhere, a lock is read back, the lock is attacked by
`storage.worm` at start and daily, and nothing counts as stored before it was read again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

EVIDENCE: Final = "evidence"
RENDITIONS: Final = "renditions"
PACKAGES: Final = "packages"
LOG: Final = "log"
BUNDLES: Final = "bundles"
STAGING: Final = "staging"
KEYS: Final = "keys"

Bytes = bytes | bytearray | memoryview
"""What is sent, from wherever it lies."""

LOCKED_BUCKETS: Final = (EVIDENCE, RENDITIONS, PACKAGES, LOG, BUNDLES)
"""With versioning and Object Lock. `staging` has neither: it holds the encrypted tails of unfinished uploads.
`keys` has neither: wrapped data keys lie there beside the database's, and disposal must be able to destroy them.
`log` is public, `bundles` holds the leaves themselves and is not."""


@dataclass(frozen=True)
class Part:
    """One part of a multipart upload: its number from 1, the store's name for its bytes, its size."""

    number: int
    etag: str
    size_bytes: int


@dataclass(frozen=True)
class Stored:
    """One version of an object. `written_at` is the store's own clock, where it says one.

    `locked_until` is the end of its COMPLIANCE retention, UTC, as `head` says it: None when there is none (GOVERNANCE
    is none). A listing does not know it.
    """

    key: str
    version_id: str
    size_bytes: int
    written_at: datetime | None = None
    locked_until: datetime | None = None


@dataclass(frozen=True)
class Begun:
    """A multipart upload that was neither completed nor aborted; `begun_at` is the store's own clock."""

    key: str
    upload_id: str
    begun_at: datetime | None


class ObjectStore(Protocol):
    """An S3-compatible store. Every call has a time limit.

    All raise Unavailable `store.unreachable` (no answer in time; the call may or may not have taken effect) and
    Unavailable `store.refused` (an answer that is neither success nor one of those named below).
    """

    def put(self, bucket: str, key: str, data: Bytes, sha256: bytes | None = None) -> str:
        """Write a new version; returns its version id ("" in a bucket without versions).

        Durable when it returns. The store compares a SHA-256 sent along (`sha256`, or computed here); Corrupt
        `store.corrupt` when it differs.
        """
        ...

    def put_once(self, bucket: str, key: str, data: Bytes) -> str:
        """Write only if there is no object of this key. Raises Conflict `store.exists`; of many writers one wins."""
        ...

    def create_multipart(self, bucket: str, key: str) -> str:
        """Begin an object of many parts; returns the upload's id. Nothing is visible under the key yet."""
        ...

    def put_part(self, bucket: str, key: str, upload_id: str, number: int, data: Bytes, sha256: bytes) -> Part:
        """One part, 5 MiB or more unless it is the last, and the SHA-256 of it that the store compares.

        Durable when it returns; a number may be sent again.

        Raises NotFound `store.missing` when the upload is gone, Corrupt `store.corrupt` for a wrong digest.
        """
        ...

    def list_parts(self, bucket: str, key: str, upload_id: str) -> list[Part]:
        """Every part the store holds, attempts included. Raises NotFound `store.missing`."""
        ...

    def complete(self, bucket: str, key: str, upload_id: str, parts: Sequence[Part]) -> str:
        """Make the object of exactly these parts; returns its version id. Completing again gives the same version.

        Raises NotFound `store.missing` when there is neither the upload nor the object, Corrupt `store.corrupt` when
        the store no longer has one of the parts.
        """
        ...

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        """Drop a multipart upload and its parts. Nothing happens when it is gone."""
        ...

    def begun(self, bucket: str) -> Iterator[Begun]:
        """Every multipart upload that is neither completed nor aborted, in the order of keys."""
        ...

    def get(self, bucket: str, key: str, version_id: str, offset: int, length: int) -> Iterator[bytes]:
        """Stream `length` bytes from `offset` of one version ("" for the latest).

        Raises NotFound `store.missing`, Corrupt `store.corrupt` when the bytes end too early.
        """
        ...

    def read(self, bucket: str, key: str) -> bytes:
        """The latest version of a small object, whole. Raises NotFound `store.missing`."""
        ...

    def head(self, bucket: str, key: str, version_id: str) -> Stored:
        """Size, version ("" for the latest) and lock, in one answer. Raises NotFound `store.missing`."""
        ...

    def read_version(self, bucket: str, key: str, version_id: str, size_bytes: int) -> tuple[Stored, bytes]:
        """A small version, whole, and what `head` says of it, in one answer.

        Raises NotFound `store.missing`, Corrupt `store.corrupt` when it does not have `size_bytes`.
        """
        ...

    def lock(self, bucket: str, key: str, version_id: str, until: datetime) -> None:
        """COMPLIANCE retention of one version until a moment (whole seconds). Never shortens.

        Raises Conflict `store.locked` when the version is locked for longer. Says nothing of whether the store holds
        to it: read back with `head`.
        """
        ...

    def set_hold(self, bucket: str, key: str, version_id: str, *, on: bool) -> None:
        """Put the store's own legal hold on one version, or take it off; beside the retention, without an end.

        Raises NotFound `store.missing`. Says nothing of whether the store holds to it: read back with `is_held`.
        """
        ...

    def is_held(self, bucket: str, key: str, version_id: str) -> bool:
        """Whether a legal hold is on the version. Raises NotFound `store.missing`."""
        ...

    def delete(self, bucket: str, key: str, version_id: str) -> None:
        """Remove one version for good. Nothing when it is gone. Raises Conflict `store.locked` under lock or hold."""
        ...

    def delete_bypassing(self, bucket: str, key: str, version_id: str) -> None:
        """As `delete`, asking to be let past a GOVERNANCE lock: for the self-test, COMPLIANCE lets nobody past."""
        ...

    def list(self, bucket: str, prefix: str) -> Iterator[Stored]:
        """Every version of every object under a prefix, without delete markers, in the order of keys."""
        ...
