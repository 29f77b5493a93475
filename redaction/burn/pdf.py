"""A PDF burned: every page becomes a picture with solid black boxes, and a new file is built from the pictures alone.

Nothing of the source file is copied: no text, font, link, comment, form, attachment, outline, metadata or earlier
revision. Comments and form fields are not drawn either; a page shows its own content only.
"""

import zlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pypdfium2 as pdfium  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray

from custody.kernel.errors import Corrupt, Invalid, TooLarge
from redaction.burn.facts import BurnFacts, check_source, facts_of, file_sha256
from redaction.model import MILLION, PageBox
from redaction.plan import Plan

DPI = 150
MAX_PAGES = 5_000
MAX_PIXELS = 60_000_000
_POINTS_PER_INCH = 72
VERSION = f"pdf/1 pypdfium2/{version('pypdfium2')} pikepdf/{version('pikepdf')}"


def open_pdf(path: Path) -> pdfium.PdfDocument:
    """The document. Raises Corrupt `source.unreadable`, Invalid `source.encrypted`,
    TooLarge `source.too_many_pages`.
    """
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as wrong:
        if "password" in str(wrong).lower():
            raise Invalid("source.encrypted") from wrong
        raise Corrupt("source.unreadable") from wrong
    if len(document) > MAX_PAGES:
        raise TooLarge("source.too_many_pages", pages=len(document))
    return document


def render(page: pdfium.PdfPage, dpi: int = DPI) -> NDArray[np.uint8]:
    """The page as (height, width, 3) RGB bytes, rotation applied, without comments and form fields.

    Raises TooLarge `source.page_too_large`.
    """
    width, height = page.get_size()
    scale = dpi / _POINTS_PER_INCH
    if width * scale * height * scale > MAX_PIXELS:
        raise TooLarge("source.page_too_large")
    bitmap = page.render(scale=scale, draw_annots=False, may_draw_forms=False, rev_byteorder=True, no_smoothtext=False)
    pixels: NDArray[np.uint8] = bitmap.to_numpy()[:, :, :3].copy()
    bitmap.close()
    return pixels


def pixel_box(box: PageBox, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels, rounded outwards: never a pixel less than the box."""
    return (
        box.left_ppm * width // MILLION,
        box.top_ppm * height // MILLION,
        -(-box.right_ppm * width // MILLION),
        -(-box.bottom_ppm * height // MILLION),
    )


def blacken(pixels: NDArray[np.uint8], boxes: list[PageBox]) -> None:
    """Fill the boxes with zeros in place."""
    height, width = pixels.shape[:2]
    for box in boxes:
        left, top, right, bottom = pixel_box(box, width, height)
        pixels[top:bottom, left:right] = 0


def _pages(document: pdfium.PdfDocument, boxes: dict[int, list[PageBox]]) -> Iterator[tuple[float, float, Any]]:
    for number in range(len(document)):
        page = document[number]
        pixels = render(page)
        blacken(pixels, boxes.get(number, []))
        width, height = page.get_size()
        page.close()
        yield width, height, pixels


def _add_page(output: pikepdf.Pdf, width: float, height: float, pixels: NDArray[np.uint8]) -> None:
    gray = bool((pixels[:, :, 0] == pixels[:, :, 1]).all() and (pixels[:, :, 0] == pixels[:, :, 2]).all())
    data = pixels[:, :, 0] if gray else pixels
    image = pikepdf.Stream(
        output,
        zlib.compress(np.ascontiguousarray(data).tobytes(), 6),
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=pixels.shape[1],
        Height=pixels.shape[0],
        ColorSpace=pikepdf.Name.DeviceGray if gray else pikepdf.Name.DeviceRGB,
        BitsPerComponent=8,
        Filter=pikepdf.Name.FlateDecode,
    )
    content = f"q {width:.2f} 0 0 {height:.2f} 0 0 cm /P Do Q".encode()
    page = pikepdf.Dictionary(
        Type=pikepdf.Name.Page,
        MediaBox=[0, 0, round(width, 2), round(height, 2)],
        Resources=pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=output.make_indirect(image))),
        Contents=output.make_indirect(pikepdf.Stream(output, content)),
    )
    output.pages.append(pikepdf.Page(output.make_indirect(page)))


def burn_pdf(source: Path, target: Path, plan: Plan) -> BurnFacts:
    """Burn the page boxes of a plan into a PDF. The same source, plan and versions give the same bytes.

    Raises Invalid `burn.other_source`, `plan.bad_region` for a box on a page that is not there or a region that is
    no box, and what
    `open_pdf` and `render` raise.
    """
    source_sha256 = check_source(file_sha256(source), plan.source_sha256)
    boxes: dict[int, list[PageBox]] = {}
    for part in plan.regions:
        if not isinstance(part.region, PageBox):
            raise Invalid("plan.bad_region")
        boxes.setdefault(part.region.page, []).append(part.region)
    document = open_pdf(source)
    try:
        pages = len(document)
        if boxes and max(boxes) >= pages:
            raise Invalid("plan.bad_region")
        with pikepdf.new() as output:
            for width, height, pixels in _pages(document, boxes):
                _add_page(output, width, height, pixels)
            output.save(
                target,
                deterministic_id=True,
                compress_streams=True,
                object_stream_mode=pikepdf.ObjectStreamMode.disable,
                fix_metadata_version=False,
            )
    finally:
        document.close()
    parameters = {"plan_sha256": plan.sha256, "dpi": DPI, "pages": pages, "boxes": len(plan.regions)}
    return facts_of("pdf", source_sha256, target, VERSION, parameters)
