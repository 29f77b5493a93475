"""Offsets and states of an upload, and the headers of tus."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.kernel.errors import Conflict, DalelError, Gone, Invalid, TooLarge
from storage import upload
from storage.upload import Checksum, Limits, Progress, State

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LIMITS = Limits(max_bytes=1000, lifetime=timedelta(hours=1))
LATER = NOW + timedelta(hours=1)


def progress(state: State = State.CREATED, offset: int = 0) -> Progress:
    return Progress(state, 100, offset, LATER)


def refused(kind: type[DalelError], code: str, act: Callable[[], object]) -> DalelError:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.code == code
    return refusal.value


def test_announcing() -> None:
    assert upload.announce(100, LIMITS, NOW) == progress()
    assert upload.announce(1000, LIMITS, NOW).size_bytes == 1000
    refused(Invalid, "upload.empty", lambda: upload.announce(0, LIMITS, NOW))
    refused(TooLarge, "upload.too_large", lambda: upload.announce(1001, LIMITS, NOW))


@given(st.lists(st.integers(0, 60), max_size=20))
def test_an_offset_only_grows_and_ends_at_the_announced_size(steps: list[int]) -> None:
    now, held = NOW, progress()
    for step in steps:
        if held.offset_bytes + step > held.size_bytes:
            with pytest.raises(TooLarge, match=r"upload\.larger_than_announced"):
                upload.check_fits(100, held.offset_bytes + step)
            continue
        if held.state is State.RECEIVED:
            with pytest.raises(Conflict, match=r"upload\.already_received"):
                upload.check_append(held, 100, step, now)
            return
        upload.check_append(held, held.offset_bytes, step, now)
        before, now = held, now + timedelta(minutes=50)
        held = upload.advance(held, held.offset_bytes + step, now, LIMITS.lifetime)
        assert held.offset_bytes == before.offset_bytes + step
        assert held.expires_at == now + LIMITS.lifetime
    expected = {0: State.CREATED, 100: State.RECEIVED}.get(held.offset_bytes, State.RECEIVING)
    assert held.state is expected


@pytest.mark.parametrize(("offset", "state"), [(0, State.CREATED), (1, State.RECEIVING), (100, State.RECEIVED)])
def test_the_state_follows_the_offset(offset: int, state: State) -> None:
    assert upload.advance(progress(), offset, NOW, LIMITS.lifetime).state is state


@pytest.mark.parametrize("offset", [9, 101, 50])
def test_an_offset_never_moves_back_or_beyond(offset: int) -> None:
    held = progress(State.RECEIVING, 10) if offset != 50 else progress(State.SEALED, 10)
    error = refused(Conflict, "upload.wrong_offset", lambda: upload.advance(held, offset, NOW, LIMITS.lifetime))
    assert error.params == {"expected": 10}


@pytest.mark.parametrize(
    ("held", "offset", "declared", "now", "kind", "code"),
    [
        (progress(State.EXPIRED), 0, None, NOW, Gone, "upload.expired"),
        (progress(State.TERMINATED), 0, None, NOW, Gone, "upload.terminated"),
        (progress(State.REFUSED, 100), 100, None, NOW, Conflict, "upload.refused"),
        (progress(State.RECEIVED, 100), 100, None, NOW, Conflict, "upload.already_received"),
        (progress(State.SEALED, 100), 100, None, NOW, Conflict, "upload.already_received"),
        (progress(), 0, None, LATER, Gone, "upload.expired"),
        (progress(State.RECEIVING, 10), 9, None, NOW, Conflict, "upload.wrong_offset"),
        (progress(State.RECEIVING, 10), 10, 91, NOW, TooLarge, "upload.larger_than_announced"),
    ],
)
def test_bytes_that_may_not_be_appended(
    held: Progress, offset: int, declared: int | None, now: datetime, kind: type[DalelError], code: str
) -> None:
    refused(kind, code, lambda: upload.check_append(held, offset, declared, now))


def test_the_end_of_an_upload() -> None:
    received = progress(State.RECEIVED, 100)
    assert upload.seal(received).state is State.SEALED
    assert upload.seal(upload.seal(received)).state is State.SEALED
    assert upload.refuse(received).state is State.REFUSED
    assert upload.refuse(upload.refuse(received)).state is State.REFUSED
    for unfit in (progress(), upload.refuse(received)):
        refused(Conflict, "upload.not_received", lambda held=unfit: upload.seal(held))
    for unfit in (progress(State.RECEIVING, 1), upload.seal(received)):
        refused(Conflict, "upload.not_received", lambda held=unfit: upload.refuse(held))


def test_giving_up() -> None:
    for held in (progress(), progress(State.RECEIVING, 5)):
        assert upload.terminate(upload.terminate(held)).state is State.TERMINATED
    refused(Gone, "upload.expired", lambda: upload.terminate(progress(State.EXPIRED)))
    for state in (State.RECEIVED, State.SEALED, State.REFUSED):
        refused(Conflict, "upload.already_received", lambda now=state: upload.terminate(progress(now, 100)))


@pytest.mark.parametrize("state", list(State))
def test_only_open_uploads_expire_and_only_in_time(state: State) -> None:
    held = replace(progress(), state=state)
    assert upload.expire(held, NOW) == held
    assert upload.expire(held, LATER).state is (State.EXPIRED if state in upload.OPEN else state)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_checksum_header() -> None:
    digest = hashlib.sha256(b"x").digest()
    assert Checksum.parse("sha256 " + encoded(digest)) == Checksum("sha256", digest)
    assert Checksum.parse("sha1 " + encoded(bytes(20))).algorithm == "sha1"
    for header in ("", "md5 " + encoded(bytes(16)), "sha256 !!!", "sha256 " + encoded(b"short"), "sha256"):
        refused(Invalid, "upload.bad_checksum_header", lambda text=header: Checksum.parse(text))


def test_metadata() -> None:
    header = f"filename {encoded('дәлел.pdf'.encode())}, empty,sha256 {encoded(b'00')}"
    assert upload.parse_metadata(header) == {"filename": "дәлел.pdf", "empty": "", "sha256": "00"}
    assert upload.parse_metadata("  ") == {}
    for wrong in ("a !", "a " + encoded(b"\xff"), "a,a", " ,b", "ключ Zg=="):
        refused(Invalid, "upload.bad_metadata", lambda text=wrong: upload.parse_metadata(text))


def test_a_digest() -> None:
    assert upload.parse_sha256(" " + "AB" * 32) == "sha256:" + "ab" * 32
    assert upload.parse_sha256("sha256:" + "ab" * 32) == "sha256:" + "ab" * 32
    for wrong in ("", "ab", "sha512:" + "ab" * 32, "g" * 64, "٠" * 64):
        refused(Invalid, "upload.bad_digest", lambda text=wrong: upload.parse_sha256(text))


def test_a_length() -> None:
    assert upload.parse_length("0107") == 107
    for wrong in ("", "+5", "-1", "1e3", "٣", "1" * 20, "5\n"):
        refused(Invalid, "upload.bad_length", lambda text=wrong: upload.parse_length(text))
