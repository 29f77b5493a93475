"""Attacks on a burned PDF: an allow-list of what may be in the file, then what can be read in it by any means."""

import re
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2 as pdfium  # type: ignore[import-untyped]  # ships no types
from PIL import Image

from custody.kernel.errors import DalelError
from redaction.burn.facts import file_sha256
from redaction.burn.pdf import open_pdf, pixel_box, render
from redaction.leak.forbidden import Forbidden
from redaction.leak.report import Check, LeakReport, check
from redaction.leak.texts import check_name
from redaction.model import PageBox
from redaction.plan import Plan
from redaction.suggest.pages import PageText, recognize

OCR_PAGES = 400
_CONTENT = re.compile(rb"q [\d.]+ 0 0 [\d.]+ 0 0 cm /P Do Q\s*")
_STREAM = re.compile(rb"stream\r?\n.*?endstream", re.DOTALL)
_CATALOG = {"/Type", "/Pages"}
_TREE = {"/Type", "/Kids", "/Count", "/Parent"}
_PAGE = {"/Type", "/MediaBox", "/Resources", "/Contents", "/Parent"}
_IMAGE = {
    "/Type", "/Subtype", "/Width", "/Height", "/ColorSpace", "/BitsPerComponent", "/Filter", "/Length"
}  # fmt: skip
_PAGE_CHANNELS = {"/Annots", "/AA", "/AF", "/Metadata", "/Thumb", "/PieceInfo"}
_TRAILER = {"/Root", "/Size", "/ID"}
Reader = Callable[[Image.Image], PageText | None]


def _allowed(thing: pikepdf.Object) -> bool:
    """Whether an object is one of the five kinds a burned file consists of, with no key more."""
    if isinstance(thing, pikepdf.Stream):
        keys = set(thing.keys())
        if thing.get("/Subtype") == pikepdf.Name.Image:
            return keys <= _IMAGE and _exact_pixels(thing)
        return keys <= {"/Length", "/Filter"} and bool(_CONTENT.fullmatch(thing.read_bytes()))
    return isinstance(thing, pikepdf.Dictionary) and set(thing.keys()) <= _keys_of(thing)


def _keys_of(thing: pikepdf.Dictionary) -> set[str]:
    """The keys a dictionary may have by its type; a page's resources are one picture and nothing else."""
    match thing.get("/Type"):
        case pikepdf.Name.Catalog:
            return _CATALOG
        case pikepdf.Name.Pages:
            return _TREE
        case pikepdf.Name.Page if dict(thing.get("/Resources", {})).keys() == {"/XObject"}:
            return _PAGE if set(thing.Resources.XObject.keys()) == {"/P"} else set()
        case _:
            return set()


def _exact_pixels(image: pikepdf.Stream) -> bool:
    """Whether a picture's data are its pixels and not a byte more, behind one filter."""
    colours = {"/DeviceGray": 1, "/DeviceRGB": 3}.get(str(image.get("/ColorSpace")), 0)
    if image.get("/Filter") != pikepdf.Name.FlateDecode:
        return False
    inflate = zlib.decompressobj()
    pixels = inflate.decompress(image.read_raw_bytes())
    return len(pixels) == int(image.Width) * int(image.Height) * colours and inflate.eof and not inflate.unused_data


def _structure(path: Path) -> Check:
    try:
        with pikepdf.open(path) as document:
            strangers = sum(not _allowed(thing) for thing in document.objects if thing is not None)
            strangers += len(set(document.trailer.keys()) - _TRAILER)
    except (pikepdf.PdfError, zlib.error, AttributeError, KeyError, TypeError, ValueError):
        return check("structure", False, "the file cannot be walked through")
    return check("structure", strangers == 0, f"{strangers} objects outside the allow-list")


def _channels(path: Path) -> Check:
    """Attachments, document information, XMP, outlines, associated files, forms, scripts: named for the reader."""
    try:
        with pikepdf.open(path) as document:
            found = set(document.Root.keys()) - _CATALOG
            found |= {"/Info"} if "/Info" in document.trailer else set()
            found |= {"/EmbeddedFiles"} if len(document.attachments) else set()
            for page in document.pages:
                found |= set(page.obj.keys()) & _PAGE_CHANNELS
    except (pikepdf.PdfError, AttributeError, TypeError):
        return check("side_channels", False, "the file cannot be walked through")
    return check("side_channels", not found, "found: " + (", ".join(sorted(found)) or "none"))


def _raw(data: bytes, forbidden: Forbidden) -> list[Check]:
    """One revision only; and no forbidden string outside the pictures' data."""
    ends = data.count(b"%%EOF")
    clean_end = data.rstrip().endswith(b"%%EOF")
    hits = forbidden.raw_hits(_STREAM.sub(b"", data))
    return [
        check("one_revision", ends == 1 and clean_end, f"{ends} end marks"),
        check("strings", hits == 0, f"{hits} forbidden strings in the raw bytes"),
    ]


def _streams(path: Path, forbidden: Forbidden) -> Check:
    """Forbidden strings in what the streams hold once decompressed; pictures are looked at by `ocr`."""
    hits = 0
    try:
        with pikepdf.open(path) as document:
            for thing in document.objects:
                if isinstance(thing, pikepdf.Stream) and thing.get("/Subtype") != pikepdf.Name.Image:
                    hits += forbidden.raw_hits(thing.read_bytes())
            for name in ("/Info",):
                for value in dict(document.trailer.get(name, {})).values():
                    hits += forbidden.hits(str(value))
    except (pikepdf.PdfError, TypeError):
        return check("streams", False, "a stream cannot be decompressed")
    return check("streams", hits == 0, f"{hits} forbidden strings in decompressed streams and information")


def _pages(
    burned: Path, pages_expected: int, plan: Plan, forbidden: Forbidden, read: Reader, ocr_pages: int
) -> list[Check]:
    letters = hits = unsolid = unread = 0
    document = open_pdf(burned)
    try:
        pages = len(document)
        for number in range(pages):
            page: pdfium.PdfPage = document[number]
            textpage = page.get_textpage()
            letters += textpage.count_chars()
            textpage.close()
            pixels = render(page)
            page.close()
            height, width = pixels.shape[:2]
            for part in plan.regions:
                if isinstance(part.region, PageBox) and part.region.page == number:
                    left, top, right, bottom = pixel_box(part.region, width, height)
                    unsolid += bool(pixels[top:bottom, left:right][1:-1, 1:-1].any())
            seen = read(Image.fromarray(np.ascontiguousarray(pixels))) if number < ocr_pages else None
            unread += seen is None
            hits += forbidden.hits(seen.text) if seen else 0
    finally:
        document.close()
    state = "failed" if hits else "not_run" if unread else "passed"
    return [
        check("text_layer", letters == 0, f"{letters} characters of text"),
        check("pages", pages == pages_expected, f"{pages} pages, the original has {pages_expected}"),
        check("boxes_solid", unsolid == 0, f"{unsolid} boxes are not solid black"),
        Check("ocr", state, f"{hits} forbidden words read, {unread} of {pages} pages not read"),
    ]


def attack_pdf(
    burned: Path,
    original: Path,
    plan: Plan,
    forbidden: Forbidden,
    read: Reader = recognize,
    ocr_pages: int = OCR_PAGES,
) -> LeakReport:
    """Structure, side channels, revisions, strings, text layer, solid boxes, optical reading, file name.

    `ocr` is `not_run` when tesseract is missing or too slow and past `ocr_pages` pages: the report says so, a person
    looks.
    """
    checks = [_structure(burned), _channels(burned), *_raw(burned.read_bytes(), forbidden), _streams(burned, forbidden)]
    try:
        document = open_pdf(original)
        pages_expected = len(document)
        document.close()
        checks += _pages(burned, pages_expected, plan, forbidden, read, ocr_pages)
    except DalelError:
        checks.append(check("readable", False, "the pages cannot be shown"))
    checks.append(check_name(burned, forbidden))
    return LeakReport("pdf", file_sha256(burned), plan.sha256, tuple(checks))
