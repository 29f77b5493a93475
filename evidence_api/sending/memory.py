"""What was sent of a folder, on disk: one JSON line per step, the last of a path counts. A SIGKILL loses no step.

The file holds upload tokens (each opens one unfinished upload and nothing else), so it is mode 0600. One process at a
time: the file is locked while it is open.
"""

import fcntl
import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock

from evidence_api.sending.files import LocalFile


class Busy(Exception):
    """Another process is sending this folder to this case."""


@dataclass(frozen=True)
class Known:
    """What is known of a file. `key` is the creation's Idempotency-Key, kept before it is sent."""

    size_bytes: int
    mtime_ns: int
    sha256: str | None = None
    key: str | None = None
    upload: str | None = None
    token: str | None = None
    exhibit: str | None = None
    receipted: bool = False

    @property
    def delivered(self) -> str | None:
        """The exhibit of a file whose bytes are all there: nothing of its sending is left to go on with."""
        return self.exhibit if not self.upload else None


def default_place(url: str, case: str, folder: Path) -> Path:
    """Where the memory of this folder, case and server lies unless told: never in the folder, which is evidence."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    name = hashlib.sha256("\0".join((url, case, str(folder.resolve()))).encode()).hexdigest()[:16]
    return state / "dalel" / f"upload-{name}.jsonl"


class Memory:
    """Open for one process. Raises Busy. Thread-safe."""

    def __init__(self, place: Path) -> None:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(place, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise Busy from None
        self._lock = Lock()
        self._known: dict[str, Known] = {}
        for line in place.read_bytes().split(b"\n"):
            self._read(line)
        if place.stat().st_size and not place.read_bytes().endswith(b"\n"):
            os.write(self._file, b"\n")

    @property
    def begun(self) -> bool:
        """Whether anything was ever sent."""
        return any(known.exhibit for known in self._known.values())

    def of(self, file: LocalFile) -> Known:
        """What is known of the file as it is now; nothing, when it was changed since."""
        known = self._known.get(file.path)
        if known is None or (known.size_bytes, known.mtime_ns) != (file.size_bytes, file.mtime_ns):
            return Known(file.size_bytes, file.mtime_ns)
        return known

    def keep(self, file: LocalFile, known: Known, *, durable: bool = True) -> Known:
        """Write it down; on the disk when this returns if `durable`."""
        line = json.dumps({"path": file.path, **asdict(known)}, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            self._known[file.path] = known
            os.write(self._file, line)
            if durable:
                os.fsync(self._file)
        return known

    def forget_upload(self, file: LocalFile) -> Known:
        """The upload is over or gone: what is known of the bytes stays."""
        return self.keep(file, replace(self.of(file), key=None, upload=None, token=None, exhibit=None))

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._file)

    def _read(self, line: bytes) -> None:
        try:
            step = json.loads(line)
            path = step.pop("path")
            self._known[path] = Known(**step)
        except (ValueError, TypeError, KeyError, AttributeError):
            return  # a line that was being written when the process was killed
