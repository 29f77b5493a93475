"""The register: compare-and-swap in a file."""

import threading
from pathlib import Path

import pytest

from custody.kernel.errors import Conflict
from custody.register import FileRegister


def test_it_begins_empty_and_keeps_the_last(tmp_path: Path) -> None:
    register = FileRegister(tmp_path / "head")
    assert register.read() is None
    register.swap(None, b"one")
    register.swap(b"one", b"two")
    assert FileRegister(tmp_path / "head").read() == b"two"


@pytest.mark.parametrize("expected", [None, b"two", b""])
def test_another_expectation_changes_nothing(tmp_path: Path, expected: bytes | None) -> None:
    register = FileRegister(tmp_path / "head")
    register.swap(None, b"one")
    with pytest.raises(Conflict, match=r"ledger\.checkpoint_moved"):
        register.swap(expected, b"new")
    assert register.read() == b"one"


def test_of_many_swaps_at_once_one_wins(tmp_path: Path) -> None:
    won: list[int] = []

    def swap(number: int) -> None:
        try:
            FileRegister(tmp_path / "head").swap(None, bytes([number]))
            won.append(number)
        except Conflict:
            pass

    threads = [threading.Thread(target=swap, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert FileRegister(tmp_path / "head").read() == bytes(won)


def test_a_crash_while_writing_leaves_the_old_one(tmp_path: Path) -> None:
    register = FileRegister(tmp_path / "head")
    register.swap(None, b"one")
    (tmp_path / "head.new").write_bytes(b"half a checkp")
    assert register.read() == b"one"
    register.swap(b"one", b"two")
    assert register.read() == b"two"
