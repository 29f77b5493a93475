"""The object store over S3, through the minio SDK: the only place that knows it.

The SDK's own `put_object` drops `If-None-Match` and cannot send a checksum with a part, so single requests go through
its request methods (`_put_object`, `_upload_part`, …), which sign and send the headers they are given. They are not
public: pyproject holds the SDK below 8 and tests/integration/storage walks every one of them against a real store.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, cast

import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.datatypes import Part as SdkPart
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from minio.retention import Retention

from custody.kernel.errors import Conflict, Corrupt, DalelError, NotFound, Unavailable
from storage.ports import EVIDENCE, KEYS, LOCKED_BUCKETS, STAGING, Begun, Bytes, Part, Stored

_PIECE_BYTES: Final = 1024 * 1024
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchUpload", "NoSuchBucket"})
_DAMAGED: Final = frozenset({"BadDigest", "InvalidPart", "InvalidPartOrder", "XAmzContentSHA256Mismatch"})
_NO_HOLD: Final = frozenset({"NoSuchObjectLegalHold"})
"""What SeaweedFS answers for a version that never had one; the SDK itself knows AWS's code."""
_NO_LOCK: Final = frozenset({"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"})


@dataclass(frozen=True)
class S3Address:
    """Where the store is and who we are there; `endpoint` is host:port, `prefix` goes before every bucket's name."""

    endpoint: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    secure: bool = True
    region: str = "us-east-1"
    prefix: str = ""


def _refusal(fault: S3Error) -> DalelError:
    """Our error for the store's."""
    code = fault.code or ""
    if code in _MISSING:
        return NotFound("store.missing")
    if code in _DAMAGED:
        return Corrupt("store.corrupt", what=code)
    if code == "PreconditionFailed":
        return Conflict("store.exists")
    if fault.response is not None and fault.response.status >= 500:
        return Unavailable("store.unreachable")
    return Unavailable("store.refused", reason=code)


@contextmanager
def _calling() -> Iterator[None]:
    """Turns the SDK's and the wire's errors into ours."""
    try:
        yield
    except S3Error as fault:
        raise _refusal(fault) from fault
    except (ServerError, InvalidResponseError, MinioException, urllib3.exceptions.HTTPError, OSError) as fault:
        raise Unavailable("store.unreachable") from fault


@contextmanager
def _calling_under_lock() -> Iterator[None]:
    """As `_calling`, where «access denied» is the store's way to say that a lock stands."""
    try:
        with _calling():
            yield
    except Unavailable as refusal:
        if refusal.params.get("reason") in {"AccessDenied", "InvalidRequest", "ObjectLocked"}:
            raise Conflict("store.locked") from refusal
        raise


class S3Store:
    """`ObjectStore` over S3. Connections are pooled and shared between threads.

    A request is tried three times in all when the connection fails before an answer; `answer_seconds` bounds each wait
    for bytes, `connect_seconds` each wait for a connection.
    """

    def __init__(self, address: S3Address, *, connect_seconds: float = 5, answer_seconds: float = 60) -> None:
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=connect_seconds, read=answer_seconds),
            maxsize=32,
            retries=urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=[502, 503, 504]),
        )
        self._client = Minio(
            address.endpoint,
            address.access_key,
            address.secret_key,
            secure=address.secure,
            region=address.region,
            http_client=self._pool,
        )
        self._prefix = address.prefix

    def ensure_buckets(self) -> None:
        """Make every bucket that is missing, those for sealed things with versioning and Object Lock.

        Raises Unavailable `store.no_object_lock` when one that was there before keeps no versions or knows no lock:
        Object Lock cannot be added later, so this is never mended in silence.
        """
        for bucket in (*LOCKED_BUCKETS, STAGING, KEYS):
            self._ensure_bucket(self._name(bucket), locked=bucket in LOCKED_BUCKETS)

    def _ensure_bucket(self, name: str, *, locked: bool) -> None:
        with _calling():
            try:
                self._client.make_bucket(name, object_lock=locked)
            except S3Error as fault:
                if fault.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                    raise
            if not locked:
                return
            versions = self._client.get_bucket_versioning(name).status
            try:
                self._client.get_object_lock_config(name)
            except S3Error as fault:
                if fault.code not in _NO_LOCK:
                    raise
                raise Unavailable("store.no_object_lock", bucket=name) from fault
        if versions != "Enabled":
            raise Unavailable("store.no_object_lock", bucket=name)

    def check(self) -> None:
        """Ask the store for its evidence bucket. Raises Unavailable `store.unreachable`, NotFound `store.missing`."""
        with _calling():
            if not self._client.bucket_exists(self._name(EVIDENCE)):
                raise NotFound("store.missing")

    def put(self, bucket: str, key: str, data: Bytes, sha256: bytes | None = None) -> str:
        with _calling():
            return self._put(bucket, key, data, _checksum(sha256 or hashlib.sha256(data).digest()))

    def put_once(self, bucket: str, key: str, data: Bytes) -> str:
        with _calling():
            return self._put(bucket, key, data, {"If-None-Match": "*", **_checksum(hashlib.sha256(data).digest())})

    def _put(self, bucket: str, key: str, data: Bytes, headers: dict[str, str]) -> str:
        sent: Any = {**headers, "Content-Type": "application/octet-stream"}
        result = self._client._put_object(self._name(bucket), key, cast(bytes, data), sent)
        return result.version_id or ""

    def create_multipart(self, bucket: str, key: str) -> str:
        with _calling():
            return self._client._create_multipart_upload(self._name(bucket), key, {})

    def put_part(self, bucket: str, key: str, upload_id: str, number: int, data: Bytes, sha256: bytes) -> Part:
        sent: Any = _checksum(sha256)
        with _calling():
            etag = self._client._upload_part(self._name(bucket), key, cast(bytes, data), sent, upload_id, number)
        return Part(number, etag, len(data))

    def list_parts(self, bucket: str, key: str, upload_id: str) -> list[Part]:
        found: list[Part] = []
        marker: str | None = None
        while True:
            with _calling():
                page = self._client._list_parts(self._name(bucket), key, upload_id, part_number_marker=marker)
            found += [Part(part.part_number, part.etag, part.size or 0) for part in page.parts]
            if not page.is_truncated:
                return found
            marker = page.next_part_number_marker

    def complete(self, bucket: str, key: str, upload_id: str, parts: Sequence[Part]) -> str:
        named = [SdkPart(part.number, part.etag) for part in parts]
        try:
            with _calling():
                result = self._client._complete_multipart_upload(self._name(bucket), key, upload_id, named)
        except NotFound:
            # It was completed before and the answer was lost: the object is there. Which bytes it has, the seal tells.
            return self.head(bucket, key, "").version_id
        return result.version_id or self.head(bucket, key, "").version_id

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        try:
            with _calling():
                self._client._abort_multipart_upload(self._name(bucket), key, upload_id)
        except NotFound:
            return

    def begun(self, bucket: str) -> Iterator[Begun]:
        after: tuple[str | None, str | None] = (None, None)
        while True:
            with _calling():
                page = self._client._list_multipart_uploads(
                    self._name(bucket), key_marker=after[0], upload_id_marker=after[1]
                )
            for found in page.uploads:
                yield Begun(found.object_name, found.upload_id or "", found.initiated_time)
            if not page.is_truncated:
                return
            after = (page.next_key_marker, page.next_upload_id_marker)

    def get(self, bucket: str, key: str, version_id: str, offset: int, length: int) -> Iterator[bytes]:
        left = length
        with _calling():
            response = self._client.get_object(
                self._name(bucket), key, offset=offset, length=length, version_id=version_id or None
            )
            try:
                for piece in response.stream(_PIECE_BYTES):
                    left -= len(piece)
                    yield piece
            finally:
                if left:
                    response.close()  # a connection with bytes still on it serves nobody else
                response.release_conn()
        if left:
            raise Corrupt("store.corrupt", what="length")

    def read(self, bucket: str, key: str) -> bytes:
        with _calling():
            response = self._client.get_object(self._name(bucket), key)
            try:
                return response.read()
            except BaseException:
                response.close()
                raise
            finally:
                response.release_conn()

    def head(self, bucket: str, key: str, version_id: str) -> Stored:
        with _calling():
            found = self._client.stat_object(self._name(bucket), key, version_id=version_id or None)
        return Stored(key, found.version_id or "", found.size or 0, locked_until=_lock_of(found.metadata or {}))

    def read_version(self, bucket: str, key: str, version_id: str, size_bytes: int) -> tuple[Stored, bytes]:
        with _calling():
            response = self._client.get_object(self._name(bucket), key, version_id=version_id)
            try:
                data = response.read(size_bytes + 1)
            finally:
                if response.length_remaining != 0:
                    response.close()  # a connection with bytes still on it serves nobody else
                response.release_conn()
        if len(data) != size_bytes:
            raise Corrupt("store.corrupt", what="length")
        return Stored(key, version_id, size_bytes, locked_until=_lock_of(response.headers)), data

    def lock(self, bucket: str, key: str, version_id: str, until: datetime) -> None:
        with _calling_under_lock():
            self._client.set_object_retention(
                self._name(bucket), key, Retention(COMPLIANCE, until.astimezone(UTC)), version_id=version_id
            )

    def set_hold(self, bucket: str, key: str, version_id: str, *, on: bool) -> None:
        change = self._client.enable_object_legal_hold if on else self._client.disable_object_legal_hold
        with _calling():
            change(self._name(bucket), key, version_id=version_id)

    def is_held(self, bucket: str, key: str, version_id: str) -> bool:
        with _calling():
            try:
                return self._client.is_object_legal_hold_enabled(self._name(bucket), key, version_id=version_id)
            except S3Error as fault:
                if fault.code not in _NO_HOLD:
                    raise
                return False

    def delete(self, bucket: str, key: str, version_id: str) -> None:
        try:
            with _calling_under_lock():
                self._client.remove_object(self._name(bucket), key, version_id=version_id or None)
        except NotFound:
            return

    def delete_bypassing(self, bucket: str, key: str, version_id: str) -> None:
        with _calling_under_lock():
            self._client._execute(
                "DELETE",
                self._name(bucket),
                key,
                headers=cast(Any, {"x-amz-bypass-governance-retention": "true"}),
                query_params=cast(Any, {"versionId": version_id}),
            )

    def list(self, bucket: str, prefix: str) -> Iterator[Stored]:
        with _calling():
            for found in self._client.list_objects(
                self._name(bucket), prefix=prefix, recursive=True, include_version=bucket in LOCKED_BUCKETS
            ):
                if not found.is_delete_marker:
                    name, version = cast(str, found.object_name), found.version_id or ""
                    yield Stored(name, version, found.size or 0, found.last_modified)

    def close(self) -> None:
        """Close every pooled connection."""
        self._pool.clear()

    def _name(self, bucket: str) -> str:
        return self._prefix + bucket


def _lock_of(headers: Mapping[str, str]) -> datetime | None:
    """The end of COMPLIANCE retention that the headers of an answer tell; GOVERNANCE is none."""
    until = headers.get("x-amz-object-lock-retain-until-date")
    if headers.get("x-amz-object-lock-mode") != COMPLIANCE or until is None:
        return None
    return datetime.fromisoformat(until).astimezone(UTC)


def _checksum(sha256: bytes) -> dict[str, str]:
    """The header every store compares; a wrong signed `x-amz-content-sha256` goes unnoticed by some."""
    return {"x-amz-checksum-sha256": base64.b64encode(sha256).decode()}
