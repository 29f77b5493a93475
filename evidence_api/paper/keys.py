"""The file with the office's key: PEM, the private key encrypted with a passphrase from another file, its certificates.

The embedded run makes one whose certificate is signed by itself and says so in its name. An organisation puts its own
key (RSA or elliptic curve) and its chain, its own certificate first, into the same file.
"""

import os
import stat
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from custody.kernel.errors import Conflict, Corrupt, Denied

DEMONSTRATION = "Dälel demonstration office (self-signed, proves nothing)"
_LIFETIME = timedelta(days=3650)


def create(key_file: Path, passphrase_file: Path, now: datetime, name: str = DEMONSTRATION) -> None:
    """Make a P-256 key with a certificate of ten years from `now`, signed by itself, in `key_file` (mode 0600).

    Raises Conflict `key.exists`.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(True, True, False, False, False, False, False, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _LIFETIME)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    passphrase = BestAvailableEncryption(_private_bytes(passphrase_file).strip())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, passphrase) + certificate.public_bytes(Encoding.PEM)
    try:
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Conflict("key.exists") from error
    with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, opened exclusively
        file.write(pem)


def load(key_file: Path, passphrase_file: Path) -> tuple[bytes, list[bytes]]:
    """The private key as DER (PKCS #8, in the clear) and the certificates as DER, the key's own first.

    Raises Denied `key.exposed` when anybody but the owner may read either file, Corrupt `key.unreadable` when the file
    holds no such key, another passphrase was used, or the first certificate is another key's.
    """
    pem = _private_bytes(key_file)
    try:
        key = load_pem_private_key(pem, _private_bytes(passphrase_file).strip())
        certificates = x509.load_pem_x509_certificates(pem)
    except (ValueError, TypeError) as error:
        raise Corrupt("key.unreadable") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise Corrupt("key.unreadable")
    if certificates[0].public_key() != key.public_key():
        raise Corrupt("key.unreadable")
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return plain, [one.public_bytes(Encoding.DER) for one in certificates]


def _private_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise Denied("key.exposed", file=path.name)
        return file.read()
