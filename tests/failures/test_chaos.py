"""A short run of chaos; the long one: `python -m tests.failures.chaos --kills 1000`."""

import tempfile
from pathlib import Path

from tests.failures import chaos

KILLS = 25


def test_nothing_acknowledged_is_lost_and_nothing_forks() -> None:
    # Not in pytest's directory, which is closed to PostgreSQL's account.
    with tempfile.TemporaryDirectory(prefix="dalel-chaos-") as directory:
        told = chaos.run(Path(directory), KILLS, seed=20261122)
    assert told.kills.total() == KILLS
    assert set(told.kills) == set(chaos.TARGETS)
    assert told.acknowledged > 100
    assert told.heads > 10
    assert {kind for _, kind, _ in told.faults} == {"persisted", "not persisted"}
    assert any(second for _, _, second in told.faults)
