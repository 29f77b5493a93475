"""Small files that came whole, in one request: encrypted in memory and put before anything is written to the database.

An object is durable first and its row second, so no row ever names what is not there. Killed in between, an object
without a row stays, which nobody can read (its key died with the process): the sweep removes it.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from custody.kernel.errors import Invalid, Unavailable
from custody.kernel.unit_of_work import UnitOfWork
from storage import upload
from storage.crypto import new_key
from storage.keys import KeyWrapper
from storage.ports import EVIDENCE, ObjectStore
from storage.retention import whole_seconds
from storage.seal import evidence_key
from storage.segments import Layout, encrypt_segment, segment_bytes_for
from storage.service import NewUpload, Upload, upload_of
from storage.tables import UploadRow, UploadSegmentRow
from storage.upload import Limits, State

MOST_BYTES: Final = 1024 * 1024
"""What is taken at once into memory; anything larger goes through `storage.intake.Appender`."""


@dataclass(frozen=True)
class Put:
    """An object in the store that no row names yet."""

    blob_id: UUID
    version_id: str
    ciphertext_sha256: str
    ciphertext_bytes: int
    wrapped_key: bytes = field(repr=False)
    key_id: str


def put_whole(store: ObjectStore, keys: KeyWrapper, blob_id: UUID, data: bytes, sha256: str) -> Put:
    """Compare the bytes with the sender's digest, encrypt them and put them. Slow and without a database.

    Raises Invalid `upload.empty`, `upload.digest_mismatch` (nothing was stored), Corrupt `store.corrupt`, Unavailable
    `store.unreachable`.
    """
    if not data:
        raise Invalid("upload.empty")
    found = "sha256:" + hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise Invalid("upload.digest_mismatch", expected=sha256, found=found)
    data_key = new_key()
    layout = Layout(blob_id, len(data), segment_bytes_for(len(data)))
    ciphertext = encrypt_segment(data_key, layout, 0, data)
    digest = hashlib.sha256(ciphertext)
    version_id = store.put(EVIDENCE, evidence_key(blob_id), ciphertext, digest.digest())
    wrapped = keys.wrap(data_key, blob_id)
    return Put(blob_id, version_id, "sha256:" + digest.hexdigest(), len(ciphertext), wrapped.data, wrapped.key_id)


def take_back(store: ObjectStore, put: Put) -> None:
    """Remove what was put for a file that was then not taken. A store that does not answer leaves it to the sweep."""
    with suppress(Unavailable):
        store.delete(EVIDENCE, evidence_key(put.blob_id), put.version_id)


@dataclass(frozen=True)
class Received:
    """A file that is announced and received at once: under which id, what was put, what was said of it."""

    upload_id: UUID
    put: Put
    new: NewUpload


def create_received(work: UnitOfWork, files: Sequence[Received], limits: Limits) -> list[Upload]:
    """Uploads that are announced and received in one transaction. Record `upload.finished`, enqueue the seal of each.

    Raises what `service.create_upload` raises.
    """
    rows = [_received(work, one, limits) for one in files]
    work.session.add_all(rows)
    work.session.flush()  # a segment's row refers to its upload's
    work.session.add_all(
        UploadSegmentRow(
            upload_id=one.upload_id,
            number=0,
            etag="",
            ciphertext_sha256=one.put.ciphertext_sha256,
            ciphertext_bytes=one.put.ciphertext_bytes,
        )
        for one in files
    )
    return [upload_of(row) for row in rows]


def _received(work: UnitOfWork, one: Received, limits: Limits) -> UploadRow:
    now, new, put = work.clock.now(), one.new, one.put
    progress = upload.advance(upload.announce(new.size_bytes, limits, now), new.size_bytes, now, limits.lifetime)
    return UploadRow(
        id=one.upload_id,
        exhibit_id=new.exhibit_id,
        case_id=new.case_id,
        account_id=new.account_id,
        blob_id=put.blob_id,
        state=State(progress.state),
        filename=new.name.text,
        folder=str(new.folder),
        size_bytes=new.size_bytes,
        offset_bytes=progress.offset_bytes,
        segment_bytes=segment_bytes_for(new.size_bytes),
        sha256=upload.parse_sha256(new.sha256),
        key_id=put.key_id,
        wrapped_key=put.wrapped_key,
        version_id=put.version_id,
        epoch=0,
        lifetime_s=int(limits.lifetime.total_seconds()),
        retain_until=whole_seconds(new.retain_until),
        created_at=now,
        expires_at=progress.expires_at,
    )
