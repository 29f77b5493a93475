"""The form of every benchmark's result: a table to read and a file to compare (DESIGN.md, Contracts)."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Row:
    """One figure. `peer_value` is the peer's in the same run on the same machine; the ratio is ours over the peer's.

    `note` says what one must know to read it, for example how durable a commit was.
    """

    name: str
    value: float
    unit: str
    higher_is_better: bool = True
    target: float | None = None
    peer: str | None = None
    peer_value: float | None = None
    note: str | None = None

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's."""
        return self.value / self.peer_value if self.peer_value else None


def write(room: str, rows: Sequence[Row], load: str) -> Path:
    """Write `bench/results/ROOM.json` with the commit, the cores and the load when it began; returns its path."""
    machine = {"commit": commit(), "cores": os.cpu_count(), "load": load}
    records = [asdict(row) | {"ratio": row.ratio} | machine for row in rows]
    path = ROOT / "bench" / "results" / f"{room}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(records, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def table(found: dict[str, Sequence[Row]]) -> str:
    """All rooms in one table."""
    names = [f"{row.name}, {row.unit}" for rows in found.values() for row in rows]
    wide = max([len(name) for name in names] + [20])
    lines = [
        f"commit {commit()}, {os.cpu_count()} cores",
        f"{'':{wide}}{'ours':>10}{'target':>10}{'peer':>10}{'ratio':>8}",
    ]
    notes: list[str] = []
    for room, rows in found.items():
        lines.append(room)
        for row in rows:
            figures = "".join(
                f"{_figure(value):>{width}}"
                for value, width in ((row.value, 10), (row.target, 10), (row.peer_value, 10), (row.ratio, 8))
            )
            peer = f"  beside {row.peer}" if row.peer else ""
            lines.append(f"{f'{row.name}, {row.unit}':{wide}}{figures}{peer}")
            if row.note and row.note not in notes:
                notes.append(row.note)
    return "\n".join([*lines, *notes])


def load() -> str:
    """The machine's load averages over 1, 5 and 15 minutes."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def conninfo(url: str) -> str:
    """An SQLAlchemy URL as psycopg reads it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def commit() -> str:
    """The commit this is, marked when the tree differs from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
