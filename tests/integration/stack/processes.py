"""Looking at processes through /proc."""

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def processes_of(directory: Path) -> set[int]:
    """Every process that works in this directory or names it among its arguments."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            arguments = (entry / "cmdline").read_bytes()
            if str(directory).encode() in arguments or str((entry / "cwd").readlink()).startswith(str(directory)):
                found.add(int(entry.name))
    return found


def uid_of(pid: int) -> int:
    match = re.search(r"^Uid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)
    assert match
    return int(match.group(1))


def listening_addresses(pids: set[int]) -> set[str]:
    """Hexadecimal local addresses of the TCP sockets that these processes listen on."""
    inodes = set()
    for pid in pids:
        with suppress(OSError):
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    inodes.add(str(descriptor.readlink()))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found.add(fields[1].partition(":")[0])
    return found


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
