"""`python -m bench [ROOM …]`: measure the rooms named, or all; one table at the end, a file per room."""

import importlib
import sys
import time
from collections.abc import Sequence

from bench import report

ROOMS = ("custody", "storage", "transcription")


def main(arguments: list[str]) -> int:
    """Run the rooms named, or every one. 2 for a room that has no benchmarks."""
    unknown = set(arguments) - set(ROOMS)
    if unknown:
        sys.stderr.write(f"no benchmarks for {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}\n")
        return 2
    found: dict[str, Sequence[report.Row]] = {}
    for room in arguments or ROOMS:
        load, began = report.load(), time.monotonic()
        found[room] = importlib.import_module(f"bench.{room}").rows()
        path = report.write(room, found[room], load)
        sys.stderr.write(f"{room}: {time.monotonic() - began:.0f} s, load at its start {load}, written to {path}\n")
    print(report.table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
