"""The newcomer's two commands, as a newcomer runs them: in a process of their own, on real parts."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.whole import until

ROOT = Path(__file__).parents[3]
CLI = (sys.executable, "-m", "evidence_api.cli")


@pytest.fixture
def data() -> Iterator[Path]:
    """A data directory that the servers' user can reach; pytest's own is closed to them, and what cannot be reached
    would lie in /var/lib/dalel afterwards.
    """
    directory = Path(tempfile.mkdtemp(prefix="dalel-whole-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("DALEL_")}


@pytest.mark.timeout(600)
def test_the_demonstration_holds_and_its_package_verifies_alone(data: Path) -> None:
    played = subprocess.run(
        [*CLI, "demo", "--data", str(data / "d"), "--out", str(data / "out")],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert played.returncode == 0, played.stdout[-3000:] + played.stderr[-3000:]
    word, _, told = played.stdout.strip().splitlines()[-1].partition(" ")
    report = json.loads(told)
    assert word == "DEMO"
    assert report["ok"]
    assert all(step["ok"] for step in report["steps"])
    assert len(report["steps"]) >= 14
    verify = [sys.executable, "-m", "custody", "verify", report["package"], "--policy", report["policy"], "--json"]
    bare = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    alone = subprocess.run(verify, cwd=ROOT, env=bare, capture_output=True, text=True, check=False)
    assert alone.returncode == 0, alone.stdout
    stranger = data / "other-policy"
    stranger.write_text(Path(report["policy"]).read_text().replace("log dalel", "log dalem"))
    verify[verify.index(report["policy"])] = str(stranger)
    refused = subprocess.run(verify, cwd=ROOT, env=bare, capture_output=True, text=True, check=False)
    assert refused.returncode in (1, 2)


def children_of(data: Path) -> list[int]:
    """Every process whose command line or environment names the data directory."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(data).encode() in told:
            found.append(int(process.name))
    return found


def start(data: Path) -> tuple[subprocess.Popen[str], str]:
    """Start everything; the process and the address it printed."""
    process = subprocess.Popen(
        [*CLI, "up", "--data", str(data)], cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "Dälel is up" in line:
            return process, line.split()[-1]
    raise AssertionError(f"it ended with {process.wait()} instead of coming up")


def ending(process: subprocess.Popen[str]) -> int:
    """Read what is left to read and wait; its exit code."""
    process.communicate(timeout=60)
    return process.returncode


def cli(*arguments: str) -> str:
    """What a command that must succeed prints."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rotated(data: Path) -> None:
    """The running system's log is closed in favour of another, and the key of the first one destroyed."""
    secrets = data / "keys"
    ledger = ("evidence_api.cli", "ledger", "--data", str(data))
    place = ("--key-file", str(secrets / "next.pem"), "--passphrase-file", str(secrets / "next.passphrase"))
    cli(*ledger, "key", "--origin", "dalel.example/next", *place)
    assert "dalel.example/next is open" in cli(
        *ledger, "rotate", "--origin", "dalel.example/next", "--reason", "scheduled", "--wait", "120"
    )
    for name in ("log-key.pem", "log-key.passphrase"):
        (secrets / name).unlink()


def followed(data: Path, address: str) -> int:
    """The size of the second log's head, once a monitor has followed the public log over its end."""
    state = data.with_name("seen")
    cli("custody", "monitor", f"{address}/log", "--policy", str(data / "keys" / "policy"), "--state", str(state))
    head = state.with_name("seen.next")
    return int(head.read_text().split("\n")[1]) if head.exists() else 0


@pytest.mark.timeout(600)
def test_it_comes_up_twice_at_one_address_and_leaves_nothing_behind(data: Path) -> None:
    """Between the two starts the log's key is changed: the second finds the open log and needs the old key no more."""
    first, address = start(data / "d")
    try:
        ready = httpx.get(f"{address}/readyz", timeout=60)
        assert ready.status_code == 200
        assert httpx.get(f"{address}/sign-in", timeout=60).status_code == 200
        rotated(data / "d")
        before = until(lambda: followed(data / "d", address), 120)
    finally:
        first.send_signal(signal.SIGINT)
        ended = ending(first)
    assert ended == 0
    assert children_of(data / "d") == []
    second, again = start(data / "d")
    assert again == address
    until(lambda: followed(data / "d", address) > before, 120)  # the start is on the record, in the second log
    second.kill()
    ending(second)
    for _ in range(600):
        if not children_of(data / "d"):
            break
        time.sleep(0.1)
    assert children_of(data / "d") == []
