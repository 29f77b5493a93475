"""The tree of RFC 9162 against a literal transcription of its recursive definition, and public vectors."""

from collections.abc import Callable
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.proof import merkle, tiles
from custody.proof.merkle import ProofInvalid
from custody.proof.strict import Malformed

LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(301)]


def defined(hashes: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha256(b"\x01" + defined(hashes[:k]) + defined(hashes[k:])).digest()


ROOTS = [defined(LEAVES[:size]) for size in range(301)]


@cache
def read_tile(level: int, index: int, width: int) -> bytes:
    """A tile computed straight from the definition in C2SP tlog-tiles."""
    span = 256**level
    starts = [(index * 256 + offset) * span for offset in range(width)]
    return b"".join(merkle.root(LEAVES[start : start + span]) for start in starts)


def test_certificate_transparency_vectors() -> None:
    """The eight leaves that the tests of RFC 6962 implementations share."""
    leaves = [
        bytes.fromhex(text)
        for text in (
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        )
    ]
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.root(hashes[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.root(hashes[:2]).hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    assert merkle.root(hashes[:3]).hex() == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    assert merkle.root(hashes).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize("size", range(301))
def test_inclusion_at_every_size(size: int) -> None:
    """Every index of every size: the proof leads to the root, from leaves and from tiles alike."""
    root = merkle.root(LEAVES[:size])
    assert root == ROOTS[size] == tiles.tree_root(read_tile, size)
    step = max(1, size // 8)
    for index in {*range(0, size, step), size - 1} - {-1}:
        proof = merkle.inclusion_proof(LEAVES[:size], index)
        assert proof == tiles.inclusion_proof(read_tile, index, size)
        merkle.verify_inclusion(LEAVES[index], index, size, proof, root)
        for wrong in ([*proof, LEAVES[0]], *((proof[1:], [*proof[:-1], LEAVES[300]]) if proof else ())):
            with pytest.raises(ProofInvalid):
                merkle.verify_inclusion(LEAVES[index], index, size, wrong, root)


@pytest.mark.parametrize("new", range(301))
def test_consistency_at_every_size(new: int) -> None:
    step = max(1, new // 8)
    for old in {*range(0, new, step), new}:
        proof = merkle.consistency_proof(LEAVES[:new], old)
        assert proof == tiles.consistency_proof(read_tile, old, new)
        merkle.verify_consistency(old, new, proof, ROOTS[old], ROOTS[new])
        with pytest.raises(ProofInvalid):
            merkle.verify_consistency(old, new, [*proof, LEAVES[0]], ROOTS[old], ROOTS[new])
        with pytest.raises(ProofInvalid):
            merkle.verify_consistency(old, new, proof, LEAVES[300], ROOTS[new])
        if old:
            with pytest.raises(ProofInvalid):
                merkle.verify_consistency(old, new, proof, ROOTS[old], LEAVES[300])
        if proof:
            with pytest.raises(ProofInvalid):
                merkle.verify_consistency(old, new, proof[1:], ROOTS[old], ROOTS[new])


@given(st.data())
def test_no_other_index_or_leaf(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 300))
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-2, size + 2).filter(lambda number: number != index))
    proof = merkle.inclusion_proof(LEAVES[:size], index)
    with pytest.raises(ProofInvalid):
        merkle.verify_inclusion(LEAVES[index], other, size, proof, ROOTS[size])
    with pytest.raises(ProofInvalid):
        merkle.verify_inclusion(LEAVES[300], index, size, proof, ROOTS[size])


def judged(verify: Callable[[], None]) -> str:
    try:
        verify()
    except ProofInvalid as error:
        return error.reason
    return ""


@given(st.data())
def test_many_at_once_are_judged_as_each_alone(data: st.DataObject) -> None:
    """In any order, with false proofs among them, and after them: the same answer, with the same reason."""
    size = data.draw(st.integers(1, 300))
    tree = merkle.Inclusions(size, ROOTS[size])
    for _ in range(data.draw(st.integers(1, 8))):
        index = data.draw(st.integers(0, size - 1))
        proof = merkle.inclusion_proof(LEAVES[:size], index)
        leaf, claimed = LEAVES[index], index
        match data.draw(st.integers(0, 7)):
            case 0 if proof:
                proof[data.draw(st.integers(0, len(proof) - 1))] = LEAVES[300]
            case 1:
                claimed = data.draw(st.integers(-1, size))
            case 2:
                leaf = LEAVES[300]
            case 3:
                proof = proof[1:] if data.draw(st.booleans()) else [*proof, LEAVES[300]]
            case 4 if proof:
                proof[-1] = proof[-1][:-1]
        alone = judged(lambda: merkle.verify_inclusion(leaf, claimed, size, proof, ROOTS[size]))  # noqa: B023
        assert judged(lambda: tree.verify(leaf, claimed, proof)) == alone  # noqa: B023


def test_a_whole_tree_at_once() -> None:
    for size in (1, 2, 3, 7, 64, 100, 255, 300):
        tree = merkle.Inclusions(size, ROOTS[size])
        for index in [*range(size), *reversed(range(size))]:
            tree.verify(LEAVES[index], index, tuple(merkle.inclusion_proof(LEAVES[:size], index)))


@given(
    st.integers(-5, 2**70),
    st.integers(-5, 2**70),
    st.lists(st.binary(max_size=33), max_size=70),
    st.binary(max_size=33),
)
def test_verifiers_raise_nothing_else(first: int, second: int, proof: list[bytes], root: bytes) -> None:
    with pytest.raises(ProofInvalid):
        merkle.verify_inclusion(LEAVES[0], first, second, proof, root + bytes(40))
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(first, second, proof, root + bytes(40), LEAVES[0])


def test_known_confusions() -> None:
    """(2, 3) must not pass as (1, 2), nor an index outside the tree as one inside."""
    proof = merkle.inclusion_proof(LEAVES[:2], 1)
    with pytest.raises(ProofInvalid):
        merkle.verify_inclusion(LEAVES[1], 2, 3, [], ROOTS[2])
    for index, size in ((2, 2), (3, 2), (-1, 2), (0, 0)):
        with pytest.raises(ProofInvalid):
            merkle.verify_inclusion(LEAVES[1], index, size, proof, ROOTS[2])
    # the shape of (2, 3) and (1, 2) is the same: the size must come from the checkpoint
    merkle.verify_inclusion(LEAVES[1], 2, 3, proof, ROOTS[2])


def test_largest_trees() -> None:
    """Proofs at 2^63 leaves have at most 63 hashes; nothing is recursive or linear in the size."""
    size = 2**63 - 1
    assert len(merkle.inclusion_ranges(0, size)) == 63
    assert len(merkle.consistency_ranges(2**62 + 1, size)) <= 64
    assert merkle.inclusion_root(LEAVES[0], 0, size, [LEAVES[1]] * 63)


def test_consistency_refuses_a_shrinking_log() -> None:
    with pytest.raises(ProofInvalid):
        merkle.consistency_proof(LEAVES[:3], 4)
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(0, 5, [], LEAVES[0], ROOTS[5])


def test_trees_of_one_size() -> None:
    """The same tree if their roots are the same bytes, whatever they are, by an empty proof alone."""
    for size in (0, 1, 7):
        merkle.verify_consistency(size, size, [], b"root", b"root")
        for proof, root in (([], b"other"), ([LEAVES[0]], b"root")):
            with pytest.raises(ProofInvalid):
                merkle.verify_consistency(size, size, proof, b"root", root)


@pytest.mark.parametrize(
    ("old", "new"), [(0, 1), (0, 256), (0, 70_000), (255, 257), (256, 257), (65_535, 65_537), (5, 5), (70_000, 140_001)]
)
def test_changed_tiles(old: int, new: int) -> None:
    """What must be written is what differs between the sets of tiles of the two sizes."""

    def all_tiles(size: int) -> set[tiles.Tile]:
        found, level = set(), 0
        while size >> 8 * level:
            count = size >> 8 * level
            found |= {tiles.Tile(level, index) for index in range(count // 256)}
            if count % 256:
                found.add(tiles.Tile(level, count // 256, count % 256))
            level += 1
        return found

    assert set(tiles.changed(old, new)) == all_tiles(new) - all_tiles(old)


def test_tiles_of_the_specification() -> None:
    """A tree of 70,000 (C2SP tlog-tiles, «Partial Tiles»)."""
    found = list(tiles.changed(0, 70_000))
    assert sum(tile.level == 0 and tile.width == 256 for tile in found) == 273
    partial = [tile for tile in found if tile.width != 256]
    assert partial == [tiles.Tile(0, 273, 112), tiles.Tile(1, 1, 17), tiles.Tile(2, 0, 1)]
    assert tiles.width_at(1, 5, 256) == 0


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 999, 1, "tile/0/999.p/1"),
        (1, 1000, 256, "tile/1/x001/000"),
        (0, 1234, 5, "tile/0/x001/234.p/5"),
        (63, 1_234_067, 255, "tile/63/x001/x234/067.p/255"),
    ],
)
def test_paths(level: int, index: int, width: int, path: str) -> None:
    assert tiles.path(level, index, width) == path
    assert tiles.parse_path(path) == tiles.Tile(level, index, width)
    entries = path.replace(f"tile/{level}/", "tile/entries/")
    assert tiles.entries_path(index, width) == entries
    assert tiles.parse_path(entries) == tiles.Tile(None, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/00\u0660",
        "tile/-1/000",
        "tile/entries/x999/" + "x999/" * 6 + "999",
        "tile/data/000",
    ],
)
def test_other_paths(path: str) -> None:
    with pytest.raises(Malformed):
        tiles.parse_path(path)


@pytest.mark.parametrize(("level", "index", "width"), [(64, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_no_path(level: int, index: int, width: int) -> None:
    with pytest.raises(Malformed):
        tiles.path(level, index, width)


@given(st.text(max_size=40))
def test_path_parser_raises_nothing_else(text: str) -> None:
    with pytest.raises(Malformed):
        tiles.parse_path("tile/" + text + "?")


def test_wider_tile_serves_and_shorter_does_not() -> None:
    def full(level: int, index: int, width: int) -> bytes:
        return read_tile(level, index, 256 if level == 0 and index == 0 else width)

    assert tiles.tree_root(full, 200) == ROOTS[200]
    for wrong in (b"", bytes(32), bytes(33 * 200), bytes(32 * 257)):
        with pytest.raises(Malformed):
            tiles.tree_root(lambda *_, wrong=wrong: wrong, 200)  # type: ignore[misc]
