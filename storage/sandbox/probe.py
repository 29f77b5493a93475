"""A task that tries what a hostile file would try, and says what came of it. The tests run it."""

import ctypes
import os
import platform
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from storage.sandbox.confine import TGKILL


def prepare(args: Mapping[str, Any]) -> None:
    """Nothing to import."""
    del args


def readable(args: Mapping[str, Any]) -> Sequence[Path]:
    """Nothing more."""
    del args
    return ()


def run(args: Mapping[str, Any], source: Path, tell: Callable[[int, int], None]) -> dict[str, Any]:
    """Do `args["act"]`: look (at what is allowed), sleep, spin, hoard (memory), fill (the disk), flood, or crash."""
    tell(1, 2)
    match args["act"]:
        case "look":
            return {name: _tried(attempt) for name, attempt in _ATTEMPTS.items()} | {"read": source.read_text()}
        case "sleep":
            time.sleep(3600)
        case "spin":
            while True:
                pass
        case "hoard":
            return {"hoarded": len(bytearray(1 << 42))}
        case "fill":
            _write(Path("one"), 1 << 40)
        case "flood":
            for number in range(1 << 20):
                _write(Path(f"{number}"), 1 << 20)
        case _:
            os.abort()
    return {}


def _write(path: Path, size_bytes: int) -> None:
    with path.open("wb") as file:
        for _ in range(size_bytes >> 20):
            file.write(bytes(1 << 20))


def _tried(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as refusal:
        return type(refusal).__name__
    return "done"


def _signal_the_parent() -> None:
    if ctypes.CDLL(None, use_errno=True).syscall(TGKILL[platform.machine()], os.getppid(), os.getppid(), 0) != 0:
        raise OSError(ctypes.get_errno(), "tgkill")


_ATTEMPTS: Mapping[str, Callable[[], object]] = {
    "network": lambda: socket.socket().close(),
    "program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "home": lambda: list(Path("/root").iterdir()),
    "passwords": lambda: Path("/etc/shadow").read_bytes(),
    "keys": lambda: list(Path("/etc").iterdir()),
    "elsewhere": lambda: Path("/tmp/dalel-probe").write_bytes(b""),  # noqa: S108  it must not come about
    "source": lambda: Path("../in/original").open("ab").close(),
    "kill": lambda: os.kill(os.getppid(), 0),
    "kill a thread": _signal_the_parent,
}
