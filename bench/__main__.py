"""`python -m bench [ROOM]`: run one room's benchmarks, or all."""

import importlib
import sys
from pathlib import Path

ROOMS = sorted(
    path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in {"__init__", "__main__", "report"}
)


def main(arguments: list[str]) -> int:
    """Run the rooms named, or every one. 2 for a room that has no benchmarks."""
    unknown = set(arguments) - set(ROOMS)
    if unknown:
        sys.stderr.write(f"no benchmarks for {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}\n")
        return 2
    for room in arguments or ROOMS:
        importlib.import_module(f"bench.{room}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
