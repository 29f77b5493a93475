"""A provider's list: three forms, every fault named by its line, and a comparison in which nothing is lost."""

import subprocess

import bagit
import pytest

from custody.kernel.errors import Invalid
from evidence_api.registry import hashlists
from evidence_api.registry.hashlists import Differing

A, B = "a" * 64, "b" * 64


def test_what_sha256sum_writes_is_read(tmp_path):
    names = ["қолхат.txt", "a  b.bin", "new\nline.txt", "back\\slash.txt"]
    for name in names:
        (tmp_path / name).write_text(name)
    text = subprocess.run(["sha256sum", "--", *names], cwd=tmp_path, capture_output=True, check=True).stdout.decode()
    listed = hashlists.parse(text, "sha256sum")
    # What a name's own backslash means differs between systems: it is read as a folder's sign.
    assert sorted(listed) == sorted(["қолхат.txt", "a  b.bin", "new\nline.txt", "back/slash.txt"])


def test_a_bags_manifest_is_read(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "100%.txt").write_text("x")
    (tmp_path / "in" / "үй.txt").write_text("y")
    bagit.make_bag(str(tmp_path), checksums=["sha256"])
    listed = hashlists.parse((tmp_path / "manifest-sha256.txt").read_text(), "bagit")
    assert sorted(listed) == ["data/in/100%.txt", "data/in/үй.txt"]
    assert hashlists.parse(f"{A}  data/a%0Ab.txt\n", "bagit") == {"data/a\nb.txt": f"sha256:{A}"}


@pytest.mark.parametrize(
    "text",
    [
        f"path,sha256\na.txt,{A}\n",
        f"\ufeffSHA256;File;Size\r\nsha256:{A.upper()};a.txt;3\r\n;;\r\n",
        f'hash,name\n{A},"./a.txt"\n',
    ],
)
def test_csv_is_read_by_its_heading(text):
    assert hashlists.parse(text, "csv") == {"a.txt": f"sha256:{A}"}


@pytest.mark.parametrize(
    ("text", "form", "code", "line"),
    [
        (f"{A}  a\nnonsense\n", "sha256sum", "hashlist.bad_line", 2),
        ("d41d8cd98f00b204e9800998ecf8427e  md5.txt\n", "sha256sum", "hashlist.bad_line", 1),
        (f"{A}  a\n{B}  ./a\n", "sha256sum", "hashlist.twice", 2),
        ("\n\n", "bagit", "hashlist.empty", None),
        ("a,b\n1,2\n", "csv", "hashlist.bad_line", 1),
        (f"path,sha256\na,{A}\nb,short\n", "csv", "hashlist.bad_line", 3),
        (f"path,sha256\n,{A}\n", "csv", "hashlist.bad_line", 2),
        ("path,sha256\na\n", "csv", "hashlist.bad_line", 2),
        ("", "md5", "hashlist.unknown_format", None),
    ],
)
def test_a_faulty_list_is_refused_as_a_whole(text, form, code, line):
    with pytest.raises(Invalid) as refusal:
        hashlists.parse(text, form)
    assert (refusal.value.code, refusal.value.params.get("line")) == (code, line)


def test_every_listed_path_is_matched_differing_or_missing():
    listed = {"a": A, "b": B, "c": A, "й": A}
    arrived = {"a": A, "b": A, "e": B, "и\u0306": A, "list.txt": B}
    found = hashlists.compare(listed, arrived, "sha256sum", "list.txt")
    assert (found.listed, found.matched) == (4, 2)
    assert found.differing == (Differing("b", B, A),)
    assert (found.missing, found.extra, found.holds) == (("c",), ("e",), False)


def test_what_describes_a_bag_is_not_extra():
    found = hashlists.compare({"data/a": A}, {"data/a": A, "bagit.txt": B, "manifest-sha256.txt": B}, "bagit")
    assert found.holds
    assert hashlists.compare({"data/a": A}, {"data/a": A, "data/b": B}, "bagit").extra == ("data/b",)
