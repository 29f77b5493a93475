"""The stored format: any range of any blob, and segments that are not where they were written."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.kernel.errors import Corrupt
from storage.crypto import CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES
from storage.intake import MEMORY_BYTES
from storage.segments import MAX_SEGMENTS, MIN_SEGMENT_BYTES, Layout, encrypt_segment, read_range, segment_bytes_for

KEY = bytes(range(32))
BLOB = UUID(int=5)


def text_of(size: int) -> bytes:
    return bytes(index * 37 % 241 for index in range(size))


def stored(layout: Layout, plain: bytes) -> bytes:
    step = layout.segment_bytes
    return b"".join(
        bytes(encrypt_segment(KEY, layout, number, plain[number * step : (number + 1) * step]))
        for number in range(layout.count)
    )


def streaming(data: bytes, asked: list[tuple[int, int]] | None = None, piece: int = 5000):
    def fetch(offset: int, length: int) -> Iterator[bytes]:
        if asked is not None:
            asked.append((offset, length))
        for start in range(offset, offset + length, piece):
            yield data[start : min(start + piece, offset + length)]

    return fetch


@given(st.integers(1, 150_000), st.integers(1, 3), st.data())
def test_any_range_of_any_blob(size: int, chunks_per_segment: int, data: st.DataObject) -> None:
    layout = Layout(BLOB, size, chunks_per_segment * CHUNK_BYTES)
    start = data.draw(st.integers(0, size))
    end = data.draw(st.integers(start, size))
    plain = text_of(size)
    whole = stored(layout, plain)
    assert len(whole) == layout.ciphertext_bytes
    asked: list[tuple[int, int]] = []
    assert b"".join(read_range(KEY, layout, streaming(whole, asked), start, end)) == plain[start:end]
    assert len(asked) <= 2
    assert all(offset >= 0 and offset + length <= len(whole) for offset, length in asked)


def test_a_small_range_asks_for_few_bytes() -> None:
    layout = Layout(BLOB, 40 * CHUNK_BYTES, 16 * CHUNK_BYTES)
    asked: list[tuple[int, int]] = []
    whole = stored(layout, text_of(layout.size_bytes))
    list(read_range(KEY, layout, streaming(whole, asked), 20 * CHUNK_BYTES + 5, 20 * CHUNK_BYTES + 10))
    assert asked == [
        (layout.offset(1), HEADER_BYTES),
        (layout.offset(1) + HEADER_BYTES + 4 * SEALED_CHUNK_BYTES, SEALED_CHUNK_BYTES),
    ]


@pytest.mark.parametrize(("start", "end"), [(-1, 0), (3, 2), (0, 101)])
def test_a_range_outside_is_a_mistake_of_ours(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="within"):
        list(read_range(KEY, Layout(BLOB, 100, CHUNK_BYTES), streaming(b""), start, end))


def test_a_segment_is_encrypted_whole() -> None:
    with pytest.raises(ValueError, match="whole"):
        encrypt_segment(KEY, Layout(BLOB, 100, CHUNK_BYTES), 0, b"short")


@pytest.mark.parametrize(
    "other",
    [
        Layout(UUID(int=6), 2 * CHUNK_BYTES, CHUNK_BYTES),
        Layout(BLOB, 2 * CHUNK_BYTES - 1, CHUNK_BYTES),
        Layout(BLOB, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES),
    ],
)
def test_a_segment_belongs_to_its_blob_and_its_size(other: Layout) -> None:
    layout = Layout(BLOB, 2 * CHUNK_BYTES, CHUNK_BYTES)
    with pytest.raises(Corrupt):
        list(read_range(KEY, other, streaming(stored(layout, text_of(layout.size_bytes))), 0, 10))


def test_swapped_and_missing_segments_are_found() -> None:
    layout = Layout(BLOB, 2 * CHUNK_BYTES, CHUNK_BYTES)
    whole = stored(layout, text_of(layout.size_bytes))
    half = len(whole) // 2
    for damaged in (whole[half:] + whole[:half], whole[:half], whole[:-1], whole[:half] + whole[:half]):
        with pytest.raises(Corrupt):
            list(read_range(KEY, layout, streaming(damaged), 0, layout.size_bytes))


def test_the_closing_chunk_of_a_full_segment_is_checked() -> None:
    layout = Layout(BLOB, CHUNK_BYTES, CHUNK_BYTES)
    whole = bytearray(stored(layout, text_of(CHUNK_BYTES)))
    whole[-1] ^= 1
    with pytest.raises(Corrupt):
        list(read_range(KEY, layout, streaming(bytes(whole)), 0, CHUNK_BYTES))


@pytest.mark.parametrize(
    ("size", "segment"),
    [(1, MIN_SEGMENT_BYTES), (MIN_SEGMENT_BYTES * MAX_SEGMENTS, MIN_SEGMENT_BYTES), (100 * 10**9, 617 * CHUNK_BYTES)],
)
def test_segments_grow_only_where_the_store_must_have_fewer(size: int, segment: int) -> None:
    assert segment_bytes_for(size) == segment
    assert Layout(BLOB, size, segment).count <= MAX_SEGMENTS
    assert segment % CHUNK_BYTES == 0


@pytest.mark.parametrize("gibibytes", [1, 77, 100, 154])
def test_any_size_fits_into_ten_thousand_parts_and_the_memory_of_an_upload(gibibytes: int) -> None:
    """Received, sent and encrypted: three segments; where that is too much, the Appender holds two."""
    size = gibibytes * 1024**3
    segment = segment_bytes_for(size)
    assert Layout(BLOB, size, segment).count <= MAX_SEGMENTS
    held = 3 if 3 * segment <= MEMORY_BYTES else 2
    assert held * segment <= MEMORY_BYTES
