"""The office's signature: holds, breaks with any byte, carries a time stamp where an authority answers."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import PdfSignatureStatus, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from custody.kernel.errors import Conflict, Corrupt, Denied
from evidence_api.paper import keys, setting
from evidence_api.paper.blocks import Paper
from evidence_api.paper.office import FileOffice
from evidence_api.stack import authority

NOW = datetime.now(UTC)
PDF = setting.render(Paper("ru", "Расписка", "Дело 1", "сегодня", []))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    key, passphrase = tmp_path / "key.pem", tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("a passphrase of a test\n")
    keys.create(key, passphrase, NOW)
    return key, passphrase


def judged(pdf: bytes, certificate: bytes, *more: bytes) -> PdfSignatureStatus:
    roots = [x509.Certificate.load(one) for one in (certificate, *more)]
    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    return validate_pdf_signature(signature, ValidationContext(trust_roots=roots), ValidationContext(trust_roots=roots))


def test_a_signed_act_holds_and_keeps_its_bytes(files: tuple[Path, Path]) -> None:
    signed = FileOffice(*files).sign(PDF, "receipt")
    assert signed.startswith(PDF)
    status = judged(signed, keys.load(*files)[1][0])
    assert status.bottom_line
    assert status.timestamp_validity is None
    assert status.signing_cert.subject.native["common_name"] == keys.DEMONSTRATION


def test_a_changed_byte_breaks_it(files: tuple[Path, Path]) -> None:
    signed = bytearray(FileOffice(*files).sign(PDF, "receipt"))
    signed[PDF.index(b"/Title") + 8] ^= 1
    assert not judged(bytes(signed), keys.load(*files)[1][0]).intact


def test_a_time_stamp_is_asked_for(files: tuple[Path, Path]) -> None:
    root, issuer = authority.issue(NOW)
    signed = FileOffice(*files, stamp=lambda request: issuer.respond(request, NOW)).sign(PDF, "receipt")
    status = judged(signed, keys.load(*files)[1][0], root.public_bytes(Encoding.DER))
    assert status.bottom_line
    assert status.timestamp_validity is not None
    assert status.timestamp_validity.valid


def nothing(_: bytes) -> bytes:
    raise ConnectionError


@pytest.mark.parametrize("stamp", [nothing, lambda _: b"", lambda _: authority._REJECTED])
def test_without_an_answer_it_is_signed_all_the_same(files: tuple[Path, Path], stamp: Callable[[bytes], bytes]) -> None:
    signed = FileOffice(*files, stamp=stamp).sign(PDF, "receipt")
    assert judged(signed, keys.load(*files)[1][0]).timestamp_validity is None


def test_no_key_is_ever_replaced(files: tuple[Path, Path]) -> None:
    with pytest.raises(Conflict, match=r"key\.exists"):
        keys.create(*files, NOW)


def test_a_key_others_may_read_is_refused(files: tuple[Path, Path]) -> None:
    files[0].chmod(0o640)
    with pytest.raises(Denied, match=r"key\.exposed"):
        FileOffice(*files)


@pytest.mark.parametrize("harm", ["passphrase", "truncated", "another certificate", "no certificate"])
def test_a_file_that_is_no_such_key_is_refused(files: tuple[Path, Path], tmp_path: Path, harm: str) -> None:
    key, passphrase = files
    private, rest = key.read_text().split("-----BEGIN CERT")
    match harm:
        case "passphrase":
            passphrase.write_text("another")
        case "truncated":
            key.write_text(private[:-60])
        case "no certificate":
            key.write_text(private)
        case _:
            keys.create(tmp_path / "other.pem", passphrase, NOW)
            key.write_text(
                private + "-----BEGIN CERT" + (tmp_path / "other.pem").read_text().split("-----BEGIN CERT")[1]
            )
    with pytest.raises(Corrupt, match=r"key\.unreadable"):
        FileOffice(key, passphrase)
    assert rest
