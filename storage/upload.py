"""One upload's offsets and states: tus 1.0 as a pure state machine, without input or output.

`created → receiving → received → sealed | refused`, and from the first two also `expired` and `terminated`. An offset
is only ever claimed for bytes that are durable; who calls `advance` has made them so.
Source: https://tus.io/protocols/resumable-upload 1.0.x, sections «Core Protocol», «Creation», «Checksum», «Expiration».
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from custody.kernel.errors import Conflict, Gone, Invalid, TooLarge

CHECKSUM_ALGORITHMS: Final = ("sha256", "sha1")
"""What `Upload-Checksum` may name; SHA-1 is required by tus and guards the wire only, never the evidence."""


class State(StrEnum):
    """Where an upload stands. `sealed`, `refused`, `expired` and `terminated` are final."""

    CREATED = "created"
    RECEIVING = "receiving"
    RECEIVED = "received"
    SEALED = "sealed"
    REFUSED = "refused"
    EXPIRED = "expired"
    TERMINATED = "terminated"


OPEN: Final = frozenset({State.CREATED, State.RECEIVING})
"""States in which bytes may come."""

ENDED: Final = frozenset({State.REFUSED, State.EXPIRED, State.TERMINATED})
"""States that leave nothing in the store: what is there can be discarded."""


@dataclass(frozen=True)
class Limits:
    """What is announced before the first byte: the largest upload in bytes and how long an idle one is kept."""

    max_bytes: int = 100 * 1024**3
    lifetime: timedelta = timedelta(days=7)


@dataclass(frozen=True)
class Progress:
    """The durable truth of an upload: announced size, bytes held, state, and when it expires if nothing comes."""

    state: State
    size_bytes: int
    offset_bytes: int
    expires_at: datetime


def announce(size_bytes: int, limits: Limits, now: datetime) -> Progress:
    """A new upload. Raises Invalid `upload.empty` for nothing, TooLarge `upload.too_large` above the limit."""
    if size_bytes <= 0:
        raise Invalid("upload.empty")
    if size_bytes > limits.max_bytes:
        raise TooLarge("upload.too_large", most_bytes=limits.max_bytes)
    return Progress(State.CREATED, size_bytes, 0, now + limits.lifetime)


def check_append(progress: Progress, offset_bytes: int, declared_bytes: int | None, now: datetime) -> None:
    """May bytes be appended here? `declared_bytes` is the request's length when it says one.

    Raises Gone `upload.expired`, `upload.terminated`; Conflict `upload.already_received`, `upload.refused`,
    `upload.wrong_offset`; TooLarge `upload.larger_than_announced`.
    """
    match progress.state:
        case State.EXPIRED:
            raise Gone("upload.expired")
        case State.TERMINATED:
            raise Gone("upload.terminated")
        case State.REFUSED:
            raise Conflict("upload.refused")
        case State.RECEIVED | State.SEALED:
            raise Conflict("upload.already_received")
        case _:
            pass
    if now >= progress.expires_at:
        raise Gone("upload.expired")
    if offset_bytes != progress.offset_bytes:
        raise Conflict("upload.wrong_offset", expected=progress.offset_bytes)
    check_fits(progress.size_bytes, offset_bytes + (declared_bytes or 0))


def check_fits(size_bytes: int, end_bytes: int) -> None:
    """Raises TooLarge `upload.larger_than_announced` when bytes would end behind the announced size."""
    if end_bytes > size_bytes:
        raise TooLarge("upload.larger_than_announced", announced_bytes=size_bytes)


def advance(progress: Progress, offset_bytes: int, now: datetime, lifetime: timedelta) -> Progress:
    """The bytes up to `offset_bytes` are durable now; the last one makes it `received`. Time to live starts anew."""
    if progress.state not in OPEN or not progress.offset_bytes <= offset_bytes <= progress.size_bytes:
        raise Conflict("upload.wrong_offset", expected=progress.offset_bytes)
    if offset_bytes == progress.size_bytes:
        state = State.RECEIVED
    else:
        state = State.RECEIVING if offset_bytes else State.CREATED
    return replace(progress, state=state, offset_bytes=offset_bytes, expires_at=now + lifetime)


def seal(progress: Progress) -> Progress:
    """Verified and locked. Sealing what is sealed changes nothing; raises Conflict `upload.not_received`."""
    if progress.state is State.SEALED:
        return progress
    if progress.state is not State.RECEIVED:
        raise Conflict("upload.not_received")
    return replace(progress, state=State.SEALED)


def refuse(progress: Progress) -> Progress:
    """Checked and not accepted. Refusing again changes nothing; raises Conflict `upload.not_received`."""
    if progress.state is State.REFUSED:
        return progress
    if progress.state is not State.RECEIVED:
        raise Conflict("upload.not_received")
    return replace(progress, state=State.REFUSED)


def terminate(progress: Progress) -> Progress:
    """Given up by the client. Again changes nothing; raises Conflict `upload.already_received` once all is there."""
    match progress.state:
        case State.CREATED | State.RECEIVING:
            return replace(progress, state=State.TERMINATED)
        case State.TERMINATED:
            return progress
        case State.EXPIRED:
            raise Gone("upload.expired")
        case _:
            raise Conflict("upload.already_received")


def expire(progress: Progress, now: datetime) -> Progress:
    """Left alone too long. Changes nothing before its time or when all bytes are there."""
    if progress.state in OPEN and now >= progress.expires_at:
        return replace(progress, state=State.EXPIRED)
    return progress


@dataclass(frozen=True)
class Checksum:
    """What a client says of one request's body: `Upload-Checksum: sha256 <base64>`."""

    algorithm: str
    digest: bytes

    @classmethod
    def parse(cls, header: str) -> "Checksum":
        """Raises Invalid `upload.bad_checksum_header` (another algorithm, not base64, a digest of another length)."""
        algorithm, _, encoded = header.partition(" ")
        if algorithm not in CHECKSUM_ALGORITHMS:
            raise Invalid("upload.bad_checksum_header")
        try:
            digest = base64.b64decode(encoded, validate=True)
        except binascii.Error as fault:
            raise Invalid("upload.bad_checksum_header") from fault
        if len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
            raise Invalid("upload.bad_checksum_header")
        return cls(algorithm, digest)

    def check(self, data: bytes) -> None:
        """Raises Invalid `upload.checksum_mismatch` unless these are the bytes."""
        if hashlib.new(self.algorithm, data, usedforsecurity=False).digest() != self.digest:
            raise Invalid("upload.checksum_mismatch")


def parse_metadata(header: str) -> dict[str, str]:
    """`Upload-Metadata` as text by key. Raises Invalid `upload.bad_metadata`: shape, base64, UTF-8 or a key twice."""
    found: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else []:
        key, _, encoded = pair.strip().partition(" ")
        if not re.fullmatch(r"[!-+\--~]+", key) or key in found:
            raise Invalid("upload.bad_metadata")
        try:
            found[key] = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as fault:
            raise Invalid("upload.bad_metadata") from fault
    return found


def parse_sha256(text: str) -> str:
    """A client's digest as `sha256:<hex>`; the prefix may be left out. Raises Invalid `upload.bad_digest`."""
    digest = text.strip().lower().removeprefix("sha256:")
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise Invalid("upload.bad_digest")
    return "sha256:" + digest


def parse_length(text: str) -> int:
    """A count of bytes in a header: ASCII digits only. Raises Invalid `upload.bad_length`."""
    if not re.fullmatch(r"[0-9]{1,19}", text):
        raise Invalid("upload.bad_length")
    return int(text)
