"""What a file is, by its bytes."""

import gzip
import io
import wave
import zipfile

import pytest

from storage.blob import FileName
from storage.media_type import EXTENSIONS, HEAD_BYTES, OPAQUE, sniff

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
MAIL = b"From: a@example.kz\r\nTo: b@example.kz\r\nSubject: x\r\nMIME-Version: 1.0\r\n\r\nbody"


def kind_of(data: bytes, name: str = "x") -> str:
    return sniff(data[:HEAD_BYTES], data[-HEAD_BYTES:], FileName(name)).media_type


def zipped(*entries: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


def wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(100))
    return out.getvalue()


def boxed(brand: bytes, box: bytes = b"ftyp") -> bytes:
    return b"\x00\x00\x00\x18" + box + brand + bytes(40)


SAMPLES = [
    (b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
    (b"\r\n  %PDF-1.4\n\x00", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n" + bytes(20), "image/png"),
    (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
    (b"II*\x00" + bytes(20), "image/tiff"),
    (b"MM\x00*" + bytes(20), "image/tiff"),
    (b"GIF89a" + bytes(20), "image/gif"),
    (b"BM" + bytes(12) + b"\x28\0\0\0" + bytes(20), "image/bmp"),
    (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
    (wav(), "audio/wav"),
    (b"RF64\xff\xff\xff\xffWAVE", "audio/wav"),
    (b"RIFF\x00\x00\x00\x00AVI LIST", "video/x-msvideo"),
    (b"fLaC" + bytes(20), "audio/flac"),
    (b"ID3\x04" + bytes(20), "audio/mpeg"),
    (b"\xff\xfb\x90\x64" + bytes(400), "audio/mpeg"),
    (b"\xff\xf1\x50\x80" + bytes(40), "audio/aac"),
    (b"OggS\x00\x02", "audio/ogg"),
    (b"#!AMR\n<", "audio/amr"),
    (boxed(b"M4A "), "audio/mp4"),
    (boxed(b"isom"), "video/mp4"),
    (boxed(b"mp42"), "video/mp4"),
    (boxed(b"qt  "), "video/quicktime"),
    (boxed(bytes(4), b"moov"), "video/quicktime"),
    (boxed(b"3gp5"), "video/3gpp"),
    (boxed(b"heic"), "image/heic"),
    (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska" + bytes(8), "video/x-matroska"),
    (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm" + bytes(8), "video/webm"),
    (b"\x00\x00\x01\xba\x44", "video/mpeg"),
    (zipped(("a.txt", b"hello")), "application/zip"),
    (zipped(), "application/zip"),
    (zipped(("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<d/>")), DOCX),
    (
        zipped(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<d/>")),
        DOCX.replace("wordprocessingml.document", "spreadsheetml.sheet"),
    ),
    (zipped(("[Content_Types].xml", b"<x/>"), ("other/thing.xml", b"<d/>")), "application/zip"),
    (zipped(("mimetype", ODT.encode()), ("content.xml", b"<d/>")), ODT),
    (zipped(("mimetype", b"application/vnd.oasis.opendocument.chart"), ("content.xml", b"<d/>")), "application/zip"),
    (zipped(("mimetype", b"application/epub+zip"), ("x", b"")), "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20), "application/x-ole-storage"),
    (b"{\\rtf1\\ansi", "application/rtf"),
    (b"Rar!\x1a\x07\x01\x00", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c\x00\x04", "application/x-7z-compressed"),
    (gzip.compress(b"x"), "application/gzip"),
    (b"MZ\x90\x00" + bytes(60) + b"PE\x00\x00" + bytes(20), "application/vnd.microsoft.portable-executable"),
    (MAIL, "message/rfc822"),
    (MAIL.replace(b"From: ", b"From:\r\n "), "message/rfc822"),
    ("From: a\nTo: b\nSubject: Счёт\n\nтело".encode("koi8-r"), "message/rfc822"),
    (b"From: a\nTo: b\nSubject: \x00\n\n", "application/octet-stream"),
    ("Қаралды: хаттама\nекінші жол".encode(), "text/plain"),
    (b"Note: this\nDate: is\nno mail", "text/plain"),
    (b"plain words first\nfrom: a\nto: b\nsubject: c\n", "text/plain"),
    (b"\xef\xbb\xbf<!DOCTYPE html><p>", "text/html"),
    ("Ћ текст".encode("utf-16"), "text/plain"),
    (("ғ" * HEAD_BYTES).encode()[1:][: 2 * HEAD_BYTES - 2][1:], "text/plain"),
    (b"\xff\xfe\x00\xd8\x00\xd8\x00\xd8\x00\xd8\x00\xd8\x00\xd8", OPAQUE),
    (b"", OPAQUE),
    (b"a\x00b", OPAQUE),
    (bytes(range(1, 200)) * 3, OPAQUE),
    (b"\xff\xe7\xff\xff" + bytes(9), OPAQUE),
    (b"\xff\xeb\x90\x64" + bytes(9), OPAQUE),
    (b"\xff\xf9\xff\xff\x01" + bytes(9), "audio/aac"),
    (b"RIFF\x00\x00\x00\x00ODD " + bytes(9), OPAQUE),
    (b"SQLite format 3\x00" + bytes(100), "application/x-sqlite3"),
]


@pytest.mark.parametrize(("data", "media_type"), SAMPLES)
def test_a_file_is_known_by_its_bytes(data: bytes, media_type: str) -> None:
    assert kind_of(data) == media_type


def test_a_large_document_is_known_by_its_directory_at_the_end() -> None:
    big = bytes(index * 7 % 256 for index in range(3 * HEAD_BYTES))
    data = zipped(("[Content_Types].xml", b"<x/>"), ("media.bin", big), ("word/document.xml", b"<d/>"))
    assert kind_of(data) == DOCX


@pytest.mark.parametrize(
    ("data", "name", "mismatch"),
    [
        (b"%PDF-1.7\n\x00", "a.pdf", False),
        (b"%PDF-1.7\n\x00", "a.PDF", False),
        (b"\x89PNG\r\n\x1a\n", "a.pdf", True),
        (zipped(("a", b"b")), "report.pdf", True),
        (zipped(("a", b"b")), "report.docx", True),
        (b"a\x00b", "a.mp4", True),
        (b"a\x00b", "dump.aff4", False),
        (b"a\x00b", "noname", False),
        (b"hello", "a.csv", False),
        (b"hello", "a.exe", True),
    ],
)
def test_a_name_that_claims_another_type_is_flagged(data: bytes, name: str, mismatch: bool) -> None:
    assert sniff(data, data, FileName(name)).mismatch is mismatch


def test_the_table_says_one_type_per_extension_where_it_can() -> None:
    seen = [extension for extensions in EXTENSIONS.values() for extension in extensions]
    assert len(seen) == len(set(seen))
