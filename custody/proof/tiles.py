"""Hash tiles of C2SP tlog-tiles: their paths, and proofs and roots computed from them.

A tile at `level` holds up to 256 hashes, each over 256**level leaves. `width` counts the hashes in a tile; 1..255 is a
partial tile. The tile reader is given by the caller, so the same functions serve a store, a web server and a test.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from custody.proof import merkle
from custody.proof.strict import MAX_NUMBER, Malformed, decimal

WIDTH = 256
MAX_LEVEL = 63
_HEIGHT = 8
_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?")


class HashReader(Protocol):
    """Reads a tile: at least `width` hashes of 32 bytes, in order. A wider tile of the same place will do."""

    def __call__(self, level: int, index: int, width: int) -> bytes: ...


@dataclass(frozen=True)
class Tile:
    """A place in the log's static files. `level` None is an entry bundle; `width` counts hashes or entries."""

    level: int | None
    index: int
    width: int = WIDTH


def path(level: int, index: int, width: int = WIDTH) -> str:
    """`tile/0/x001/234.p/5` and the like (C2SP tlog-tiles, «Merkle Tree»). Raises Malformed outside the ranges."""
    if not 0 <= level <= MAX_LEVEL:
        raise Malformed("a tile level is not 0..63")
    return f"tile/{level}/{_place(index, width)}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """The path of an entry bundle (C2SP tlog-tiles, «Log entries»). Raises Malformed outside the ranges."""
    return f"tile/entries/{_place(index, width)}"


def parse_path(text: str) -> Tile:
    """The tile a path names; only the spelling that `path` or `entries_path` writes. Raises Malformed."""
    match = _PATH.fullmatch(text)
    if not match:
        raise Malformed("not a tile path")
    level_text, groups, width_text = match.groups()
    level = None if level_text == "entries" else decimal(level_text)
    tile = Tile(
        level,
        decimal(groups.replace("/", "").replace("x", "").lstrip("0") or "0"),
        WIDTH if width_text is None else decimal(width_text),
    )
    written = entries_path(tile.index, tile.width) if level is None else path(level, tile.index, tile.width)
    if written != text:
        raise Malformed("a tile path with another spelling of the same place")
    return tile


def width_at(level: int, index: int, size: int) -> int:
    """How many hashes the tile has in a tree of `size` leaves; 0 if it does not exist yet."""
    return max(0, min(WIDTH, (size >> _HEIGHT * level) - index * WIDTH))


def changed(old_size: int, new_size: int) -> Iterator[Tile]:
    """The hash tiles that a log growing from `old_size` to `new_size` leaves must write, lowest level first."""
    level = 0
    while new_size >> _HEIGHT * level:
        first = (old_size >> _HEIGHT * level) // WIDTH
        for index in range(first, ((new_size >> _HEIGHT * level) + WIDTH - 1) // WIDTH):
            width = width_at(level, index, new_size)
            if width != width_at(level, index, old_size):
                yield Tile(level, index, width)
        level += 1


def tree_root(read: HashReader, size: int) -> bytes:
    """The root of the tree of `size` leaves. Raises Malformed if a tile is too short."""
    return range_hash(read, 0, size, size) if size else merkle.EMPTY_ROOT


def inclusion_proof(read: HashReader, index: int, size: int) -> list[bytes]:
    """RFC 9162 §2.1.3.1 from tiles. Raises ProofInvalid outside the tree, Malformed if a tile is too short."""
    return [range_hash(read, start, end, size) for start, end in merkle.inclusion_ranges(index, size)]


def consistency_proof(read: HashReader, old: int, new: int) -> list[bytes]:
    """RFC 9162 §2.1.4.1 from tiles. Raises ProofInvalid if old > new, Malformed if a tile is too short."""
    return [range_hash(read, start, end, new) for start, end in merkle.consistency_ranges(old, new)]


def range_hash(read: HashReader, start: int, end: int, size: int) -> bytes:
    """The hash over leaves [start, end) of a tree of `size`, for the ranges that RFC 9162 proofs consist of.

    `start` must be a multiple of the largest power of two up to `end - start`: other ranges have no hash in the tree.
    """
    hashes = []
    while start < end:
        height = (end - start).bit_length() - 1
        hashes.append(_subtree(read, height, start >> height, size))
        start += 1 << height
    return merkle.fold(hashes)


def _subtree(read: HashReader, height: int, position: int, size: int) -> bytes:
    """The hash of the complete subtree of 2**height leaves, the `position`-th of its height."""
    level, inside = divmod(height, _HEIGHT)
    index, first = divmod(position << inside, WIDTH)
    width = width_at(level, index, size)
    tile = read(level, index, width)
    if len(tile) < width * merkle.HASH_BYTES or len(tile) % merkle.HASH_BYTES or len(tile) > WIDTH * merkle.HASH_BYTES:
        raise Malformed("a tile has not the number of hashes its place asks for")
    return merkle.root([_hash_at(tile, first + offset) for offset in range(1 << inside)])


def _hash_at(tile: bytes, offset: int) -> bytes:
    return tile[offset * merkle.HASH_BYTES : (offset + 1) * merkle.HASH_BYTES]


def _place(index: int, width: int) -> str:
    if not 0 <= index <= MAX_NUMBER or not 1 <= width <= WIDTH:
        raise Malformed("a tile index or width is outside its range")
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *upper, last = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    suffix = "" if width == WIDTH else f".p/{width}"
    return "".join(f"x{group}/" for group in upper) + last + suffix
