"""Certificates for SeaweedFS's inner traffic (gRPC), which without them obeys anybody who can connect.

One authority whose key is thrown away once it has signed one certificate, which every part of the server uses on both
sides. So nobody can make another that the parts would accept.
"""

from datetime import datetime, timedelta
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_YEARS = 20
_PARTS = ("master", "volume", "filer", "s3", "admin", "worker", "client", "msg_broker")


def issue(now: datetime) -> dict[str, bytes]:
    """`ca.crt`, `grpc.crt` and `grpc.key` in PEM, ECDSA P-256, valid for twenty years from a day before `now`."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority_name, name = _name("Dälel object store"), _name("Dälel object store, inner traffic")
    authority = _builder(authority_name, authority_name, authority_key, now)
    authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    leaf = _builder(name, authority_name, key, now)
    leaf = leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    leaf = leaf.add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    leaf = leaf.add_extension(both, critical=False)
    return {
        "ca.crt": authority.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        "grpc.crt": leaf.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        "grpc.key": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    }


def security_toml(directory: str) -> str:
    """SeaweedFS's `security.toml` for certificates that lie in this directory."""
    lines = ["[grpc]", f'ca = "{directory}/ca.crt"']
    for part in _PARTS:
        lines += [f"[grpc.{part}]", f'cert = "{directory}/grpc.crt"', f'key = "{directory}/grpc.key"']
    return "\n".join([*lines, ""])


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
    )
