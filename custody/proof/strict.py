"""Strict readings of small text forms: one spelling for each value, everything else refused."""

import binascii
import re

MAX_NUMBER = 2**63 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
HEX_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


class ProofError(ValueError):
    """What this package raises. `reason` is one of a fixed set of English phrases, so that it can be translated;
    `detail` is what it is about (an entry, a key's name, a field), as the input gave it, or empty.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class Malformed(ProofError):
    """The text or the bytes are not in the declared format."""


def decimal(text: str) -> int:
    """A number 0..2^63-1 in ASCII digits without sign, leading zero or spaces. Raises Malformed."""
    if not _DECIMAL.fullmatch(text):
        raise Malformed("a number is not a plain decimal")
    value = int(text)
    if value > MAX_NUMBER:
        raise Malformed("a number is 2^63 or more")
    return value


def base64_bytes(text: str, size: int | None = None) -> bytes:
    """The bytes of a standard, padded base64 text (RFC 4648 §4, zero pad bits §3.5); `size` in bytes if fixed.

    Raises Malformed.
    """
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise Malformed("not base64") from error
    if binascii.b2a_base64(data, newline=False) != text.encode():
        raise Malformed("base64 with another spelling of the same bytes")
    if size is not None and len(data) != size:
        raise Malformed("base64 of another number of bytes than needed")
    return data


def base64_text(data: bytes) -> str:
    """The one spelling that `base64_bytes` accepts."""
    return binascii.b2a_base64(data, newline=False).decode()


def sha256_text(text: object) -> str:
    """`text` if it is `sha256:` and 64 lower-case hex digits. Raises Malformed."""
    if not isinstance(text, str) or not HEX_SHA256.fullmatch(text):
        raise Malformed("a digest is not sha256: and 64 lower-case hex digits")
    return text
