"""The parent of everything: starts servers and programs, brings back what dies, stops all in order."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol, Self

from evidence_api.stack.child import Child, Command
from evidence_api.stack.words import Say, StackError, say_nothing

_LOOK_EVERY_S = 0.2
_STEADY_S = 30.0
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_GIVE_UP_AFTER = 6

State = Literal["running", "restarting", "failed", "stopped"]


class Managed(Protocol):
    """Something to keep running: a server of the stack or a program of ours."""

    @property
    def name(self) -> str:
        """As shown to the person at the terminal."""
        ...

    def prepare(self) -> None:
        """Make its files ready; called before every start."""
        ...

    def command(self) -> Command:
        """What to execute."""
        ...

    def ready(self) -> bool:
        """Whether it serves now; asked repeatedly, so it returns soon and never raises."""
        ...

    def finish(self) -> None:
        """What remains to be done once, after it first became ready."""
        ...


class _Kept:
    """One managed thing and its present process."""

    def __init__(self, thing: Managed) -> None:
        self.thing = thing
        self.child: Child | None = None
        self.state: State = "stopped"
        self.deaths: deque[float] = deque(maxlen=_GIVE_UP_AFTER)
        self.started_at = 0.0
        self.again_at = 0.0
        self.restarts = 0


Launched = list[tuple[_Kept, float]]
"""Things that were started, and when (monotonic seconds); opaque to everyone but the supervisor."""


class Supervisor:
    """Keeps children alive until told otherwise.

    Start it in a thread that lives as long as the stack (the main thread): the kernel ties a child's life to the
    thread that forked it. A child that dies is started again after a growing pause; after six deaths without thirty
    quiet seconds between them it is left dead and its last lines are shown.
    """

    def __init__(
        self, say: Say = say_nothing, *, ready_timeout_s: float = 60.0, first_pause_s: float = _FIRST_PAUSE_S
    ) -> None:
        self._say = say
        self._first_pause_s = first_pause_s
        self._ready_timeout_s = ready_timeout_s
        self._waves: list[list[_Kept]] = []
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None

    def start(self, things: Sequence[Managed]) -> None:
        """Start these side by side and return when all are ready.

        Raises StackError, with the last lines of the log, when one ends early or is not ready in time; what was
        started stays up until `stop()`.
        """
        self.wait(self.launch(things))

    def launch(self, things: Sequence[Managed]) -> Launched:
        """Start these side by side and return at once, for work that can be done while they load; then `wait`."""
        launched: Launched = []
        wave: list[_Kept] = []
        with self._lock:
            self._waves.append(wave)
        for thing in things:
            kept = _Kept(thing)
            since = time.monotonic()
            with self._lock:
                wave.append(kept)
                self._launch(kept)
            launched.append((kept, since))
        return launched

    def wait(self, launched: Launched) -> None:
        """Return when all that was launched is ready. Raises StackError as `start` does."""
        begun = time.monotonic()
        waiting = launched
        while waiting:
            waiting = [pair for pair in waiting if not self._became_ready(*pair)]
            if waiting and time.monotonic() - begun > self._ready_timeout_s:
                late = waiting[0][0]
                raise StackError(f"{late.thing.name} was not ready in {self._ready_timeout_s:.0f} s{_last_words(late)}")
            if waiting:
                time.sleep(0.03)
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="stack-watcher", daemon=True)
            self._watcher.start()

    def stop(self) -> None:
        """Stop what was started last first, and together what was started together. Safe to call twice."""
        self._stopping.set()
        if self._watcher is not None and self._watcher is not threading.current_thread():
            self._watcher.join()
        with self._lock:
            while self._waves:
                self._stop_wave(self._waves.pop())

    def status(self) -> dict[str, tuple[State, int | None, int]]:
        """By name: the state, the process id, how often it was started again."""
        with self._lock:
            return {
                kept.thing.name: (kept.state, kept.child.pid if kept.child else None, kept.restarts)
                for kept in self._all()
            }

    def failed(self) -> list[str]:
        """Names of what was given up."""
        with self._lock:
            return [kept.thing.name for kept in self._all() if kept.state == "failed"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self, kept: _Kept) -> None:
        kept.thing.prepare()
        kept.started_at = time.monotonic()
        kept.child = Child(kept.thing.command())
        kept.state = "running"

    def _became_ready(self, kept: _Kept, since: float) -> bool:
        child = kept.child
        if child is None or not child.alive():
            raise StackError(f"{kept.thing.name} did not start{_last_words(kept)}")
        if not kept.thing.ready():
            return False
        kept.thing.finish()
        self._say(f"{kept.thing.name} is up ({time.monotonic() - since:.1f} s)")
        return True

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            with self._lock:
                for kept in self._all():
                    self._look_after(kept)

    def _look_after(self, kept: _Kept) -> None:
        now = time.monotonic()
        if kept.state == "running" and kept.child is not None and not kept.child.alive():
            self._note_death(kept, now)
        if kept.state == "restarting" and now >= kept.again_at:
            try:
                self._launch(kept)
            except (StackError, OSError) as error:
                self._say(f"{kept.thing.name} cannot be started again: {error}")
                self._note_death(kept, now)
            else:
                kept.restarts += 1
                self._say(f"{kept.thing.name} was started again")

    def _note_death(self, kept: _Kept, now: float) -> None:
        if kept.child is not None:
            kept.child.kill_group()
        if kept.started_at and now - kept.started_at > _STEADY_S:
            kept.deaths.clear()
        kept.deaths.append(now)
        ended = kept.child.how_it_ended() if kept.child else "could not be started"
        if len(kept.deaths) == _GIVE_UP_AFTER:
            kept.state = "failed"
            self._say(
                f"{kept.thing.name} {ended} {_GIVE_UP_AFTER} times in a row and is left stopped{_last_words(kept)}"
            )
            return
        pause = min(_LONGEST_PAUSE_S, self._first_pause_s * 2 ** (len(kept.deaths) - 1))
        kept.again_at = now + pause
        kept.state = "restarting"
        self._say(f"{kept.thing.name} {ended}; starting it again in {pause:.1f} s")

    def _stop_wave(self, wave: list[_Kept]) -> None:
        """Ask all of them, give each its time, kill what is left."""
        begun = time.monotonic()
        for kept in wave:
            if kept.child is not None:
                kept.child.ask_to_stop()
        for kept in wave:
            had_failed, kept.state = kept.state == "failed", "stopped"
            if kept.child is None or had_failed:
                continue
            limit_s = kept.child.command.stop_timeout_s
            if kept.child.wait_stopped(begun + limit_s):
                self._say(f"{kept.thing.name} stopped")
            else:
                self._say(f"{kept.thing.name} did not stop in {limit_s:.0f} s and was killed")

    def _all(self) -> list[_Kept]:
        return [kept for wave in self._waves for kept in wave]


class Program:
    """A program of ours (API, worker, sequencer) as something to keep running.

    `ready` is asked until it says yes; without it, being alive is enough. `argv` is executed without a shell, `env`
    is its whole environment.
    """

    def __init__(self, name: str, command: Command, ready: Callable[[], bool] | None = None) -> None:
        self.name = name
        self._command = command
        self._ready = ready

    def prepare(self) -> None:
        """Nothing to make."""

    def command(self) -> Command:
        """What to execute."""
        return self._command

    def ready(self) -> bool:
        """What the given check says, or yes."""
        return self._ready() if self._ready is not None else True

    def finish(self) -> None:
        """Nothing to add."""


def _last_words(kept: _Kept) -> str:
    if kept.child is None:
        return ""
    return f" ({kept.child.how_it_ended()}); the end of {Path(kept.child.command.log)}:\n{kept.child.tail()}"
