"""Uploads as an HTTP edge would drive them."""

import hashlib
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from custody import event
from custody.kernel.clock import SystemClock
from custody.kernel.ids import RandomIds
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import Database, UnitOfWork
from custody.scribe import EventScribe
from storage import seal, service
from storage.blob import FileName, FolderPath
from storage.intake import Appender, append
from storage.keys import FileKeyWrapper, KeyWrapper
from storage.ports import ObjectStore
from storage.s3 import S3Address, S3Store
from storage.seal import SealFacts
from storage.service import NewUpload, Upload
from storage.upload import Checksum, Limits

MIB = 1024 * 1024
SEGMENT = 8 * MIB
OFFICER = Actor(UUID(int=7), "investigator", "api")
WORKER = Actor(None, "system", "worker")


def text_of(size: int, seed: int = 1) -> bytes:
    return hashlib.shake_256(seed.to_bytes(4)).digest(size)


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def announce(
    db: Database, keys: KeyWrapper, data: bytes, *, sha256: str | None = None, lifetime: timedelta = timedelta(hours=1)
) -> Upload:
    new = NewUpload(
        exhibit_id=uuid4(),
        case_id=uuid4(),
        account_id=uuid4(),
        name=FileName("жазба.bin"),
        folder=FolderPath.parse("Камера 1"),
        size_bytes=len(data),
        sha256=sha256 or digest_of(data),
        retain_until=datetime.now(UTC) + timedelta(minutes=5),
    )
    with db.begin(OFFICER) as work:
        made = service.create_upload(work, keys, new, Limits(lifetime=lifetime))
        work.commit()
    return made


def finished(work: UnitOfWork, upload: Upload) -> None:
    """What the use case does when the last byte is durable."""
    draft = event.draft(
        "upload.finished",
        item=f"exhibit:{upload.exhibit_id}",
        case_id=upload.case_id,
        exhibit=upload.exhibit_id,
        upload=upload.id,
        size_bytes=upload.size_bytes,
    )
    work.record(draft)
    work.enqueue("seal", subject=f"exhibit:{upload.exhibit_id}", upload_id=upload.id)


def begin(
    db: Database,
    store: ObjectStore,
    keys: KeyWrapper,
    upload: Upload,
    offset: int,
    *,
    declared: int | None = None,
    checksum: Checksum | None = None,
) -> Appender:
    return Appender(
        db,
        OFFICER,
        store,
        keys,
        upload.id,
        offset_bytes=offset,
        on_received=finished,
        declared_bytes=declared,
        checksum=checksum,
    )


def cut(data: bytes, size: int = 300_000) -> Iterable[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def send(db: Database, store: ObjectStore, keys: KeyWrapper, upload: Upload, data: bytes, offset: int = 0) -> Upload:
    return append(begin(db, store, keys, upload, offset), cut(data))


def held(db: Database, upload: Upload) -> Upload:
    with db.read() as session:
        return service.get_upload(session, upload.id)


def seal_now(db: Database, store: ObjectStore, keys: KeyWrapper, upload: Upload) -> SealFacts:
    with db.read() as session:
        plan = service.seal_plan(session, upload.id)
    facts = seal.inspect(store, keys, plan)
    with db.begin(WORKER) as work:
        event_id = work.record(
            event.draft(
                "exhibit.sealed",
                item=f"exhibit:{facts.exhibit_id}",
                case_id=upload.case_id,
                exhibit=facts.exhibit_id,
                blob=facts.blob.blob_id,
                sha256=facts.blob.sha256,
                size_bytes=facts.blob.size_bytes,
                ciphertext_sha256=facts.blob.ciphertext_sha256,
                ciphertext_bytes=facts.blob.ciphertext_bytes,
                retain_until_ms=int(facts.blob.retain_until.timestamp() * 1000),
                media_type=facts.media_type,
            )
        )
        service.record_seal(work, facts, event_id)
        work.commit()
    return facts


def content(db: Database, store: ObjectStore, keys: KeyWrapper, facts: SealFacts) -> bytes:
    with db.read() as session:
        blob = service.blob_facts(session, facts.blob.blob_id)
    assert blob == facts.blob
    return b"".join(service.open_blob(store, keys, blob).read())


def main(
    database_url: str, endpoint: str, access: str, secret: str, prefix: str, key_file: str, upload_id: str
) -> None:
    """A process that sends a text for ever and is killed: bytes on stdin, an answer per megabyte on stdout."""
    clock = SystemClock()
    ids = RandomIds(clock)
    db = Database(database_url, clock, ids, EventScribe(clock, ids))
    store = S3Store(S3Address(endpoint, access, secret, secure=False, prefix=prefix))
    with db.read() as session:
        upload = service.get_upload(session, UUID(upload_id))
    appender = begin(db, store, FileKeyWrapper(Path(key_file)), upload, upload.offset_bytes)
    while piece := sys.stdin.buffer.read(MIB):
        appender.write(piece)
        sys.stdout.write("taken\n")
        sys.stdout.flush()
    appender.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
