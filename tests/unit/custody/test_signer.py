"""What every signer of the log does, the key in its file and the key in a token; and what only one of them can do."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from custody import signer
from custody.kernel.errors import Conflict, Corrupt, DalelError, Denied, Invalid, NotFound, Unavailable
from custody.pkcs11 import TokenKeys
from custody.proof import note
from custody.proof.strict import Malformed
from tests.hsm import SoftToken, soft_token

PASSPHRASE = b"correct horse"

Make = Callable[[str], signer.Signer]
"""A signer of this name over one and the same key."""


def private_file(path: Path, data: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(data)
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    passphrase = private_file(tmp_path / "passphrase", PASSPHRASE + b"\n")
    signer.create_key(tmp_path / "key.pem", passphrase)
    return tmp_path / "key.pem", passphrase


@pytest.fixture
def token(tmp_path: Path) -> Iterator[SoftToken]:
    with soft_token(tmp_path) as made:
        keys = TokenKeys(made.place, writing=True)
        signer.create_token_key(keys, "log")
        keys.close()
        yield made


@pytest.fixture(params=["file", "pkcs11"])
def make(request: pytest.FixtureRequest) -> Make:
    if request.param == "file":
        paths = request.getfixturevalue("files")
        return lambda name: signer.EncryptedFileSigner(name, *paths)
    place = request.getfixturevalue("token").place
    return lambda name: signer.TokenSigner(name, TokenKeys(place), "log")


# the contract


def test_what_it_signs_its_vkey_verifies(make: Make) -> None:
    ours = make("log.example/1")
    signed = note.parse(note.sign("text\n", ours.name, ours))
    note.verify(signed, [note.parse_vkey(signer.vkey(ours))])
    assert signer.vkey(make("log.example/1")) == signer.vkey(ours)


def test_it_signs_any_bytes_and_the_same_alike(make: Make) -> None:
    ours = make("log.example/1")
    for data in (b"", b"\0", b"x" * 100_000):
        signature = ours.sign(data)
        assert len(signature) == 64
        ours.public_key().verify(signature, data)
        assert ours.sign(data) == signature  # Ed25519 has no randomness (RFC 8032, section 5.1.6)


def test_its_name_is_the_logs(make: Make) -> None:
    assert make("log.example/2").name == "log.example/2"


def test_a_name_that_no_note_could_carry_is_refused(make: Make) -> None:
    with pytest.raises(Malformed):
        make("two words")


# the file


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


# the token


def test_the_key_never_leaves_the_token(token: SoftToken) -> None:
    from pkcs11 import Attribute, ObjectClass

    def attributes(session: Any) -> tuple[bool, bool, bool]:
        key = session.get_key(label="log", object_class=ObjectClass.PRIVATE_KEY)
        return key[Attribute.EXTRACTABLE], key[Attribute.SENSITIVE], key[Attribute.NEVER_EXTRACTABLE]

    assert TokenKeys(token.place).use(attributes) == (False, True, True)


def test_a_key_in_the_token_is_not_replaced(token: SoftToken) -> None:
    before = signer.vkey(signer.TokenSigner("log", TokenKeys(token.place), "log"))
    with pytest.raises(Conflict, match=r"key\.exists"):
        signer.create_token_key(TokenKeys(token.place, writing=True), "log")
    assert signer.vkey(signer.TokenSigner("log", TokenKeys(token.place), "log")) == before


def test_a_label_that_no_key_has_is_refused(token: SoftToken) -> None:
    with pytest.raises(NotFound, match=r"hsm\.key_missing"):
        signer.TokenSigner("log", TokenKeys(token.place), "another")


def test_a_key_of_another_kind_is_refused(token: SoftToken) -> None:
    token.p256("p256")
    with pytest.raises(Invalid, match=r"hsm\.key_unsuitable"):
        signer.TokenSigner("log", TokenKeys(token.place), "p256")


def test_a_token_taken_out_says_so_and_put_back_it_signs_again(token: SoftToken) -> None:
    ours = signer.TokenSigner("log", TokenKeys(token.place), "log")
    before = ours.sign(b"data")
    token.unplug()
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"hsm\.token_missing"):
            ours.sign(b"data")
    token.plug()
    assert ours.sign(b"data") == before


def test_a_public_half_of_another_pair_is_found_out(token: SoftToken) -> None:
    """Nothing is published under a key that did not sign it: such a label is refused before the first head."""
    from pkcs11 import Attribute, ObjectClass

    signer.create_token_key(TokenKeys(token.place, writing=True), "second")

    def mix(session: Any) -> None:
        session.get_key(label="log", object_class=ObjectClass.PUBLIC_KEY).destroy()
        session.get_key(label="second", object_class=ObjectClass.PUBLIC_KEY)[Attribute.LABEL] = "log"

    TokenKeys(token.place, writing=True).use(mix)
    with pytest.raises(Unavailable, match=r"hsm\.signature_false"):
        signer.TokenSigner("log", TokenKeys(token.place), "log")


def test_no_refusal_tells_the_pin(token: SoftToken, caplog: pytest.LogCaptureFixture) -> None:
    token.pin_file.write_text("wrong-4711")
    with pytest.raises(DalelError) as refused:
        signer.TokenSigner("log", TokenKeys(token.place), "log")
    told = [caplog.text]
    error: BaseException | None = refused.value
    while error is not None:
        told += [str(error), repr(error), repr(getattr(error, "params", ""))]
        error = error.__cause__ or error.__context__
    assert "4711" not in "".join(told)
