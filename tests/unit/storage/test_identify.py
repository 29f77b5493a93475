"""What files say about themselves, and what hostile ones only pretend. The readers run here in the test's process."""

import codecs
import hashlib
import io

import pikepdf
import pytest

from custody.proof import canonical
from storage.blob import FileName
from storage.identify import packed, reading
from storage.identify.archives import STREAM_BYTES
from storage.identify.model import ANCHORS, MOST_CLAIMS, MOST_ENTRIES, Claims, checked
from storage.media_type import HEAD_BYTES, sniff
from tests import hostile_files as files


def identify(tmp_path, data: bytes, name: str = "x"):
    source = tmp_path / "original"
    source.write_bytes(data)
    kind = sniff(data[:HEAD_BYTES], data[-HEAD_BYTES:], FileName(name))
    told = reading.run({"media_type": kind.media_type, "filename": name}, source, lambda done, total: None)
    canonical.encode(told)
    assert checked(told) == told
    return told


def said(told) -> dict:
    return {one["key"]: one["value"] for one in told["claims"]}


def names(told) -> list[str]:
    return [one["name"] for one in told["entries"]]


def pdf(tmp_path, *, password: str | None = None, more: bool = False) -> bytes:
    document = pikepdf.new()
    document.add_blank_page()
    document.docinfo["/Producer"] = "Сканер 1.0"
    document.attachments["черновик.txt"] = pikepdf.AttachedFileSpec(document, b"draft")
    if more:
        document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        signature = pikepdf.Dictionary(Type=pikepdf.Name.Sig, ByteRange=pikepdf.Array([0, 1, 2, 3]))
        document.Root.Signature = document.make_indirect(signature)
    made = io.BytesIO()
    document.save(made, encryption=pikepdf.Encryption(owner=password, user=password) if password else False)
    return made.getvalue()


def test_a_photo(tmp_path):
    told = identify(tmp_path, files.photo(), "a.jpg")
    found = said(told)
    assert (found["picture.width"], found["picture.height"]) == (80, 40)
    assert (found["exif.Make"], found["exif.DateTimeOriginal"]) == ("Kamera", "2026:03:11 10:22:00")
    assert found["exif.place"] == "43.239028, 76.883667"
    assert told["flags"] == ["place"]


def test_a_video(tmp_path):
    told = identify(tmp_path, files.video(), "a.mp4")
    found = said(told)
    assert found["media.streams"] == 2
    assert found["media.stream.1"] == "video, h264, 320 × 180, 10 fps"
    assert 900 <= found["media.duration_ms"] <= 1100


def test_a_video_that_was_cut_off_is_flagged(tmp_path):
    data = files.video()
    assert identify(tmp_path, data[: len(data) // 2], "a.mp4")["flags"] == ["unreadable"]


def test_a_pdf(tmp_path):
    told = identify(tmp_path, pdf(tmp_path), "a.pdf")
    found = said(told)
    assert (found["pdf.pages"], found["pdf.Producer"], found["pdf.revisions"]) == (1, "Сканер 1.0", 1)
    assert names(told) == ["черновик.txt"]
    assert told["flags"] == ["attachments"]


def test_a_pdf_that_was_saved_on_that_runs_and_is_signed(tmp_path):
    told = identify(tmp_path, pdf(tmp_path, more=True) + b"\n%%EOF\n", "a.pdf")
    assert set(told["flags"]) == {"active_content", "attachments", "pdf.revisions", "signed"}


def test_a_pdf_behind_a_password(tmp_path):
    assert identify(tmp_path, pdf(tmp_path, password="x"), "a.pdf")["flags"] == ["encrypted"]


def test_a_message_and_what_is_attached(tmp_path):
    told = identify(tmp_path, files.mail(), "a.eml")
    found = said(told)
    assert (found["mail.From"], found["mail.Subject"]) == ("Иван <a@example.kz>", "Привет")
    assert found["mail.Date"] == "Mon, 1 Jan 2026 10:00:00 +0500", "a claim is kept as it was written"
    assert names(told) == ["счёт.pdf (application/pdf)"]


def test_an_office_document(tmp_path):
    told = identify(tmp_path, files.office(macros=True), "a.docx")
    assert said(told)["office.creator"] == "Иванов"
    assert told["flags"] == ["active_content"]


@pytest.mark.parametrize("code_page", [1251, 65001])
def test_an_old_office_document(tmp_path, code_page):
    told = identify(tmp_path, files.old_office(code_page), "a.doc")
    found = said(told)
    assert told["media_type"] == "application/x-ole-storage"
    assert (found["office.creator"], found["office.lastModifiedBy"]) == ("Иванов И. И.", "Петров")
    assert (found["office.title"], found["office.Company"]) == ("Протокол", "ТОО «Мысал»")
    assert (found["office.created"], found["office.Pages"]) == ("2001-02-03T04:05:00Z", 7)
    assert "office.modified" not in found
    assert told["flags"] == ["active_content"]


@pytest.mark.parametrize("code_page", [None, 1251])
def test_a_message_of_outlooks(tmp_path, code_page):
    told = identify(tmp_path, files.outlook(code_page), "a.msg")
    found = said(told)
    assert told["media_type"] == "application/vnd.ms-outlook"
    assert found["mail.From"] == "Иван Петров <ivan@example.kz>"
    assert found["mail.Cc"] == "Бухгалтерия <b@example.kz>"
    assert (found["mail.Subject"], found["mail.Date"]) == ("Акт сверки", "2026-03-14T10:00:00Z")
    assert found["mail.Message-ID"] == "<1@example.kz>"
    assert found["mail.messages_inside"] == 1
    assert names(told) == ["акт.pdf (application/pdf)", "база.bin (application/octet-stream)"]
    assert told["flags"] == ["attachments"]


@pytest.mark.parametrize("make", [files.outlook, files.old_office])
def test_a_broken_compound_file_is_flagged_or_read(tmp_path, make):
    data = make()
    for at in range(0, len(data) - 8, len(data) // 60):
        for change in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00"):
            told = identify(tmp_path, data[:at] + change + data[at + 4 :])
            assert set(told["flags"]) <= {"active_content", "attachments", "unreadable", "too_costly", "type_differs"}
    assert identify(tmp_path, data[: len(data) // 2])["media_type"] != "application/octet-stream"


def test_a_billion_laughs_are_not_told(tmp_path):
    told = identify(tmp_path, files.billion_laughs(), "a.docx")
    assert told["flags"] == ["xml_entities"]
    assert "office.title" not in said(told)


def test_a_zip_that_calls_itself_a_pdf(tmp_path):
    told = identify(tmp_path, files.zipped({"a.txt": b"1", "../b": b"2", "c.zip": files.zipped({"d": b""})}), "a.pdf")
    assert told["media_type"] == "application/zip"
    assert set(told["flags"]) == {"archive.nested", "archive.unsafe_names", "name_mismatch"}
    assert names(told) == ["a.txt", "../b", "c.zip"]


@pytest.mark.parametrize("bomb", [files.zip_bomb, files.overlapping_zip, files.gzip_bomb])
def test_a_bomb_is_named_and_not_set_off(tmp_path, bomb):
    told = identify(tmp_path, bomb())
    assert "archive.bomb" in told["flags"]
    assert said(told)["archive.unpacked_bytes"] <= max(STREAM_BYTES, 300 * files.MIB)


@pytest.mark.parametrize("packed", [False, True])
def test_a_tar(tmp_path, packed):
    told = identify(tmp_path, files.tar(packed=packed))
    assert names(told) == ["ордер.txt", "../../etc/passwd", "inner.zip"]
    assert {"archive.nested", "archive.unsafe_names"} <= set(told["flags"])


@pytest.mark.parametrize("make", [files.rar4, files.rar5])
def test_a_rar(tmp_path, make):
    told = identify(tmp_path, make({"order.txt": b"12345", "../../etc/passwd": b"x", "inner.7z": b""}), "a.rar")
    assert told["media_type"] == "application/vnd.rar"
    assert [(one["name"], one["size_bytes"]) for one in told["entries"]] == [
        ("order.txt", 5),
        ("../../etc/passwd", 1),
        ("inner.7z", 0),
    ]
    assert told["flags"] == ["archive.nested", "archive.unsafe_names"]
    assert said(told)["archive.unpacked_bytes"] == 6


def test_a_7z(tmp_path):
    told = identify(tmp_path, files.SEVEN_ZIP, "a.7z")
    assert names(told) == ["d/", "d/ішкі/", "d/a.zip", "d/ішкі/ордер.txt"]
    assert said(told)["archive.members"] == 4
    assert told["flags"] == ["archive.nested"]
    assert "libarchive" in told["tools"]


def test_a_7z_with_hidden_names_says_that_it_is_not_listed(tmp_path):
    told = identify(tmp_path, files.HIDDEN_SEVEN_ZIP, "a.7z")
    assert told["flags"] == ["archive.not_listed", "encrypted"]
    assert told["entries"] == []


def test_a_rar_that_grows_is_named(tmp_path):
    told = identify(tmp_path, files.rar5({"a": b"x" * 100, "b": b"y" * 100}, claimed=1 << 40), "a.rar")
    assert told["flags"] == ["archive.bomb"]
    assert names(told) == ["a", "b"]


@pytest.mark.parametrize("data", [files.SEVEN_ZIP, files.rar5({"a": b"1" * 99}), files.rar4({"a": b"1" * 99})])
def test_a_broken_7z_or_rar_is_flagged(tmp_path, data):
    for cut in (8, 20, 40, len(data) - 20):
        flags = identify(tmp_path, data[:cut])["flags"]
        assert set(flags) <= {"archive.not_listed", "archive.nested"}, (cut, flags)
    assert "archive.not_listed" in identify(tmp_path, data[:20])["flags"]


def test_without_libarchive_a_7z_stays_opaque_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "_libarchive", None)
    told = identify(tmp_path, files.SEVEN_ZIP, "a.7z")
    assert (told["flags"], told["entries"]) == (["archive.no_lister"], [])


def test_a_picture_of_a_dashboard_is_not_decoded(tmp_path):
    told = identify(tmp_path, files.huge_png(), "a.png")
    assert said(told)["picture.width"] == 60_000
    assert told["flags"] == ["picture.huge"]


def test_an_unknown_file_is_opaque(tmp_path):
    told = identify(tmp_path, bytes(range(256)) * 9, "disk.dd")
    assert (told["media_type"], told["claims"], told["flags"]) == ("application/octet-stream", [], [])


def test_a_signature_of_the_device(tmp_path):
    told = identify(tmp_path, data := files.signed_picture(), "a.jpg")
    assert told["c2pa"]["verdict"] == "intact"
    assert (told["c2pa"]["issuer"], told["c2pa"]["generator"]) == ("Camera", "Dalel test camera")
    assert "c2pa.broken" not in told["flags"]
    broken = bytearray(data)
    broken[-20] ^= 1
    told = identify(tmp_path, bytes(broken), "a.jpg")
    assert told["c2pa"]["verdict"] == "broken"
    assert "assertion.dataHash.mismatch" in told["c2pa"]["failures"]
    assert "c2pa.broken" in told["flags"]


def test_a_list_of_issuers_decides_whom_to_trust(tmp_path):
    maker = files.maker()
    data = files.signed_picture(maker)
    listed = tmp_path / ANCHORS
    listed.write_bytes(files.anchor(files.maker()) + files.anchor(maker))
    told = identify(tmp_path, data, "a.jpg")
    assert (told["c2pa"]["verdict"], told["c2pa"]["failures"]) == ("trusted", [])
    assert told["c2pa"]["anchors"] == "sha256:" + hashlib.sha256(listed.read_bytes()).hexdigest()
    broken = bytearray(data)
    broken[-20] ^= 1
    assert identify(tmp_path, bytes(broken), "a.jpg")["c2pa"]["verdict"] == "broken"
    listed.write_bytes(files.anchor(files.maker()))
    told = identify(tmp_path, data, "a.jpg")
    assert told["c2pa"]["verdict"] == "untrusted"
    assert told["c2pa"]["failures"] == ["signingCredential.untrusted"]


def test_a_picture_without_a_signature_has_no_verdict(tmp_path):
    assert identify(tmp_path, files.photo())["c2pa"] is None


def test_claims_are_bounded_and_harmless():
    claims = Claims()
    for number in range(2 * MOST_ENTRIES):
        claims.claim(f"k{number}", "x\u202e" * 5000)
        claims.entry(f"e\x00{number}", -1)
    told = claims.document("a/b")
    assert (len(told["claims"]), len(told["entries"]), told["entries_total"]) == (MOST_CLAIMS, MOST_ENTRIES, 2000)
    assert "\u202e" not in canonical.encode(told).decode()


@pytest.mark.parametrize(
    "change",
    [
        {"flags": ["<script>"]},
        {"flags": [1]},
        {"claims": [{"key": "a"}]},
        {"entries": [{"name": "a", "size_bytes": "many"}]},
        {"c2pa": {"verdict": "A B"}},
        {"tools": []},
        {"entries_total": None},
    ],
)
def test_what_a_taken_over_child_says_is_refused(change):
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        checked(Claims().document("a/b") | change)


def test_every_codec_is_there_for_mail():
    assert codecs.lookup("koi8-r")
