"""The Merkle tree of RFC 9162 with SHA-256: hashes, inclusion proofs, consistency proofs.

Sizes count leaves, indexes count from 0, every hash is 32 bytes. The functions take and return plain bytes and touch
nothing else. What a proof says holds for the root given, so the root and the size must come from a verified
checkpoint, never from the proof's own source.
"""

from collections.abc import Sequence
from hashlib import sha256

from custody.proof.strict import ProofError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


class ProofInvalid(ProofError):
    """A proof does not lead where it must, or the question makes no sense (index outside the tree)."""


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 of 0x00 and the leaf's bytes (RFC 9162 §2.1.1)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and both children (RFC 9162 §2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The tree's root over leaf hashes (RFC 9162 §2.1.1 and §2.1.2); of no leaves, SHA-256 of nothing."""
    if not leaf_hashes:
        return EMPTY_ROOT
    complete: list[tuple[int, bytes]] = []  # (leaves below, hash), sizes falling: the subtrees not joined yet
    for digest in leaf_hashes:
        size, current = 1, digest
        while complete and complete[-1][0] == size:
            current = node_hash(complete.pop()[1], current)
            size *= 2
        complete.append((size, current))
    return fold([digest for _, digest in complete])


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash over the complete subtrees of a range, given from left to right; at least one."""
    current = hashes[-1]
    for left in reversed(hashes[:-1]):
        current = node_hash(left, current)
    return current


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The leaf ranges [start, end) whose hashes are the inclusion proof, from the leaf upwards (RFC 9162 §2.1.3.1).

    Raises ProofInvalid unless 0 <= index < size.
    """
    _within(index, size)
    start, end, ranges = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old_size: int, new_size: int) -> list[tuple[int, int]]:
    """The leaf ranges [start, end) whose hashes prove that one tree begins the other (RFC 9162 §2.1.4.1).

    Empty if the sizes are equal or the old tree is. Raises ProofInvalid unless 0 <= old_size <= new_size.
    """
    if not 0 <= old_size <= new_size:
        raise ProofInvalid("the older tree is larger than the newer one")
    if old_size == 0:
        return []
    start, end, ranges = 0, new_size, []
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start > 0:
        ranges.append((start, end))  # the old root is not itself a node of the new tree: name its last part
    return ranges[::-1]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion proof of the leaf at `index` (RFC 9162 §2.1.3.1). Raises ProofInvalid outside the tree."""
    return [root(leaf_hashes[start:end]) for start, end in inclusion_ranges(index, len(leaf_hashes))]


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """The proof that the first `old_size` leaves begin this tree (RFC 9162 §2.1.4.1). Raises ProofInvalid."""
    return [root(leaf_hashes[start:end]) for start, end in consistency_ranges(old_size, len(leaf_hashes))]


def inclusion_root(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that this proof leads to from this leaf (RFC 9162 §2.1.3.2), its length checked exactly.

    Raises ProofInvalid if the index is not below the size, or a hash is missing, extra or not 32 bytes.
    """
    inner = _inner(index, size, proof)
    _hashes((leaf_hash, *proof))
    return _climbed(leaf_hash, index, inner, proof)[-1]


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raises ProofInvalid unless the leaf stands at `index` in the tree of `size` and `root` (RFC 9162 §2.1.3.2)."""
    if inclusion_root(leaf_hash, index, size, proof) != root:
        raise ProofInvalid("the inclusion proof leads to another root")


class Inclusions:
    """Verifies many leaves of one tree: what passes and what is refused is the same as by `verify_inclusion`.

    Where two paths meet, their proofs must go on alike: a proof whose rest is the rest of the proof verified before,
    from the same node, leads to the same root, and needs no hashing above it. Leaves in rising order gain most.
    """

    def __init__(self, size: int, root: bytes) -> None:
        self._size, self._root = size, root
        self._index, self._proof, self._path = 0, [], []  # type: int, Sequence[bytes], list[bytes]

    def verify(self, leaf_hash: bytes, index: int, proof: Sequence[bytes]) -> None:
        """As `verify_inclusion` in this tree. Raises ProofInvalid."""
        inner = _inner(index, self._size, proof)
        own = self._own(index, inner) if self._path else len(proof)
        below, above = proof[:own], proof[own:]
        _hashes((leaf_hash, *below))
        path = _climbed(leaf_hash, index, inner, below)
        rest = len(above)
        # From the height where the paths meet on, both indexes have the same siblings on the same sides, so the rests
        # of both proofs are of one length; the paths are compared from the root downwards.
        if rest and path[-1] == self._path[-1 - rest] and above == self._proof[-rest:]:
            path += self._path[-rest:]
        else:
            _hashes(above)
            path += _climbed(path[-1], index, inner, above, own)[1:]
            if path[-1] != self._root:
                raise ProofInvalid("the inclusion proof leads to another root")
        self._index, self._proof, self._path = index, proof, path

    def _own(self, index: int, inner: int) -> int:
        """How many hashes of the proof lie below the height where this path meets the one verified before."""
        meeting = (index ^ self._index).bit_length()
        if meeting <= inner:
            return meeting
        return inner + (index >> inner & (1 << meeting - inner) - 1).bit_count()


def verify_consistency(old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raises ProofInvalid unless the newer tree begins with the older one (RFC 9162 §2.1.4.2).

    Trees of one size are the same tree if their roots are the same bytes; an empty older tree begins every tree. Both
    by an empty proof.
    """
    ranges = consistency_ranges(old_size, new_size)
    if len(proof) != len(ranges):
        raise ProofInvalid("the consistency proof has not the length its sizes ask for")
    if old_size == new_size:
        if old_root != new_root:
            raise ProofInvalid("two trees of one size have different roots")
        return
    _hashes([old_root, new_root, *proof])
    if old_size == 0:
        if old_root != EMPTY_ROOT:
            raise ProofInvalid("the root of the empty tree is another")
        return
    rest = list(zip(ranges, proof, strict=True))
    # A power of two is a node of the newer tree: the proof leaves it out, since the verifier has it as the old root.
    current_old = current_new = old_root if rest[0][0][0] >= old_size else rest.pop(0)[1]
    for (start, _), sibling in rest:
        if start < old_size:
            current_old = node_hash(sibling, current_old)
            current_new = node_hash(sibling, current_new)
        else:
            current_new = node_hash(current_new, sibling)
    if current_old != old_root:
        raise ProofInvalid("the consistency proof leads to another older root")
    if current_new != new_root:
        raise ProofInvalid("the consistency proof leads to another newer root")


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (RFC 9162 §2.1.1's k); size is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _inner(index: int, size: int, proof: Sequence[bytes]) -> int:
    """At how many heights from the leaf upwards the path has a sibling on either side; above, only on the left.

    Raises ProofInvalid if the index is not below the size, or the proof has not the number of hashes they ask for.
    """
    _within(index, size)
    inner = (index ^ (size - 1)).bit_length()
    if len(proof) != inner + (index >> inner).bit_count():
        raise ProofInvalid("the inclusion proof has not the length its index and size ask for")
    return inner


def _climbed(start: bytes, index: int, inner: int, proof: Sequence[bytes], passed: int = 0) -> list[bytes]:
    """The nodes from `start` upwards, each the parent of the one before; `passed` hashes of the proof came before."""
    path = [start]
    for height, sibling in enumerate(proof, passed):
        if height >= inner or index >> height & 1:
            start = sha256(b"\x01" + sibling + start).digest()
        else:
            start = sha256(b"\x01" + start + sibling).digest()
        path.append(start)
    return path


def _within(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise ProofInvalid("the index is not below the tree's size")


def _hashes(values: Sequence[bytes]) -> None:
    if set(map(len, values)) - {HASH_BYTES}:
        raise ProofInvalid("a hash is not 32 bytes")
