"""The processes that chaos kills: producers, and a ledger (sequencer and publisher) whose every write may fail.

A fault is one of two kinds, «not persisted» (the write did not happen) and «persisted» (it did, and the answer was
lost), and with the odds below the same write fails twice running. What each process knows it writes to a file of its
own, one system call a line, so that what it said before SIGKILL stays said.
"""

import json
import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.event import listen
from sqlalchemy.exc import SQLAlchemyError

from custody.kernel.errors import DalelError, Unavailable
from custody.kernel.unit_of_work import Database
from custody.ledger import Sequencer
from custody.proof import merkle
from custody.publisher import Publisher
from custody.register import FileRegister
from tests.integration.ledger import support

AGAIN = 0.5
"""How likely a write that failed fails once more: two faults running is what a swallowed error does not survive."""

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Where a run of chaos happens: its directory, and PostgreSQL as the application and as the sequencer."""

    directory: Path
    app_url: str
    sequencer_url: str

    @property
    def seed_of_key(self) -> bytes:
        return merkle.leaf_hash(str(self.directory).encode())


class Notes:
    """Lines that survive SIGKILL of whoever wrote them. `name` is one writer's."""

    def __init__(self, directory: Path, name: str) -> None:
        self._file = os.open(directory / f"{name}.{uuid4().hex}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, line: str) -> None:
        os.write(self._file, line.encode() + b"\n")


def noted(directory: Path, name: str) -> list[str]:
    """Every whole line of all writers of `name`."""
    texts = [path.read_text() for path in sorted(directory.glob(f"{name}.*"))]
    return [line for text in texts for line in text[: text.rfind("\n") + 1].splitlines()]


class Faults:
    """Decides at each write whether it fails, and how."""

    def __init__(self, dice: random.Random, rate: float, notes: Notes) -> None:
        self._dice = dice
        self._rate = rate
        self._notes = notes
        self._twice = False

    def around(self, what: str, write: Callable[[], T], error: type[Exception]) -> T:
        """The write, or a fault before or after it."""
        second, self._twice = self._twice, False
        if not second and self._dice.random() >= self._rate:
            return write()
        persisted = self._dice.random() < 0.5
        self._twice = not second and self._dice.random() < AGAIN
        self._notes.write(json.dumps([what, "persisted" if persisted else "not persisted", second]))
        if persisted:
            write()
        raise error("a fault of the test")


class FilesAsTiles:
    """A tile store in files, written once: linked into place whole, as an object store shows objects."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put_new(self, path: str, data: bytes) -> bool:
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{uuid4().hex}")
        beside.write_bytes(data)
        try:
            target.hardlink_to(beside)
        except FileExistsError:
            return False
        finally:
            beside.unlink()
        return True

    def read(self, path: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return (self._root / path).read_bytes()
        return None


class FaultyTiles(FilesAsTiles):
    def __init__(self, root: Path, faults: Faults) -> None:
        super().__init__(root)
        self._faults = faults

    def put_new(self, path: str, data: bytes) -> bool:
        write = super().put_new
        return self._faults.around("tile", lambda: write(path, data), Unavailable)


class FaultyRegister(FileRegister):
    def __init__(self, path: Path, faults: Faults) -> None:
        super().__init__(path)
        self._faults = faults

    def swap(self, expected: bytes | None, new: bytes) -> None:
        swap = super().swap
        self._faults.around("register", lambda: swap(expected, new), Unavailable)


class NotingSigner:
    """Signs, and first writes down what: a fork is two signed heads that cannot both be true, published or not."""

    def __init__(self, place: Place) -> None:
        self.name = support.ORIGIN
        self._key = Ed25519PrivateKey.from_private_bytes(place.seed_of_key)
        self._notes = Notes(place.directory, "signed")

    def sign(self, data: bytes, /) -> bytes:
        _, size, root, *_ = data.decode().split("\n")
        self._notes.write(f"{size} {root}")
        return self._key.sign(data)

    def public_key(self) -> Ed25519PublicKey:
        return self._key.public_key()


def produce(place: Place, seed: int) -> None:
    """Record for ever: single events, groups, and business units whose row and event stand or fall together."""
    dice = random.Random(seed)
    database = support.database(place.app_url, pool_size=2)
    acknowledged = Notes(place.directory, "acknowledged")
    shared = [uuid4() for _ in range(3)]
    while True:
        with suppress(SQLAlchemyError, psycopg.Error, DalelError):
            ids = _business(database) if dice.random() < 0.3 else _reads(database, shared, dice.choice([1, 1, 2, 40]))
            acknowledged.write(" ".join(ids))
        time.sleep(dice.uniform(0, 0.01))


def _reads(database: Database, exhibits: list, count: int) -> list[str]:
    drafts = [support.viewed(exhibits[number % len(exhibits)]) for number in range(count)]
    return [str(event_id) for event_id in support.record(database, *drafts)]


def _business(database: Database) -> list[str]:
    exhibit = uuid4()
    with database.begin(support.CLERK) as work:
        work.enqueue("chaos.nothing", subject=f"exhibit:{exhibit}")
        event_id = work.record(support.described(exhibit))
        work.commit()
    return [str(event_id)]


def keep_ledger(place: Place, seed: int, rate: float) -> None:
    """A sequencer and its publisher, as the program runs them; `rate` is how likely a write fails."""
    faults = Faults(random.Random(seed), rate, Notes(place.directory, "faults"))
    order, publisher = ledger(place, faults)
    stop = threading.Event()
    threading.Thread(target=publisher.run, args=(stop, order.leading, 0.03), daemon=True).start()
    order.run(stop)


def ledger(place: Place, faults: Faults) -> tuple[Sequencer, Publisher]:
    database = support.database(place.sequencer_url)
    listen(database.engine, "commit", lambda connection: _faulty_commit(connection, faults))
    publisher = Publisher(
        database,
        FaultyTiles(place.directory / "tiles", faults),
        FaultyTiles(place.directory / "bundles", faults),
        FaultyRegister(place.directory / "register", faults),
        NotingSigner(place),
    )
    return Sequencer(database, publisher.check_head, batch=50, takeover_after=timedelta(seconds=1.5)), publisher


def _faulty_commit(connection: object, faults: Faults) -> None:
    """A commit whose answer is lost is a commit: done here, before the library would do it."""
    driver = connection.connection.driver_connection  # type: ignore[attr-defined]  # SQLAlchemy's Connection
    faults.around("commit", driver.commit, psycopg.OperationalError)
