"""What lies in a folder: every file with the folders it lay in; what cannot be sent is there too, with its reason."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PIECE_BYTES = 1 << 20


class Unsendable(Exception):
    """A file that cannot be sent as it is; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class LocalFile:
    """A file as it was seen: `path` is relative to the chosen folder's parent, so the folder's own name is kept."""

    place: Path
    path: str
    size_bytes: int
    mtime_ns: int
    fault: str | None = None

    @property
    def folder(self) -> str:
        """The folders above it, with `/`."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Its own name, exactly."""
        return self.path.rpartition("/")[2]

    @property
    def recorded_at(self) -> str:
        """When this machine says it was last written: a claim."""
        return datetime.fromtimestamp(self.mtime_ns / 1e9, UTC).isoformat(timespec="seconds")

    def unchanged(self) -> bool:
        """Whether size and time are still as they were seen."""
        try:
            now = self.place.stat()
        except OSError:
            return False
        return (now.st_size, now.st_mtime_ns) == (self.size_bytes, self.mtime_ns)


def walk(top: Path) -> Iterator[LocalFile]:
    """Everything below `top`, by name. Links are not followed: what they point at may lie outside."""
    base = top.resolve()
    for directory, folders, names in os.walk(base, onerror=None):
        folders.sort()
        links = [name for name in folders if Path(directory, name).is_symlink()]
        for name in sorted([*names, *links]):
            yield _seen(Path(directory, name), base)


def digest(file: LocalFile, moved: Callable[[int], None]) -> str:
    """`sha256:<hex>` of the file. Raises Unsendable `upload.unreadable`, `upload.changed`."""
    sha256 = hashlib.sha256()
    try:
        with file.place.open("rb") as source:
            while piece := source.read(PIECE_BYTES):
                sha256.update(piece)
                moved(len(piece))
    except OSError:
        raise Unsendable("upload.unreadable") from None
    if not file.unchanged():
        raise Unsendable("upload.changed")
    return f"sha256:{sha256.hexdigest()}"


def _seen(place: Path, base: Path) -> LocalFile:
    path = f"{base.name}/{place.relative_to(base).as_posix()}"
    try:
        facts = place.lstat()
    except OSError:
        return LocalFile(place, _printable(path), 0, 0, "upload.unreadable")
    fault = None if stat.S_ISREG(facts.st_mode) else "upload.not_a_file"
    if path != _printable(path):
        fault = "upload.bad_name"
    return LocalFile(place, _printable(path), facts.st_size, facts.st_mtime_ns, fault)


def _printable(path: str) -> str:
    r"""Bytes of a name that are no UTF-8 are shown as `\xNN`: such a name cannot be kept exactly."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
