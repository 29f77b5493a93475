"""Time stamps: missing, over other data, of a wrong chain, long before, long after, from the future, not tokens."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from custody.proof import bundle, timestamp
from custody.proof.refusal import Step
from evidence_api.stack import authority
from evidence_api.stack.authority import Authority
from tests.attacks import forge

STORY = forge.tell()
LOG = forge.Log(forge.chained(STORY.events))
TEXT = LOG.head().text().encode()
NOW = datetime.fromtimestamp(forge.NOW_S, UTC)
ROOT, TRUSTED = authority.issue(NOW - timedelta(days=365))
OTHER_ROOT, UNKNOWN = authority.issue(NOW - timedelta(days=365))


def token(message: bytes = TEXT, by: Authority = TRUSTED, at: datetime = NOW) -> bytes:
    return timestamp.response_token(by.respond(timestamp.request(message, 1), at))


def stamped(*tokens: bytes, log: forge.Log = LOG) -> dict[str, bytes]:
    return forge.entries(STORY, log, timestamps=tokens)


def refused(code: str, *tokens: bytes) -> None:
    forge.refused(stamped(*tokens), Step.TIME_STAMPS, code, tsa_roots=[ROOT])


def test_one_by_an_authority_of_the_reader_is_enough() -> None:
    verified = forge.checked(forge.zipped(stamped(token(by=UNKNOWN), token())), tsa_roots=[ROOT])
    assert [stamp.time_s for stamp in verified.timestamps] == [forge.NOW_S]
    assert "DEVELOPMENT" in verified.timestamps[0].authority
    assert verified.steps[-1].code == "passed.time_stamps"
    assert "custody/timestamps/1.tst" not in verified.unsigned


def test_not_asked() -> None:
    """Without roots nothing about time is believed, and the token is said to be unchecked."""
    verified = forge.checked(forge.zipped(stamped(b"junk")))
    assert (verified.steps[-1].code, verified.timestamps) == ("passed.not_asked", ())
    assert "custody/timestamps/1.tst" in verified.unsigned


def test_missing() -> None:
    refused("timestamps.missing")


def test_wrong_chain() -> None:
    refused("timestamps.missing", token(by=UNKNOWN))


@pytest.mark.parametrize(
    "bad",
    [
        token(TEXT + b"x"),
        token(forge.Log(LOG.leaves[:-1]).head().text().encode()),
        token()[:-1] + b"\0",
        token(by=Authority(TRUSTED.certificate, UNKNOWN.key)),
        token(at=NOW - timedelta(days=400)),
        b"junk",
        b"",
    ],
    ids=["other data", "another checkpoint", "flipped", "own key", "certificate not valid yet", "junk", "empty"],
)
def test_false_token(bad: bytes) -> None:
    """It spoils the package even beside a good one."""
    refused("timestamps.invalid", bad)
    refused("timestamps.invalid", token(), bad)


def test_long_before() -> None:
    first = datetime.fromtimestamp(1_790_000_000, UTC)
    refused("timestamps.early", token(at=first - timedelta(minutes=10)))
    forge.checked(forge.zipped(stamped(token(at=first - timedelta(minutes=4)))), tsa_roots=[ROOT])


def test_long_after_and_from_the_future() -> None:
    refused("timestamps.late", token(at=NOW + timedelta(seconds=1)))
    early = forge.Log(LOG.leaves, witness_time_s=forge.NOW_S - 8 * 86_400)
    package = stamped(token(), log=early)
    forge.refused(package, Step.TIME_STAMPS, "timestamps.late", tsa_roots=[ROOT])


@pytest.mark.parametrize("name", ["custody/timestamps/0.tst", "custody/timestamps/10.tst", "custody/timestamps/x"])
def test_other_files_beside_tokens(name: str) -> None:
    package = forge.relisted({**stamped(token()), name: token()})
    forge.refused(package, Step.FILES, "files.extra", tsa_roots=[ROOT])


def test_unlisted_token() -> None:
    package = {**stamped(), bundle.timestamp_entry(1): token()}
    forge.refused(package, Step.FILES, "files.extra", tsa_roots=[ROOT])


STAMPING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
BOTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.SERVER_AUTH])
IssuerKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def made(
    issuer_key: IssuerKey,
    digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None,
    usage: x509.ExtendedKeyUsage | None = STAMPING,
    *,
    critical: bool = True,
    ca: bool = True,
) -> tuple[x509.Certificate, Authority]:
    """A root with this key and an authority under it."""
    key = ec.generate_private_key(ec.SECP256R1())
    begins, ends = NOW - timedelta(days=9), NOW + timedelta(days=9)
    name = authority._name('Root, of "all" <x>')
    own = authority._builder(name, name, issuer_key.public_key(), begins, ends)
    root = own.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True).sign(issuer_key, digest)
    builder = authority._builder(authority._name("#Орган + 1;"), name, key.public_key(), begins, ends)
    if usage:
        builder = builder.add_extension(usage, critical=critical)
    return root, Authority(builder.sign(issuer_key, digest), key)


EC_KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("issuer_key", "digest"),
    [
        (ec.generate_private_key(ec.SECP384R1()), hashes.SHA384()),
        (ec.generate_private_key(ec.SECP521R1()), hashes.SHA512()),
        (rsa.generate_private_key(65537, 2048), hashes.SHA256()),
        (ed25519.Ed25519PrivateKey.generate(), None),
    ],
    ids=["P-384", "P-521", "RSA", "Ed25519"],
)
def test_chains_of_every_kind_of_key(issuer_key: IssuerKey, digest: hashes.SHA256 | None) -> None:
    root, by = made(issuer_key, digest)
    package = forge.zipped(stamped(token(by=by)))
    assert forge.checked(package, tsa_roots=[root]).timestamps[0].authority == "CN=\\#Орган \\+ 1\\;"
    # a root of the same name and another key has not issued it
    other, _ = made(EC_KEY, hashes.SHA256())
    forge.refused(package, Step.TIME_STAMPS, "timestamps.missing", tsa_roots=[other])


@pytest.mark.parametrize(
    ("usage", "critical"), [(None, True), (STAMPING, False), (BOTH, True)], ids=["none", "not critical", "two purposes"]
)
def test_certificate_that_is_not_for_time_stamps_alone(usage: x509.ExtendedKeyUsage | None, critical: bool) -> None:
    root, by = made(EC_KEY, hashes.SHA256(), usage, critical=critical)
    forge.refused(stamped(token(by=by)), Step.TIME_STAMPS, "timestamps.invalid", tsa_roots=[root])


def test_issuer_that_may_not_issue() -> None:
    root, by = made(EC_KEY, hashes.SHA256(), ca=False)
    forge.refused(stamped(token(by=by)), Step.TIME_STAMPS, "timestamps.missing", tsa_roots=[root])
    mallory, _ = made(TRUSTED.key, hashes.SHA256())
    by = Authority(
        authority._builder(
            authority._name("mallory"), TRUSTED.certificate.subject, EC_KEY.public_key(), NOW - timedelta(days=1), NOW
        )
        .add_extension(STAMPING, critical=True)
        .sign(TRUSTED.key, hashes.SHA256()),
        EC_KEY,
    )
    forge.refused(stamped(token(by=by)), Step.TIME_STAMPS, "timestamps.missing", tsa_roots=[ROOT, mallory])
