"""Chaos: SIGKILL at random for the ledger's processes, its producers, and PostgreSQL (a backend, or all of it).

Run long: `python -m tests.failures.chaos --kills 1000`. The suite runs a short one. At the end nothing that was
acknowledged is lost, nothing stands twice, there is no gap, every business row has its event and every event its row,
and every head that was ever signed, published or not, is a beginning of the one ledger there is.
"""

import argparse
import json
import multiprocessing
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from custody import audit
from custody.kernel.outbox import JobRow
from custody.kernel.unit_of_work import Database
from custody.proof import checkpoint, merkle, note, tiles
from custody.proof.strict import base64_bytes
from custody.tables import CheckpointRow, LedgerEntryRow
from custody.tile_store import Tiles
from evidence_api.migrations import run as migrations
from evidence_api.stack.child import Child
from evidence_api.stack.endpoints import APP_ROLE, OWNER_ROLE, SEQUENCER_ROLE
from evidence_api.stack.kept import Kept
from evidence_api.stack.places import DataDirectory, server_user
from evidence_api.stack.postgres import Postgres
from evidence_api.stack.words import say_nothing
from tests.databases import conninfo
from tests.failures import chaos_parts
from tests.failures.chaos_parts import FilesAsTiles, Place, noted
from tests.integration.ledger import support

PRODUCERS, LEDGERS = 3, 2
FAULT_RATE = 0.08
PATIENCE = timedelta(seconds=60)
TARGETS = {"producer": 4, "ledger": 6, "backend": 3, "postgres": 1}
"""How often each is chosen, relative to the others."""

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.failures.chaos_parts", "pytest"])


@dataclass
class Told:
    """What a run did and found. `faults` are by write, kind and whether it was the second running."""

    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    seconds: float = 0.0
    acknowledged: int = 0
    entries: int = 0
    heads: int = 0
    business: int = 0


class MortalPostgres:
    """PostgreSQL that is killed and comes back, in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        data = DataDirectory(directory, server_user(), say_nothing)
        data.open()
        kept = Kept(data.path)
        self._server = Postgres(data, kept, fast=True)  # no power fails here, only processes
        self._server.prepare()
        self._child = self._start()
        self._server.finish()
        owner, app, sequencer = (self._server.url(role) for role in (OWNER_ROLE, APP_ROLE, SEQUENCER_ROLE))
        passwords = (self._server.password(role) for role in (APP_ROLE, SEQUENCER_ROLE))
        migrations.upgrade(owner, *passwords)
        self.app_url, self.sequencer_url, self._owner_url = app, sequencer, owner

    def _start(self) -> Child:
        """Its predecessor's processes need a moment to see that they are orphans: until then it refuses to start."""
        deadline = time.monotonic() + PATIENCE.total_seconds()
        while True:
            child = Child(self._server.command())
            while child.alive() and not self._server.ready():
                time.sleep(0.02)
            if child.alive():
                return child
            assert time.monotonic() < deadline, child.tail()
            time.sleep(0.05)

    def kill(self) -> None:
        os.kill(self._child.pid, signal.SIGKILL)
        self._child.wait_stopped(time.monotonic() + 60)
        self._child = self._start()

    def kill_backend(self, dice: random.Random) -> bool:
        """SIGKILL one connection's process: PostgreSQL then ends all others and recovers."""
        query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        try:
            with psycopg.connect(conninfo(self.app_url), connect_timeout=2) as connection:
                pids = [pid for (pid,) in connection.execute(query)]
        except psycopg.Error:
            return False  # it is still recovering from the one before
        with suppress(ProcessLookupError, IndexError):
            os.kill(dice.choice(pids), signal.SIGKILL)
            return True
        return False

    def stop(self) -> None:
        self._child.ask_to_stop()
        self._child.wait_stopped(time.monotonic() + 60)


class Cast:
    """The processes that run, by kind; who is killed is replaced at once."""

    def __init__(self, place: Place, dice: random.Random) -> None:
        self._place = place
        self._dice = dice
        self._running: dict[str, list[BaseProcess]] = {"producer": [], "ledger": []}

    def fill(self) -> None:
        for kind, wanted in (("producer", PRODUCERS), ("ledger", LEDGERS)):
            alive = [process for process in self._running[kind] if process.is_alive()]
            self._running[kind] = alive + [self._new(kind) for _ in range(wanted - len(alive))]

    def _new(self, kind: str) -> BaseProcess:
        seed = self._dice.getrandbits(32)
        if kind == "producer":
            process = _FORKS.Process(target=chaos_parts.produce, args=(self._place, seed), daemon=True)
        else:
            arguments = (self._place, seed, FAULT_RATE)
            process = _FORKS.Process(target=chaos_parts.keep_ledger, args=arguments, daemon=True)
        process.start()
        return process

    def kill(self, kind: str) -> None:
        process = self._dice.choice(self._running[kind])
        process.kill()
        process.join()
        self.fill()

    def kill_all(self) -> None:
        for process in [*self._running["producer"], *self._running["ledger"]]:
            process.kill()
            process.join()


def run(directory: Path, kills: int, seed: int) -> Told:
    """Play it and judge. Raises AssertionError at the first thing that does not hold."""
    dice = random.Random(seed)
    told = Told()
    began = time.monotonic()
    directory.chmod(0o711)  # PostgreSQL's account passes through it
    postgres = MortalPostgres(directory / "data")
    place = Place(directory, postgres.app_url, postgres.sequencer_url)
    cast = Cast(place, dice)
    try:
        cast.fill()
        while told.kills.total() < kills:
            time.sleep(dice.uniform(0.02, 0.4))
            target = dice.choices(list(TARGETS), list(TARGETS.values()))[0]
            match target:
                case "postgres":
                    postgres.kill()
                case "backend" if not postgres.kill_backend(dice):
                    continue
                case "producer" | "ledger":
                    cast.kill(target)
            told.kills[target] += 1
        cast.kill_all()
        _settle(place)
        judge(place, told)
    finally:
        cast.kill_all()
        postgres.stop()
    told.seconds = time.monotonic() - began
    return told


def _settle(place: Place) -> None:
    """One ledger without faults, until everything is in order and published."""
    process = _FORKS.Process(target=chaos_parts.keep_ledger, args=(place, 0, 0.0), daemon=True)
    process.start()
    moved, seen = time.monotonic(), 0
    try:
        with _reaching(place) as app:
            while not (now := _standing(app)).settled:
                if now.size != seen:
                    moved, seen = time.monotonic(), now.size
                assert time.monotonic() < moved + PATIENCE.total_seconds(), "the ledger stands still"
                time.sleep(0.1)
    finally:
        process.kill()
        process.join()


@dataclass(frozen=True)
class _Standing:
    size: int
    settled: bool


def _standing(app: Database) -> _Standing:
    with suppress(SQLAlchemyError), app.read() as session:
        health = audit.health(session)
        return _Standing(health.size, not health.waiting and health.published == health.size)
    return _Standing(0, settled=False)


@contextmanager
def _reaching(place: Place) -> Iterator[Database]:
    app = support.database(place.app_url)
    try:
        yield app
    finally:
        app.close()


def judge(place: Place, told: Told) -> None:
    """Everything this run must not have broken."""
    acknowledged = {UUID(one) for line in noted(place.directory, "acknowledged") for one in line.split()}
    with _reaching(place) as app, app.read() as session:
        rows = session.execute(select(LedgerEntryRow).order_by(LedgerEntryRow.seq)).scalars().all()
        jobs = set(session.scalars(select(JobRow.subject)))
        shown = session.execute(select(CheckpointRow.size, CheckpointRow.root)).all()
        health = audit.health(session)
        assert session.scalar(text("SELECT count(*) FROM event_outbox")) == 0
    assert [row.seq for row in rows] == list(range(len(rows))), "a gap"
    assert health.size == len(rows)
    assert health.halted is None
    ids = [row.event_id for row in rows]
    assert len(ids) == len(set(ids)), "an event twice"
    assert acknowledged <= set(ids), "acknowledged and lost"
    assert jobs == {row.item for row in rows if row.type == "exhibit.described"}, "a row without its event"
    signed = {(int(size), root) for size, root in (line.split() for line in noted(place.directory, "signed"))}
    _check_chains([bytes(row.canonical) for row in rows])
    _check_heads(place, [bytes(row.canonical) for row in rows], signed, {(row.size, row.root) for row in shown})
    told.acknowledged, told.entries, told.heads, told.business = len(acknowledged), len(rows), len(signed), len(jobs)
    told.faults = Counter(
        (what, kind, second) for what, kind, second in map(json.loads, noted(place.directory, "faults"))
    )


def _check_chains(leaves: list[bytes]) -> None:
    """Each item's events are numbered 0, 1, 2 and each names the one before it."""
    last: dict[str, tuple[int, bytes]] = {}
    for leaf in leaves:
        event = json.loads(leaf)
        number, before = last.get(event["item"], (-1, None))
        assert event["item_seq"] == number + 1
        assert event["prev"] == (f"sha256:{before.hex()}" if before else None)
        last[event["item"]] = (number + 1, merkle.leaf_hash(leaf))


def _check_heads(
    place: Place, leaves: list[bytes], signed: set[tuple[int, str]], shown: set[tuple[int, bytes]]
) -> None:
    """No fork: every head that was signed is a beginning of the ledger, and the published tree is the ledger's."""
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    begun = [merkle.EMPTY_ROOT]
    frontier: list[tuple[int, bytes]] = []  # perfect subtrees, the largest first
    for leaf in hashes:
        frontier.append((1, leaf))
        while len(frontier) > 1 and frontier[-1][0] == frontier[-2][0]:
            (width, left), (_, right) = frontier[-2:]
            frontier[-2:] = [(2 * width, merkle.node_hash(left, right))]
        root = frontier[-1][1]
        for _, left in reversed(frontier[:-1]):
            root = merkle.node_hash(left, root)
        begun.append(root)
    assert signed, "nothing was published"
    from_text = {(size, base64_bytes(root)) for size, root in signed}
    for size, root in from_text | shown:
        assert begun[size] == root, f"a fork at {size}"
    published = checkpoint.parse(note.parse((place.directory / "register").read_bytes()).text)
    assert (published.size, published.root) == (len(leaves), begun[-1])
    assert tiles.tree_root(Tiles(FilesAsTiles(place.directory / "tiles"), len(leaves)), len(leaves)) == begun[-1]


def main() -> None:
    """The long run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="dalel-chaos-"))
    sys.stdout.write(f"seed {arguments.seed}, in {directory}\n")
    told = run(directory, arguments.kills, arguments.seed)
    shutil.rmtree(directory)
    twice = sum(count for (_, _, second), count in told.faults.items() if second)
    sys.stdout.write(
        f"{told.kills.total()} SIGKILLs in {told.seconds:.0f} s: {dict(told.kills)}\n"
        f"{told.faults.total()} faults around writes, {twice} of them the second running\n"
        + "".join(
            f"  {what}, {kind}, second {second}: {n}\n" for (what, kind, second), n in sorted(told.faults.items())
        )
        + f"{told.acknowledged} events acknowledged, {told.entries} in the ledger, {told.business} business rows,"
        f" {told.heads} heads signed: none lost, none twice, no gap, no fork\n"
    )


if __name__ == "__main__":
    main()
