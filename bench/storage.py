"""Upload and download through the API beside the bare SDK on the same store, in one run.

Ours: a uvicorn process, tus, SHA-256, C2SP encryption, PostgreSQL with durable commits and SeaweedFS, reached over
HTTP by one thin client. Peer: the minio SDK in the same client process, 8 MiB parts one after another, no encryption,
no record. Rounds of both are taken in turn and the median counts, so that other load hits both alike.

«Sealed» is everything the seal promises: read back, decrypted, compared, locked, the lock read, rows and events.
"""

import io
import os
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from minio import Minio

from bench import fixity, system
from bench.client import PIECE_BYTES, Client
from bench.report import Row, conninfo
from bench.system import System

MIB = 1024 * 1024
SIZE_MIB = 256
ROUNDS = 3
SMALL_BYTES = 4096
SMALL_FILES = 240
SMALL_CLIENTS = 8
FOLDER_FILES = 1200
FOLDER_SENDERS = 3
TOGETHER = 200
SEEKS = 100
PATIENCE_S = 60.0


class Bench:
    """The same store, reached bare and through the API."""

    def __init__(self, running: System) -> None:
        self.running = running
        address = running.endpoints.object_store
        self.bare = Minio(
            address.endpoint, address.access_key, address.secret_key, secure=address.secure, region="us-east-1"
        )
        self.bare.make_bucket("bare", object_lock=True)
        self.client = Client(running.api_port)
        self.token = self.client.sign_in("investigator", running.password)
        self.case = self.client.post("/api/v1/cases", {"erdr": "263500000000001", "title": "bench"})["id"]

    def put(self, key: str, data: bytes) -> None:
        self.bare.put_object("bare", key, io.BytesIO(data), len(data), part_size=8 * MIB, num_parallel_uploads=1)

    def get(self, key: str) -> None:
        response = self.bare.get_object("bare", key)
        for _ in response.stream(PIECE_BYTES):
            pass
        response.release_conn()

    def more_clients(self, count: int) -> list[Client]:
        made = [Client(self.running.api_port) for _ in range(count)]
        for client in made:
            client.use(self.token)
        return made

    def sealed_now(self) -> int:
        """How many exhibits are sealed."""
        with psycopg.connect(conninfo(self.running.endpoints.owner_url)) as connection:
            row = connection.execute("SELECT count(*) FROM exhibits WHERE state = 'sealed'").fetchone()
        return row[0] if row else 0

    def wait_sealed(self, count: int, patience_s: float = PATIENCE_S) -> None:
        """Until so many exhibits are sealed; asks the database, so as not to load the API."""
        end = time.monotonic() + patience_s
        query = "SELECT count(*) FROM exhibits WHERE state = 'sealed'"
        with psycopg.connect(conninfo(self.running.endpoints.owner_url), autocommit=True) as connection:
            while connection.execute(query).fetchone() != (count,):
                if time.monotonic() > end:
                    raise TimeoutError(f"not {count} sealed in {patience_s:.0f} s")
                time.sleep(0.02)


def timed(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def measure(bench: Bench) -> list[Row]:
    """Small files first: what 256 MiB leave to be flushed slows commits."""
    rows = [*_small(bench), *_large(bench)]
    return [*rows[3:], *rows[:3]]


def _small(bench: Bench) -> list[Row]:
    files, one_by_one = _files(SMALL_FILES), _files(SMALL_FILES // 6)
    few = len(one_by_one)
    _in_parallel([bench.client], bench.case, _files(1))
    bench.wait_sealed(1)
    alone = timed(lambda: (_in_parallel([bench.client], bench.case, one_by_one), bench.wait_sealed(1 + few)))
    bare = timed(lambda: [bench.put(f"small-{number}", data) for number, data in enumerate(one_by_one)])
    clients = bench.more_clients(SMALL_CLIENTS)
    total = 1 + few + len(files)
    many = timed(lambda: (_in_parallel(clients, bench.case, files), bench.wait_sealed(total)))
    folder = _files(FOLDER_FILES)
    together = timed(lambda: (as_folder(clients, bench.case, folder), bench.wait_sealed(total + FOLDER_FILES)))
    with ThreadPoolExecutor(SMALL_CLIENTS) as pool:
        names = [f"many-{number}" for number in range(len(files))]
        bare_many = timed(lambda: list(pool.map(bench.put, names, files)))
    peer = "minio SDK put of 4 KiB"
    rate = len(files) / bare_many
    return [
        Row("4 KiB uploaded and sealed, 1 client", few / alone, "1/s", True, None, peer, few / bare),
        Row(f"4 KiB uploaded and sealed, {SMALL_CLIENTS} clients", len(files) / many, "1/s", True, None, peer, rate),
        Row(
            f"4 KiB uploaded and sealed, {TOGETHER} in a request, {FOLDER_SENDERS} at a time",
            FOLDER_FILES / together,
            "1/s",
            True,
            150,
            peer,
            rate,
        ),
    ]


def _files(count: int) -> list[bytes]:
    return [os.urandom(SMALL_BYTES) for _ in range(count)]


def _in_parallel(clients: list[Client], case: str, files: list[bytes]) -> None:
    with ThreadPoolExecutor(len(clients)) as pool:
        shares = [files[number :: len(clients)] for number in range(len(clients))]
        list(pool.map(lambda client, share: [client.upload(case, "s", data) for data in share], clients, shares))


def as_folder(clients: list[Client], case: str, files: list[bytes]) -> None:
    """All of them in requests of `TOGETHER`, a few requests at a time."""
    groups = [files[start : start + TOGETHER] for start in range(0, len(files), TOGETHER)]
    with ThreadPoolExecutor(FOLDER_SENDERS) as pool:
        shares = [groups[number::FOLDER_SENDERS] for number in range(FOLDER_SENDERS)]
        list(pool.map(lambda client, share: [client.upload_folder(case, one) for one in share], clients, shares))


def _large(bench: Bench) -> list[Row]:
    """Every round: put and PATCH of the same bytes, then seal, then both read back."""
    taken: dict[str, list[float]] = {}
    memory = 0.0
    for number in range(ROUNDS):
        data = os.urandom(SIZE_MIB * MIB)
        before = bench.sealed_now()
        _note(taken, "put", lambda number=number, data=data: bench.put(f"large-{number}", data))
        location, token, exhibit = bench.client.announce(bench.case, "large", data)
        with Watch(bench.running.api_pid) as watched:
            _note(taken, "upload", partial(bench.client.send, location, token, data))
        memory = max(memory, watched.peak_mib)
        _note(taken, "seal", lambda before=before: bench.wait_sealed(before + 1))
        _note(taken, "get", lambda number=number: bench.get(f"large-{number}"))
        _note(taken, "download", lambda exhibit=exhibit: bench.client.download(exhibit))
    rate = {name: SIZE_MIB / statistics.median(times) for name, times in taken.items()}
    sealed = SIZE_MIB / (statistics.median(taken["upload"]) + statistics.median(taken["seal"]))
    step = (SIZE_MIB * MIB - 65536) // SEEKS
    seeks = sorted(
        timed(lambda at=at: bench.client.download(exhibit, at, 65536)) for at in range(0, SEEKS * step, step)
    )
    put, get = rate["put"], rate["get"]
    size = f"{SIZE_MIB} MiB"
    return [
        Row(f"upload {size} through the API", rate["upload"], "MiB/s", True, 0.7 * put, "minio SDK put", put),
        Row(f"upload {size} until sealed", sealed, "MiB/s", True, None, "minio SDK put", put),
        Row(f"download {size} through the API", rate["download"], "MiB/s", True, 0.7 * get, "minio SDK get", get),
        Row("range of 64 KiB through the API, p95", seeks[int(SEEKS * 0.95)] * 1000, "ms", False, 50),
        Row(f"API memory while receiving {size}", memory, "MiB", False, 32),
    ]


def _note(taken: dict[str, list[float]], name: str, act: Callable[[], Any]) -> None:
    taken.setdefault(name, []).append(timed(act))


class Watch:
    """The most MiB a process took above what it had, while the block runs (sampled 50 times a second).

    With `children`, of all its children together.
    """

    def __init__(self, pid: int, *, children: bool = False) -> None:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if children else [str(pid)]
        self._statm = [Path(f"/proc/{one}/statm") for one in listed]
        self._stop = threading.Event()
        self._base_mib = self._now_mib()
        self._thread = threading.Thread(target=self._watch)
        self.peak_mib = 0.0

    def _now_mib(self) -> float:
        pages = sum(int(one.read_text().split()[1]) for one in self._statm)
        return pages * os.sysconf("SC_PAGE_SIZE") / MIB

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.peak_mib = max(self.peak_mib, self._now_mib() - self._base_mib)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def rows() -> list[Row]:
    """Start the system, measure, stop it."""
    with system.running() as running:
        return [*measure(Bench(running)), *fixity.measure(running)]
