"""What every key service must do, the same for all: a file (with and without passphrase), OpenBao, SoftHSM2."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from custody.kernel.errors import Conflict, Corrupt, Unavailable
from storage.keys import WrappedKey

BLOB, ANOTHER = UUID(int=5), UUID(int=6)
KEY = bytes(range(32))


def test_a_key_comes_back_for_its_blob_only(service) -> None:
    keys = service.keys
    wrapped = keys.wrap(KEY, BLOB)
    assert wrapped.key_id == keys.key_id
    assert keys.unwrap(wrapped.data, wrapped.key_id, BLOB) == KEY
    assert KEY not in wrapped.data
    assert wrapped.data != keys.wrap(KEY, BLOB).data
    with pytest.raises(Corrupt, match=r"keys\.corrupt"):
        keys.unwrap(wrapped.data, wrapped.key_id, ANOTHER)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-8] + b"AAAAAAA=", lambda data: data[:-1], lambda _: b"", lambda _: b"\xff" * 60]
)
def test_a_damaged_wrap_is_found(service, damage) -> None:
    wrapped = service.keys.wrap(KEY, BLOB)
    with pytest.raises(Corrupt, match=r"keys\.corrupt"):
        service.keys.unwrap(damage(wrapped.data), wrapped.key_id, BLOB)
    assert service.keys.unwrap(wrapped.data, wrapped.key_id, BLOB) == KEY


@pytest.mark.parametrize("name", ["file:0123456789abcdef", "vault:dalel:9999", "pkcs11:dalel-kek:9999", "x", ""])
def test_a_version_that_is_not_there_is_named(service, name: str) -> None:
    with pytest.raises(Unavailable, match=r"keys\.unknown"):
        service.keys.unwrap(service.keys.wrap(KEY, BLOB).data, name, BLOB)


def test_rotation(service) -> None:
    keys = service.keys
    old = keys.wrap(KEY, BLOB)
    assert keys.versions() == [old.key_id]
    new_id = keys.rotate()
    assert new_id != old.key_id
    assert (keys.key_id, keys.versions()) == (new_id, [old.key_id, new_id])
    # what was wrapped before is read as before; what is wrapped now is wrapped anew
    assert keys.unwrap(old.data, old.key_id, BLOB) == KEY
    (new,) = keys.rewrap([(old, BLOB)])
    assert (new.key_id, new.data != old.data) == (new_id, True)
    assert keys.unwrap(new.data, new.key_id, BLOB) == KEY
    assert keys.wrap(KEY, BLOB).key_id == new_id
    # rewrapping what is new already does no harm
    (again,) = keys.rewrap([(new, BLOB)])
    assert keys.unwrap(again.data, again.key_id, BLOB) == KEY
    assert keys.rewrap([]) == []


def test_a_wrap_of_another_blob_is_not_rewrapped(service) -> None:
    good, bad = service.keys.wrap(KEY, BLOB), service.keys.wrap(KEY, BLOB)
    service.keys.rotate()
    with pytest.raises(Corrupt, match=r"keys\.corrupt"):
        service.keys.rewrap([(good, BLOB), (bad, ANOTHER)])


def test_another_process_sees_the_rotation(service) -> None:
    """No message tells it: its next wrap is under the new version, and it opens what others wrapped under it."""
    before = service.other.wrap(KEY, BLOB)
    new_id = service.keys.rotate()
    wrapped = service.keys.wrap(KEY, BLOB)
    assert service.other.unwrap(wrapped.data, wrapped.key_id, BLOB) == KEY
    assert service.other.wrap(KEY, BLOB).key_id == new_id
    assert service.keys.unwrap(before.data, before.key_id, BLOB) == KEY


def test_retiring(service) -> None:
    keys = service.keys
    old = keys.wrap(KEY, BLOB)
    with pytest.raises(Conflict, match=r"keys\.in_use"):
        keys.retire(old.key_id)
    new_id = keys.rotate()
    (new,) = keys.rewrap([(old, BLOB)])
    keys.retire(old.key_id)
    keys.retire(old.key_id)
    assert keys.versions() == [new_id]
    for wrapper in (keys, service.other):
        with pytest.raises(Unavailable, match=r"keys\.unknown"):
            wrapper.unwrap(old.data, old.key_id, BLOB)
        assert wrapper.unwrap(new.data, new.key_id, BLOB) == KEY
    with pytest.raises(Conflict, match=r"keys\.in_use"):
        keys.retire(new_id)


def test_a_service_that_is_away_says_so_and_comes_back(service) -> None:
    wrapped = service.keys.wrap(KEY, BLOB)
    with service.away():
        for act in (
            lambda: service.keys.wrap(KEY, BLOB),
            lambda: service.keys.unwrap(wrapped.data, wrapped.key_id, BLOB),
            lambda: service.keys.rewrap([(wrapped, BLOB)]),
            lambda: service.keys.key_id,
        ):
            with pytest.raises(Unavailable, match=r"keys\.unavailable"):
                act()
    assert service.keys.unwrap(wrapped.data, wrapped.key_id, BLOB) == KEY
    assert service.keys.unwrap(service.keys.wrap(KEY, BLOB).data, wrapped.key_id, BLOB) == KEY


def test_ensuring_never_replaces(service) -> None:
    wrapped = service.keys.wrap(KEY, BLOB)
    service.keys.ensure()
    service.other.ensure()
    assert service.keys.versions() == [wrapped.key_id]
    assert service.other.unwrap(wrapped.data, wrapped.key_id, BLOB) == KEY


def test_threads(service) -> None:
    def act(number: int) -> bool:
        key, blob_id = bytes([number]) * 32, UUID(int=number)
        wrapped = service.keys.wrap(key, blob_id)
        return service.keys.unwrap(wrapped.data, wrapped.key_id, blob_id) == key

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(act, range(40)))


def test_nothing_is_shown(service) -> None:
    assert "data" not in repr(WrappedKey("x", b"data"))
    assert KEY.hex() not in repr(vars(service.keys))
