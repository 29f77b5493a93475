"""Upload and download through the storage service beside the bare SDK on the same store.

`python -m bench.storage [MiB]`: starts the embedded servers in a directory of its own, then for each size puts the
same bytes with the minio SDK alone and through announce → append → seal, reads both back, and prints a table.
«Through the service» is everything the seal promises: encryption, digests, re-reading, decrypting, locking, rows.
"""

import hashlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
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

from custody.kernel.clock import SystemClock
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
OFFICER = Actor(UUID(int=7), "investigator", "api")
RESULTS = Path(__file__).parent / "results" / "storage.json"


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
        with self.db.begin(OFFICER) as work:
            service.record_seal(work, facts, uuid4())
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


def row(name: str, value: float, unit: str, target: float | None, peer: str, peer_value: float) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "higher_is_better": unit != "MiB" and unit != "ms",
        "target": target,
        "peer": peer,
        "peer_value": round(peer_value, 2),
        "ratio": round(value / peer_value, 3) if peer_value else None,
    }


def measure(bench: Bench, size_mib: int, rounds: int = 3) -> list[dict[str, Any]]:
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
        row(f"receive {size}", size_mib / best["receive"], "MiB/s", 0.7, "minio SDK put, 8 MiB parts", put),
        row(f"seal {size} (re-read)", size_mib / best["seal"], "MiB/s", None, "minio SDK get", get),
        row(f"receive and seal {size}", size_mib / best["sealed"], "MiB/s", None, "minio SDK put, 8 MiB parts", put),
        row(f"download {size}", size_mib / best["download"], "MiB/s", 0.7, "minio SDK get", get),
        row(f"memory while receiving {size}", memory, "MiB", 32, "bound", 32),
    ]


def seeks(bench: Bench, facts: SealFacts, count: int = 100) -> dict[str, Any]:
    """The 95th percentile of reading 64 KiB at random places."""
    reader = BlobReader(bench.store, bench.keys, facts.blob)
    step = (reader.size_bytes - 65536) // count
    spent = sorted(timed(lambda at=at: list(reader.read(at, at + 65536)))[0] for at in range(0, count * step, step))
    return row("seek and read 64 KiB, p95", spent[int(count * 0.95)] * 1000, "ms", 50, "target", 50)


def small(bench: Bench, count: int = 150) -> dict[str, Any]:
    """4 KiB files, each announced, received, sealed, one after another; beside bare puts."""
    files = [os.urandom(4096) for _ in range(count)]
    ours = timed(
        lambda: [bench.seal(bench.receive(data, "sha256:" + hashlib.sha256(data).hexdigest())) for data in files]
    )[0]
    bare = timed(lambda: [bench.bare_put(data, f"small-{number}") for number, data in enumerate(files)])[0]
    return row("4 KiB files received and sealed, 1 client", count / ours, "files/s", 150, "minio SDK put", count / bare)


def main(size_mib: int) -> None:
    directory = Path(tempfile.mkdtemp(prefix="dalel-bench-"))
    try:
        with Stack(directory, fast=False) as running:
            bench = Bench(directory, running.start())
            rows = measure(bench, size_mib)
            data = os.urandom(size_mib * MIB)
            facts = bench.seal(bench.receive(data, "sha256:" + hashlib.sha256(data).hexdigest()))
            rows += [seeks(bench, facts), small(bench)]
            bench.db.close()
            bench.store.close()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    for line in rows:
        line |= {"commit": commit.strip(), "cores": os.cpu_count()}
        print(
            f"{line['name']:<45} {line['value']:>9} {line['unit']:<8} {line['peer']}: {line['peer_value']} ×{line['ratio']}"
        )
    print(f"peak resident of the whole process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 256)
