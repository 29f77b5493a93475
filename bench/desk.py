"""The desk by the book (issue 4, line 9): 500 files and one file of 8 GiB in a real Chromium, the cable pulled twice.

`python -m bench.desk [--gib 8] [--files 500] [--directory /tmp]`: starts a system of its own and prints what it saw as
JSON. Not part of CI: it moves two dozen GiB and takes minutes. The short form of the same is
`tests/browser/test_desk.py`.
"""

import argparse
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from evidence_api.demo import cast
from tests import cable
from tests.browser import conftest, real

GIB = 1 << 30
LONG_MS = 3 * 3600 * 1000


def many(folder: Path, count: int) -> Path:
    """A tree of small files, none like another; returns its top."""
    top = folder / "Тінту"
    for index in range(count):
        place = top / f"Диск {index % 5}" / f"бума {index % 3}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"файл {index:04} қ📷.bin").write_bytes(os.urandom(1024 + index))
    return top


def large(target: Path, size_bytes: int) -> Path:
    """A sparse file with a random mark in every 64 MiB: it costs no disk, and no two parts are the same."""
    with target.open("wb") as file:
        file.truncate(size_bytes)
        for offset in range(0, size_bytes, 64 << 20):
            file.seek(offset)
            file.write(os.urandom(4096))
    return target


def desk(page: Page) -> None:
    """A new case's desk, described."""
    page.goto("/cases/new")
    page.fill("#erdr", f"{time.time_ns() // 1000 % 10**15:015}")
    page.fill("#title", "bench")
    page.click("main form button")
    expect(page.locator(".notice--good")).to_be_visible()
    page.goto(page.url.partition("?")[0] + "/upload")
    expect(page.locator("[data-rich]")).to_be_visible()
    page.select_option("#basis", "seizure")
    page.select_option("#purpose", "pretrial")


def renderer_peak_mib() -> float:
    """The largest resident memory any process of Chromium has had, from /proc."""
    peak = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if "chrom" in text.partition("\n")[0] and (found := re.search(r"VmHWM:\s+(\d+)", text)):
            peak = max(peak, int(found[1]))
    return peak / 1024


def five_hundred(page: Page, top: Path, count: int) -> dict[str, Any]:
    """Rows, then all sealed, then the receipt."""
    desk(page)
    begun = time.perf_counter()
    page.locator("[data-input-folder]").set_input_files(top)
    expect(page.locator("[data-rows] th[scope=row]")).to_have_count(count, timeout=60_000)
    rows_s = time.perf_counter() - begun
    page.click("[data-start]")
    begun = time.perf_counter()
    expect(page.locator("[data-open-receipt]")).to_be_visible(timeout=LONG_MS)
    sealed_s = time.perf_counter() - begun
    told = page.locator("[data-announce]").inner_text()
    begun = time.perf_counter()
    page.click("[data-open-receipt]")
    page.wait_for_url("**/receipts/*", timeout=120_000)
    return {
        "files": count,
        "rows_s": rows_s,
        "sealed_s": sealed_s,
        "told": told,
        "receipt_s": time.perf_counter() - begun,
    }


def eight(page: Page, line: cable.Cable, file: Path) -> dict[str, Any]:
    """One large file; the cable is pulled at a third (for 30 s) and at two thirds (for 2 minutes)."""
    desk(page)
    size = file.stat().st_size
    offsets: list[int] = []
    page.on("request", lambda one: offsets.append(int(one.headers["upload-offset"])) if one.method == "PATCH" else None)
    page.locator("[data-input-files]").set_input_files(file)
    begun = time.perf_counter()
    page.click("[data-start]")
    state = page.locator("[data-rows] .govuk-tag").first
    expect(page.locator("[data-rows] [data-state=sending]")).to_be_visible(timeout=LONG_MS)
    hashed_s = time.perf_counter() - begun
    waits = []
    for part, pause_s in ((1 / 3, 30), (2 / 3, 120)):
        line.cut_at(int(size * part))
        _until(lambda: line.is_cut)
        waits.append({"at_bytes": line.sent_bytes, "shown": state.inner_text()})
        time.sleep(pause_s)
        waits[-1]["shown_later"] = state.inner_text()
        line.mend()
    expect(page.locator("[data-rows] .govuk-tag--good")).to_have_count(1, timeout=LONG_MS)
    whole_s = time.perf_counter() - begun
    return {
        "bytes": size,
        "hashed_s": hashed_s,
        "whole_s": whole_s,
        "cuts": waits,
        "to_server_bytes": line.sent_bytes,
        "sent_twice_bytes": line.sent_bytes - size,
        "parts": len(offsets),
        "from_zero": offsets.count(0),
        "peak_mib": renderer_peak_mib(),
    }


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.05)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--gib", type=float, default=8)
    words.add_argument("--files", type=int, default=500)
    words.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()))
    asked = words.parse_args()
    needed = int(asked.gib * GIB * 2.5)
    if shutil.disk_usage(asked.directory).free < needed:
        raise SystemExit(f"{asked.directory} has no room for {needed} bytes")
    directory = Path(tempfile.mkdtemp(prefix="dalel-desk-", dir=asked.directory))
    found: dict[str, Any] = {}
    try:
        with (
            real.running(directory) as base_url,
            cable.cable_to(base_url) as (line, at),
            sync_playwright() as playwright,
        ):
            chromium = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=conftest.FLAGS)
            stage = real.Stage(at, real.passwords(directory), browser, directory)
            page = stage.visit(cast.INVESTIGATOR)
            if asked.files:
                found["many"] = five_hundred(page, many(directory, asked.files), asked.files)
                print(json.dumps(found["many"], ensure_ascii=False), flush=True)
            if asked.gib:
                line.sent_bytes = 0
                found["large"] = eight(page, line, large(directory / "8 ГиБ.img", int(asked.gib * GIB)))
            print(json.dumps(found, ensure_ascii=False, indent=1), flush=True)
            browser.close()
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
