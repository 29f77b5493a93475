"""Upload and download through the storage service beside the bare SDK on the same store.

`python -m bench storage` starts the embedded servers in a directory of its own, then for each size puts the
same bytes with the minio SDK alone and through announce → append → seal, reads both back, and prints a table.
«Through the service» is everything the seal promises: encryption, digests, re-reading, decrypting, locking, rows.
"""

import hashlib
import io
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from minio import Minio
from sqlalchemy import create_engine

from bench import report
from bench.report import Row
from custody import event
from custody.kernel.clock import SystemClock, to_ms
from custody.kernel.ids import RandomIds
from custody.kernel.orm import Base
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import Database
from custody.scribe import EventScribe
from evidence_api.stack.stack import Stack
from storage import seal, service
from storage.blob import FileName, FolderPath
from storage.intake import Appender, append
from storage.keys import FileKeyWrapper
from storage.reader import BlobReader
from storage.s3 import S3Address, S3Store
from storage.seal import SealFacts
from storage.service import NewUpload
from storage.upload import Limits

MIB = 1024 * 1024
SIZE_MIB = 256
OFFICER = Actor(UUID(int=7), "investigator", "api")
WORKER = Actor(None, "system", "worker")


class Bench:
    """The same store, reached bare and through the service."""

    def __init__(self, directory: Path, endpoints: Any) -> None:
        clock = SystemClock()
        ids = RandomIds(clock)
        address = endpoints.object_store
        engine = create_engine(endpoints.owner_url)
        Base.metadata.create_all(engine)
        engine.dispose()
        self.db = Database(endpoints.owner_url, clock, ids, EventScribe(clock, ids))
        self.store = S3Store(S3Address(address.endpoint, address.access_key, address.secret_key, secure=False))
        self.store.ensure_buckets()
        self.keys = FileKeyWrapper.create(directory / "bench-kek")
        self.bare = Minio(
            address.endpoint, address.access_key, address.secret_key, secure=address.secure, region="us-east-1"
        )
        self.bare.make_bucket("bare", object_lock=True)

    def bare_put(self, data: bytes, key: str) -> None:
        self.bare.put_object("bare", key, io.BytesIO(data), len(data), part_size=8 * MIB, num_parallel_uploads=1)

    def bare_get(self, key: str) -> int:
        response = self.bare.get_object("bare", key)
        total = sum(len(piece) for piece in response.stream(256 * 1024))
        response.release_conn()
        return total

    def receive(self, data: bytes, sha256: str) -> UUID:
        new = NewUpload(
            exhibit_id=uuid4(),
            case_id=uuid4(),
            account_id=uuid4(),
            name=FileName("bench.bin"),
            folder=FolderPath(()),
            size_bytes=len(data),
            sha256=sha256,
            retain_until=datetime.now(UTC) + timedelta(minutes=1),
        )
        with self.db.begin(OFFICER) as work:
            upload = service.create_upload(work, self.keys, new, Limits())
            work.commit()
        appender = Appender(
            self.db,
            OFFICER,
            self.store,
            self.keys,
            upload.id,
            offset_bytes=0,
            on_received=lambda _work, _upload: None,
        )
        view = memoryview(data)
        append(appender, (bytes(view[start : start + 256 * 1024]) for start in range(0, len(data), 256 * 1024)))
        return upload.id

    def seal(self, upload_id: UUID) -> SealFacts:
        with self.db.read() as session:
            plan = service.seal_plan(session, upload_id)
        facts = seal.inspect(self.store, self.keys, plan)
        with self.db.begin(WORKER) as work:
            sealed = event.draft(
                "exhibit.sealed",
                item=f"exhibit:{facts.exhibit_id}",
                exhibit=facts.exhibit_id,
                blob=facts.blob.blob_id,
                sha256=facts.blob.sha256,
                size_bytes=facts.blob.size_bytes,
                ciphertext_sha256=facts.blob.ciphertext_sha256,
                ciphertext_bytes=facts.blob.ciphertext_bytes,
                retain_until_ms=to_ms(facts.blob.retain_until),
                media_type=facts.media_type,
            )
            service.record_seal(work, facts, work.record(sealed))
            work.commit()
        return facts

    def download(self, facts: SealFacts) -> int:
        return sum(len(piece) for piece in BlobReader(self.store, self.keys, facts.blob).read())


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = act()
    return time.perf_counter() - start, result


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """MiB above the start, the highest seen while the block runs (sampled 100 times a second)."""
    page = os.sysconf("SC_PAGE_SIZE")
    resident: Callable[[], float] = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * page / MIB  # noqa: E731
    base, peak, stop = resident(), [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.01):
            peak[0] = max(peak[0], resident() - base)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def measure(bench: Bench, size_mib: int, rounds: int = 3) -> list[Row]:
    data = os.urandom(size_mib * MIB)
    sha256 = "sha256:" + hashlib.sha256(data).hexdigest()
    best: dict[str, float] = {}
    memory = 0.0
    for number in range(rounds):
        key = f"bench-{size_mib}-{number}"
        times = {"put": timed(lambda key=key: bench.bare_put(data, key))[0]}
        with peak_memory() as peak:
            times["receive"], upload_id = timed(lambda: bench.receive(data, sha256))
        memory = max(memory, peak[0])
        times["seal"], facts = timed(lambda upload_id=upload_id: bench.seal(upload_id))
        times["get"] = timed(lambda key=key: bench.bare_get(key))[0]
        times["download"] = timed(lambda facts=facts: bench.download(facts))[0]
        times["sealed"] = times["receive"] + times["seal"]
        best = {name: min(spent, best.get(name, spent)) for name, spent in times.items()}
    put, get = size_mib / best["put"], size_mib / best["get"]
    size = f"{size_mib} MiB"
    return [
        Row(f"receive {size}", size_mib / best["receive"], "MiB/s", True, 0.7 * put, "minio SDK put", put),
        Row(f"seal {size} (re-read, lock)", size_mib / best["seal"], "MiB/s", True, None, "minio SDK get", get),
        Row(f"receive and seal {size}", size_mib / best["sealed"], "MiB/s", True, None, "minio SDK put", put),
        Row(f"download {size}", size_mib / best["download"], "MiB/s", True, 0.7 * get, "minio SDK get", get),
        Row(f"memory while receiving {size}", memory, "MiB", False, 32),
    ]


def seeks(bench: Bench, facts: SealFacts, count: int = 100) -> Row:
    """The 95th percentile of reading 64 KiB at random places."""
    reader = BlobReader(bench.store, bench.keys, facts.blob)
    step = (reader.size_bytes - 65536) // count
    spent = sorted(timed(lambda at=at: list(reader.read(at, at + 65536)))[0] for at in range(0, count * step, step))
    return Row("seek and read 64 KiB, p95", spent[int(count * 0.95)] * 1000, "ms", False, 50)


def small(bench: Bench, count: int = 150) -> Row:
    """4 KiB files, each announced, received, sealed, one after another; beside bare puts."""
    files = [os.urandom(4096) for _ in range(count)]
    ours = timed(
        lambda: [bench.seal(bench.receive(data, "sha256:" + hashlib.sha256(data).hexdigest())) for data in files]
    )[0]
    bare = timed(lambda: [bench.bare_put(data, f"small-{number}") for number, data in enumerate(files)])[0]
    return Row("4 KiB received and sealed, 1 client", count / ours, "files/s", True, 150, "minio SDK put", count / bare)


def main() -> None:
    """Start the servers, measure, publish. The small files go first: what 256 MiB leave to be flushed slows commits."""
    directory = Path(tempfile.mkdtemp(prefix="dalel-bench-"))
    try:
        with Stack(directory, fast=False) as running:
            bench = Bench(directory, running.start())
            rows = [small(bench)]
            rows = measure(bench, SIZE_MIB) + rows
            data = os.urandom(SIZE_MIB * MIB)
            rows.append(seeks(bench, bench.seal(bench.receive(data, "sha256:" + hashlib.sha256(data).hexdigest()))))
            bench.db.close()
            bench.store.close()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    report.publish("storage", rows)


if __name__ == "__main__":
    main()
