"""Entry bundles: every leaf once, whatever was interrupted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.bundles import EntryBundles, decode, encode, path
from custody.kernel.errors import Conflict, Corrupt


class Store:
    """A store in a dictionary."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put_new(self, path: str, data: bytes) -> bool:
        return self.files.setdefault(path, data) is data

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=20))
def test_what_is_encoded_decodes(leaves: list[bytes]) -> None:
    assert decode(encode(leaves)) == leaves


def test_the_longest_leaf_fits() -> None:
    assert decode(encode([b"x" * 65_535])) == [b"x" * 65_535]
    with pytest.raises(OverflowError):
        encode([b"x" * 65_536])


@pytest.mark.parametrize("data", [b"\0", b"\0\2a", b"\0\0", b"\0\1ab"])
def test_what_is_no_bundle_is_corrupt(data: bytes) -> None:
    with pytest.raises(Corrupt, match=r"ledger\.bundle_malformed"):
        decode(data)


@given(st.integers(0, 6), st.integers(0, 6))
def test_an_interrupted_append_is_continued(first: int, second: int) -> None:
    store = Store()
    bundles = EntryBundles(store)
    leaves = [bytes([number + 1]) for number in range(first + second)]
    bundles.append(0, leaves[:first])  # stored, but its checkpoint was never published: the next begins at 0 again
    bundles.append(0, leaves)
    bundles.append(len(leaves), [b"more"])
    assert list(bundles.leaves()) == [*leaves, b"more"]


def test_a_publisher_that_saw_less_than_another_stored_looks_again() -> None:
    bundles = EntryBundles(Store())
    bundles.append(0, [b"a", b"b"])
    with pytest.raises(Conflict, match=r"ledger\.checkpoint_moved"):
        bundles.append(0, [b"a"])
    assert list(bundles.leaves()) == [b"a", b"b"]


def test_other_leaves_in_the_same_place_are_refused() -> None:
    store = Store()
    bundles = EntryBundles(store)
    bundles.append(0, [b"a", b"b"])
    for other in ([b"a", b"x"], [b"x"], [b"x", b"b", b"c"]):
        with pytest.raises(Corrupt, match=r"ledger\.bundle_differs"):
            bundles.append(0, other)
    assert list(store.files) == [path(0)]
