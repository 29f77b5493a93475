"""Receiving an upload's bytes: encrypted while they come, durable before they are claimed.

A request fills segments. A full segment is encrypted under a fresh salt, put as one part of the object, and claimed in
one short transaction that holds the upload's row; the next segment is received meanwhile. What is left when a request
ends (or breaks off) is put as an encrypted tail, so the offset is exact to the byte. Memory: the segment being
received, the one being sent and its ciphertext: 24 MiB for uploads up to 77 GiB, 31 MiB at 100 GiB; where that would be
more than 32 MiB, the next segment is not received before this one is sent (32 MiB at 154 GiB).

Several short units of work per request, hence a `Database` and not a unit of work: the service functions' rule «do not
commit» cannot hold for bytes that arrive over hours.
"""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from mmap import MAP_PRIVATE, mmap
from uuid import UUID

from custody.kernel.errors import Conflict, Invalid
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import Database, UnitOfWork
from storage import upload
from storage.crypto import decrypt, encrypt
from storage.keys import KeyWrapper
from storage.ports import EVIDENCE, STAGING, Bytes, ObjectStore
from storage.seal import evidence_key
from storage.segments import Layout, encrypt_segment
from storage.service import Upload, lock_upload, progress_of, upload_of
from storage.tables import UploadRow, UploadSegmentRow
from storage.upload import Checksum

MEMORY_BYTES = 32 * 1024 * 1024
"""What one upload may hold of its content."""

OnReceived = Callable[[UnitOfWork, Upload], None]
"""Called once, in the transaction that makes the last byte durable: record `upload.finished`, enqueue the seal."""


@dataclass(frozen=True)
class _Sent:
    """A segment that the store has."""

    number: int
    etag: str
    ciphertext_sha256: str
    ciphertext_bytes: int


class Appender:
    """One request that appends to an upload (tus PATCH). Not for sharing between threads.

    `write` the body as it comes, then `finish`; when the body breaks off, `finish` all the same: what came is kept.
    With a checksum nothing is claimed before the whole body was compared; broken off, it is dropped.
    Another request for the same upload takes it over; this one then raises Conflict `upload.superseded`.
    """

    def __init__(
        self,
        db: Database,
        actor: Actor,
        store: ObjectStore,
        keys: KeyWrapper,
        upload_id: UUID,
        *,
        offset_bytes: int,
        on_received: OnReceived,
        declared_bytes: int | None = None,
        checksum: Checksum | None = None,
    ) -> None:
        """Takes the upload over. Raises what `upload.check_append` raises, NotFound `upload.not_found`."""
        self._db, self._actor, self._store, self._upload_id = db, actor, store, upload_id
        self._on_received = on_received
        self._checksum = checksum
        self._digest = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
        with db.begin(actor) as work:
            row = lock_upload(work, upload_id)
            upload.check_append(progress_of(row), offset_bytes, declared_bytes, work.clock.now())
            row.epoch += 1
            self._epoch = row.epoch
            self._old_tail = row.tail_key
            self._layout = Layout(row.blob_id, row.size_bytes, row.segment_bytes)
            self._data_key = keys.unwrap(row.wrapped_key, row.key_id, row.blob_id)
            self._multipart_id = row.multipart_id
            work.commit()
        self._segment = offset_bytes // self._layout.segment_bytes
        self._plain = _room(self._layout.plain(self._segment))
        self._spare: memoryview | None = None
        self._sealed = _room(self._layout.sealed(self._segment))
        self._filled = self._load_tail(offset_bytes)
        self._received = offset_bytes
        self._held_back: list[_Sent] = []
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="segment")
        self._sending: Future[None] | None = None
        self._failed = False

    def write(self, data: bytes) -> None:
        """Take the next bytes of the body. May wait for the segment before to be stored.

        Raises TooLarge `upload.larger_than_announced`, Conflict `upload.superseded`, Gone when it was ended meanwhile,
        Unavailable `store.unreachable`. After any of them the durable offset is what `service.get_upload` says.
        """
        try:
            upload.check_fits(self._layout.size_bytes, self._received + len(data))
            if self._digest:
                self._digest.update(data)
            view = memoryview(data)
            while view:
                taken = min(self._layout.plain(self._segment) - self._filled, len(view))
                self._plain[self._filled : self._filled + taken] = view[:taken]
                self._filled += taken
                self._received += taken
                view = view[taken:]
                if self._filled == self._layout.segment_bytes and self._segment + 1 < self._layout.count:
                    self._send_full()
        except BaseException:
            self._failed = True
            self.close()
            raise

    def finish(self, *, interrupted: bool = False) -> Upload:
        """Make the rest durable and say how far the upload is.

        `interrupted`: the body broke off before its end. Raises Invalid `upload.checksum_mismatch` (nothing of this
        request is kept), and what `write` raises. After a `write` that raised it claims nothing more.
        """
        try:
            if self._digest and self._checksum and not interrupted and self._digest.digest() != self._checksum.digest:
                raise Invalid("upload.checksum_mismatch")
            if not self._failed:
                self._join()
            if self._failed or (interrupted and self._checksum):
                with self._db.read() as session:
                    return upload_of(session.get_one(UploadRow, self._upload_id))
            if self._received == self._layout.size_bytes:
                return self._store_last()
            return self._store_tail()
        finally:
            self.close()

    def close(self) -> None:
        """Give the sending thread back. What was not claimed is not kept."""
        self._sender.shutdown(wait=True)

    def _load_tail(self, offset_bytes: int) -> int:
        """How much of the segment a request before brought: it is read back from where it was kept."""
        size_bytes = offset_bytes - self._segment * self._layout.segment_bytes
        if not size_bytes or self._old_tail is None:
            return 0
        message = self._store.read(STAGING, self._old_tail)
        self._plain[:size_bytes] = decrypt(self._data_key, self._tail_context(offset_bytes), message)
        return size_bytes

    def _tail_context(self, offset_bytes: int) -> bytes:
        return b"dalel-tail-1\x00" + self._layout.blob_id.bytes + offset_bytes.to_bytes(8)

    def _send_full(self) -> None:
        self._join()
        number, self._segment, self._filled = self._segment, self._segment + 1, 0
        self._sending = self._sender.submit(self._send, number, self._plain)
        if 3 * self._layout.segment_bytes > MEMORY_BYTES:
            self._join()
        else:
            self._plain, self._spare = self._spare or _room(self._layout.segment_bytes), self._plain

    def _join(self) -> None:
        sending, self._sending = self._sending, None
        if sending is not None:
            sending.result()

    def _send(self, number: int, plaintext: memoryview) -> None:
        """A full segment into the store and, unless a checksum holds it back, claimed."""
        ciphertext = encrypt_segment(self._data_key, self._layout, number, plaintext, self._sealed)
        with self._db.begin(self._actor) as work:
            row = self._own(work)
            sent = self._put_part(row, number, ciphertext)
            if self._checksum:
                self._held_back.append(sent)
            else:
                self._claim(work, row, [sent], (number + 1) * self._layout.segment_bytes)
            work.commit()

    def _put_part(self, row: UploadRow, number: int, ciphertext: Bytes) -> _Sent:
        """One part while the row is held: no two requests send the same part at a time."""
        key = evidence_key(row.blob_id)
        if row.multipart_id is None:
            row.multipart_id = self._store.create_multipart(EVIDENCE, key)
        sha256 = hashlib.sha256(ciphertext).digest()
        part = self._store.put_part(EVIDENCE, key, row.multipart_id, number + 1, ciphertext, sha256)
        return _Sent(number, part.etag, "sha256:" + sha256.hex(), len(ciphertext))

    def _own(self, work: UnitOfWork) -> UploadRow:
        """The row, locked, still ours and still open."""
        row = lock_upload(work, self._upload_id)
        if row.epoch != self._epoch:
            raise Conflict("upload.superseded")
        progress = progress_of(row)
        upload.check_append(progress, progress.offset_bytes, None, work.clock.now())
        return row

    def _claim(self, work: UnitOfWork, row: UploadRow, sent: list[_Sent], offset_bytes: int) -> None:
        """Say in the database what the store has; nothing may be missing between what was claimed and this."""
        next_segment = row.offset_bytes // row.segment_bytes
        if [segment.number for segment in sent] != list(range(next_segment, next_segment + len(sent))):
            raise Conflict("upload.wrong_offset", expected=row.offset_bytes)
        moved = upload.advance(progress_of(row), offset_bytes, work.clock.now(), timedelta(seconds=row.lifetime_s))
        row.state, row.offset_bytes, row.expires_at = moved.state, moved.offset_bytes, moved.expires_at
        row.tail_key = None
        work.session.add_all(
            UploadSegmentRow(
                upload_id=row.id,
                number=segment.number,
                etag=segment.etag,
                ciphertext_sha256=segment.ciphertext_sha256,
                ciphertext_bytes=segment.ciphertext_bytes,
            )
            for segment in sent
        )

    def _store_last(self) -> Upload:
        """The last segment: alone it is the whole object and put at once, else it is the last part."""
        plaintext = self._plain[: self._filled]
        ciphertext = encrypt_segment(self._data_key, self._layout, self._segment, plaintext, self._sealed)
        with self._db.begin(self._actor) as work:
            row = self._own(work)
            if self._layout.count == 1:
                sha256 = hashlib.sha256(ciphertext).digest()
                row.version_id = self._store.put(EVIDENCE, evidence_key(row.blob_id), ciphertext, sha256)
                last = _Sent(0, "", "sha256:" + sha256.hex(), len(ciphertext))
            else:
                last = self._put_part(row, self._segment, ciphertext)
            self._claim(work, row, [*self._held_back, last], self._layout.size_bytes)
            done = upload_of(row)
            self._on_received(work, done)
            work.commit()
        self._drop_old_tail()
        return done

    def _store_tail(self) -> Upload:
        """The beginning of a segment, kept aside under its own salt until the rest comes."""
        with self._db.begin(self._actor) as work:
            row = self._own(work)
            if self._received == row.offset_bytes:
                tail_key = row.tail_key
            elif self._filled:
                tail_key = f"{row.blob_id}/{self._epoch}-{self._received}"
                tail = self._plain[: self._filled]
                self._store.put(STAGING, tail_key, encrypt(self._data_key, self._tail_context(self._received), tail))
            else:
                tail_key = None
            self._claim(work, row, self._held_back, self._received)
            row.tail_key = tail_key
            done = upload_of(row)
            work.commit()
        if tail_key != self._old_tail:
            self._drop_old_tail()
        return done

    def _drop_old_tail(self) -> None:
        if self._old_tail is not None:
            self._store.delete(STAGING, self._old_tail, "")


def _room(size_bytes: int) -> memoryview:
    """Memory for a segment, used again for those after it; it goes back to the system with the request. What malloc
    gives it keeps: an upload's 24 MiB then stood in the process as 36.
    """
    return memoryview(mmap(-1, max(size_bytes, 1), flags=MAP_PRIVATE))


def append(appender: Appender, pieces: Iterable[bytes]) -> Upload:
    """Write a whole body and finish. When it breaks off with an error, what came is kept and the error goes on."""
    body = iter(pieces)
    while True:
        try:
            piece = next(body)
        except StopIteration:
            return appender.finish()
        except Exception:
            appender.finish(interrupted=True)
            raise
        appender.write(piece)
