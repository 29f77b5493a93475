"""The ledger as a state machine on a real PostgreSQL: any order of recording, rolling back, changing leaders, late
commits, steps and publications, with writes that fail, leads to the same ledger as a list in memory.

One database serves all runs: a ledger only grows, so the model grows with it and every run begins where the last ended.
"""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from custody import audit, signer
from custody.kernel.errors import Conflict, Unavailable
from custody.kernel.unit_of_work import Database, HeldConnection, UnitOfWork
from custody.ledger import Sequencer
from custody.proof import merkle
from tests.databases import FreshDatabase
from tests.integration.ledger import support
from tests.integration.ledger.test_publisher import Log, leaf_hashes

ITEMS = [uuid4() for _ in range(3)]
numbers = st.integers(0, 2)


class World:
    """What outlives a run: the ledger, its publisher, two who would lead, and the ids that were acknowledged."""

    def __init__(self, app: Database, ours: Database, log: Log) -> None:
        self.app, self.ours, self.log = app, ours, log
        self.acknowledged: list[UUID] = []
        self.heads: dict[int, bytes] = {}


class LedgerMachine(RuleBasedStateMachine):
    world: World

    def __init__(self) -> None:
        super().__init__()
        self.candidates: list[Candidate] = []
        self.late: list[LateCommit] = []

    @initialize()
    def begin(self) -> None:
        self.candidates = [Candidate(self.world), Candidate(self.world)]

    @rule(items=st.lists(numbers, min_size=1, max_size=5))
    def record(self, items: list[int]) -> None:
        self.world.acknowledged += support.record(self.world.app, *(support.viewed(ITEMS[item]) for item in items))

    @rule(item=numbers)
    def record_and_roll_back(self, item: int) -> None:
        with self.world.app.begin(support.CLERK) as work:
            work.session.connection()
            work.record(support.viewed(ITEMS[item]))

    @rule(item=numbers)
    def begin_a_late_commit(self, item: int) -> None:
        if len(self.late) < 3:
            self.late.append(LateCommit(self.world, ITEMS[item]))

    @rule()
    def commit_late(self) -> None:
        if self.late:
            self.late.pop(0).commit()

    @rule(which=st.integers(0, 1))
    def lead(self, which: int) -> None:
        self.candidates[which].lead()

    @rule(which=st.integers(0, 1))
    def lose_the_connection(self, which: int) -> None:
        self.candidates[which].leave()

    @rule(which=st.integers(0, 1))
    def step(self, which: int) -> None:
        self.candidates[which].step(self.candidates[1 - which])

    @rule(good=st.integers(0, 6), persisted=st.booleans())
    def publish_with_a_fault(self, good: int, persisted: bool) -> None:
        store = self.world.log.store
        put_new = store.put_new
        left = good

        def faulty(path: str, data: bytes) -> bool:
            nonlocal left
            left -= 1
            if left >= 0:
                return put_new(path, data)
            if persisted:
                put_new(path, data)
            raise Unavailable("store.unavailable")

        store.put_new = faulty  # type: ignore[method-assign]  # for this one publication
        try:
            with suppress(Unavailable):
                self.publish()
        finally:
            store.put_new = put_new  # type: ignore[method-assign]

    @rule()
    def publish(self) -> None:
        head = self.world.log.publisher.publish_once()
        if head is not None:
            assert head.size not in self.world.heads
            self.world.heads[head.size] = head.root

    @invariant()
    def every_head_is_a_beginning_of_the_ledger(self) -> None:
        hashes = leaf_hashes(self.world.app)
        for size, root in self.world.heads.items():
            assert merkle.root(hashes[:size]) == root

    def teardown(self) -> None:
        for late in self.late:
            late.commit()
        for candidate in self.candidates:
            candidate.leave()
        support.sequence_all(self.world.ours)
        self.publish()
        with self.world.app.read() as session:
            ids = [entry.id for item in ITEMS for entry in audit.chain(session, f"exhibit:{item}")]
            assert sorted(ids) == sorted(self.world.acknowledged)
            for item in ITEMS:
                audit.check_chain(session, f"exhibit:{item}")
            assert audit.health(session).size == len(ids) == audit.health(session).published


class Candidate:
    """One who may lead: its connection, and the epoch it believes it leads in."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._order = Sequencer(world.ours, support.unguarded, batch=3)
        self._held: HeldConnection | None = None
        self._epoch: int | None = None
        self._connected = ExitStack()

    def lead(self) -> None:
        if self._held is None:
            self._held = self._connected.enter_context(self._world.ours.hold())
        epoch = self._order.try_lead(self._held)
        self._epoch = epoch or self._epoch

    def leave(self) -> None:
        if self._held is not None:
            self._held = None
            self._connected.close()

    def step(self, other: "Candidate") -> None:
        """A leader of an older epoch writes nothing."""
        if self._held is None or self._epoch is None:
            return
        if other._epoch is not None and other._epoch > self._epoch:
            if self._something_waits():
                with pytest.raises(Conflict, match=r"ledger\.fenced"):
                    self._order.step(self._held, self._epoch)
            return
        self._order.step(self._held, self._epoch)

    def _something_waits(self) -> bool:
        with self._world.app.read() as session:
            return audit.pending(session)


class LateCommit:
    """A transaction whose event has its place in the outbox's order and becomes visible only later."""

    def __init__(self, world: World, item: UUID) -> None:
        self._world = world
        self._unit = ExitStack()
        self._work: UnitOfWork = self._unit.enter_context(world.app.begin(support.CLERK))
        self._work.session.connection()
        self._id = self._work.record(support.viewed(item))

    def commit(self) -> None:
        self._work.commit()
        self._unit.close()
        self._world.acknowledged.append(self._id)


@pytest.fixture
def world(
    app: Database, sequencer_side: Database, ledger_database: FreshDatabase, key: signer.Signer, tmp_path
) -> Iterator[World]:
    return World(app, sequencer_side, Log(sequencer_side, key, tmp_path))


def test_any_order_of_acts_gives_one_ledger(world: World) -> None:
    machine = type("Machine", (LedgerMachine,), {"world": world})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=checks
        ),
    )
    assert len(world.acknowledged) > 100
    assert len(world.heads) > 10
