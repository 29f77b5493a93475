"""RFC 3161 tokens: what OpenSSL and our development authority make verifies, and nothing else does."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from custody.proof import der, timestamp
from custody.proof.strict import Malformed, ProofError
from custody.proof.timestamp import AuthorityUnknown, TokenInvalid
from evidence_api.stack import authority
from evidence_api.stack.authority import Authority
from tests.unit.custody.proof import openssl_reply

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MESSAGE = b"dalel.example/log\n1\nAAAA\n"
ROOT, AUTHORITY = authority.issue(NOW - timedelta(days=1))
OTHER_ROOT, OTHER = authority.issue(NOW - timedelta(days=1))


def token(message: bytes = MESSAGE, by: Authority = AUTHORITY, at: datetime = NOW) -> bytes:
    return timestamp.response_token(by.respond(timestamp.request(message, 7), at))


def refused(data: bytes, reason: str, roots: tuple[x509.Certificate, ...] = (ROOT,)) -> None:
    with pytest.raises(ProofError, match=reason):
        timestamp.verify(data, MESSAGE, roots)


def test_our_development_authority_verifies_and_says_what_it_is() -> None:
    stamp = timestamp.verify(token(), MESSAGE, [OTHER_ROOT, ROOT])
    assert (stamp.time_s, stamp.nonce) == (int(NOW.timestamp()), 7)
    assert stamp.policy == authority.DEVELOPMENT_POLICY
    assert "DEVELOPMENT" in stamp.authority


def test_openssl_verifies() -> None:
    """Made elsewhere: RSA, PKCS #1 v1.5, a tsa field, accuracy, ordering."""
    roots = timestamp.parse_roots(openssl_reply.ROOT)
    stamp = timestamp.verify(timestamp.response_token(openssl_reply.REPLY), openssl_reply.MESSAGE, roots)
    assert (stamp.authority, stamp.policy, stamp.nonce) == ("CN=Test TSA", "1.2.3.4.1", openssl_reply.NONCE)
    assert datetime.fromtimestamp(stamp.time_s, UTC).year == 2026


def test_over_other_data() -> None:
    with pytest.raises(TokenInvalid, match="other data"):
        timestamp.verify(token(b"another"), MESSAGE, [ROOT])


def test_wrong_chain() -> None:
    with pytest.raises(AuthorityUnknown):
        timestamp.verify(token(by=OTHER), MESSAGE, [ROOT])
    with pytest.raises(AuthorityUnknown):
        timestamp.verify(token(), MESSAGE, [])


def test_outside_the_certificates_time() -> None:
    refused(token(at=NOW - timedelta(days=2)), "not valid at the time")
    refused(token(at=NOW + timedelta(days=4000)), "not valid at the time")


def test_own_key_under_the_authoritys_certificate() -> None:
    forged = Authority(AUTHORITY.certificate, ec.generate_private_key(ec.SECP256R1()))
    refused(token(by=forged), "does not fit")


def test_a_certificate_that_is_not_for_time_stamps() -> None:
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ends = NOW + timedelta(days=9)
    name = authority._name("root")
    root = authority._builder(name, name, root_key.public_key(), NOW - timedelta(days=9), ends)
    root_certificate = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        root_key, hashes.SHA256()
    )
    begun = authority._builder(authority._name("web"), name, key.public_key(), NOW - timedelta(days=9), ends)
    server = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])
    stamping = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.TIME_STAMPING])
    for builder, holds in (
        (begun, False),
        (begun.add_extension(server, critical=True), False),
        (begun.add_extension(stamping, critical=False), False),
        (begun.add_extension(stamping, critical=True), True),
    ):
        made = token(by=Authority(builder.sign(root_key, hashes.SHA256()), key))
        if holds:
            assert timestamp.verify(made, MESSAGE, [root_certificate]).authority == "CN=web"
        else:
            refused(made, "not for time stamps", (root_certificate,))


def test_an_authority_is_no_issuer() -> None:
    """What the authority's own key issues does not lead to its root."""
    key = ec.generate_private_key(ec.SECP256R1())
    begun = authority._builder(
        authority._name("mallory"), AUTHORITY.certificate.subject, key.public_key(), NOW - timedelta(days=1), NOW
    )
    stamping = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.TIME_STAMPING])
    mallory = begun.add_extension(stamping, critical=True).sign(AUTHORITY.key, hashes.SHA256())
    with pytest.raises(AuthorityUnknown):
        timestamp.verify(token(by=Authority(mallory, key)), MESSAGE, [ROOT])


GOOD = token()


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused(place: int, mask: int) -> None:
    changed = bytearray(GOOD)
    changed[place] ^= mask
    try:
        stamp = timestamp.verify(bytes(changed), MESSAGE, [ROOT])
    except ProofError:
        return
    # Outside every signature stands only the list of digests, which says nothing.
    assert stamp == timestamp.verify(GOOD, MESSAGE, [ROOT])


@given(
    st.binary(max_size=200) | st.builds(lambda at, data: GOOD[:at] + data + GOOD[at:], st.integers(0, 900), st.binary())
)
def test_any_bytes_are_refused_by_one_kind_of_error(data: bytes) -> None:
    if data == GOOD:
        return
    with pytest.raises(ProofError):
        timestamp.verify(data, MESSAGE, [ROOT])
    try:
        timestamp.response_token(data)
    except ProofError:
        return


def test_bounds() -> None:
    refused(GOOD + b"\0", "left over")
    refused(GOOD[:-1], "DER")
    refused(b"x" * 70_000, "64 KiB")
    refused(der.encode(der.SEQUENCE, der.encode_oid("1.2.3"), der.encode(der.context(0))), "not a time-stamp token")


def test_a_reply_that_grants_nothing() -> None:
    assert authority.Authority.respond(AUTHORITY, b"junk", NOW) == authority._REJECTED
    with pytest.raises(TokenInvalid):
        timestamp.response_token(authority._REJECTED)


def test_roots() -> None:
    for data in (b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(Malformed):
            timestamp.parse_roots(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02",
        b"\x02\x01",
        b"\x02\x81\x01\x01",
        b"\x02\x80\x01\x00\x00",
        b"\x02\x82\x00\x80" + b"\1" * 128,
        b"\x02\x85\x01\x00\x00\x00\x00",
        b"\x1f\x01\x00",
        b"\x02\x00",
        b"\x02\x02\x00\x01",
        b"\x02\x02\xff\xff",
        b"\x02\x01\x01\x00",
    ],
)
def test_integers_have_one_spelling(data: bytes) -> None:
    with pytest.raises(Malformed):
        der.integer(der.whole(data, der.INTEGER))


@pytest.mark.parametrize("content", [b"", b"\x80\x01", b"\x2a\x80", b"\x2a\x80\x01", b"\x2a\x81"])
def test_object_identifiers_have_one_spelling(content: bytes) -> None:
    with pytest.raises(Malformed):
        der.oid(der.whole(der.encode(der.OID, content), der.OID))


@given(st.integers(0, 2**200))
def test_integers_come_back(value: int) -> None:
    assert der.integer(der.whole(der.encode_integer(value), der.INTEGER)) == value


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 2**130), max_size=6))
def test_object_identifiers_come_back(first: int, second: int, rest: list[int]) -> None:
    text = ".".join(map(str, [first, second, *rest]))
    assert der.oid(der.whole(der.encode_oid(text), der.OID)) == text


@given(st.binary(max_size=70_000))
def test_lengths_come_back(content: bytes) -> None:
    assert der.whole(der.encode(der.OCTETS, content), der.OCTETS).content == content


@pytest.mark.parametrize("text", [b"20261122000000", b"20261122000000.0Z", b"20261122000000+0500", b"20261322000000Z"])
def test_times_have_one_form(text: bytes) -> None:
    with pytest.raises(Malformed):
        timestamp._moment(text)
    assert timestamp._moment(b"20261122010203.5Z") == datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
