"""Wrapping data keys."""

import os
from pathlib import Path
from uuid import UUID

import pytest

from custody.kernel.errors import Corrupt, Unavailable
from storage.keys import FileKeyWrapper
from storage.s3 import S3Address

BLOB = UUID(int=5)
KEY = bytes(range(32))


def test_a_key_comes_back_for_its_blob_only(tmp_path: Path) -> None:
    keys = FileKeyWrapper.create(tmp_path / "keys" / "kek")
    wrapped = keys.wrap(KEY, BLOB)
    assert keys.unwrap(wrapped.data, wrapped.key_id, BLOB) == KEY
    assert KEY not in wrapped.data
    assert wrapped.data != keys.wrap(KEY, BLOB).data
    with pytest.raises(Corrupt, match=r"keys\.corrupt"):
        keys.unwrap(wrapped.data, keys.key_id, UUID(int=6))


def test_a_key_file_is_private_and_made_once(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    first = FileKeyWrapper.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert FileKeyWrapper.create(path).key_id == first.key_id == FileKeyWrapper(path).key_id
    assert [item.name for item in tmp_path.iterdir()] == ["kek"]


def test_of_two_makers_the_first_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kek"
    first = FileKeyWrapper.create(path)
    monkeypatch.setattr(Path, "exists", lambda _self: False)
    assert FileKeyWrapper.create(path).key_id == first.key_id


@pytest.mark.parametrize("damage", [lambda wrapped: b"\x02" + wrapped[1:], lambda wrapped: wrapped[:-1], lambda _: b""])
def test_a_damaged_wrapping_is_found(tmp_path: Path, damage) -> None:
    keys = FileKeyWrapper.create(tmp_path / "kek")
    with pytest.raises(Corrupt, match=r"keys\.corrupt"):
        keys.unwrap(damage(keys.wrap(KEY, BLOB).data), keys.key_id, BLOB)


def test_another_key_encryption_key_is_named(tmp_path: Path) -> None:
    keys, others = FileKeyWrapper.create(tmp_path / "one"), FileKeyWrapper.create(tmp_path / "two")
    with pytest.raises(Unavailable, match=r"keys\.unknown"):
        keys.unwrap(others.wrap(KEY, BLOB).data, others.key_id, BLOB)


def test_a_key_file_must_be_there_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    with pytest.raises(Unavailable, match=r"keys\.unavailable"):
        FileKeyWrapper(path)
    path.write_bytes(os.urandom(31))
    path.chmod(0o600)
    with pytest.raises(Unavailable, match=r"keys\.unavailable"):
        FileKeyWrapper(path)
    path.write_bytes(os.urandom(32))
    path.chmod(0o640)
    with pytest.raises(Unavailable, match=r"keys\.exposed"):
        FileKeyWrapper(path)


def test_an_encrypted_file_opens_for_its_passphrase_only(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    keys = FileKeyWrapper.create(path, b"right")
    wrapped = keys.wrap(KEY, BLOB)
    for passphrase in (None, b"wrong"):
        with pytest.raises(Unavailable, match=r"keys\.refused"):
            FileKeyWrapper(path, passphrase)
    assert FileKeyWrapper(path, b"right").unwrap(wrapped.data, wrapped.key_id, BLOB) == KEY


def test_a_plain_file_is_encrypted_by_the_next_rotation(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    wrapped = FileKeyWrapper.create(path).wrap(KEY, BLOB)
    FileKeyWrapper(path, b"from now on").rotate()
    with pytest.raises(Unavailable, match=r"keys\.refused"):
        FileKeyWrapper(path)
    assert FileKeyWrapper(path, b"from now on").unwrap(wrapped.data, wrapped.key_id, BLOB) == KEY
    assert path.stat().st_mode & 0o777 == 0o600


def test_secrets_are_not_shown() -> None:
    assert "hidden" not in repr(S3Address("host:1", "hidden-access", "hidden-secret"))
