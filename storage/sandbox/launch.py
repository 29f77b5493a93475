"""The parent's side: a room for one file, a child in it, and what came of the child. The worker outlives any file."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from custody.kernel.errors import Corrupt, DalelError, TooLarge
from storage import workroom
from storage.sandbox.child import PROGRESS, RESULT, ROOT

USER_ID: Final = 64_209
"""Whom the child becomes where the worker is root: a number that no account and no other program has."""
_RESULT_BYTES: Final = 8 << 20
_CODE: Final = re.compile(r"[a-z]{1,20}\.[a-z_]{1,40}")
"""What of a child's refusal is believed: its parameters might be the file's words."""
_LOOK_S: Final = 0.1
Progress = Callable[[int, int], None]


class Refused(DalelError):
    """The child's own refusal: no retry mends it. Its code is one that a task raises."""


@dataclass(frozen=True)
class Limits:
    """What one file may cost: seconds of processor and of the clock, bytes of memory and of disk."""

    cpu_s: int
    wall_s: int
    memory_bytes: int
    disk_bytes: int


@dataclass(frozen=True)
class Room:
    """A directory for one file: `source` is where its plaintext goes, `out` what the child may fill."""

    path: Path

    @property
    def source(self) -> Path:
        """Where the file to look at belongs."""
        return self.path / "in" / "original"

    @property
    def out(self) -> Path:
        """What the child made."""
        return self.path / "out"


@contextmanager
def room(parent: Path, needed_bytes: int) -> Iterator[Room]:
    """A `workroom.room` for a file and what is made of it; others may pass through it, the child being another user.

    Raises TooLarge `sandbox.no_space`.
    """
    with workroom.room(parent, needed_bytes) as path:
        path.chmod(0o711)
        (path / "in").mkdir()
        (path / "out").mkdir(mode=0o700)
        yield Room(path)


def run(
    room: Room, task: str, args: Mapping[str, Any], limits: Limits, progress: Progress = lambda done, total: None
) -> tuple[dict[str, Any], list[str]]:
    """Do a task of `storage.sandbox.child` to the room's file; returns what it made, and the layers that held.

    Raises Refused for the task's own refusal; TooLarge `sandbox.time`, `sandbox.memory`, `sandbox.disk`; Corrupt
    `sandbox.crashed` when the child ended in any other way.
    """
    user_id = _lowered(room)
    room.source.chmod(0o440)
    (room.path / "in").chmod(0o755)
    spec = {
        "task": task,
        "args": dict(args),
        "user_id": user_id,
        "cpu_s": limits.cpu_s,
        "memory_bytes": limits.memory_bytes,
        "file_bytes": limits.disk_bytes,
    }
    command = [sys.executable, "-s", "-P", "-m", "storage.sandbox.child", json.dumps(spec)]
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "HOME": str(room.out),
        "TMPDIR": str(room.out),
    }
    child = subprocess.Popen(  # noqa: S603  our own interpreter and module
        command,
        cwd=room.out,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _watch(child, room, limits, progress)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    return _result(child.returncode, room)


def _lowered(room: Room) -> int | None:
    """Whom the child may become, the room made theirs; None where the worker is not root or has not root's rights."""
    if os.geteuid() != 0:
        return None
    try:
        os.chown(room.out, USER_ID, USER_ID)
        os.chown(room.source, 0, USER_ID)
    except PermissionError:
        return None
    return USER_ID


def _watch(child: "subprocess.Popen[bytes]", room: Room, limits: Limits, progress: Progress) -> None:
    """Until the child ends: pass its progress on, and end it when its time or its disk is used up."""
    told = (-1, -1)
    end = time.monotonic() + limits.wall_s
    while time.monotonic() < end:
        with suppress(subprocess.TimeoutExpired):
            child.wait(_LOOK_S)
            return
        if _used(room.out) > limits.disk_bytes:
            raise TooLarge("sandbox.disk", most_bytes=limits.disk_bytes)
        with suppress(OSError, ValueError):
            done, total = (int(part) for part in _small(room.out / PROGRESS, 64).split())
            if (done, total) != told and 0 <= done <= total:
                progress(done, total)
                told = (done, total)
    raise TooLarge("sandbox.time", seconds=limits.wall_s)


def _used(directory: Path) -> int:
    """Bytes on disk below a directory that somebody is writing to."""
    total = 0
    for place, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).lstat().st_blocks * 512
    return total


def _small(path: Path, most_bytes: int) -> bytes:
    """A file of the child's, which may be anything: no link is followed. Raises OSError, ValueError."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(file, "rb") as opened:
        data = opened.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise ValueError("too long")
    return data


def _result(returncode: int, room: Room) -> tuple[dict[str, Any], list[str]]:
    if returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise TooLarge("sandbox.time", seconds=None)
    if returncode != 0:
        raise Corrupt("sandbox.crashed", how=returncode)
    try:
        found = json.loads(_small(room.out / RESULT, _RESULT_BYTES))
        refused = found.get("refused")
        made, held = found.get("made"), found.get("held")
    except (OSError, ValueError, AttributeError) as error:
        raise Corrupt("sandbox.crashed", how=0) from error
    if refused == "sandbox.memory":
        raise TooLarge("sandbox.memory")
    if refused == "sandbox.disk":
        raise TooLarge("sandbox.disk", most_bytes=None)
    if isinstance(refused, str) and _CODE.fullmatch(refused):
        raise Refused(refused)
    if not isinstance(made, dict) or not isinstance(held, list):
        raise Corrupt("sandbox.crashed", how=0)
    return made, held
