"""The stored format `dalel-blob-1`: a blob is a row of segments, each one C2SP message under the blob's own key.

Why segments: an upload may be cut and go on with other bytes, even after a SIGKILL. A segment is sent whole and every
attempt has a fresh random salt, hence its own derived key, so no (key, nonce) pair ever meets two plaintexts; a single
message over the whole blob could not promise that. A segment is also one part of an S3 multipart upload.

The context of each message binds it to the blob's id, the blob's size, the segment size and the segment's number, so
segments cannot be swapped, dropped, repeated or moved to another blob.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Final
from uuid import UUID

from custody.kernel.errors import Corrupt
from storage.crypto import (
    CHUNK_BYTES,
    HEADER_BYTES,
    SEALED_CHUNK_BYTES,
    TAG_BYTES,
    Chunks,
    chunk_count,
    encrypt,
    encrypt_into,
    sealed_bytes,
)
from storage.ports import Bytes

MIN_SEGMENT_BYTES: Final = 8 * 1024 * 1024
MAX_SEGMENTS: Final = 9_900
"""S3 allows 10,000 parts; some are left for other stores' habits."""

_DOMAIN: Final = b"dalel-blob-1\x00"
_BATCH_CHUNKS: Final = 64

Fetch = Callable[[int, int], Iterator[bytes]]
"""`fetch(offset, length)` streams ciphertext bytes of the stored object."""


def segment_bytes_for(size_bytes: int) -> int:
    """Plaintext bytes per segment: 8 MiB, more only where S3's limit on parts asks for it (above 77 GiB)."""
    needed = -(-size_bytes // MAX_SEGMENTS)
    return max(MIN_SEGMENT_BYTES, -(-needed // CHUNK_BYTES) * CHUNK_BYTES)


@dataclass(frozen=True)
class Layout:
    """Where each byte of one blob lies. Sizes in bytes; `segment_bytes` is a multiple of 16 KiB."""

    blob_id: UUID
    size_bytes: int
    segment_bytes: int

    @property
    def count(self) -> int:
        """Number of segments."""
        return -(-self.size_bytes // self.segment_bytes)

    @property
    def ciphertext_bytes(self) -> int:
        """Size of the stored object."""
        return self.offset(self.count - 1) + self.sealed(self.count - 1)

    def plain(self, segment: int) -> int:
        """Plaintext bytes in a segment; all but the last are full."""
        return min(self.segment_bytes, self.size_bytes - segment * self.segment_bytes)

    def sealed(self, segment: int) -> int:
        """Ciphertext bytes of a segment."""
        return sealed_bytes(self.plain(segment))

    def offset(self, segment: int) -> int:
        """Where a segment's ciphertext starts in the object."""
        return segment * sealed_bytes(self.segment_bytes)

    def context(self, segment: int) -> bytes:
        """What a segment's key is bound to."""
        numbers = (self.size_bytes, self.segment_bytes, segment)
        return _DOMAIN + self.blob_id.bytes + b"".join(number.to_bytes(8) for number in numbers)


def encrypt_segment(
    key: bytes, layout: Layout, segment: int, plaintext: Bytes, room: memoryview | None = None
) -> Bytes:
    """A segment's ciphertext under a fresh salt, at the beginning of `room` where one is given.

    Every attempt differs; only one is named when the object is made.
    """
    if len(plaintext) != layout.plain(segment):
        raise ValueError("a segment is encrypted whole")
    if room is None:
        return encrypt(key, layout.context(segment), plaintext)
    ciphertext = room[: layout.sealed(segment)]
    encrypt_into(key, layout.context(segment), plaintext, ciphertext)
    return ciphertext


class _Source:
    """Exact reads from a stream of pieces of any size; what lies within one piece is not copied."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def take(self, size_bytes: int) -> memoryview:
        if size_bytes > len(self._left):
            return self._across(size_bytes)
        taken, self._left = self._left[:size_bytes], self._left[size_bytes:]
        return taken

    def _across(self, size_bytes: int) -> memoryview:
        """What begins in one piece and ends in another."""
        taken = bytearray(self._left)
        while len(taken) < size_bytes:
            piece = next(self._pieces, None)
            if piece is None:
                raise Corrupt("store.corrupt", what="truncated")
            self._left = memoryview(piece)
            part, self._left = self._left[: size_bytes - len(taken)], self._left[size_bytes - len(taken) :]
            taken += part
        return memoryview(taken)


def read_range(key: bytes, layout: Layout, fetch: Fetch, start: int, end: int) -> Iterator[memoryview]:
    """Plaintext from `start` to `end` (excluded), in pieces of at most 1 MiB, each authenticated before it is given.

    Fetches the chunks that hold the range and, when the range begins inside a segment, that segment's 56-byte header at
    the same time, from a thread of its own. Raises Corrupt `store.corrupt` at the first byte that is not what was
    written.
    """
    if not 0 <= start <= end <= layout.size_bytes:
        raise ValueError("a range lies within its blob")
    if start == end:
        return
    first, last = start // layout.segment_bytes, (end - 1) // layout.segment_bytes
    begin_chunk = (start - first * layout.segment_bytes) // CHUNK_BYTES
    begin = layout.offset(first) + (HEADER_BYTES + begin_chunk * SEALED_CHUNK_BYTES if begin_chunk else 0)
    pieces = fetch(begin, _stop(layout, last, end) - begin)
    header, pieces = _with_header(layout.offset(first), fetch, pieces) if begin_chunk else (b"", pieces)
    source = _Source(pieces)
    for segment in range(first, last + 1):
        chunks = Chunks.from_header(key, layout.context(segment), header or bytes(source.take(HEADER_BYTES)))
        header = b""
        base = segment * layout.segment_bytes
        number = begin_chunk if segment == first else 0
        position = base + number * CHUNK_BYTES
        for piece in _open_segment(layout, segment, chunks, source, number, end - base):
            low, high = max(start - position, 0), min(end - position, len(piece))
            position += len(piece)
            if low < high:
                yield piece[low:high]


def _with_header(offset: int, fetch: Fetch, pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The header at `offset` and `pieces` again, both asked for at once: a store may think long before it answers."""
    with ThreadPoolExecutor(1) as beside:
        header = beside.submit(lambda: bytes(_Source(fetch(offset, HEADER_BYTES)).take(HEADER_BYTES)))
        begun = next(pieces, b"")
    return header.result(), chain([begun], pieces)


def _last_chunk(layout: Layout, segment: int, end: int) -> int:
    """The last chunk to read of a segment for plaintext up to `end` (relative to the segment's start).

    A segment read to its end is read to its closing chunk, which may be empty and proves that nothing was cut off.
    """
    plain = layout.plain(segment)
    return chunk_count(plain) - 1 if end >= plain else (end - 1) // CHUNK_BYTES


def _stop(layout: Layout, segment: int, end: int) -> int:
    """The object offset where reading for plaintext up to `end` stops."""
    last = _last_chunk(layout, segment, end - segment * layout.segment_bytes)
    sealed = min((last + 1) * SEALED_CHUNK_BYTES, layout.sealed(segment) - HEADER_BYTES)
    return layout.offset(segment) + HEADER_BYTES + sealed


def _open_segment(
    layout: Layout, segment: int, chunks: Chunks, source: _Source, number: int, end: int
) -> Iterator[memoryview]:
    """The plaintext of a segment's chunks from `number` to the one that holds `end`, some 64 chunks at a time."""
    plain_bytes = layout.plain(segment)
    last = _last_chunk(layout, segment, end)
    while number <= last:
        upto = min(number + _BATCH_CHUNKS, last + 1)
        out = memoryview(bytearray(min(upto * CHUNK_BYTES, plain_bytes) - number * CHUNK_BYTES))
        for start in range(0, (upto - number) * CHUNK_BYTES, CHUNK_BYTES):
            into = out[start : start + CHUNK_BYTES]
            chunks.open_into(number, source.take(len(into) + TAG_BYTES), into)
            number += 1
        yield out
