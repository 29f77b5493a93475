"""The self-test finds each broken promise, and only that."""

from datetime import UTC, datetime

import pytest

from storage.ports import EVIDENCE
from storage.worm import PREFIX, worm_self_test
from tests.clock import FixedClock
from tests.unit.storage import stores
from tests.unit.storage.stores import MemoryStore

NOW = datetime(2026, 11, 21, 9, 0, 0, 5, UTC)


class Unreadable(MemoryStore):
    def get(self, bucket: str, key: str, version_id: str, offset: int, length: int):
        yield b"other"


@pytest.mark.parametrize(
    ("store", "failed"),
    [
        (MemoryStore(), ""),
        (stores.ForgetfulStore(), "lock_lost,deleted,shortened,content_changed"),
        (stores.YieldingStore(), "deleted,shortened,content_changed"),
        (stores.ShorteningStore(), "shortened"),
        (stores.BypassedStore(), "bypassed,shortened,content_changed"),
        (stores.OverwritingStore(), "no_version,overwritten,content_changed,write_once_ignored"),
        (Unreadable(), "content_changed"),
    ],
)
def test_each_broken_promise_is_named(store: MemoryStore, failed: str) -> None:
    facts = worm_self_test(store, FixedClock(NOW), EVIDENCE)
    assert facts.detail == failed
    assert facts.result == ("broken" if failed else "held")


def test_canaries_whose_lock_ran_out_are_removed() -> None:
    store = MemoryStore()
    worm_self_test(store, FixedClock(NOW), EVIDENCE)
    first = {stored.key for stored in store.list(EVIDENCE, PREFIX)}
    store.locks.clear()
    worm_self_test(store, FixedClock(NOW), EVIDENCE)
    assert not first & {stored.key for stored in store.list(EVIDENCE, PREFIX)}
