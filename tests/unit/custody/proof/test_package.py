"""Writing packages: the layout, names that every system opens, and what the writer refuses."""

import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.proof import bundle, canonical, disclosure, package
from custody.proof.bundle import FileDigest, ProvenLeaf
from custody.proof.package import ContainerInvalid
from custody.proof.strict import Malformed, base64_text
from tests.attacks import forge

STORY = forge.tell()
LOG = forge.Log(forge.chained(STORY.events))
FILES = [FileDigest(path, sha256(data).hexdigest(), len(data)) for path, data in STORY.files.items()]
MANIFEST = canonical.encode(STORY.manifest)


def write(
    leaves: list[ProvenLeaf] | None = None,
    files: list[FileDigest] | None = None,
    extra: dict[str, bytes] | None = None,
    info: dict[str, str] | None = None,
) -> dict[str, bytes]:
    return bundle.write(MANIFEST, leaves or [], LOG.checkpoint(), FILES if files is None else files, extra, info)


def test_layout() -> None:
    tags = write([LOG.proven(5), LOG.proven(2)], extra={"reader/a.js": b"x", "index.html": b"y"}, info={"Contact": "z"})
    assert next(iter(tags)) == bundle.BAGIT
    assert list(tags)[-1] == bundle.TAG_MANIFEST
    assert tags[bundle.EVENTS] == LOG.leaves[2] + b"\n" + LOG.leaves[5] + b"\n"
    assert [bundle.ProofLines().parse(line)[0] for line in bundle.proof_lines(tags[bundle.PROOFS])] == [2, 5]
    assert bundle.parse_info(tags[bundle.BAG_INFO]) == {"Payload-Oxum": bundle.payload_oxum(FILES), "Contact": "z"}
    assert bundle.parse_digest_lines(tags[bundle.PAYLOAD_MANIFEST]) == {file.path: file.sha256_hex for file in FILES}
    listed = bundle.parse_digest_lines(tags[bundle.TAG_MANIFEST])
    assert listed == {name: sha256(data).hexdigest() for name, data in tags.items() if name != bundle.TAG_MANIFEST}
    assert set(bundle.REQUIRED) < set(tags)


@pytest.mark.parametrize("extra", ["custody/more", "data/0001/x", "style.css", "reader", "../index.html", "reader/"])
def test_unknown_extra_file(extra: str) -> None:
    with pytest.raises((Malformed, ContainerInvalid)):
        write(extra={extra: b"x"})


@pytest.mark.parametrize("path", ["photo.jpg", "data/../x", "/data/x", "data/a\nb"])
def test_bad_data_path(path: str) -> None:
    with pytest.raises((Malformed, ContainerInvalid)):
        write(files=[FileDigest(path, "0" * 64, 1)])


@pytest.mark.parametrize("info", [{"Payload Oxum": "x"}, {"A": ""}, {"A": "a\nB: b"}, {"": "x"}])
def test_bad_info(info: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        write(info=info)


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"0" * 64 + b" data/x\n",
        b"0" * 64 + b"  data/x",
        b"0" * 64 + b" *data/x\n",
        b"F" * 64 + b"  data/x\n",
        b"0" * 64 + b"  data/b\n" + b"0" * 64 + b"  data/a\n",
        b"0" * 64 + b"  data/a\n" + b"1" * 64 + b"  data/a\n",
        b"0" * 64 + b"  data/\xff\n",
        b"\n",
    ],
)
def test_bad_list(data: bytes) -> None:
    with pytest.raises(Malformed):
        bundle.parse_digest_lines(data)


def test_one_path_twice() -> None:
    with pytest.raises(Malformed):
        write(files=[FILES[0], FILES[0]])


def test_same_label_twice() -> None:
    with pytest.raises(Malformed):
        bundle.parse_info(b"A: a\nA: b\n")


@given(st.binary(max_size=120))
def test_parsers_raise_nothing_else(data: bytes) -> None:
    with suppress(Malformed, ContainerInvalid):
        assert bundle.digest_lines(bundle.parse_digest_lines(data)) == data
    with suppress(Malformed):
        bundle.parse_info(data)
    with suppress(Malformed):
        assert b"".join(line + b"\n" for line in bundle.event_lines(data)) == data
    with suppress(Malformed):
        for line in bundle.proof_lines(data):
            index, proof = bundle.ProofLines().parse(line)
            assert bundle.proof_line(index, proof) == line + "\n"
    with suppress(Malformed):
        disclosure.parse(data)


HASHES = [bytes([number]) * 32 for number in range(4)]
CELLS = st.sampled_from([*map(base64_text, HASHES), base64_text(HASHES[0])[20:], "", "x", base64_text(b"short")])
LINES = st.lists(
    st.builds(
        " ".join,
        st.builds(lambda at, rest: [at, *rest], st.sampled_from(["0", "7", "07", ""]), st.lists(CELLS, max_size=5)),
    ),
    max_size=6,
)


@given(LINES)
def test_lines_of_proofs_are_read_one_after_the_other_as_each_alone(lines: list[str]) -> None:
    def read(reader: bundle.ProofLines, line: str) -> tuple[int, tuple[bytes, ...]] | str:
        try:
            return reader.parse(line)
        except Malformed as error:
            return error.reason

    together = bundle.ProofLines()
    for line in lines:
        found = read(together, line)
        assert found == read(bundle.ProofLines(), line)
        if not isinstance(found, str):
            assert bundle.proof_line(*found) == line + "\n"


def test_manifest_round_trip() -> None:
    manifest = disclosure.parse(MANIFEST)
    assert manifest.encode() == MANIFEST
    assert manifest.exhibits == {forge.DOCUMENT: 1, forge.PICTURE: 2, forge.INTERROGATION: 3}
    previous = disclosure.Previous(forge.DISCLOSURE, forge.digest(b"x"))
    second = disclosure.Manifest(**{**vars(manifest), "round": 2, "previous": previous})
    assert disclosure.parse(second.encode()) == second
    with pytest.raises(Malformed):
        disclosure.Manifest(**{**vars(manifest), "round": 0}).encode()


def test_entry_names() -> None:
    names = package.entry_names("top", ["bagit.txt"], ["data/0001/a"])
    assert names == ["top/bagit.txt", "top/data/0001/a"]
    for top, tags, files in (("..", ["a"], []), ("top", ["a"], ["a"]), ("top", ["a"], ["A"]), ("t", ["a"], ["../b"])):
        with pytest.raises(ContainerInvalid):
            package.entry_names(top, tags, files)


@pytest.mark.parametrize(
    ("original", "safe"),
    [
        ("протокол допроса.pdf", "протокол допроса.pdf"),
        ("Сұрақ-жауап №5.docx", "Сұрақ-жауап №5.docx"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ('a\\b:c*d?e"f<g>h|i%j', "a_b_c_d_e_f_g_h_i_j"),
        ("line\nbreak\0.txt", "line_break_.txt"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("", "_"),
        ("...", "_"),
        ("name. ", "name"),
        (" name", "name"),
        ("\ud800.txt", "_.txt"),
        ("📷.jpg", "📷.jpg"),
        ("и\u0306.txt", "й.txt"),
    ],
)
def test_safe_names(original: str, safe: str) -> None:
    assert package.safe_name(original) == safe


@given(st.text(max_size=400) | st.text("ә.й ", min_size=100, max_size=300))
def test_every_safe_name_can_be_an_entry(original: str) -> None:
    name = package.safe_name(original)
    assert len(name.encode()) <= 150
    assert package.entry_name(f"data/0001/{name}")
    assert "/" not in name
    assert package.safe_name(name) == name


def test_long_name_keeps_its_extension() -> None:
    name = package.safe_name("ұ" * 255 + ".docx")
    assert re.fullmatch(r"ұ+\.docx", name)
    assert package.safe_name("a." + "b" * 300) == "a." + "b" * 147


def test_missing_package(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"), package.opened(tmp_path / "absent"):
        pass
