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
    """One figure. `peer_value` is the peer's in the same run on the same machine; the ratio is ours over the peer's."""

    name: str
    value: float
    unit: str
    higher_is_better: bool = True
    target: float | None = None
    peer: str | None = None
    peer_value: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's."""
        return self.value / self.peer_value if self.peer_value else None


def publish(room: str, rows: Sequence[Row]) -> Path:
    """Print the table and write `bench/results/ROOM.json`; returns its path."""
    machine = {"commit": _commit(), "cores": os.cpu_count()}
    records = [asdict(row) | {"ratio": row.ratio} | machine for row in rows]
    path = ROOT / "bench" / "results" / f"{room}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(records, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"\n{room}: commit {machine['commit']}, {machine['cores']} cores")
    print(f"{'':48}{'ours':>12}{'target':>12}{'peer':>12}{'ratio':>8}")
    for row in rows:
        peer = f"  beside {row.peer}" if row.peer else ""
        figures = (
            f"{_figure(row.value):>12}{_figure(row.target):>12}{_figure(row.peer_value):>12}{_figure(row.ratio):>8}"
        )
        print(f"{row.name + ', ' + row.unit:48}{figures}{peer}")
    return path


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
