"""Small files of every family, honest and hostile, made in code. Each function returns bytes."""

import base64
import bz2
import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from typing import Any

import av
import c2pa
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

from tests import compound

MIB = 1 << 20


def video(seconds: float = 1.0, rate: int = 10, *, sound: bool = True, uneven: bool = False) -> bytes:
    """A moving picture of 320 × 180 with a tone; `uneven` makes every third frame late."""
    made = io.BytesIO()
    with av.open(made, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        tone = out.add_stream("aac", rate=16_000, layout="mono") if sound else None
        for number in range(int(seconds * rate)):
            frame = av.VideoFrame.from_ndarray(np.full((180, 320, 3), number * 20 % 256, np.uint8), "rgb24")
            frame.pts = number * 1000 // rate + (10 if uneven and number % 3 == 2 else 0)
            frame.time_base = Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if tone is not None:
            _tone(out, tone, seconds)
    return made.getvalue()


def _tone(out: Any, stream: Any, seconds: float) -> None:
    for number in range(int(seconds * 16_000) // 1024):
        wave = np.sin((np.arange(1024) + number * 1024) * 0.2).astype(np.float32).reshape(1, -1) * 0.5
        frame = av.AudioFrame.from_ndarray(wave, "fltp", "mono")
        frame.rate, frame.pts, frame.time_base = 16_000, number * 1024, Fraction(1, 16_000)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def photo(*, place: bool = True) -> bytes:
    """A JPEG of 80 × 40 lying on its side, with what a camera writes."""
    picture = Image.new("RGB", (80, 40), "red")
    exif = picture.getexif()
    exif[0x010F], exif[0x0112] = "Kamera", 6
    exif.get_ifd(0x8769)[0x9003] = "2026:03:11 10:22:00"
    if place:
        exif.get_ifd(0x8825).update({1: "N", 2: (43.0, 14.0, 20.5), 3: "E", 4: (76.0, 53.0, 1.2)})
    made = io.BytesIO()
    picture.save(made, "JPEG", exif=exif)
    return made.getvalue()


@cache
def huge_png(side: int = 60_000) -> bytes:
    """A valid PNG of side × side pixels of one bit: half a megabyte that unpacks to 450."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    rows = bytes(side // 8 + 1) * 1000
    pixels = b"".join(packer.compress(rows) for _ in range(side // 1000)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def zipped(members: dict[str, bytes]) -> bytes:
    """A ZIP of these."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


@cache
def zip_bomb() -> bytes:
    """300 MiB of nothing in a third of a megabyte."""
    return zipped({f"{number}.txt": bytes(100 * MIB) for number in range(3)})


def overlapping_zip() -> bytes:
    """Two members that share their bytes (Fifield's bomb in small): the directory names the same place twice."""
    honest = bytearray(zipped({"a": b"one" * 50, "b": b"two" * 50}))
    second = honest.rfind(b"PK\x01\x02")
    honest[second + 42 : second + 46] = bytes(4)
    return bytes(honest)


def gzip_bomb() -> bytes:
    """600 MiB of nothing."""
    return gzip.compress(bytes(MIB)) * 600


def tar(*, packed: bool = False) -> bytes:
    """A tar, as .tar.bz2 if `packed`, with a member that climbs out of its folder."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in ("ордер.txt", "../../etc/passwd", "inner.zip"):
            member = tarfile.TarInfo(name)
            member.size = 5
            archive.addfile(member, io.BytesIO(b"12345"))
    return bz2.compress(made.getvalue()) if packed else made.getvalue()


def office(core: str | None = None, *, macros: bool = False) -> bytes:
    """A DOCX with these core properties."""
    said = core or ('<cp:coreProperties xmlns:cp="a" xmlns:dc="b"><dc:creator>Иванов</dc:creator></cp:coreProperties>')
    members = {"[Content_Types].xml": b"<a/>", "word/document.xml": b"<a/>", "docProps/core.xml": said.encode()}
    return zipped(members | ({"word/vbaProject.bin": b"x"} if macros else {}))


def letter(words: str) -> bytes:
    """A DOCX that a word processor opens."""
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
        'PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.'
        'document.main+xml"/></Types>'
    )
    begins = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    document = (
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>'
        f"{words}</w:t></w:r></w:p></w:body></w:document>"
    )
    members = {"[Content_Types].xml": types, "_rels/.rels": begins, "word/document.xml": document}
    return zipped({name: text.encode() for name, text in members.items()})


def open_letter(words: str, picture: str = "", section: str = "") -> bytes:
    """An OpenDocument text that a word processor opens; links to a picture and to another document as given."""
    kind = "application/vnd.oasis.opendocument.text"
    names = "".join(
        f' xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for short, long in (("office", "office"), ("text", "text"), ("draw", "drawing"), ("svg", "svg-compatible"))
    )
    linked = f'xlink:type="simple" xlink:href="{picture}" xlink:show="embed" xlink:actuate="onLoad"'
    inside = f'<text:p>{words}<draw:frame svg:width="3cm" svg:height="3cm"><draw:image {linked}/></draw:frame></text:p>'
    if section:
        source = f'<text:section-source xlink:type="simple" xlink:href="{section}"/>'
        inside += f'<text:section text:name="a">{source}<text:p/></text:section>'
    content = (
        f'<office:document-content{names} xmlns:xlink="http://www.w3.org/1999/xlink" office:version="1.2"><office:body>'
        f"<office:text>{inside if picture else f'<text:p>{words}</text:p>'}</office:text></office:body>"
        "</office:document-content>"
    )
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    members = {"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest}
    return zipped({name: text.encode() for name, text in members.items()})


def billion_laughs() -> bytes:
    """A DOCX whose properties grow to 10^10 characters where entities are followed."""
    entities = "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10}">' for at in range(1, 11))
    return office(f'<!DOCTYPE p [<!ENTITY e0 "lol">{entities}]><p><title>&e10;</title></p>')


def mail() -> bytes:
    """A message in windows-1251 with a script, a tracker and an attachment."""
    head = (
        "From: Иван <a@example.kz>\r\nTo: b@example.kz\r\nSubject: =?windows-1251?B?z/Do4uXy?=\r\n"
        "Date: Mon, 1 Jan 2026 10:00:00 +0500\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        "--x\r\nContent-Type: text/html; charset=windows-1251\r\n\r\n"
    )
    body = '<html><script>stolen()</script><p>Привет, <b>мир</b></p><img src="http://192.0.2.1/x.png"></html>'
    attached = (
        '\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="счёт.pdf"\r\n\r\n%PDF'
        "\r\n--x--\r\n"
    )
    return head.encode() + body.encode("cp1251") + attached.encode()


def maker() -> Any:
    """The key of a maker of cameras."""
    return ec.generate_private_key(ec.SECP256R1())


def anchor(key: Any) -> bytes:
    """The maker's own certificate, for a list of those whose signatures are trusted."""
    return _certificate("Maker", key, key, issuing=True)


def signed_picture(key: Any = None) -> bytes:
    """A JPEG with a C2PA manifest of a camera, which its maker (of this key) vouches for."""
    of_maker, camera = key or maker(), ec.generate_private_key(ec.SECP256R1())
    chain = _certificate("Camera", camera, of_maker, issuing=False) + anchor(of_maker)
    key = camera.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made_by = {
        "action": "c2pa.created",
        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
    }
    manifest = {
        "claim_generator_info": [{"name": "Dalel test camera", "version": "1"}],
        "format": "image/jpeg",
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [made_by]}}],
    }
    plain, signed = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (64, 48), "blue").save(plain, "JPEG")
    plain.seek(0)
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, chain, key, None))
    with c2pa.Builder(json.dumps(manifest)) as builder:
        builder.sign(signer, "image/jpeg", plain, signed)
    return signed.getvalue()


def _certificate(name: str, key: Any, issuer_key: Any, *, issuing: bool) -> bytes:
    def named(text: str) -> x509.Name:
        parts = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        return x509.Name([x509.NameAttribute(oid, text) for oid in parts])

    usage = x509.KeyUsage(not issuing, False, False, False, False, issuing, issuing, False, False)
    made = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("Maker"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(issuing, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(usage, critical=True)
    )
    if not issuing:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return made.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _number(value: int) -> bytes:
    """A number as RAR 5 writes it: seven bits a byte, the lowest first."""
    made = b""
    while value > 127:
        made, value = made + bytes([value & 127 | 128]), value >> 7
    return made + bytes([value])


def rar5(members: dict[str, bytes], claimed: int | None = None) -> bytes:
    """A RAR 5 archive of stored members; `claimed` is the size that each says it unpacks to."""

    def block(kind: int, body: bytes, data: bytes | None = None) -> bytes:
        flags = b"\x00" if data is None else b"\x02" + _number(len(data))
        head = bytes([kind]) + flags + body
        head = _number(len(head)) + head
        return struct.pack("<I", zlib.crc32(head)) + head + (data or b"")

    made = b"Rar!\x1a\x07\x01\x00" + block(1, b"\x00")
    for name, data in members.items():
        said, size = name.encode(), len(data) if claimed is None else claimed
        body = b"\x04" + _number(size) + b"\x00" + struct.pack("<I", zlib.crc32(data)) + b"\x00\x01"
        made += block(2, body + _number(len(said)) + said, data)
    return made + block(5, b"\x00")


def rar4(members: dict[str, bytes]) -> bytes:
    """A RAR archive of the format before 5, of stored members with names in ASCII."""

    def block(kind: int, flags: int, body: bytes, data: bytes = b"") -> bytes:
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head + data

    made = b"Rar!\x1a\x07\x00" + block(0x73, 0, bytes(6))
    for name, data in members.items():
        said = name.encode()
        sizes = struct.pack("<IIBII", len(data), len(data), 3, zlib.crc32(data), 0)
        made += block(0x74, 0x8000, sizes + struct.pack("<BBHI", 20, 0x30, len(said), 0o100644) + said, data)
    return made + block(0x7B, 0x4000, b"")


def rar() -> bytes:
    """An honest one with a comment, which only another program could unpack."""
    return REAL_RAR


def seven_zip() -> bytes:
    """An honest one."""
    return SEVEN_ZIP


# Of the tests of `rarfile` (rar3-comment-plain.rar, ISC licence, Marko Kreen): made with RAR 3, its comment compressed.
REAL_RAR = base64.b64decode(
    "UmFyIRoHAM+QcwAADQAAAAAAAADSmXoAgCMAFgAAAAsAAAADvFDsdQAAAAAdMwMAAAAAAENNVAwAi+zL9lbBSCmPAOW/5v/w0Gtq"
    "dnruDHQgkCsACAAAAAAAAAADAAAAAGxQYj0dMwkApIEAAGZpbGUxLnR4dADAAL+IZ/ap/9RBmXoQgCMAFgAAAAsAAAADSD9vEAAA"
    "AAAdMwMAAAAAgENNVAwAi+zL9jaQVix4DyZvzf/s1IuXwr1zFnQgkCsACAAAAAAAAAADAAAAAGxQYj0dMwkApIEAAGZpbGUyLnR4"
    "dADAAL+IZ/ap/9R8oHoQgCMAFgAAAAsAAAADppDaAgAAAAAdMwMAAAAAgENNVBAQy+yJ5HNBSLDP2ScX4v7rgY9XKvTEPXsAQAcA"
)
# Made with 7-Zip of a directory `d`: `7z a plain.7z d`, and `7z a -psecret -mhe=on hidden.7z d`.
SEVEN_ZIP = base64.b64decode(
    "N3q8ryccAAQhmGefigAAAAAAAAAhAAAAAAAAAEpYIwQBAAd4CmhlbGxvCgAAAIEzB64PzpwGxQkqrtOqhSYoExi7AyVmQFEucEUo"
    "xYU8xc6d635YFYZT5hlEyyYyz5c5EqCa7YIntCueQOQ5MckcYoeqhMWBGeMyhFjFYY9xPIt+Fj244avmnIa+SSJmGuHlgO0qH1U/"
    "QKO+BqqFJFmDz8T2E+In4iWgAAAXBgwBCX4ABwsBAAEjAwEBBV0AEAAADICuCgFqGhOvAAA="
)
HIDDEN_SEVEN_ZIP = base64.b64decode(
    "N3q8ryccAASiJ5LKsAAAAAAAAAA+AAAAAAAAAKg4R/zw+PfTeiHVMhpr9HrW9tNdpibN2ytdIHJOotdn59ey7BMlrexN2wjYWYRs"
    "k2igQ7lwSXS6nUdRwye2cejuxZ73hwp88ys4idNH9RYjCtoKZhEp4H2AcoyTg/YeQBltyuGnu/jrJH3RRrCm6bcfpISrFnygXaSd"
    "mtfGt4fWq+jmjAqxqNCgv6mvfIC8CO96Z/foHghRqvRg8ltQRGFxwZolXA5UCJeDNFQU7aHzTEDKDxcGEAEJgKAABwsBAAIkBvEH"
    "ARJTDxaJH81lWrPaBIY6elrzRT8jAwEBBV0AEAAAAQAMgJuAzgoBOeCGgwAA"
)


def outlook(code_page: int | None = None) -> bytes:
    """A message of Outlook's with a forwarded one inside and two attachments, one of them large."""
    inner = compound.message({0x0037: "Ішкі хат" if not code_page else "Inner", 0x1000: "inner words"}, inside=True)
    return compound.compound(
        compound.message(
            {
                0x0037: "Акт сверки",
                0x0C1A: "Иван Петров",
                0x5D01: "ivan@example.kz",
                0x1000: "Добрый день!\r\nВо вложении акт.",
                0x1013: "<html><script>stolen()</script><p>Добрый <b>день</b>!</p></html>".encode("cp1251"),
                0x1035: "<1@example.kz>",
            },
            people=[(1, "Әйгерім" if not code_page else "Айгерим", "a@example.kz"), (2, "Бухгалтерия", "b@example.kz")],
            attached=[
                ("акт.pdf", "application/pdf", b"%PDF-1.4"),
                ("база.bin", "application/octet-stream", bytes(10_000)),
                ("пересланное", "", inner),
            ],
            at=datetime(2026, 3, 14, 10, 0, tzinfo=UTC),
            code_page=code_page,
        )
    )


def old_office(code_page: int = 1251) -> bytes:
    """A compound file with the properties of an old Word document, and a macro."""
    said = {
        2: "Протокол",
        4: "Иванов И. И.",
        8: "Петров",
        12: datetime(2001, 2, 3, 4, 5, tzinfo=UTC),
        14: 7,
        18: "Word",
    }
    return compound.compound(
        {
            "\x05SummaryInformation": compound.properties(said, code_page),
            "\x05DocumentSummaryInformation": compound.properties({15: "ТОО «Мысал»"}, code_page),
            "WordDocument": bytes(5000),
            "Macros": {"VBA": {"dir": b"x"}},
        }
    )
