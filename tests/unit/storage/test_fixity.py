"""Every way an object can differ is seen and named with its place; a store that is away is no difference."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from custody.kernel.errors import Unavailable
from storage.blob import BlobFacts
from storage.crypto import new_key
from storage.fixity import Difference, Expected, check_deep, check_light, check_place
from storage.keys import FileKeyWrapper
from storage.ports import EVIDENCE
from storage.segments import Layout, encrypt_segment
from tests.unit.storage.stores import BriefStore, FlippingStore, MemoryStore

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TERM = NOW + timedelta(days=30)
BLOB = UUID(int=9)
SEGMENT = 1024 * 1024
SIZE = 2 * SEGMENT + 5000


@pytest.fixture
def keys(tmp_path: Path) -> FileKeyWrapper:
    return FileKeyWrapper.create(tmp_path / "kek")


def stored(store: MemoryStore, keys: FileKeyWrapper, *, kept: bool = True, lie: str | None = None) -> Expected:
    """An object of three segments as it was sealed; `kept`: its segments' digests are known, as an original's are."""
    data_key, plain = new_key(), os.urandom(SIZE)
    layout = Layout(BLOB, SIZE, SEGMENT)
    parts = [
        bytes(encrypt_segment(data_key, layout, number, plain[number * SEGMENT :][: layout.plain(number)]))
        for number in range(layout.count)
    ]
    whole = b"".join(parts)
    version = store.put(EVIDENCE, "09/key", whole)
    store.lock(EVIDENCE, "09/key", version, TERM)
    wrapped = keys.wrap(data_key, BLOB)
    facts = BlobFacts(
        blob_id=BLOB,
        bucket=EVIDENCE,
        key="09/key",
        version_id=version,
        sha256=lie or "sha256:" + hashlib.sha256(plain).hexdigest(),
        size_bytes=SIZE,
        segment_bytes=SEGMENT,
        ciphertext_sha256="sha256:" + hashlib.sha256(whole).hexdigest(),
        ciphertext_bytes=len(whole),
        wrapped_key=wrapped.data,
        key_id=wrapped.key_id,
        retain_until=TERM,
    )
    digests = tuple("sha256:" + hashlib.sha256(part).hexdigest() for part in parts)
    return Expected(facts, digests if kept else ())


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_the_same_is_the_same(keys: FileKeyWrapper, *, kept: bool) -> None:
    store = MemoryStore()
    expected = stored(store, keys, kept=kept)
    assert check_place(store, expected.facts, NOW) is None
    found, progress = check_light(store, expected)
    assert (found, progress.whole, progress.read_bytes) == (None, True, expected.facts.ciphertext_bytes)
    assert check_deep(store, keys, expected) is None


def test_a_check_goes_on_at_its_segment(keys: FileKeyWrapper) -> None:
    store = MemoryStore()
    expected = stored(store, keys)
    found, progress = check_light(store, expected, 0, lambda _: True)
    assert (found, progress.segment, progress.whole) == (None, 1, False)
    store.reads.clear()
    found, progress = check_light(store, expected, 1)
    assert (found, progress.segment, progress.whole) == (None, 3, True)
    assert store.reads == [(expected.layout.offset(1), expected.facts.ciphertext_bytes - expected.layout.offset(1))]


@pytest.mark.parametrize("deep", [False, True])
def test_a_flipped_byte_is_found_in_its_segment(keys: FileKeyWrapper, *, deep: bool) -> None:
    store = FlippingStore(-1)
    expected = stored(store, keys)
    store.position = expected.layout.offset(1) + 77
    found = check_deep(store, keys, expected) if deep else check_light(store, expected)[0]
    assert found is not None
    assert (found.what, found.place, found.expected) == ("ciphertext", "segment 1", expected.segments[1])
    assert found.found != found.expected


def test_without_digests_of_segments_the_whole_is_compared(keys: FileKeyWrapper) -> None:
    store = FlippingStore(SIZE - 1)
    expected = stored(store, keys, kept=False)
    found, _ = check_light(store, expected)
    assert found is not None
    assert (found.what, found.place, found.expected) == ("ciphertext", "object", expected.facts.ciphertext_sha256)


def test_only_the_deep_check_sees_another_content(keys: FileKeyWrapper) -> None:
    store = MemoryStore()
    expected = stored(store, keys, lie="sha256:" + "0" * 64)
    assert check_light(store, expected)[0] is None
    found = check_deep(store, keys, expected)
    assert found is not None
    assert (found.what, found.place, found.expected) == ("content", "object", "sha256:" + "0" * 64)


def test_a_key_that_does_not_open_is_a_difference(keys: FileKeyWrapper) -> None:
    from dataclasses import replace

    store = MemoryStore()
    expected = stored(store, keys)
    broken = Expected(replace(expected.facts, wrapped_key=expected.facts.wrapped_key[:-1]), expected.segments)
    found = check_deep(store, keys, broken)
    assert found == Difference("key", "object", expected.facts.key_id, "keys.corrupt")


def test_the_place(keys: FileKeyWrapper) -> None:
    store = MemoryStore()
    expected = stored(store, keys)
    facts, place = expected.facts, (EVIDENCE, "09/key", expected.facts.version_id)
    store.locks[place] = TERM - timedelta(days=1)
    found = check_place(store, facts, NOW)
    assert found == Difference("lock", "lock", TERM.isoformat(), (TERM - timedelta(days=1)).isoformat())
    del store.locks[place]
    assert check_place(store, facts, NOW) == Difference("lock", "lock", TERM.isoformat(), "none")
    assert check_place(store, facts, TERM) is None  # its term has ended: nothing is owed any more
    store.versions[EVIDENCE, "09/key"][facts.version_id] += b"x"
    found = check_place(store, facts, TERM)
    assert found is not None
    assert (found.what, found.found) == ("length", str(facts.ciphertext_bytes + 1))
    store.versions.clear()
    found = check_place(store, facts, NOW)
    assert found == Difference("missing", "object", facts.ciphertext_sha256, "nothing")
    assert check_light(store, expected)[0] == found
    assert check_deep(store, keys, expected) == found


def test_a_short_answer_is_a_difference(keys: FileKeyWrapper) -> None:
    store = BriefStore()
    found, _ = check_light(store, stored(store, keys))
    assert found is not None
    assert found.what == "length"


class Breaking(MemoryStore):
    """Breaks off inside the second segment, so many times; answers everything else unless it is away."""

    times, away = 0, False

    def get(self, bucket: str, key: str, version_id: str, offset: int, length: int) -> Iterator[bytes]:
        sent = 0
        for piece in super().get(bucket, key, version_id, offset, length):
            if self.times and offset + sent > SEGMENT + 100_000:
                self.times -= 1
                raise Unavailable("store.unreachable")
            sent += len(piece)
            yield piece

    def head(self, bucket: str, key: str, version_id: str):
        if self.away:
            raise Unavailable("store.unreachable")
        return super().head(bucket, key, version_id)


def test_a_store_that_breaks_off_is_asked_again_from_the_segment(keys: FileKeyWrapper) -> None:
    store = Breaking()
    expected = stored(store, keys)
    store.times = 2
    assert check_light(store, expected)[0] is None
    assert [offset for offset, _ in store.reads] == [0, expected.layout.offset(1), expected.layout.offset(1)]


def test_bytes_that_are_never_given_are_a_difference(keys: FileKeyWrapper) -> None:
    """As SeaweedFS does with a rotten block: it answers, but not with these bytes."""
    store = Breaking()
    expected = stored(store, keys)
    store.times = 99
    found, _ = check_light(store, expected)
    assert found == Difference("unreadable", "segment 1", expected.segments[1], "store.unreachable")
    found = check_deep(store, keys, expected)
    assert found is not None
    assert found.what == "unreadable"


def test_a_store_that_is_away_is_no_difference(keys: FileKeyWrapper) -> None:
    store = Breaking()
    expected = stored(store, keys)
    store.times, store.away = 1, True
    with pytest.raises(Unavailable, match=r"store\.unreachable"):
        check_light(store, expected)
