"""What a file is, told by its bytes and never by its name; a name that says otherwise is flagged, not refused.

A closed table for what the program handles; `puremagic` is asked about the rest; what neither knows is opaque
(`application/octet-stream`) and accepted. Not guaranteed: that a file of a type is well formed, or is that type only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import puremagic

from storage.blob import FileName

OPAQUE: Final = "application/octet-stream"
HEAD_BYTES: Final = 64 * 1024
"""How much of the beginning, and of the end, `sniff` wants to see."""

_OOXML: Final = "application/vnd.openxmlformats-officedocument."
_ODF: Final = "application/vnd.oasis.opendocument."

EXTENSIONS: Final[Mapping[str, frozenset[str]]] = {
    media_type: frozenset(extensions.split())
    for media_type, extensions in {
        "application/pdf": "pdf",
        _OOXML + "wordprocessingml.document": "docx docm dotx",
        _OOXML + "spreadsheetml.sheet": "xlsx xlsm xltx",
        _OOXML + "presentationml.presentation": "pptx pptm ppsx",
        _ODF + "text": "odt ott",
        _ODF + "spreadsheet": "ods ots",
        _ODF + "presentation": "odp",
        "application/zip": "zip",
        "application/x-ole-storage": "doc xls ppt",
        "application/vnd.ms-outlook": "msg",
        "application/rtf": "rtf",
        "application/vnd.rar": "rar",
        "application/x-7z-compressed": "7z",
        "application/gzip": "gz tgz",
        "application/x-bzip2": "bz2 tbz2",
        "application/x-xz": "xz txz",
        "application/x-tar": "tar",
        "application/x-sqlite3": "sqlite sqlite3 db",
        "application/vnd.tcpdump.pcap": "pcap cap",
        "application/x-iso9660-image": "iso",
        "application/x-ewf": "e01 ex01",
        "application/x-vmdk": "vmdk",
        "application/x-qcow2": "qcow2 qcow",
        "application/x-vhdx": "vhdx",
        "application/x-evtx": "evtx",
        "application/vnd.microsoft.portable-executable": "exe dll sys scr",
        "image/png": "png",
        "image/jpeg": "jpg jpeg jpe jfif",
        "image/webp": "webp",
        "image/tiff": "tif tiff dng",
        "image/gif": "gif",
        "image/bmp": "bmp",
        "image/heic": "heic heif",
        "image/avif": "avif",
        "audio/wav": "wav",
        "audio/flac": "flac",
        "audio/mpeg": "mp3",
        "audio/ogg": "ogg oga opus",
        "audio/mp4": "m4a m4b",
        "audio/aac": "aac",
        "audio/amr": "amr",
        "video/mp4": "mp4 m4v",
        "video/quicktime": "mov qt",
        "video/3gpp": "3gp 3g2",
        "video/x-matroska": "mkv mka mk3d",
        "video/webm": "webm",
        "video/x-msvideo": "avi",
        "video/x-flv": "flv",
        "video/x-ms-asf": "asf wmv wma",
        "video/mpeg": "mpg mpeg vob",
        "message/rfc822": "eml",
        "text/html": "html htm",
        "text/plain": "txt log csv tsv md json jsonl xml srt vtt ini yaml yml",
    }.items()
}

_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"{\\rtf", "application/rtf"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (b"EVF\x09\x0d\x0a\xff\x00", "application/x-ewf"),
    (b"EVF2\x0d\x0a\x81\x00", "application/x-ewf"),
    (b"KDMV", "application/x-vmdk"),
    (b"QFI\xfb", "application/x-qcow2"),
    (b"vhdxfile", "application/x-vhdx"),
    (b"ElfFile\x00", "application/x-evtx"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
)
_RIFF: Final = {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}
_OFFICE: Final = (
    (b"word/document", _OOXML + "wordprocessingml.document"),
    (b"xl/workbook", _OOXML + "spreadsheetml.sheet"),
    (b"ppt/presentation", _OOXML + "presentationml.presentation"),
)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MESSAGE: Final = tuple(name.encode("utf-16-le") for name in ("__nameid_version1.0", "__substg1.0_"))
"""What makes a compound file a message ([MS-OXMSG], section 2); these are the first entries of its directory."""
_BRANDS: Final = {b"avif": "image/avif", b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4"}
_HEIC: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"})
_MAIL_FIELDS: Final = re.compile(
    rb"^(from|to|date|subject|received|return-path|message-id|mime-version|delivered-to):", re.IGNORECASE | re.MULTILINE
)
_SURE: Final = 0.8


@dataclass(frozen=True)
class Kind:
    """A file's media type by content, and whether its name claims another."""

    media_type: str
    mismatch: bool


def sniff(head: bytes, tail: bytes, name: FileName) -> Kind:
    """The kind of a file from its first and last `HEAD_BYTES` (they may overlap) and what its name claims."""
    media_type = _binary(head, tail) or _text(head) or _second_opinion(head) or OPAQUE
    return Kind(media_type, mismatch=claims_another(name, media_type))


def claims_another(name: FileName, media_type: str) -> bool:
    """Whether a name's extension is known and stands for other types only."""
    claimed = {kind for kind, extensions in EXTENSIONS.items() if name.extension in extensions}
    return bool(claimed) and media_type not in claimed


def _binary(head: bytes, tail: bytes) -> str | None:
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if b"%PDF-" in head[:1024]:
        return "application/pdf"
    return _container(head, tail) or _guarded(head) or _mpeg_audio(head)


def _container(head: bytes, tail: bytes) -> str | None:
    """Formats that hold others: what they are is said a little further in."""
    start, box = head[:4], head[4:8]
    if head.startswith(_OLE):
        message = any(name in end for name in _MESSAGE for end in (head, tail))
        return "application/vnd.ms-outlook" if message else "application/x-ole-storage"
    if start in {b"RIFF", b"RF64"}:
        return _RIFF.get(head[8:12])
    if start == b"\x1a\x45\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if start in {b"PK\x03\x04", b"PK\x05\x06"}:
        return _zip(head, tail)
    if box == b"ftyp":
        return _isobmff(head[8:12])
    return "video/quicktime" if box in {b"moov", b"mdat", b"wide"} else None


def _guarded(head: bytes) -> str | None:
    """Two-letter magics, believed only with a second sign further in."""
    if head.startswith(b"MZ") and b"PE\x00\x00" in head[:4096]:
        return "application/vnd.microsoft.portable-executable"
    if head.startswith(b"BM") and head[14:18] in {b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0"}:
        return "image/bmp"
    if head[257:262] == b"ustar":
        return "application/x-tar"
    return "application/x-iso9660-image" if head[32769:32774] == b"CD001" else None


def _isobmff(brand: bytes) -> str:
    """ISO 14496-12 files by major brand; one not named here is video, as most are."""
    if brand in _HEIC:
        return "image/heic"
    if brand.startswith(b"3g"):
        return "video/3gpp"
    return _BRANDS.get(brand, "video/mp4")


def _zip(head: bytes, tail: bytes) -> str:
    """A ZIP by what lies in it: OpenDocument says so first (ODF 1.3 part 2, section 3.3), OOXML in its directory."""
    if head[30:38] == b"mimetype":
        declared = re.match(rb"application/vnd\.oasis\.opendocument\.[a-z]+", head[38:128])
        if declared:
            media_type = declared.group().decode()
            return media_type if media_type in EXTENSIONS else "application/zip"
    for entry, media_type in _OFFICE:
        if b"[Content_Types].xml" in head + tail and (entry in tail or entry in head):
            return media_type
    return "application/zip"


def _mpeg_audio(head: bytes) -> str | None:
    """MPEG audio without a tag: a frame header (ISO 11172-3, section 2.4.1.3) with no reserved value, or ADTS."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    layer, version = head[1] >> 1 & 3, head[1] >> 3 & 3
    if layer == 0:
        return "audio/aac" if head[1] & 0xF6 == 0xF0 else None
    reserved = version == 1 or head[2] >> 4 in {0, 15} or head[2] >> 2 & 3 == 3
    return None if reserved else "audio/mpeg"


def _text(head: bytes) -> str | None:
    """Text in UTF-8 or, with a byte order mark, UTF-16; then a mail message, HTML or plain."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text/plain" if _decodes(head, "utf-16") else None
    if _mail(head):
        return "message/rfc822"
    if not head or not _decodes(head, "utf-8") or any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return None
    start = head[:4096].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    return "text/plain"


def _mail(head: bytes) -> bool:
    """Whether a header of a mail message stands on top; it and what follows may be in any eight-bit encoding."""
    top = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    fields = {field.lower() for field in _MAIL_FIELDS.findall(top)}
    readable = not any(byte < 32 and byte not in b"\t\r\n" for byte in top)
    return len(fields) >= 3 and readable and re.match(rb"[!-9;-~]+:", head) is not None


def _decodes(head: bytes, encoding: str) -> bool:
    """Whether the bytes are text; the last character may be cut by the end of the head."""
    for cut in range(4):
        try:
            head[: len(head) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _second_opinion(head: bytes) -> str | None:
    """What `puremagic` is sure of, for formats outside our table."""
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return None
    return next((best.mime_type for best in found if best.mime_type and best.confidence >= _SURE), None)
