"""PDF: its pages as pictures, in one ZIP that is not compressed, so that each page can be read by itself."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pypdfium2  # type: ignore[import-untyped]  # it ships no types
from PIL import Image

from custody.kernel.errors import Invalid
from storage.light.making import Made, Tell

SIDE, QUALITY, MOST_PAGES = 1400, 70, 500
_MADE_AT = (1980, 1, 1, 0, 0, 0)
_LOCAL_HEADER = 30
Image.init()


def make(args: Mapping[str, Any], source: Path, tell: Tell) -> list[Made]:
    """The pages, the first MOST_PAGES. Raises Invalid `light.unreadable`, for an encrypted document too."""
    del args
    return [pages_of(source, tell)]


def pages_of(source: Path, tell: Tell) -> Made:
    """The pages of a PDF file, as `make`."""
    try:
        document = pypdfium2.PdfDocument(str(source))
    except pypdfium2.PdfiumError as fault:
        raise Invalid("light.unreadable", what="PdfiumError") from fault
    index: list[dict[str, Any]] = []
    total = len(document)
    with zipfile.ZipFile("pages.zip", "w") as archive:
        for number in range(min(total, MOST_PAGES)):
            picture = _picture(document, number)
            entry = zipfile.ZipInfo(f"{number + 1:04}.jpg", _MADE_AT)
            archive.writestr(entry, picture[0])
            index.append(
                {
                    "start": entry.header_offset + _LOCAL_HEADER + len(entry.filename),
                    "size_bytes": len(picture[0]),
                    "sha256": "sha256:" + hashlib.sha256(picture[0]).hexdigest(),
                    "width": picture[1],
                    "height": picture[2],
                }
            )
            tell(number + 1, min(total, MOST_PAGES))
    version = str(pypdfium2.version.PYPDFIUM_INFO)
    parameters = {"side": SIDE, "quality": QUALITY, "most_pages": MOST_PAGES}
    details = {"pages": index, "pages_total": total}
    return Made("light_pages", "pages.zip", "pypdfium2", version, parameters, details)


def _picture(document: Any, number: int) -> tuple[bytes, int, int]:
    """One page as JPEG with its size; a page that cannot be drawn is a white one, as in any reader."""
    try:
        page = document[number]
        width, height = page.get_size()
        drawn = page.render(scale=min(SIDE / max(width, height, 1), 4.0)).to_pil().convert("RGB")
        page.close()
    except pypdfium2.PdfiumError:
        drawn = Image.new("RGB", (SIDE, SIDE), "white")
    made = io.BytesIO()
    drawn.save(made, "JPEG", quality=QUALITY)
    return made.getvalue(), drawn.width, drawn.height
