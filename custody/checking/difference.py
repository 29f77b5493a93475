"""The first place that differs: what a check of the whole ledger ends with when something is not as it must be."""

from dataclasses import dataclass
from enum import IntEnum


class Step(IntEnum):
    """The steps of a check in their order. The numbers are a contract: people quote them."""

    HEAD = 1
    ENTRIES = 2
    TILES = 3
    BUNDLES = 4
    OBJECTS = 5
    ROWS = 6


@dataclass(frozen=True)
class Difference:
    """Where something is not what it must be. `code` has its sentence in `custody.checking.words`.

    `place` is an entry's index, a path, an item or a table; `expected` and `found` are digests, numbers or short texts.
    """

    step: Step
    code: str
    place: str
    expected: str
    found: str


class Differs(Exception):
    """The check ends here. Whatever comes after this place was not looked at."""

    def __init__(self, step: Step, code: str, place: object, expected: object = "", found: object = "") -> None:
        self.difference = Difference(step, code, str(place), str(expected), str(found))
        super().__init__(f"{code} at {place}: expected {expected}, found {found}")
