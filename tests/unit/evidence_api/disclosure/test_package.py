"""Writing the package: the same bytes each time, and nothing in it that is not what the manifest names."""

import hashlib
import zipfile
from collections.abc import Iterator

import pytest

from custody.kernel.errors import Corrupt
from evidence_api.disclosure.package import DataFile, build

DATA = b"what is disclosed" * 1000


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def data_file(data: bytes = DATA, *, gives: bytes | None = None) -> DataFile:
    def read() -> Iterator[bytes]:
        came = data if gives is None else gives
        return (came[start : start + 700] for start in range(0, len(came), 700))

    return DataFile("data/0001/0001-document.pdf", digest(data), len(data), read)


def test_a_package_is_stored_plainly_below_one_folder(tmp_path):
    target = tmp_path / "package.zip"
    sha256 = build(target, "dalel-1", {"bagit.txt": b"BagIt", "custody/events.jsonl": b"{}"}, [data_file()])
    assert sha256 == digest(target.read_bytes())
    with zipfile.ZipFile(target) as package:
        assert package.testzip() is None
        entries = {entry.filename: entry for entry in package.infolist()}
        assert list(entries) == [
            "dalel-1/bagit.txt",
            "dalel-1/custody/events.jsonl",
            "dalel-1/data/0001/0001-document.pdf",
        ]
        assert {entry.compress_type for entry in entries.values()} == {zipfile.ZIP_STORED}
        assert {entry.date_time for entry in entries.values()} == {(1980, 1, 1, 0, 0, 0)}
        assert package.read("dalel-1/data/0001/0001-document.pdf") == DATA


def test_the_same_content_gives_the_same_package(tmp_path):
    made = [build(tmp_path / name, "p", {"a": b"1"}, [data_file()]) for name in ("one.zip", "two.zip")]
    assert made[0] == made[1]


def test_no_files_is_a_package_too(tmp_path):
    assert build(tmp_path / "empty.zip", "p", {}, []).startswith("sha256:")


@pytest.mark.parametrize(
    "gives",
    [DATA[:-1], DATA + b"!", bytes([DATA[0] ^ 1]) + DATA[1:], b""],
    ids=["shorter", "longer", "one bit", "nothing"],
)
def test_a_file_that_changed_is_never_handed_over(tmp_path, gives):
    with pytest.raises(Corrupt, match=r"disclosure\.file_changed"):
        build(tmp_path / "p.zip", "p", {}, [data_file(gives=gives)])
