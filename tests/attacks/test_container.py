"""The container: entries that are not what they seem, too many, too large, or read in two ways."""

import io
import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from custody.proof import bundle, package, policy, verify
from custody.proof.refusal import Step, VerificationError
from tests.attacks import forge

HONEST = forge.entries(forge.tell())
TOP = forge.TOP


def archive(
    *extra: tuple[zipfile.ZipInfo | str, bytes], entries: dict[str, bytes] | None = None, compression: int = 0
) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as made:
        for name, data in (HONEST if entries is None else entries).items():
            made.writestr(f"{TOP}/{name}", data)
        for info, data in extra:
            made.writestr(info, data)
    return target.getvalue()


def info(name: str, mode: int = 0, flags: int = 0) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = mode << 16
    made.create_system = 3
    made.flag_bits |= flags
    return made


@pytest.mark.parametrize(
    "name",
    [
        f"{TOP}/../evil",
        f"{TOP}/data/./x",
        f"{TOP}/data//x",
        "/etc/passwd",
        f"{TOP}/data/",
        f"{TOP}/a\\b",
        f"{TOP}/C:evil",
        f"{TOP}/new\nline",
        f"{TOP}/\x1b[2J",
        f"{TOP}/trailing.",
        f"{TOP}/trailing ",
        f"{TOP}/100%25",
        f"{TOP}/" + "я" * 600,
        "top-level",
        "another-top/file",
    ],
)
def test_path(name: str) -> None:
    refusal = forge.refused(archive((info(name), b"x")), Step.CONTAINER, "container.invalid")
    assert "\x1b" not in refusal.found
    assert "\n" not in refusal.found


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR])
def test_link_or_special_file(kind: int) -> None:
    raw = archive((info(f"{TOP}/index2", kind | 0o644), b"/etc/passwd"))
    forge.refused(raw, Step.CONTAINER, "container.invalid")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["index.html", "INDEX.html", "data/0002/PHOTO.jpg"])
def test_two_entries_of_one_name(name: str) -> None:
    forge.refused(archive((f"{TOP}/{name}", b"x")), Step.CONTAINER, "container.invalid")


def test_two_entries_of_one_name_in_two_unicode_forms() -> None:
    raw = archive((f"{TOP}/data/0001/\u0439", b"x"), (f"{TOP}/data/0001/\u0438\u0306", b"x"))
    forge.refused(raw, Step.CONTAINER, "container.invalid")


def test_compressed_bomb() -> None:
    raw = archive((f"{TOP}/data/0001/bomb", b"\0" * 5_000_000), compression=zipfile.ZIP_DEFLATED)
    assert len(raw) < 100_000
    forge.refused(raw, Step.CONTAINER, "container.invalid")


def test_encrypted() -> None:
    raw = bytearray(archive())
    at = raw.index(b"PK\x01\x02") + 8
    raw[at] |= 1
    forge.refused(bytes(raw), Step.CONTAINER, "container.invalid")


def test_overlapping_entries() -> None:
    """Two names for the same bytes, as in bombs that do not need compression."""
    raw = bytearray(archive((f"{TOP}/reader/b", b"x" * 10), (f"{TOP}/reader/a", b"x" * 10)))
    last = raw.rindex(b"PK\x01\x02")
    before = raw.rindex(b"PK\x01\x02", 0, last)
    raw[last + 42 : last + 46] = raw[before + 42 : before + 46]
    forge.refused(bytes(raw), Step.CONTAINER, "container.invalid")


def test_size_that_reaches_into_the_directory() -> None:
    raw = bytearray(archive())
    last = raw.rindex(b"PK\x01\x02")
    raw[last + 20 : last + 28] = struct.pack("<2L", 1 << 20, 1 << 20)
    forge.refused(bytes(raw), Step.CONTAINER, "container.invalid")


def test_bytes_before_and_after() -> None:
    for raw in (b"#!/bin/sh\n" + archive(), archive() + b"x"):
        forge.refused(raw, Step.CONTAINER, "container.invalid")


def test_comment() -> None:
    target = io.BytesIO(archive())
    with zipfile.ZipFile(target, "a") as made:
        made.comment = b"see https://example.org"
    forge.refused(target.getvalue(), Step.CONTAINER, "container.invalid")


def test_local_name_differs_from_the_directory() -> None:
    raw = bytearray(archive())
    at = raw.index(f"{TOP}/{bundle.BAGIT}".encode())
    raw[at : at + 3] = b"XXX"
    refusal = forge.refused(bytes(raw), Step.FILES, "form")
    assert bundle.BAGIT in refusal.found


def test_name_cut_at_nul() -> None:
    raw = archive((f"{TOP}/reader/aXb", b"x")).replace(b"reader/aXb", b"reader/a\0b")
    forge.refused(raw, Step.CONTAINER, "container.invalid")


def test_name_in_a_code_page() -> None:
    raw = bytearray(archive())
    at = raw.rindex("протокол".encode())
    header = raw.rindex(b"PK\x01\x02", 0, at)
    raw[header + 8 : header + 10] = b"\0\0"
    forge.refused(bytes(raw), Step.CONTAINER, "container.invalid")


@pytest.mark.parametrize("raw", [b"", b"PK", b"x" * 100, b"PK\x05\x06" + b"\0" * 18])
def test_no_archive(raw: bytes) -> None:
    forge.refused(raw, Step.CONTAINER, "container.invalid")


def test_directory_too_large() -> None:
    raw = bytearray(archive())
    raw[-10:-6] = struct.pack("<L", package.MAX_DIRECTORY_BYTES + 1)
    forge.refused(bytes(raw), Step.CONTAINER, "container.invalid")


def test_zip64_end_record_missing() -> None:
    raw = archive()
    attacked = raw[:-22] + struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1) + raw[-22:]
    forge.refused(attacked, Step.CONTAINER, "container.invalid")


def zip64(directory_bytes: int | None = None) -> bytes:
    """The archive with ZIP64 end records, as a writer of large packages makes it."""
    raw = archive()
    _, _, _, count, _, length, offset, _ = struct.unpack("<4s4H2LH", raw[-22:])
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, directory_bytes or length, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(raw) - 22, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return raw[:-22] + record + locator + end


def test_zip64_is_read() -> None:
    assert forge.checked(zip64()).events == 22


def test_zip64_directory_too_large() -> None:
    forge.refused(zip64(1 << 40), Step.CONTAINER, "container.invalid")


def test_too_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_ENTRIES", len(HONEST) - 1)
    forge.refused(archive(), Step.CONTAINER, "container.invalid")


def test_extra_file_and_missing_file() -> None:
    forge.refused(archive((f"{TOP}/note.txt", b"x")), Step.FILES, "files.extra")
    forge.refused(archive((f"{TOP}/data/0001/more", b"x")), Step.FILES, "files.extra")
    for entry in bundle.REQUIRED:
        without = {name: data for name, data in HONEST.items() if name != entry}
        forge.refused(archive(entries=without), Step.FILES, "files.missing")
    without = {name: data for name, data in HONEST.items() if name != "data/0002/photo.jpg"}
    forge.refused(archive(entries=without), Step.FILES, "files.missing")


@pytest.mark.parametrize("entry", ["order.pdf", "custody/more", "index.htm", "reader", "README.txt/x"])
def test_listed_file_of_a_kind_that_packages_do_not_have(entry: str) -> None:
    """New lists can be made by anybody: what they may list is closed."""
    forge.refused(forge.relisted({**HONEST, entry: b"x"}), Step.FILES, "files.extra")


@pytest.mark.parametrize(
    ("entry", "line"),
    [(bundle.TAG_MANIFEST, "data/0002/photo.jpg"), (bundle.PAYLOAD_MANIFEST, "index.html")],
)
def test_file_in_the_wrong_list(entry: str, line: str) -> None:
    package = dict(HONEST)
    lists = bundle.parse_digest_lines(package[entry])
    package[entry] = bundle.digest_lines({**lists, line: "0" * 64})
    forge.refused(package, Step.FILES, "files.bag")


# the same, unpacked to a folder


def unpacked(folder: Path) -> Path:
    for name, data in HONEST.items():
        path = folder / TOP / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder / TOP


def check(path: Path) -> verify.Verified:
    return verify.verify_path(path, policy.parse(forge.policy_text().encode()), now_s=forge.NOW_S)


def test_unpacked_is_read(tmp_path: Path) -> None:
    root = unpacked(tmp_path)
    assert check(root).manifest_sha256 == check(tmp_path).manifest_sha256


@pytest.mark.parametrize("attack", ["link", "link to folder", "fifo", "name", "removed while read", "extra"])
def test_unpacked(tmp_path: Path, attack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root, step = unpacked(tmp_path), Step.CONTAINER
    match attack:
        case "link":
            (root / "index.html").unlink()
            (root / "index.html").symlink_to("/etc/passwd")
        case "link to folder":
            (root / "reader").symlink_to("/etc")
        case "fifo":
            os.mkfifo(root / "reader")
        case "name":
            (root / "a\\b").write_bytes(b"x")
        case "removed while read":
            monkeypatch.setattr(package, "_walk", lambda *_: [(name, len(data)) for name, data in HONEST.items()])
            (root / "index.html").unlink()
            step = Step.FILES
        case _:
            (root / "order.pdf").write_bytes(b"x")
            step = Step.FILES
    with pytest.raises(VerificationError) as caught:
        check(root)
    assert caught.value.step == step
