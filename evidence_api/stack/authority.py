"""The development authority: RFC 3161 time stamps from a certificate chain that nobody vouches for.

    python -m evidence_api.stack.authority --directory DIR --port PORT

Every token says so itself: in the policy it names, and in its signer's name. It takes the machine's clock as it is. For
development, demonstration and tests; evidence is stamped by a real authority (docs/custody.md).
"""

import argparse
import http.client
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import randbits
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from custody.kernel.clock import Clock, SystemClock
from custody.proof import der, timestamp
from custody.proof.strict import Malformed

DEVELOPMENT_POLICY = "2.25.258817399331240413205436910352481947523"
"""An OID below a random UUID (ITU-T X.667): the policy of a development authority, which promises nothing."""
NAME = "DEVELOPMENT time-stamping authority, proves nothing"
ROOT, CHAIN, KEY = "root.pem", "authority.pem", "authority-key.pem"
_VALID = timedelta(days=3650)
_MAX_REQUEST_BYTES = 4096
_SHA256, _ECDSA_SHA256 = "2.16.840.1.101.3.4.2.1", "1.2.840.10045.4.3.2"
_SIGNED_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.47"
_REJECTED = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, der.encode_integer(2)))
_REPLY = "application/timestamp-reply"


@dataclass(frozen=True)
class Authority:
    """A certificate for time stamps with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def respond(self, request: bytes, now: datetime) -> bytes:
        """A TimeStampResp (RFC 3161 §2.4.2) with a token, or a rejection of what is no plain request."""
        try:
            imprint, nonce = _parse(request)
        except Malformed:
            return _REJECTED
        granted = der.encode(der.SEQUENCE, der.encode_integer(0))
        return der.encode(der.SEQUENCE, granted, self.token(imprint, nonce, now))

    def token(self, imprint: bytes, nonce: int | None, now: datetime) -> bytes:
        """A token over a MessageImprint (its DER)."""
        info = der.encode(
            der.SEQUENCE,
            der.encode_integer(1),
            der.encode_oid(DEVELOPMENT_POLICY),
            imprint,
            der.encode_integer(randbits(63) + 1),
            der.encode(der.GENERALIZED_TIME, now.strftime("%Y%m%d%H%M%SZ").encode()),
            b"" if nonce is None else der.encode_integer(nonce),
        )
        encoded = self.certificate.public_bytes(Encoding.DER)
        algorithm = timestamp.algorithm(_SHA256)
        signed = der.encode(
            der.SEQUENCE,
            der.encode_integer(3),
            der.encode(der.SET, algorithm),
            _content(_TST_INFO, der.encode(der.OCTETS, info)),
            der.encode(der.context(0), encoded),
            der.encode(der.SET, self._signer(info, encoded)),
        )
        return _content(_SIGNED_DATA, signed)

    def _signer(self, info: bytes, encoded: bytes) -> bytes:
        """SignerInfo (RFC 5652 §5.3) with the attributes that RFC 3161 and RFC 5816 ask for."""
        named = der.encode(der.SEQUENCE, der.encode(der.OCTETS, sha256(encoded).digest()))
        attributes = [
            _attribute(_CONTENT_TYPE, der.encode_oid(_TST_INFO)),
            _attribute(_MESSAGE_DIGEST, der.encode(der.OCTETS, sha256(info).digest())),
            _attribute(_SIGNING_CERTIFICATE, der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, named))),
        ]
        content = b"".join(sorted(attributes))
        signature = self.key.sign(der.encode(der.SET, content), ec.ECDSA(hashes.SHA256()))
        issuer = self.certificate.issuer.public_bytes()
        return der.encode(
            der.SEQUENCE,
            der.encode_integer(1),
            der.encode(der.SEQUENCE, issuer, der.encode_integer(self.certificate.serial_number)),
            timestamp.algorithm(_SHA256),
            der.encode(der.context(0), content),
            timestamp.algorithm(_ECDSA_SHA256),
            der.encode(der.OCTETS, signature),
        )


def issue(begins: datetime, valid: timedelta = _VALID) -> tuple[x509.Certificate, Authority]:
    """A new root and an authority under it. The root's key is thrown away: it can issue nothing else."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ends = begins + valid
    root_name = _name(f"Root of a {NAME}")
    root = (
        _builder(root_name, root_name, root_key.public_key(), begins, ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    certificate = (
        _builder(_name(NAME), root_name, key.public_key(), begins, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    return root, Authority(certificate, key)


def kept(directory: Path, clock: Clock) -> Authority:
    """The authority of a directory, made there once: `root.pem` for readers, the rest for itself."""
    if not (directory / ROOT).exists():
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        root, made = issue(clock.now() - timedelta(days=1))
        _write(directory / KEY, made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        _write(directory / CHAIN, made.certificate.public_bytes(Encoding.PEM))
        _write(directory / ROOT, root.public_bytes(Encoding.PEM))
        return made
    key = load_pem_private_key((directory / KEY).read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is of another kind")
    return Authority(x509.load_pem_x509_certificate((directory / CHAIN).read_bytes()), key)


def ready(port: int) -> bool:
    """Whether the authority serves on this loopback port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/")
        return NAME in connection.getresponse().read(1000).decode()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class AuthorityServer(ThreadingHTTPServer):
    """POST a TimeStampReq anywhere; GET says what this is."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], authority: Authority, clock: Clock) -> None:
        self.authority = authority
        self.clock = clock
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: AuthorityServer
    timeout = 10.0

    def do_GET(self) -> None:
        self._answer(f"{NAME}\n".encode(), "text/plain")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        size = int(length) if length.isascii() and length.isdigit() and len(length) < 10 else 0
        request = self.rfile.read(size) if size <= _MAX_REQUEST_BYTES else b""
        self._answer(self.server.authority.respond(request, self.server.clock.now()), _REPLY)

    def _answer(self, data: bytes, content_type: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:
        """What was asked, without addresses."""
        sys.stderr.write(f"authority: {format % arguments}\n")


def _parse(request: bytes) -> tuple[bytes, int | None]:
    """MessageImprint and nonce of a TimeStampReq. Raises Malformed."""
    reader = der.whole(request, der.SEQUENCE).reader()
    reader.take(der.INTEGER)
    imprint = reader.take(der.SEQUENCE).raw
    reader.optional(der.OID)
    nonce = reader.optional(der.INTEGER)
    reader.optional(der.BOOLEAN)
    reader.end()
    return imprint, der.integer(nonce) if nonce else None


def _content(oid: str, content: bytes) -> bytes:
    return der.encode(der.SEQUENCE, der.encode_oid(oid), der.encode(der.context(0), content))


def _attribute(oid: str, value: bytes) -> bytes:
    return der.encode(der.SEQUENCE, der.encode_oid(oid), der.encode(der.SET, value))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, opened for its owner alone
        file.write(data)


def main(arguments: list[str] | None = None) -> None:
    """Serves until it is ended."""
    parser = argparse.ArgumentParser(prog="python -m evidence_api.stack.authority")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True, help="of 127.0.0.1")
    options = parser.parse_args(arguments)
    clock = SystemClock()
    with (
        suppress(KeyboardInterrupt),
        AuthorityServer(("127.0.0.1", options.port), kept(options.directory, clock), clock) as server,
    ):
        server.serve_forever()


if __name__ == "__main__":
    main()
