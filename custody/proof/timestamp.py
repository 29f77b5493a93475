"""RFC 3161 time-stamp tokens: an authority's word that these bytes existed at that time.

Read strictly (DER only, one signer, no unknown critical parts) on `cryptography` alone. Not checked, because it cannot
be offline: whether the authority's certificate was revoked.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import new as digest_of
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from custody.proof import der
from custody.proof.der import Element, Reader
from custody.proof.strict import Malformed, ProofError

MAX_TOKEN_BYTES = 64 * 1024
_SIGNED_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_CERTIFICATE_V1, _CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_DIGESTS = {_SHA256: "sha256", "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512"}
_HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
_SIGNATURES = {
    "1.2.840.113549.1.1.1": (rsa.RSAPublicKey, None),
    "1.2.840.113549.1.1.11": (rsa.RSAPublicKey, "sha256"),
    "1.2.840.113549.1.1.12": (rsa.RSAPublicKey, "sha384"),
    "1.2.840.113549.1.1.13": (rsa.RSAPublicKey, "sha512"),
    "1.2.840.10045.4.3.2": (ec.EllipticCurvePublicKey, "sha256"),
    "1.2.840.10045.4.3.3": (ec.EllipticCurvePublicKey, "sha384"),
    "1.2.840.10045.4.3.4": (ec.EllipticCurvePublicKey, "sha512"),
    "1.3.101.112": (ed25519.Ed25519PublicKey, None),
}
_TIME = re.compile(rb"(\d{14})(\.\d*[1-9])?Z")
_CURVES = ("secp256r1", "secp384r1", "secp521r1")  # what every browser verifies too
_MAX_CHAIN = 6
_UNREADABLE = (
    ValueError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    Warning,  # where warnings are errors: what the library only deplores today it will refuse tomorrow
)


class TokenInvalid(ProofError):
    """The token does not say what it must say, or its signature does not fit."""


class AuthorityUnknown(ProofError):
    """The token is by an authority that leads to none of the reader's roots."""


@dataclass(frozen=True)
class Timestamp:
    """A verified token: when (whole seconds since 1970, rounded down), under which policy, by whom (certificate's
    subject, RFC 4514), and the nonce of the request if it had one.
    """

    time_s: int
    policy: str
    authority: str
    nonce: int | None


@dataclass(frozen=True)
class _Info:
    policy: str
    algorithm: str
    digest: bytes
    moment: datetime
    nonce: int | None


@dataclass(frozen=True)
class _Signed:
    """What of a token's SignedData matters."""

    content: bytes
    certificates: tuple[x509.Certificate, ...]
    signer: Reader


def request(message: bytes, nonce: int) -> bytes:
    """A TimeStampReq over the SHA-256 of `message`, asking for the authority's certificates (RFC 3161 §2.4.1)."""
    imprint = der.encode(der.SEQUENCE, algorithm(_SHA256), der.encode(der.OCTETS, sha256(message).digest()))
    certificates = der.encode(der.BOOLEAN, b"\xff")
    return der.encode(der.SEQUENCE, der.encode_integer(1), imprint, der.encode_integer(nonce), certificates)


def algorithm(oid: str) -> bytes:
    """An AlgorithmIdentifier without parameters."""
    return der.encode(der.SEQUENCE, der.encode_oid(oid))


def response_token(data: bytes) -> bytes:
    """The token in a granted TimeStampResp (RFC 3161 §2.4.2). Raises Malformed, or TokenInvalid if it was refused."""
    reader = der.whole(data, der.SEQUENCE).reader()
    status = der.integer(reader.take(der.SEQUENCE).reader().take(der.INTEGER))
    token = reader.optional(der.SEQUENCE)
    reader.end()
    if status not in (0, 1) or token is None:
        raise TokenInvalid("the authority did not grant a time stamp")
    return token.raw


def parse_roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The reader's own roots from a PEM file. Raises Malformed, also for none."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise Malformed("not a PEM file of certificates") from error


def verify(
    token: bytes, message: bytes, roots: Sequence[x509.Certificate], others: Sequence[x509.Certificate] = ()
) -> Timestamp:
    """What a token (see `response_token`) proves about `message` to one who trusts `roots`.

    `others` are certificates that the token may have left out, its signer's or an issuer's; they are not trusted.
    Raises Malformed, TokenInvalid, or AuthorityUnknown if all is right but for the chain to a root. Not checked:
    revocation.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise Malformed("a time stamp is larger than 64 KiB")
    signed = _signed_data(token)
    info = _info(signed.content)
    if digest_of(info.algorithm, message, usedforsecurity=True).digest() != info.digest:
        raise TokenInvalid("the time stamp is over other data")
    certificates = (*signed.certificates, *others)
    certificate = _verify_signer(signed, certificates)
    _for_time_stamping(certificate)
    _verify_chain(certificate, certificates, roots, info.moment)
    return Timestamp(int(info.moment.timestamp()), info.policy, certificate.subject.rfc4514_string(), info.nonce)


def _signed_data(token: bytes) -> _Signed:
    """ContentInfo and SignedData (RFC 5652 §3, §5.1) around a TSTInfo."""
    outer = der.whole(token, der.SEQUENCE).reader()
    _expect_oid(outer, _SIGNED_DATA)
    explicit = outer.take(der.context(0)).reader()
    outer.end()
    reader = explicit.take(der.SEQUENCE).reader()
    explicit.end()
    _expect_version(reader, 3)
    reader.take(der.SET)
    encapsulated = reader.take(der.SEQUENCE).reader()
    _expect_oid(encapsulated, _TST_INFO)
    content = der.whole(encapsulated.take(der.context(0)).content, der.OCTETS).content
    certificates = reader.optional(der.context(0))
    reader.optional(der.context(1))
    signers = reader.take(der.SET).reader()
    signer = signers.take(der.SEQUENCE)
    for rest in (encapsulated, reader, signers):
        rest.end()
    found = [_certificate(one) for one in certificates.reader().all()] if certificates else []
    return _Signed(content, tuple(filter(None, found)), signer.reader())


def _info(content: bytes) -> _Info:
    """TSTInfo (RFC 3161 §2.4.2)."""
    reader = der.whole(content, der.SEQUENCE).reader()
    _expect_version(reader, 1)
    policy = der.oid(reader.take(der.OID))
    imprint = reader.take(der.SEQUENCE).reader()
    name = _digest_name(imprint.take(der.SEQUENCE))
    digest = imprint.take(der.OCTETS).content
    imprint.end()
    der.integer(reader.take(der.INTEGER))
    moment = _moment(reader.take(der.GENERALIZED_TIME).content)
    reader.optional(der.SEQUENCE)
    reader.optional(der.BOOLEAN)
    nonce = reader.optional(der.INTEGER)
    reader.optional(der.context(0))
    extensions = reader.optional(der.context(1))
    reader.end()
    for one in extensions.reader().all() if extensions else ():
        parts = one.reader()
        parts.take(der.OID)
        if parts.optional(der.BOOLEAN):
            raise TokenInvalid("the time stamp has a critical part that is not known")
    return _Info(policy, name, digest, moment, der.integer(nonce) if nonce else None)


def _moment(content: bytes) -> datetime:
    match = _TIME.fullmatch(content)
    try:
        if match:
            return datetime.strptime(match[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        pass
    raise Malformed("a time is not in the form of time stamps")


def _verify_signer(signed: _Signed, certificates: Iterable[x509.Certificate]) -> x509.Certificate:
    """SignerInfo (RFC 5652 §5.3, §5.4): the certificate whose key signed the attributes that name the content."""
    reader = signed.signer
    _expect_version(reader, 1)
    certificate = _named(reader, certificates)
    name = _digest_name(reader.take(der.SEQUENCE))
    attributes = reader.take(der.context(0))
    signature_algorithm = der.oid(reader.take(der.SEQUENCE).reader().take(der.OID))
    signature = reader.take(der.OCTETS).content
    reader.optional(der.context(1))
    reader.end()
    values = _attributes(attributes)
    content_type, message_digest = (values.get(key) for key in (_CONTENT_TYPE, _MESSAGE_DIGEST))
    if content_type is None or content_type.raw != der.encode_oid(_TST_INFO):
        raise TokenInvalid("the time stamp's signature is not over a time stamp")
    digest = digest_of(name, signed.content, usedforsecurity=True).digest()
    if message_digest is None or message_digest.raw != der.encode(der.OCTETS, digest):
        raise TokenInvalid("the time stamp's signature is over another time stamp")
    _names_certificate(values, certificate)
    # RFC 5652 §5.4: signed is the attributes' own SET, not the tag under which they travel.
    _verify_bytes(certificate, signature_algorithm, name, signature, bytes([der.SET]) + attributes.raw[1:])
    return certificate


def _named(reader: Reader, certificates: Iterable[x509.Certificate]) -> x509.Certificate:
    """The certificate that the signer identifier names."""
    identifier = reader.take(der.SEQUENCE).reader()
    issuer, serial = identifier.take(der.SEQUENCE).raw, der.integer(identifier.take(der.INTEGER))
    identifier.end()
    for certificate in certificates:
        if certificate.serial_number == serial and certificate.issuer.public_bytes() == issuer:
            return certificate
    raise TokenInvalid("the time stamp does not carry its signer's certificate")


def _attributes(attributes: Element) -> dict[str, Element]:
    values: dict[str, Element] = {}
    for attribute in attributes.reader().all():
        parts = attribute.reader()
        name = der.oid(parts.take(der.OID))
        found = list(parts.take(der.SET).reader().all())
        parts.end()
        if len(found) != 1 or name in values:
            raise Malformed("an attribute stands twice or has not one value")
        values[name] = found[0]
    return values


def _names_certificate(values: dict[str, Element], certificate: x509.Certificate) -> None:
    """RFC 3161 §2.4.2 and RFC 5816: the signature names its certificate, so that no other can take its place."""
    found = values.get(_CERTIFICATE_V2) or values.get(_CERTIFICATE_V1)
    if found is None:
        raise TokenInvalid("the time stamp's signature names no certificate")
    first = found.reader().take(der.SEQUENCE).reader().take(der.SEQUENCE).reader()
    name = "sha1"
    if _CERTIFICATE_V2 in values:
        given = first.optional(der.SEQUENCE)
        name = _digest_name(given) if given else "sha256"
    # SHA-1 in the older attribute only tells certificates of the same chain apart; the chain itself is verified.
    digest = digest_of(name, _der(certificate), usedforsecurity=False).digest()
    if first.take(der.OCTETS).content != digest:
        raise TokenInvalid("the time stamp's signature names another certificate")


def _verify_bytes(certificate: x509.Certificate, oid: str, digest: str, signature: bytes, message: bytes) -> None:
    kind, fixed = _SIGNATURES.get(oid, (None, None))
    key = certificate.public_key()
    if kind is None or not isinstance(key, kind) or (fixed and fixed != digest) or not _usual(key):
        raise TokenInvalid("the time stamp is signed in a way that is not known")
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), _HASHES[digest])
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(_HASHES[digest]))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
    except InvalidSignature as error:
        raise TokenInvalid("the time stamp's signature does not fit") from error


def _usual(key: object) -> bool:
    return not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name in _CURVES


def _for_time_stamping(certificate: x509.Certificate) -> None:
    """RFC 3161 §2.3: the key is for time stamps and for nothing else, and says so critically."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, ValueError) as error:
        raise TokenInvalid("the signer's certificate is not for time stamps") from error
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise TokenInvalid("the signer's certificate is not for time stamps")


def _verify_chain(
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    moment: datetime,
) -> None:
    """From the signer to a root, every certificate valid at `moment` (RFC 5280 §6.1, names and policies apart)."""
    current = certificate
    for below in range(_MAX_CHAIN):
        if not current.not_valid_before_utc <= moment <= current.not_valid_after_utc:
            raise TokenInvalid("a certificate was not valid at the time of the time stamp")
        if current in roots:
            return
        issuers = [one for one in (*roots, *others) if _issued(one, current, below)]
        if not issuers:
            break
        current = issuers[0]
    raise AuthorityUnknown("the time stamp's authority leads to none of the trusted roots")


def _issued(issuer: x509.Certificate, certificate: x509.Certificate, below: int) -> bool:
    """Whether `issuer` may issue and has issued this certificate, with `below` issuers under itself."""
    try:
        if certificate.signature_algorithm_oid.dotted_string not in _SIGNATURES or not _usual(issuer.public_key()):
            return False
        certificate.verify_directly_issued_by(issuer)
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        usages = [one.value for one in issuer.extensions if isinstance(one.value, x509.KeyUsage)]
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    deep_enough = constraints.path_length is None or constraints.path_length >= below
    return constraints.ca and deep_enough and all(usage.key_cert_sign for usage in usages)


def _certificate(element: Element) -> x509.Certificate | None:
    """A certificate whose parts can all be read: `cryptography` reads them only when they are asked for.

    None for any other: no signature covers what a token carries along, and whoever is needed is missed later.
    """
    with suppress(*_UNREADABLE):
        certificate = x509.load_der_x509_certificate(element.raw)
        read = (
            certificate.issuer.public_bytes(),
            certificate.subject.rfc4514_string(),
            certificate.public_key(),
            certificate.extensions,
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )
        del read
        return certificate
    return None


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _digest_name(element: Element) -> str:
    reader = element.reader()
    name = _DIGESTS.get(der.oid(reader.take(der.OID)))
    parameters = reader.optional(der.NULL)
    reader.end()
    if name is None or (parameters and parameters.content):
        raise TokenInvalid("the time stamp uses a digest that is not known")
    return name


def _expect_oid(reader: Reader, oid: str) -> None:
    if der.oid(reader.take(der.OID)) != oid:
        raise Malformed("not a time-stamp token")


def _expect_version(reader: Reader, version: int) -> None:
    if der.integer(reader.take(der.INTEGER)) != version:
        raise TokenInvalid("the time stamp has another version")
