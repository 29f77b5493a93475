"""The message format against an independent implementation, and every way to damage it."""

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from hypothesis import given
from hypothesis import strategies as st

from custody.kernel.errors import Corrupt
from storage import crypto
from storage.crypto import CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES

KEY = bytes(range(32))
CONTEXT = b"a context"
SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7]


def text_of(size: int) -> bytes:
    return bytes(index * 31 % 251 for index in range(size))


@pytest.mark.parametrize("size", SIZES)
def test_the_other_implementation_reads_ours(size: int) -> None:
    message = bytes(crypto.encrypt(KEY, CONTEXT, text_of(size)))
    theirs = Cobblestone256Decryptor(KEY, CONTEXT)
    assert theirs.update(message) + theirs.finalize() == text_of(size)
    assert len(message) == crypto.sealed_bytes(size)


@pytest.mark.parametrize("size", SIZES)
def test_we_read_the_other_implementation(size: int) -> None:
    theirs = Cobblestone256Encryptor(KEY, CONTEXT)
    message = theirs.update(text_of(size)) + theirs.finalize()
    assert crypto.decrypt(KEY, CONTEXT, message) == text_of(size)


@given(st.lists(st.integers(0, 40_000), max_size=6), st.integers(100, 50_000))
def test_pieces_of_any_size_make_one_message(sizes: list[int], cut: int) -> None:
    encryptor = crypto.Encryptor(KEY, CONTEXT)
    plain = b"".join(text_of(size) for size in sizes)
    message = b"".join(encryptor.update(text_of(size)) for size in sizes) + encryptor.finalize()
    decryptor = crypto.Decryptor(KEY, CONTEXT)
    out = b"".join(decryptor.update(message[start : start + cut]) for start in range(0, len(message), cut))
    assert out + decryptor.finalize() == plain


@given(st.integers(0, 70_000), st.data())
def test_a_range_reads_only_what_it_needs(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size))
    end = data.draw(st.integers(start, size))
    message = bytes(crypto.encrypt(KEY, CONTEXT, text_of(size)))
    asked: list[int] = []

    def read(offset: int, length: int) -> bytes:
        asked.append(length)
        assert offset + length <= len(message)
        return message[offset : offset + length]

    assert crypto.decrypt_range(KEY, CONTEXT, read, size, start, end) == text_of(size)[start:end]
    assert sum(asked) <= HEADER_BYTES + (end - start) + 2 * SEALED_CHUNK_BYTES + TAG_BYTES * (size // CHUNK_BYTES + 1)


@pytest.mark.parametrize(("start", "end"), [(-1, 0), (2, 1), (0, 11)])
def test_a_range_outside_is_a_mistake_of_ours(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="within"):
        crypto.decrypt_range(KEY, CONTEXT, lambda _offset, _length: b"", 10, start, end)


def test_two_messages_of_one_text_share_nothing() -> None:
    one, other = crypto.encrypt(KEY, CONTEXT, text_of(100)), crypto.encrypt(KEY, CONTEXT, text_of(100))
    assert one[:24] != other[:24]
    assert one[HEADER_BYTES:] != other[HEADER_BYTES:]


@given(st.integers(0, crypto.sealed_bytes(20_000) - 1), st.integers(0, 7))
def test_any_flipped_bit_is_found(position: int, bit: int) -> None:
    message = crypto.encrypt(KEY, CONTEXT, text_of(20_000))
    message[position] ^= 1 << bit
    with pytest.raises(Corrupt, match=r"store\.corrupt"):
        crypto.decrypt(KEY, CONTEXT, bytes(message))


@pytest.mark.parametrize(
    "cut", [0, 10, HEADER_BYTES, HEADER_BYTES + TAG_BYTES - 1, HEADER_BYTES + SEALED_CHUNK_BYTES, -1]
)
def test_truncation_is_found(cut: int) -> None:
    message = bytes(crypto.encrypt(KEY, CONTEXT, text_of(2 * CHUNK_BYTES)))
    with pytest.raises(Corrupt):
        crypto.decrypt(KEY, CONTEXT, message[:cut])


def test_swapped_chunks_are_found() -> None:
    message = bytes(crypto.encrypt(KEY, CONTEXT, text_of(2 * CHUNK_BYTES)))
    head, one = message[:HEADER_BYTES], message[HEADER_BYTES : HEADER_BYTES + SEALED_CHUNK_BYTES]
    other = message[HEADER_BYTES + SEALED_CHUNK_BYTES : HEADER_BYTES + 2 * SEALED_CHUNK_BYTES]
    with pytest.raises(Corrupt):
        crypto.decrypt(KEY, CONTEXT, head + other + one + message[-TAG_BYTES:])


@pytest.mark.parametrize(("key", "context"), [(bytes(32), CONTEXT), (KEY, b"another")])
def test_another_key_or_context_breaks_the_commitment(key: bytes, context: bytes) -> None:
    with pytest.raises(Corrupt) as refusal:
        crypto.decrypt(key, context, bytes(crypto.encrypt(KEY, CONTEXT, b"text")))
    assert refusal.value.params["what"] == "commitment"


def test_a_short_header_is_refused() -> None:
    with pytest.raises(Corrupt):
        crypto.Chunks.from_header(KEY, CONTEXT, b"short")


def test_no_message_is_longer_than_the_format_allows() -> None:
    with pytest.raises(Corrupt):
        crypto.Chunks.fresh(KEY, CONTEXT).seal(crypto.MAX_CHUNKS, b"")
