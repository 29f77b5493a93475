"""Is an object still what was sealed? Light: its ciphertext, without keys. Deep: decrypted, the plaintext's digest too.

Nothing here changes or removes anything. A store that answers and yet does not give an object's bytes is a difference,
one that does not answer at all is none: then nothing was learnt (Unavailable).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from custody.kernel.errors import Corrupt, NotFound, Unavailable
from storage.blob import BlobFacts
from storage.keys import KeyWrapper
from storage.ports import ObjectStore
from storage.segments import Layout, read_range

_TRIES: Final = 3


@dataclass(frozen=True)
class Difference:
    """What differs, where, what was recorded and what is there.

    `what`: missing, length, lock, ciphertext, unreadable, key, content. `place`: `object`, `lock`, or `segment <n>`
    from 0, segments being `segment_bytes` of plaintext each.
    """

    what: str
    place: str
    expected: str
    found: str


class _Differs(Exception):
    def __init__(self, difference: Difference) -> None:
        super().__init__(difference)
        self.difference = difference


@dataclass(frozen=True)
class Expected:
    """An object as it was recorded: where it lies, and the digest of each segment's ciphertext where they were kept."""

    facts: BlobFacts
    segments: tuple[str, ...] = ()

    @property
    def layout(self) -> Layout:
        """Where its bytes lie."""
        return Layout(self.facts.blob_id, self.facts.size_bytes, self.facts.segment_bytes)


@dataclass(frozen=True)
class Progress:
    """How far a light check has come: the next segment, and the bytes read for it. `whole` when all was read."""

    segment: int
    read_bytes: int
    whole: bool


def check_place(store: ObjectStore, facts: BlobFacts, now: datetime) -> Difference | None:
    """The object is there, as long as it was, and locked at least until its term. Raises Unavailable."""
    place = (facts.bucket, facts.key, facts.version_id)
    try:
        stored = store.head(*place)
        if stored.size_bytes != facts.ciphertext_bytes:
            return Difference("length", "object", str(facts.ciphertext_bytes), str(stored.size_bytes))
    except NotFound:
        return Difference("missing", "object", facts.ciphertext_sha256, "nothing")
    until = stored.locked_until
    if facts.retain_until > now and (until is None or until < facts.retain_until):
        return Difference("lock", "lock", _moment(facts.retain_until), _moment(until) if until else "none")
    return None


def check_light(
    store: ObjectStore, expected: Expected, start: int = 0, enough: Callable[[int], bool] = lambda _: False
) -> tuple[Difference | None, Progress]:
    """Read the ciphertext from segment `start` on and compare digests; no key is needed.

    `enough(read_bytes)` is asked after each segment and may end it there; `Progress.segment` is where to go on. An
    object whose segments' digests were not kept is read whole, from its beginning. Raises Unavailable.
    """
    layout = expected.layout
    if not expected.segments:
        digest = _Whole(expected.facts.ciphertext_sha256)
        found = _reading(store, expected, 0, lambda pieces: digest.run(pieces))
        return found, Progress(layout.count, layout.ciphertext_bytes, whole=True)
    segments = _Segments(layout, expected.segments, start)
    found = _reading(store, expected, start, lambda pieces: segments.run(pieces, enough), segments)
    ended = segments.number == layout.count
    return found, Progress(segments.number, segments.read_bytes, ended)


def check_deep(store: ObjectStore, keys: KeyWrapper, expected: Expected) -> Difference | None:
    """Read, compare the ciphertext, decrypt, compare the plaintext's digest. Raises Unavailable, also for the keys."""
    facts, layout = expected.facts, expected.layout
    try:
        data_key = keys.unwrap(facts.wrapped_key, facts.key_id, facts.blob_id)
    except Corrupt:
        return Difference("key", "object", facts.key_id, "keys.corrupt")

    def run(pieces: Iterator[bytes]) -> None:
        cipher = _Segments(layout, expected.segments, 0) if expected.segments else _Whole(facts.ciphertext_sha256)
        plain = hashlib.sha256()
        try:
            for piece in read_range(data_key, layout, lambda *_: cipher.passing(pieces), 0, layout.size_bytes):
                plain.update(piece)
        except Corrupt as fault:
            place = f"segment {cipher.number}" if isinstance(cipher, _Segments) else "object"
            for _ in cipher.passing(
                pieces
            ):  # a chunk that does not open is mostly one that rotted, and then this raises
                pass
            cipher.finish()
            # Bytes that were never authentic although their digest is the recorded one: seen only with the key.
            raise _Differs(Difference("content", place, facts.sha256, str(fault.params.get("what")))) from fault
        cipher.finish()
        if "sha256:" + plain.hexdigest() != facts.sha256:
            raise _Differs(Difference("content", "object", facts.sha256, "sha256:" + plain.hexdigest()))

    return _reading(store, expected, 0, run)


def _reading(
    store: ObjectStore,
    expected: Expected,
    start: int,
    run: Callable[[Iterator[bytes]], None],
    segments: "_Segments | None" = None,
) -> Difference | None:
    """`run` on the object's bytes; what it found. Tried again, from the segment reached, where the store broke off."""
    facts, layout = expected.facts, expected.layout
    for tried in range(1, _TRIES + 1):
        at = segments.number if segments else start
        offset = layout.offset(at)
        try:
            run(store.get(facts.bucket, facts.key, facts.version_id, offset, layout.ciphertext_bytes - offset))
        except _Differs as found:
            return found.difference
        except NotFound:
            return Difference("missing", "object", facts.ciphertext_sha256, "nothing")
        except Corrupt as fault:
            return Difference("length", "object", str(layout.ciphertext_bytes), str(fault.params.get("what")))
        except Unavailable:
            store.head(facts.bucket, facts.key, facts.version_id)  # raises when the store is away: nothing was learnt
            if tried == _TRIES:
                place = f"segment {segments.number}" if segments else "object"
                wanted = segments.wanted if segments else facts.ciphertext_sha256
                return Difference("unreadable", place, wanted, "store.unreachable")
            if segments:
                segments.again()
        else:
            return None
    raise AssertionError  # the last turn of the loop returns


class _Whole:
    """The digest of the whole ciphertext."""

    def __init__(self, expected: str) -> None:
        self._expected = expected
        self._digest = hashlib.sha256()

    def run(self, pieces: Iterator[bytes]) -> None:
        self._digest = hashlib.sha256()
        for piece in pieces:
            self._digest.update(piece)
        self.finish()

    def passing(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._digest.update(piece)
            yield piece

    def finish(self) -> None:
        found = "sha256:" + self._digest.hexdigest()
        if found != self._expected:
            raise _Differs(Difference("ciphertext", "object", self._expected, found))


class _Segments:
    """The digest of each segment's ciphertext, from `number` on."""

    def __init__(self, layout: Layout, expected: Sequence[str], number: int) -> None:
        self._layout, self._expected, self.number = layout, expected, number
        self.read_bytes = 0
        self.again()

    @property
    def wanted(self) -> str:
        """The recorded digest of the segment that is being read."""
        return self._expected[min(self.number, len(self._expected) - 1)]

    def again(self) -> None:
        """Begin the present segment anew."""
        self._digest = hashlib.sha256()
        self._left = self._layout.sealed(self.number) if self.number < self._layout.count else 0

    def run(self, pieces: Iterator[bytes], enough: Callable[[int], bool]) -> None:
        for piece in pieces:
            if self._take(piece) and enough(self.read_bytes):
                return
        if self.number < self._layout.count:
            raise _Differs(Difference("length", f"segment {self.number}", self.wanted, "truncated"))

    def passing(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._take(piece)
            yield piece

    def finish(self) -> None:
        """Each segment was compared when it was whole; a stream that ends early raises where it is read."""

    def _take(self, piece: bytes) -> bool:
        """Whether this piece ended a segment."""
        view, ended = memoryview(piece), False
        while self.number < self._layout.count and len(view) >= self._left:
            self._digest.update(view[: self._left])
            view = view[self._left :]
            found = "sha256:" + self._digest.hexdigest()
            if found != self.wanted:
                raise _Differs(Difference("ciphertext", f"segment {self.number}", self.wanted, found))
            self.read_bytes += self._layout.sealed(self.number)
            self.number += 1
            ended = True
            self.again()
        self._digest.update(view)
        self._left -= len(view)
        return ended


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()
