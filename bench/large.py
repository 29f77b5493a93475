"""What takes minutes and tens of GiB: one large original, seeks into it, a case of 10,000 exhibits listed page by page.

`python -m bench.large [--gib 16] [--files 10000]` prints a table and writes `bench/results/large.json`. Not part of
`make bench`. The original is made while it is sent and never lies in memory; every MiB of it differs.
"""

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from functools import partial

from bench import report, system
from bench.report import Row
from bench.storage import FOLDER_SENDERS, MIB, TOGETHER, Bench, Watch, as_folder, timed

SEEKS = 300
SEEK_BYTES = 64 * 1024
PAGE = 50
ONE_GIB = 1024
PATIENCE_S = 3600.0


class Large:
    """A made-up original: the same bytes each time it is asked for them."""

    def __init__(self, mib: int) -> None:
        self._block = os.urandom(MIB)
        self._mib = mib
        self.size_bytes = mib * MIB
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        self.sha256 = digest.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        """One MiB after another, each marked with its number."""
        for number in range(self._mib):
            yield number.to_bytes(8) + self._block[8:]


def uploads(bench: Bench, gib: int) -> list[Row]:
    """One GiB and many, each until sealed: speed and the most memory that API and workers took above their own."""
    rows, peaks = [], {}
    for mib in (ONE_GIB, gib * 1024):
        data, name = Large(mib), f"{mib // 1024} GiB"
        before = bench.sealed_now()
        location, token, exhibit = bench.client.announce_size(bench.case, name, data.size_bytes, data.sha256)
        with Watch(bench.running.api_pid) as api, Watch(bench.running.worker_pid, children=True) as workers:
            sent = timed(partial(bench.client.send_pieces, location, token, data.pieces(), data.size_bytes))
            sealed = timed(partial(bench.wait_sealed, before + 1, PATIENCE_S))
        peaks[mib] = api.peak_mib
        rows += [
            Row(f"upload {name} through the API", mib / sent, "MiB/s"),
            Row(f"upload {name} until sealed", mib / (sent + sealed), "MiB/s"),
            Row(f"API memory while receiving {name}", api.peak_mib, "MiB", False, 32),
            Row(f"seal workers' memory meanwhile, {name}", workers.peak_mib, "MiB", False),
        ]
    step = (data.size_bytes - SEEK_BYTES) // SEEKS
    # not in order: a player jumps
    places = [(number * 7919 % SEEKS) * step for number in range(SEEKS)]
    seeks = sorted(timed(partial(bench.client.download, exhibit, at, SEEK_BYTES)) * 1000 for at in places)
    rows.append(Row(f"seek of 64 KiB into {gib} GiB, p95 of {SEEKS}", seeks[SEEKS * 95 // 100], "ms", False, 50))
    rows.append(Row(f"seek of 64 KiB into {gib} GiB, median", seeks[SEEKS // 2], "ms", False))
    return rows


def listing(bench: Bench, files: int) -> list[Row]:
    """A case of so many exhibits, read page by page to its end."""
    clients = bench.more_clients(FOLDER_SENDERS)
    case = bench.client.post("/api/v1/cases", {"erdr": "263500000000002", "title": "many"})["id"]
    before = bench.sealed_now()
    began = time.monotonic()
    for start in range(0, files, 10 * TOGETHER):
        as_folder(clients, case, [os.urandom(300) for _ in range(min(10 * TOGETHER, files - start))])
    bench.wait_sealed(before + files, PATIENCE_S)
    took = time.monotonic() - began
    times, seen, cursor = [], 0, ""
    while cursor is not None:
        asked = f"/api/v1/cases/{case}/exhibits?limit={PAGE}" + (f"&cursor={cursor}" if cursor else "")
        began = time.monotonic()
        page = bench.client.get(asked)
        times.append((time.monotonic() - began) * 1000)
        seen, cursor = seen + len(page["items"]), page["next"]
    if seen != files:
        raise RuntimeError(f"{files} registered, {seen} listed")
    times.sort()
    return [
        Row(f"{files:,} small files sealed", files / took, "1/s"),
        Row(f"{files:,} listed by pages of {PAGE}, p95", times[len(times) * 95 // 100], "ms", False, 300),
    ]


def main() -> int:
    """Measure, print, keep."""
    asked = argparse.ArgumentParser(prog="python -m bench.large")
    asked.add_argument("--gib", type=int, default=16)
    asked.add_argument("--files", type=int, default=10_000)
    given = asked.parse_args()
    load = report.load()
    with system.running() as running:
        bench = Bench(running)
        rows = [*listing(bench, given.files), *uploads(bench, given.gib)]
    report.write("large", rows, load)
    print(report.table({"large": rows}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
