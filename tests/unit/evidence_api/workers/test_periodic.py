"""Chores: at the start, then when due, and one that fails spoils no other."""

import logging

from custody.kernel.errors import Unavailable
from evidence_api.workers.periodic import Chore, Periodic


class Ticking:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_each_at_the_start_and_then_at_its_own_pace():
    clock, done = Ticking(), []
    chores = [Chore(name, every_s, lambda name=name: done.append(name)) for name, every_s in (("a", 60), ("b", 90))]
    periodic = Periodic(chores, clock)
    assert periodic.run_due() == ["a", "b"]
    assert periodic.run_due() == []
    for seconds, expected in ((59, []), (1, ["a"]), (30, ["b"]), (30, ["a"]), (600, ["a", "b"]), (1, [])):
        clock.now_s += seconds
        assert periodic.run_due() == expected, seconds
    assert done == ["a", "b", "a", "b", "a", "a", "b"]


def test_a_chore_that_fails_is_logged_without_its_words_and_comes_again(caplog):
    clock = Ticking()

    def refused():
        raise Unavailable("store.worm_broken", what="deleted")

    def broken():
        raise ValueError("Жұмабаев Адилет, 990314500014")

    periodic = Periodic([Chore("lock", 60, refused), Chore("fault", 60, broken), Chore("fine", 60, int)], clock)
    assert periodic.run_due() == ["lock", "fault", "fine"]
    assert [(one.levelno, one.getMessage()) for one in caplog.records] == [
        (logging.CRITICAL, "lock: store.worm_broken (what=deleted)"),
        (logging.CRITICAL, "fault failed: ValueError"),
    ]
    clock.now_s += 60
    assert periodic.run_due() == ["lock", "fault", "fine"]
