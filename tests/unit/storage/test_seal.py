"""The seal over stores in memory: what it proves, and every lie it catches before «sealed»."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from custody.kernel.errors import Conflict, Corrupt, Invalid, NotFound
from storage import seal
from storage.blob import FileName
from storage.crypto import CHUNK_BYTES
from storage.derived import put_derived
from storage.keys import FileKeyWrapper
from storage.ports import EVIDENCE, LOG, PACKAGES, RENDITIONS, STAGING
from storage.reader import BlobReader
from storage.seal import SealPlan, SentSegment
from storage.segments import Layout, encrypt_segment
from storage.tiles import StoreTiles
from tests.unit.storage import stores
from tests.unit.storage.stores import MemoryStore

BLOB = UUID(int=0xABC)
UNTIL = datetime(2027, 11, 21, 9, 0, tzinfo=UTC)
DATA_KEY = bytes(range(32))
PDF = b"%PDF-1.7\n" + bytes(index % 250 for index in range(3 * CHUNK_BYTES))


@pytest.fixture
def keys(tmp_path: Path) -> FileKeyWrapper:
    return FileKeyWrapper.create(tmp_path / "kek")


def uploaded(
    store: MemoryStore, keys: FileKeyWrapper, plain: bytes = PDF, segment_bytes: int = CHUNK_BYTES, name: str = "a.pdf"
) -> SealPlan:
    """What receiving leaves behind: parts or one object, and what was sent."""
    layout = Layout(BLOB, len(plain), segment_bytes)
    key = seal.evidence_key(BLOB)
    store.put(STAGING, f"{BLOB}/1-5", b"left over")
    multipart_id = store.create_multipart(EVIDENCE, key) if layout.count > 1 else None
    version_id, segments = None, []
    for number in range(layout.count):
        piece = plain[number * segment_bytes : (number + 1) * segment_bytes]
        if multipart_id:
            attempt = encrypt_segment(DATA_KEY, layout, number, piece)
            store.put_part(EVIDENCE, key, multipart_id, number + 1, attempt)
        sent = encrypt_segment(DATA_KEY, layout, number, piece)
        if multipart_id:
            etag = store.put_part(EVIDENCE, key, multipart_id, number + 1, sent).etag
        else:
            etag, version_id = "", store.put(EVIDENCE, key, sent)
        segments.append(SentSegment(number, etag, "sha256:" + hashlib.sha256(sent).hexdigest(), len(sent)))
    return SealPlan(
        upload_id=UUID(int=1),
        exhibit_id=UUID(int=2),
        blob_id=BLOB,
        name=FileName(name),
        sha256="sha256:" + hashlib.sha256(plain).hexdigest(),
        size_bytes=len(plain),
        segment_bytes=segment_bytes,
        wrapped_key=keys.wrap(DATA_KEY, BLOB).data,
        key_id=keys.key_id,
        retain_until=UNTIL,
        multipart_id=multipart_id,
        version_id=version_id,
        segments=tuple(segments),
    )


def test_what_came_whole_is_locked_and_then_read_back_with_its_lock(keys: FileKeyWrapper) -> None:
    store = MemoryStore()
    plan = replace(uploaded(store, keys, segment_bytes=8 * CHUNK_BYTES), whole=True)
    facts = seal.inspect(store, keys, plan)
    assert seal.inspect(store, keys, plan) == facts
    assert facts == seal.inspect(store, keys, replace(plan, whole=False))
    assert list(store.locks.values()) == [UNTIL]


@pytest.mark.parametrize(
    ("liar", "code"),
    [
        (lambda: stores.FlippingStore(100), "store.corrupt"),
        (stores.BriefStore, "store.corrupt"),
        (stores.ShrinkingStore, "store.corrupt"),
        (stores.ForgetfulStore, "store.not_locked"),
    ],
    ids=["flips a byte", "loses the end", "says another size", "forgets the lock"],
)
def test_what_came_whole_is_not_sealed_by_a_store_that_lies(
    keys: FileKeyWrapper, liar: Callable[[], MemoryStore], code: str
) -> None:
    store = liar()
    plan = replace(uploaded(store, keys, segment_bytes=8 * CHUNK_BYTES), whole=True)
    with pytest.raises(Corrupt, match=code):
        seal.inspect(store, keys, plan)


@pytest.mark.parametrize("segment_bytes", [CHUNK_BYTES, 8 * CHUNK_BYTES])
@pytest.mark.parametrize("piece_bytes", [1000, 1 << 20])
def test_a_good_upload_is_sealed_and_sealing_again_is_the_same(
    keys: FileKeyWrapper, segment_bytes: int, piece_bytes: int
) -> None:
    store = MemoryStore(piece_bytes)
    plan = uploaded(store, keys, segment_bytes=segment_bytes)
    facts = seal.inspect(store, keys, plan)
    assert seal.inspect(store, keys, plan) == facts
    assert (facts.media_type, facts.mismatch) == ("application/pdf", False)
    raw = store.versions[EVIDENCE, facts.blob.key][facts.blob.version_id]
    assert facts.blob.ciphertext_sha256 == "sha256:" + hashlib.sha256(raw).hexdigest()
    assert facts.blob.ciphertext_bytes == len(raw)
    assert store.head(EVIDENCE, facts.blob.key, facts.blob.version_id).locked_until == UNTIL
    assert list(store.list(STAGING, "")) == []
    assert b"".join(BlobReader(store, keys, facts.blob).read()) == PDF


def test_a_file_that_is_not_what_its_name_says_is_flagged_and_sealed(keys: FileKeyWrapper) -> None:
    store = MemoryStore()
    facts = seal.inspect(store, keys, uploaded(store, keys, b"\x89PNG\r\n\x1a\n" + bytes(100)))
    assert (facts.media_type, facts.mismatch) == ("image/png", True)


def test_a_wrong_digest_is_refused_and_leaves_nothing(keys: FileKeyWrapper) -> None:
    store = MemoryStore()
    plan = replace(uploaded(store, keys), sha256="sha256:" + "0" * 64)
    for _ in range(2):
        with pytest.raises(Invalid) as refusal:
            seal.inspect(store, keys, plan)
        assert refusal.value.code == "upload.digest_mismatch"
    assert store.locks == {}
    for _ in range(2):
        seal.discard(store, plan)
    assert [list(store.list(bucket, "")) for bucket in (EVIDENCE, STAGING)] == [[], []]
    assert store.multiparts == {}


def test_what_was_sealed_is_not_discarded(keys: FileKeyWrapper) -> None:
    store = MemoryStore()
    plan = uploaded(store, keys, segment_bytes=8 * CHUNK_BYTES)
    facts = seal.inspect(store, keys, plan)
    with pytest.raises(Conflict, match=r"store\.locked"):
        seal.discard(store, plan)
    assert b"".join(BlobReader(store, keys, facts.blob).read()) == PDF


def test_nothing_is_no_exhibit(keys: FileKeyWrapper) -> None:
    plan = replace(uploaded(MemoryStore(), keys), size_bytes=0)
    with pytest.raises(Invalid, match=r"upload\.empty"):
        seal.inspect(MemoryStore(), keys, plan)


@pytest.mark.parametrize("position", [0, 30, 60, 20_000, 40_000, 3 * CHUNK_BYTES + 9 + 72 * 3])
def test_a_store_that_flips_a_byte_is_caught(keys: FileKeyWrapper, position: int) -> None:
    store = stores.FlippingStore(position)
    plan = uploaded(store, keys)
    with pytest.raises(Corrupt, match=r"store\.corrupt"):
        seal.inspect(store, keys, plan)
    assert store.locks == {}


@pytest.mark.parametrize(
    ("lying", "code"),
    [
        (stores.ForgetfulStore, "store.not_locked"),
        (stores.BriefStore, "store.corrupt"),
        (stores.ShrinkingStore, "store.corrupt"),
        (stores.AttemptSwappingStore, "store.corrupt"),
    ],
)
def test_a_lying_store_is_caught(keys: FileKeyWrapper, lying: type[MemoryStore], code: str) -> None:
    store = lying()
    plan = uploaded(store, keys)
    with pytest.raises(Corrupt) as refusal:
        seal.inspect(store, keys, plan)
    assert refusal.value.code == code


def test_a_lost_part_and_a_lost_object_are_caught(keys: FileKeyWrapper) -> None:
    store = MemoryStore()
    plan = uploaded(store, keys)
    store.multiparts[plan.multipart_id or ""].pop(2)
    with pytest.raises(Corrupt):
        seal.inspect(store, keys, plan)
    store.abort(EVIDENCE, "", plan.multipart_id or "")
    with pytest.raises(NotFound, match=r"store\.missing"):
        seal.inspect(store, keys, plan)


def test_a_plan_that_lacks_a_segment_or_a_version_is_refused(keys: FileKeyWrapper) -> None:
    store = MemoryStore()
    plan = uploaded(store, keys, segment_bytes=8 * CHUNK_BYTES)
    for broken in (replace(plan, segments=()), replace(plan, version_id=None)):
        with pytest.raises(Corrupt):
            seal.inspect(store, keys, broken)


def test_a_lock_that_ends_too_early_is_no_lock(keys: FileKeyWrapper) -> None:
    class Early(MemoryStore):
        def lock(self, bucket: str, key: str, version_id: str, until: datetime) -> None:
            super().lock(bucket, key, version_id, until - timedelta(seconds=1))

    store = Early()
    with pytest.raises(Corrupt, match=r"store\.not_locked"):
        seal.inspect(store, keys, uploaded(store, keys))


def test_one_flipped_byte_anywhere_stops_reading(keys: FileKeyWrapper) -> None:
    honest = MemoryStore()
    facts = seal.inspect(honest, keys, uploaded(honest, keys))
    lying = stores.FlippingStore(20_000)
    lying.versions = honest.versions
    with pytest.raises(Corrupt):
        list(BlobReader(lying, keys, facts.blob).read())
    assert b"".join(BlobReader(lying, keys, facts.blob).read(0, 100)) == PDF[:100]


def test_reading_ranges_and_spooling(keys: FileKeyWrapper, tmp_path: Path) -> None:
    store = MemoryStore()
    reader = BlobReader(store, keys, seal.inspect(store, keys, uploaded(store, keys)).blob)
    assert (reader.size_bytes, reader.sha256) == (len(PDF), "sha256:" + hashlib.sha256(PDF).hexdigest())
    assert b"".join(reader.read(16_000, 17_000)) == PDF[16_000:17_000]
    for start, end in ((5, 4), (-1, 3), (0, len(PDF) + 1)):
        with pytest.raises(Invalid, match=r"content\.bad_range"):
            reader.read(start, end)
    reader.spool(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == PDF
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600


def test_spooling_what_has_another_digest_leaves_no_file(keys: FileKeyWrapper, tmp_path: Path) -> None:
    store = MemoryStore()
    facts = seal.inspect(store, keys, uploaded(store, keys)).blob
    with pytest.raises(Corrupt, match=r"store\.corrupt"):
        BlobReader(store, keys, replace(facts, sha256="sha256:" + "0" * 64)).spool(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_format_of_the_future_is_not_guessed_at(keys: FileKeyWrapper) -> None:
    store = MemoryStore()
    facts = seal.inspect(store, keys, uploaded(store, keys)).blob
    with pytest.raises(Invalid, match=r"store\.unknown_format"):
        BlobReader(store, keys, replace(facts, format="dalel-blob-2"))


@pytest.mark.parametrize("size", [1, 9 * 1024 * 1024])
def test_a_derived_file_is_stored_verified_and_locked(keys: FileKeyWrapper, tmp_path: Path, size: int) -> None:
    plain = bytes(index * 7 % 256 for index in range(256)) * (size // 256) + b"x"
    path = tmp_path / "made"
    path.write_bytes(plain)
    store = MemoryStore(1 << 20)
    until = UNTIL + timedelta(milliseconds=1)
    for source in (path, plain):
        facts = put_derived(store, keys, BLOB, source, bucket=RENDITIONS, retain_until=until)
        assert facts.sha256 == "sha256:" + hashlib.sha256(plain).hexdigest()
        assert facts.retain_until == UNTIL + timedelta(seconds=1)
        assert store.head(RENDITIONS, facts.key, facts.version_id).locked_until == facts.retain_until
        assert b"".join(BlobReader(store, keys, facts).read()) == plain


def test_an_empty_derived_file_is_refused(keys: FileKeyWrapper) -> None:
    with pytest.raises(Invalid, match=r"blob\.empty"):
        put_derived(MemoryStore(), keys, BLOB, b"", bucket=PACKAGES, retain_until=UNTIL)


def test_a_derived_file_that_comes_back_otherwise_is_caught(keys: FileKeyWrapper) -> None:
    for lying in (stores.FlippingStore(70), stores.ForgetfulStore()):
        with pytest.raises(Corrupt):
            put_derived(lying, keys, BLOB, b"text", bucket=RENDITIONS, retain_until=UNTIL)


def test_a_part_that_fails_leaves_no_multipart_upload(keys: FileKeyWrapper) -> None:
    class Failing(MemoryStore):
        def put_part(
            self, bucket: str, key: str, upload_id: str, number: int, data: bytes | bytearray, sha256: bytes = b""
        ):
            if number == 2:
                raise Corrupt("store.corrupt", what="BadDigest")
            return super().put_part(bucket, key, upload_id, number, data)

    store = Failing()
    with pytest.raises(Corrupt):
        put_derived(store, keys, BLOB, bytes(9 * 1024 * 1024), bucket=RENDITIONS, retain_until=UNTIL)
    assert store.multiparts == {}


def test_a_file_that_changes_while_it_is_stored_is_caught(
    keys: FileKeyWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.derived._Writing.sha256", "sha256:" + "0" * 64)
    with pytest.raises(Corrupt, match=r"store\.corrupt"):
        put_derived(MemoryStore(), keys, BLOB, b"text", bucket=RENDITIONS, retain_until=UNTIL)


def test_log_files_are_written_once() -> None:
    tiles = StoreTiles(MemoryStore(), LOG)
    assert tiles.read("tile/0/000") is None
    assert tiles.put_new("tile/0/000", b"one")
    assert not tiles.put_new("tile/0/000", b"two")
    assert tiles.read("tile/0/000") == b"one"
