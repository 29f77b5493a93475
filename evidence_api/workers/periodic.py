"""What must be done again and again, whoever asks: the beat process does it beside the dispatcher.

Intervals are measured by the process's own monotonic clock and begin with its start, when everything is done once. Two
beats at once are a waste and no harm: each chore is safe to run twice.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

from custody.kernel.errors import DalelError

LOOK_S = 1.0
"""How exact an interval is."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chore:
    """Something to be done every `every_s` seconds. It records and commits what it changes itself."""

    name: str
    every_s: float
    act: Callable[[], object]


class Periodic:
    """Does chores when they are due, one after the other. `now` tells seconds that never go back."""

    def __init__(self, chores: Sequence[Chore], now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._due = dict.fromkeys(chores, now())

    def run_due(self) -> list[str]:
        """Do what is due; returns the names. One that fails is logged and tried again when it is due next."""
        done = []
        for chore, due in self._due.items():
            if self._now() < due:
                continue
            self._due[chore] = self._now() + chore.every_s
            _do(chore)
            done.append(chore.name)
        return done

    def run(self, stop: Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            self.run_due()
            stop.wait(LOOK_S)


def _do(chore: Chore) -> None:
    try:
        chore.act()
    except DalelError as error:
        log.critical("%s: %s", chore.name, error)
    except Exception as fault:
        # Whatever it was, the other chores go on. The message stays out of the log: it may quote rows (law 10).
        log.critical("%s failed: %s", chore.name, type(fault).__qualname__)
