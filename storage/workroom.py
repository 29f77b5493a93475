"""A directory for evidence in the clear: private, with space for it, and removed even if its worker is killed.

A room is locked while its process lives; the lock dies with the process. Whoever makes a room, and every worker that
starts, removes those without a lock. Not guaranteed: that the disk overwrites the bytes (keep it encrypted), and that
somebody sweeps a machine on which no worker starts any more.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from custody.kernel.errors import TooLarge

PREFIX: Final = "dalel-room-"
_MARGIN_BYTES: Final = 64 << 20


@contextmanager
def room(parent: Path, needed_bytes: int) -> Iterator[Path]:
    """A new directory of mode 0700 below `parent`; gone afterwards. Raises TooLarge `sandbox.no_space`."""
    parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    sweep(parent)
    free = shutil.disk_usage(parent).free
    if free < needed_bytes + _MARGIN_BYTES:
        raise TooLarge("sandbox.no_space", needed_bytes=needed_bytes, free_bytes=free)
    path, lock = _locked(parent)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def sweep(parent: Path) -> int:
    """Remove the rooms whose process is dead; returns how many. Those in use are not touched."""
    removed = 0
    for path in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another worker was faster, or the room is another user's
            lock = _open(path)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
                removed += 1
            finally:
                os.close(lock)
    return removed


def _locked(parent: Path) -> tuple[Path, int]:
    """A new room and its lock. One that a sweep took between its making and its lock is made again."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        with suppress(FileNotFoundError):
            lock = _open(path)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return path, lock
            os.close(lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
