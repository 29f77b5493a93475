"""The key in its file: encrypted, private, never overwritten."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from custody import signer
from custody.kernel.errors import Conflict, Corrupt, Denied
from custody.proof import note
from custody.proof.strict import Malformed

PASSPHRASE = b"correct horse"


def private_file(path: Path, data: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(data)
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    passphrase = private_file(tmp_path / "passphrase", PASSPHRASE + b"\n")
    signer.create_key(tmp_path / "key.pem", passphrase)
    return tmp_path / "key.pem", passphrase


def test_what_it_signs_its_vkey_verifies(files: tuple[Path, Path]) -> None:
    ours = signer.EncryptedFileSigner("log.example/1", *files)
    signed = note.parse(note.sign("text\n", ours.name, ours))
    note.verify(signed, [note.parse_vkey(signer.vkey(ours))])
    again = signer.EncryptedFileSigner("log.example/1", *files)
    assert signer.vkey(again) == signer.vkey(ours)


def test_the_key_is_encrypted_and_private(files: tuple[Path, Path]) -> None:
    key_file, _ = files
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in key_file.read_bytes().splitlines()[0]


def test_a_key_is_not_overwritten(files: tuple[Path, Path]) -> None:
    before = files[0].read_bytes()
    with pytest.raises(Conflict, match=r"key\.exists"):
        signer.create_key(*files)
    assert files[0].read_bytes() == before


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(files: tuple[Path, Path], which: int, mode: int) -> None:
    files[which].chmod(mode)
    with pytest.raises(Denied, match=r"key\.exposed"):
        signer.EncryptedFileSigner("log", *files)


def test_another_passphrase_opens_nothing(files: tuple[Path, Path]) -> None:
    files[1].write_bytes(b"another")
    with pytest.raises(Corrupt, match=r"key\.unreadable"):
        signer.EncryptedFileSigner("log", *files)


def test_what_is_no_ed25519_key_is_refused(files: tuple[Path, Path]) -> None:
    other = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE)
    )
    for data in (other, b"", b"nonsense"):
        files[0].write_bytes(data)
        with pytest.raises(Corrupt, match=r"key\.unreadable"):
            signer.EncryptedFileSigner("log", *files)


def test_a_name_that_no_note_could_carry_is_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(Malformed):
        signer.EncryptedFileSigner("two words", *files)
