"""The port's promises, each against the real store."""

import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from custody.kernel.clock import SystemClock
from custody.kernel.errors import Conflict, Corrupt, NotFound, Unavailable
from storage.derived import put_derived
from storage.keys import FileKeyWrapper
from storage.ports import EVIDENCE, LOCKED_BUCKETS, LOG, RENDITIONS, STAGING, Part, Stored
from storage.reader import BlobReader
from storage.s3 import S3Address, S3Store
from storage.tiles import StoreTiles
from storage.worm import worm_self_test

PART = 5 * 1024 * 1024


def soon() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)


def key() -> str:
    return f"test/{uuid4()}"


def whole(store: S3Store, name: str, version: str, size: int, bucket: str = EVIDENCE) -> bytes:
    return b"".join(store.get(bucket, name, version, 0, size))


def put_part(store: S3Store, name: str, upload: str, number: int, data: bytes) -> Part:
    return store.put_part(EVIDENCE, name, upload, number, data, hashlib.sha256(data).digest())


def test_put_get_head_list_and_delete(store: S3Store) -> None:
    name = key()
    first, second = store.put(EVIDENCE, name, b"first"), store.put(EVIDENCE, name, bytearray(b"second one"))
    assert whole(store, name, first, 5) == b"first"
    assert b"".join(store.get(EVIDENCE, name, second, 7, 3)) == b"one"
    assert store.read(EVIDENCE, name) == b"second one"
    assert store.head(EVIDENCE, name, first).size_bytes == 5
    assert store.head(EVIDENCE, name, "").version_id == second
    assert store.read_version(EVIDENCE, name, first, 5) == (Stored(name, first, 5), b"first")
    for size_bytes in (4, 6):
        with pytest.raises(Corrupt):
            store.read_version(EVIDENCE, name, first, size_bytes)
    assert {found.version_id for found in store.list(EVIDENCE, name)} == {first, second}
    for version in (first, second, second):
        store.delete(EVIDENCE, name, version)
    assert list(store.list(EVIDENCE, name)) == []


def test_what_is_not_there(store: S3Store) -> None:
    name = key()
    with pytest.raises(NotFound):
        store.head(EVIDENCE, name, "")
    with pytest.raises(NotFound):
        store.read(EVIDENCE, name)
    with pytest.raises(NotFound):
        store.read_version(EVIDENCE, name, "0" * 32, 1)
    with pytest.raises(NotFound):
        list(store.get(EVIDENCE, name, "", 0, 1))
    with pytest.raises(NotFound):
        store.list_parts(EVIDENCE, name, "0" * 40)
    with pytest.raises(NotFound):
        put_part(store, name, "0" * 40, 1, b"x")
    with pytest.raises(NotFound):
        store.complete(EVIDENCE, name, "0" * 40, [Part(1, "0" * 32, 1)])
    store.abort(EVIDENCE, name, "0" * 40)
    store.delete(EVIDENCE, name, "")


def test_asking_for_more_than_there_is(store: S3Store) -> None:
    name = key()
    version = store.put(EVIDENCE, name, b"short")
    with pytest.raises(Corrupt, match=r"store\.corrupt"):
        whole(store, name, version, 6)
    with pytest.raises(Unavailable, match=r"store\.refused"):
        list(store.get(EVIDENCE, name, version, 100, 5))


def test_parts_may_be_sent_again_and_the_named_ones_count(store: S3Store) -> None:
    name = key()
    upload = store.create_multipart(EVIDENCE, name)
    one, last, other = os.urandom(PART), os.urandom(100), os.urandom(100)
    parts = [put_part(store, name, upload, 1, one), put_part(store, name, upload, 2, last)]
    put_part(store, name, upload, 2, other)
    assert {part.number for part in store.list_parts(EVIDENCE, name, upload)} == {1, 2}
    assert parts[0] in store.list_parts(EVIDENCE, name, upload)
    version = store.complete(EVIDENCE, name, upload, parts)
    assert whole(store, name, version, PART + 100) == one + last
    assert store.complete(EVIDENCE, name, upload, parts) == version
    assert len(list(store.list(EVIDENCE, name))) == 1


def test_completing_with_a_part_the_store_never_had(store: S3Store) -> None:
    name = key()
    upload = store.create_multipart(EVIDENCE, name)
    put_part(store, name, upload, 1, b"x")
    with pytest.raises(Corrupt, match=r"store\.corrupt"):
        store.complete(EVIDENCE, name, upload, [Part(1, "0" * 32, 1)])
    store.abort(EVIDENCE, name, upload)
    with pytest.raises(NotFound):
        store.list_parts(EVIDENCE, name, upload)


def test_bytes_that_change_on_the_wire_are_refused(store: S3Store) -> None:
    name = key()
    upload = store.create_multipart(EVIDENCE, name)
    other = hashlib.sha256(b"other").digest()
    with pytest.raises(Corrupt):
        store.put(EVIDENCE, name, b"data", other)
    with pytest.raises(Corrupt):
        store.put_part(EVIDENCE, name, upload, 1, b"data", other)
    store.abort(EVIDENCE, name, upload)
    assert list(store.list(EVIDENCE, name)) == []


def test_a_lock_holds(store: S3Store) -> None:
    name, until = key(), soon()
    version = store.put(EVIDENCE, name, b"locked")
    assert store.head(EVIDENCE, name, version).locked_until is None
    store.lock(EVIDENCE, name, version, until)
    store.lock(EVIDENCE, name, version, until)
    assert store.head(EVIDENCE, name, version).locked_until == until
    assert store.read_version(EVIDENCE, name, version, 6)[0].locked_until == until
    with pytest.raises(Conflict, match=r"store\.locked"):
        store.delete(EVIDENCE, name, version)
    with pytest.raises(Conflict, match=r"store\.locked"):
        store.lock(EVIDENCE, name, version, until - timedelta(minutes=1))
    store.lock(EVIDENCE, name, version, until + timedelta(minutes=1))
    assert store.head(EVIDENCE, name, version).locked_until == until + timedelta(minutes=1)
    store.put(EVIDENCE, name, b"another version")
    store.delete(EVIDENCE, name, "")
    assert whole(store, name, version, 6) == b"locked"


def test_of_eight_writers_one_wins(store: S3Store) -> None:
    for _ in range(2):
        name, gate = key(), threading.Barrier(8)

        def write(number: int, name: str = name, gate: threading.Barrier = gate) -> bytes | None:
            data = bytes([number]) * 1000
            gate.wait()
            try:
                store.put_once(LOG, name, data)
            except Conflict:
                return None
            return data

        with ThreadPoolExecutor(8) as writers:
            won = [data for data in writers.map(write, range(8)) if data]
        assert len(won) == 1
        assert store.read(LOG, name) == won[0]
        assert len(list(store.list(LOG, name))) == 1


def test_log_files_are_written_once(store: S3Store) -> None:
    tiles, path = StoreTiles(store, LOG), f"tile/0/{uuid4()}"
    assert tiles.read(path) is None
    assert tiles.put_new(path, b"hashes")
    assert not tiles.put_new(path, b"others")
    assert tiles.read(path) == b"hashes"


@pytest.mark.parametrize("bucket", LOCKED_BUCKETS)
def test_the_store_passes_the_self_test(store: S3Store, bucket: str) -> None:
    assert worm_self_test(store, SystemClock(), bucket).failed == ()


def test_ensuring_buckets_again_changes_nothing(store: S3Store) -> None:
    store.ensure_buckets()


def test_a_bucket_without_locks_is_not_taken(store: S3Store, store_address: S3Address) -> None:
    with pytest.raises(Unavailable, match=r"store\.no_object_lock"):
        store._ensure_bucket(f"{store_address.prefix}{STAGING}", locked=True)


def test_a_store_that_is_not_there(store_address: S3Address) -> None:
    lost = S3Store(S3Address("127.0.0.1:1", "a", "b", secure=False), connect_seconds=0.5, answer_seconds=0.5)
    for act in (
        lambda: lost.put(EVIDENCE, "k", b"x"),
        lambda: list(lost.get(EVIDENCE, "k", "", 0, 1)),
        lambda: list(lost.list(EVIDENCE, "k")),
        lambda: lost.delete(EVIDENCE, "k", "v"),
        lost.ensure_buckets,
    ):
        with pytest.raises(Unavailable, match=r"store\.unreachable"):
            act()
    lost.close()
    stranger = S3Store(S3Address(store_address.endpoint, "nobody", "x" * 40, secure=False))
    with pytest.raises(Unavailable, match=r"store\.refused"):
        stranger.put(EVIDENCE, "k", b"x")
    stranger.close()


def test_a_derived_file_of_several_parts(store: S3Store, keys: FileKeyWrapper, tmp_path: Path) -> None:
    path, plain = tmp_path / "made", os.urandom(17 * 1024 * 1024 + 5)
    path.write_bytes(plain)
    facts = put_derived(store, keys, uuid4(), path, bucket=RENDITIONS, retain_until=soon())
    reader = BlobReader(store, keys, facts)
    assert b"".join(reader.read()) == plain
    middle = 8 * 1024 * 1024
    assert b"".join(reader.read(middle - 3, middle + 3)) == plain[middle - 3 : middle + 3]
    assert b"".join(reader.read(len(plain) - 1)) == plain[-1:]
    with pytest.raises(Conflict, match=r"store\.locked"):
        store.delete(RENDITIONS, facts.key, facts.version_id)
    reader.spool(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == plain


def test_a_legal_hold_outlives_the_lock(store: S3Store) -> None:
    """The store's own hold is set, read back, keeps the version from deletion without any lock, and ends."""
    name = key()
    version = store.put(EVIDENCE, name, b"held")
    assert not store.is_held(EVIDENCE, name, version)
    store.set_hold(EVIDENCE, name, version, on=True)
    assert store.is_held(EVIDENCE, name, version)
    with pytest.raises(Conflict, match=r"store\.locked"):
        store.delete(EVIDENCE, name, version)
    store.set_hold(EVIDENCE, name, version, on=False)
    assert not store.is_held(EVIDENCE, name, version)
    store.delete(EVIDENCE, name, version)
    for ask in (store.is_held, lambda *place: store.set_hold(*place, on=True)):
        with pytest.raises(NotFound):
            ask(EVIDENCE, name, version)
