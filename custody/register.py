"""The register: the last published head, kept outside the database and its backups.

A database restored to an older state agrees with itself. Only something that was not restored with it can tell.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from custody.kernel.errors import Conflict


class CheckpointRegister(Protocol):
    """Holds the last signed checkpoint; changes it by compare-and-swap only."""

    def read(self) -> bytes | None:
        """The last checkpoint, None if none was ever published."""
        ...

    def swap(self, expected: bytes | None, new: bytes) -> None:
        """Replace `expected` with `new`, durably. Raises Conflict `ledger.checkpoint_moved` if it was another."""
        ...


class FileRegister:
    """A register in one file. Safe between processes of one machine; give it a disk of its own, away from backups."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> bytes | None:
        """The last checkpoint, None if the file is not there."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def swap(self, expected: bytes | None, new: bytes) -> None:
        """Write beside, fsync, rename, fsync the directory: a crash leaves the old file or the new one."""
        with self._locked():
            if self.read() != expected:
                raise Conflict("ledger.checkpoint_moved")
            beside = self._path.with_suffix(".new")
            with beside.open("wb") as file:
                file.write(new)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
            _sync_directory(self._path.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._path.with_suffix(".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
