"""One child process: how it is started, how it is stopped, what it said last."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from evidence_api.stack.lifeline import die_with_parent
from evidence_api.stack.places import ServerUser

_LOG_LIMIT_BYTES = 8 * 1024 * 1024
_TAIL_BYTES = 4096


@dataclass(frozen=True)
class Command:
    """What to execute and how it ends. `env` is the whole environment, secrets included, so it stays out of `repr`.

    `stop_signal` asks for an orderly end; after `stop_timeout_s` follows SIGKILL for the whole process group.
    `death_signal` is what the kernel sends when the parent is gone.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    cwd: Path
    log: Path
    user: ServerUser | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    stop_timeout_s: float = 10.0


class Child:
    """A running process in its own process group, so that Ctrl-C at the terminal reaches the parent alone."""

    def __init__(self, command: Command) -> None:
        self.command = command
        _rotate(command.log)
        parent = os.getpid()
        switch = command.user if command.user is not None and command.user.switch else None
        with os.fdopen(os.open(command.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (our own argument lists, never a shell)
                command.argv,
                cwd=command.cwd,
                env=dict(command.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
                user=switch.uid if switch else None,
                group=switch.gid if switch else None,
                extra_groups=[] if switch else None,
                # The user changes before this runs, as it must: the change would clear the setting.
                preexec_fn=lambda: die_with_parent(parent, command.death_signal),  # noqa: PLW1509
            )

    @property
    def pid(self) -> int:
        """The process id; it stays the child's until the child was waited for."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def ask_to_stop(self) -> None:
        """Send the stop signal; returns at once."""
        if self.alive():
            self._process.send_signal(self.command.stop_signal)

    def wait_stopped(self, deadline: float) -> bool:
        """Wait until `deadline` (monotonic seconds), then kill the rest of the group. True if it ended by itself."""
        by_itself = True
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            by_itself = False
        self.kill_group()
        self._process.wait()
        return by_itself

    def kill_group(self) -> None:
        """End every process of the child's group that still runs."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def how_it_ended(self) -> str:
        """In words: the exit code or the signal."""
        code = self._process.poll()
        if code is None:
            return "still running"
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def tail(self, lines: int = 12) -> str:
        """The last lines of its log, indented for the terminal."""
        return tail(self.command.log, lines)


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, indented; empty when there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        text = file.read().decode("utf-8", "replace")
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


def _rotate(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".1.log"))
