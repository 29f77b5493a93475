"""The stack as a whole: one directory in, addresses out."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from evidence_api.stack.broker import Broker
from evidence_api.stack.child import Command
from evidence_api.stack.endpoints import APP_ROLE, OWNER_ROLE, SEQUENCER_ROLE, Endpoints, External
from evidence_api.stack.kept import Kept
from evidence_api.stack.objectstore import ObjectStore
from evidence_api.stack.places import DataDirectory, server_user
from evidence_api.stack.postgres import Postgres
from evidence_api.stack.supervisor import Managed, Program, Supervisor
from evidence_api.stack.words import Say, StackError, say_nothing

_TOLD_TO_STOP = (signal.SIGINT, signal.SIGTERM)


class Stack:
    """PostgreSQL, object store and broker of one data directory, and whatever programs are added.

    ```
    with Stack(directory, say=print) as stack:
        endpoints = stack.start()
        stack.run([stack.program("API", [sys.executable, "-m", …], env, ready)])
        stack.hold()
    ```
    What `external` names is used instead of a child. As root the servers run as `user`, else as dalel or nobody.
    `fast` is for tests: no waits for the disk. `postgres_from_path` prefers the PostgreSQL on PATH to the wheel's.
    """

    def __init__(
        self,
        directory: Path,
        *,
        say: Say = say_nothing,
        external: External | None = None,
        user: str | None = None,
        fast: bool = False,
        postgres_from_path: bool = False,
    ) -> None:
        self._say = say
        self._external = external or External()
        self._fast = fast
        self._postgres_from_path = postgres_from_path
        self._data = DataDirectory(directory, server_user(user), say)
        self._supervisor = Supervisor(say)
        self._kept: Kept | None = None
        self._sigterm_is_ours = False

    def start(self) -> Endpoints:
        """Start the servers that are not external; returns when all are ready. About 3 s at first, 1 s later.

        Raises StackError: directory in use, no binary, a port taken, a server that does not come up.
        """
        if not sys.platform.startswith("linux"):
            raise StackError("the embedded stack runs on Linux; elsewhere give the three servers by URL")
        self._data.open()
        kept = self._kept = Kept(self._data.path)
        servers: list[Managed] = []
        broker_url, store_address = self._external.broker_url, self._external.object_store
        if broker_url is None:
            broker = Broker(self._data, kept)
            broker_url = broker.url
            servers.append(broker)
        if store_address is None:
            store = ObjectStore(self._data, kept, fast=self._fast)
            store_address = store.address
            servers.append(store)
        owner_url = self._external.owner_url
        if owner_url is None:
            postgres = Postgres(self._data, kept, fast=self._fast, from_path=self._postgres_from_path)
            owner_url = postgres.url(OWNER_ROLE)
            servers.append(postgres)
        self._supervisor.start(servers)
        app_password, sequencer_password = (kept.secret(f"postgres-{role}") for role in (APP_ROLE, SEQUENCER_ROLE))
        return Endpoints(
            data_dir=self._data.path,
            owner_url=owner_url,
            app_url=with_role(owner_url, APP_ROLE, app_password),
            sequencer_url=with_role(owner_url, SEQUENCER_ROLE, sequencer_password),
            app_password=app_password,
            sequencer_password=sequencer_password,
            object_store=store_address,
            broker_url=broker_url,
        )

    @property
    def kept(self) -> Kept:
        """Ports and secrets of this instance, also for the programs' own (`kept.port("api")`)."""
        if self._kept is None:
            raise StackError("the stack was not started")
        return self._kept

    @property
    def supervisor(self) -> Supervisor:
        """What watches the children: `status()`, `failed()`."""
        return self._supervisor

    def program(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        ready: Callable[[], bool] | None = None,
        *,
        stop_timeout_s: float = 10.0,
    ) -> Program:
        """A program of ours with its log in the data directory; `env` is added to our own environment."""
        command = Command(
            argv=tuple(argv),
            env={**os.environ, **env},
            cwd=Path.cwd(),
            log=self._data.log / f"{name.lower().replace(' ', '-')}.log",
            stop_timeout_s=stop_timeout_s,
        )
        return Program(name, command, ready)

    def run(self, programs: Sequence[Managed]) -> None:
        """Start these programs side by side and keep them; returns when all are ready."""
        self._supervisor.start(programs)

    def hold(self) -> None:
        """Stay until Ctrl-C or SIGTERM. Main thread only, inside `with`."""
        with suppress(KeyboardInterrupt):
            while True:
                signal.pause()

    def stop(self) -> None:
        """Stop everything, programs first, and let go of the directory. A second Ctrl-C does not cut it short."""
        handlers = {number: signal.signal(number, signal.SIG_IGN) for number in _TOLD_TO_STOP if _in_main_thread()}
        try:
            self._supervisor.stop()
            self._data.release()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def __enter__(self) -> Self:
        """From here SIGTERM is what Ctrl-C is, a KeyboardInterrupt, unless the program has its own answer to it."""
        if _in_main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            self._sigterm_is_ours = True
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._sigterm_is_ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def with_role(url: str, role: str, password: str) -> str:
    """The same database reached as another role."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{address}"))


def with_database(url: str, database: str) -> str:
    """The same server and role, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
