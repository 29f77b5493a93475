"""What the person sees while a folder is sent: one line that is redrawn on a terminal, plain lines elsewhere."""

import sys
import time
from collections import deque
from threading import Lock
from typing import TextIO

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_PLAIN_S, _LIVE_S, _WINDOW_S = 10.0, 0.2, 10.0
_BAR = 24


def size(size_bytes: float) -> str:
    """`3.4 GiB`."""
    unit = 0
    while size_bytes >= 1024 and unit < len(_UNITS) - 1:
        size_bytes, unit = size_bytes / 1024, unit + 1
    return f"{size_bytes:.1f} {_UNITS[unit]}" if unit else f"{int(size_bytes)} B"


def span(seconds: float) -> str:
    """`1:02:03`."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


class Progress:
    """Counts of one run. `files` and `bytes` are what was chosen; thread-safe."""

    def __init__(self, files: int, size_bytes: int, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._live = self._out.isatty()
        self._lock = Lock()
        self._files, self._bytes = files, size_bytes
        self._sent = self._hashed = 0
        self._done = self._failed = 0
        self._marks: deque[tuple[float, int]] = deque()
        self._shown_at = 0.0
        self._width = 0

    def hashed(self, size_bytes: int) -> None:
        """So many bytes more were read for their digest."""
        with self._lock:
            self._hashed += size_bytes
            self._show()

    def sent(self, size_bytes: int, *, before: bool = False) -> None:
        """So many bytes more are at the server; `before` when they were there already and are no speed."""
        with self._lock:
            self._sent += size_bytes
            if before:
                self._marks = deque((at, sent + size_bytes) for at, sent in self._marks)
            self._show()

    def ended(self, *, failed: bool) -> None:
        """A file is sealed or known to fail."""
        with self._lock:
            self._done += not failed
            self._failed += failed
            self._show()

    def say(self, line: str) -> None:
        """A line that stays."""
        with self._lock:
            self._clear()
            self._out.write(line + "\n")
            self._out.flush()

    def close(self) -> None:
        """The last state, kept."""
        with self._lock:
            self._shown_at = 0.0
            self._show()
            if self._live:
                self._out.write("\n")
            self._out.flush()

    def _show(self) -> None:
        now = time.monotonic()
        if now - self._shown_at < (_LIVE_S if self._live else _PLAIN_S):
            return
        self._shown_at = now
        line = self._line(now)
        if not self._live:
            self._out.write(line + "\n")
        else:
            self._clear()
            self._out.write(line)
            self._width = len(line)
        self._out.flush()

    def _clear(self) -> None:
        if self._live and self._width:
            self._out.write("\r" + " " * self._width + "\r")
            self._width = 0

    def _line(self, now: float) -> str:
        self._marks.append((now, self._sent))
        while now - self._marks[0][0] > _WINDOW_S:
            self._marks.popleft()
        began, first = self._marks[0]
        speed = (self._sent - first) / (now - began) if now - began > 0.5 else 0.0
        left = max(0, self._bytes - self._sent)
        part = self._sent / self._bytes if self._bytes else 1.0
        bar = f"[{'#' * int(part * _BAR):{_BAR}}] " if self._live else ""
        hashing = f"hashed {size(self._hashed)}, " if self._hashed < self._bytes else ""
        time_left = f", {span(left / speed)} left" if speed and left else ""
        failed = f", {self._failed} failed" if self._failed else ""
        return (
            f"{bar}{self._done}/{self._files} sealed{failed}, {hashing}"
            f"{size(self._sent)} of {size(self._bytes)}, {size(speed)}/s{time_left}"
        )
