"""Suggestions on pages: the text layer of a PDF where there is one, optical recognition where there is not.

A page's text and where its letters stand come from pdfium; recognition of pictures from Debian's tesseract, a program
that may be missing: then a page that needs it is marked for a person, never passed as empty.
"""

import ctypes
import io
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pypdfium2 as pdfium  # type: ignore[import-untyped]  # ships no types
import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped]  # ships no types
from PIL import Image

from redaction.burn.pdf import open_pdf, render
from redaction.burn.picture import read_picture
from redaction.model import MILLION, PageBox, Proposal
from redaction.suggest.merging import merge
from redaction.suggest.propagation import touches
from redaction.suggest.spoken import FindsInText

OCR_LANGUAGES = "rus+kaz+eng"
OCR_SECONDS = 60
_ENOUGH_LETTERS = 12
_MARGIN_PPM = 1_500
_SPACES = re.compile(r"\s")
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class PageText:
    """The text of a page and, for each character, its box in millionths (left, top, right, bottom) or None."""

    text: str
    boxes: tuple[Box | None, ...]


@dataclass(frozen=True)
class PagesFound:
    """Proposals of a document, and the pages (from 0) that no machine could read and a person must look at."""

    proposals: tuple[Proposal, ...]
    unread_pages: tuple[int, ...]


def text_layer(page: pdfium.PdfPage) -> PageText:
    """What the page's text layer says. Not guaranteed to be what the page shows."""
    textpage = page.get_textpage()
    letters: list[str] = []
    boxes: list[Box | None] = []
    for place in range(textpage.count_chars()):
        letter = chr(pdfium_c.FPDFText_GetUnicode(textpage.raw, place) or 32)
        letters.append("\n" if letter == "\r" else letter if letter.isprintable() else " ")
        left, bottom, right, top = textpage.get_charbox(place)
        corners = [_shown(page, x, y) for x in (left, right) for y in (bottom, top)]
        boxes.append(_box(corners) if right > left else None)
    textpage.close()
    return PageText("".join(letters), tuple(boxes))


def _shown(page: pdfium.PdfPage, x: float, y: float) -> tuple[int, int]:
    """A point of the page's own space as millionths of the page as shown (crop and rotation applied)."""
    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium_c.FPDF_PageToDevice(page.raw, 0, 0, MILLION, MILLION, 0, x, y, across, down)
    return across.value, down.value


def _box(corners: list[tuple[int, int]]) -> Box | None:
    left, right = (_clamp(pick(x for x, _ in corners)) for pick in (min, max))
    top, bottom = (_clamp(pick(y for _, y in corners)) for pick in (min, max))
    return (left, top, right, bottom) if left < right and top < bottom else None


def _clamp(value: int) -> int:
    return min(max(value, 0), MILLION)


def recognize(picture: Image.Image, seconds: int = OCR_SECONDS) -> PageText | None:
    """What tesseract reads in a picture; None when it is not installed or did not finish in time."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    data = io.BytesIO()
    picture.save(data, format="PNG")
    command = [program, "stdin", "stdout", "-l", OCR_LANGUAGES, "--psm", "3", "tsv"]
    try:
        done = subprocess.run(  # noqa: S603  # a fixed command, the picture comes on standard input
            command,
            input=data.getvalue(),
            capture_output=True,
            timeout=seconds,
            check=True,
            env={"OMP_THREAD_LIMIT": "1"},
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return None
    return _from_tsv(done.stdout.decode("utf-8", "replace"), picture.width, picture.height)


def _from_tsv(table: str, width: int, height: int) -> PageText:
    """Words of tesseract's table (level 5) with the box of each word given to its every letter."""
    letters: list[str] = []
    boxes: list[Box | None] = []
    line_before = ""
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) != 12 or cells[0] != "5" or not cells[11].strip():
            continue
        line = ".".join(cells[2:5])
        if letters:
            letters.append(" " if line == line_before else "\n")
            boxes.append(None)
        line_before = line
        left, top, across, down = (int(cell) for cell in cells[6:10])
        corners = [
            (left * MILLION // width, top * MILLION // height),
            (-(-(left + across) * MILLION // width), -(-(top + down) * MILLION // height)),
        ]
        letters += cells[11]
        boxes += [_box(corners)] * len(cells[11])
    return PageText("".join(letters), tuple(boxes))


def boxes_of(page: int, found: PageText, start: int, end: int) -> tuple[PageBox, ...]:
    """Boxes over characters `start`..`end`: one for each line they stand in, a little larger than the letters."""
    rows: list[Box] = []
    for box in found.boxes[start:end]:
        if box is None:
            continue
        if rows and box[1] < rows[-1][3] and rows[-1][1] < box[3]:
            last = rows.pop()
            rows.append((min(last[0], box[0]), min(last[1], box[1]), max(last[2], box[2]), max(last[3], box[3])))
        else:
            rows.append(box)
    return tuple(
        PageBox(
            page,
            _clamp(left - _MARGIN_PPM),
            _clamp(top - _MARGIN_PPM),
            _clamp(right + _MARGIN_PPM),
            _clamp(bottom + _MARGIN_PPM),
        )
        for left, top, right, bottom in rows
    )


def suggest_page(find: FindsInText, languages: Iterable[str], page: int, found: PageText) -> list[Proposal]:
    """Proposals for one page's text. Lines are read as one text, so a name broken over two lines is found."""
    flowing = _SPACES.sub(" ", found.text)
    proposals = []
    for one in merge(flowing, [finding for language in languages for finding in find(flowing, language)]):
        regions = boxes_of(page, found, one.start, one.end)
        if regions:
            said = " ".join(flowing[one.start : one.end].split())
            proposals.append(Proposal(one.entity, regions, said, one.score_ppm, one.recognizer))
    return proposals


def suggest_pdf(find: FindsInText, path: Path, languages: Sequence[str] = ("ru", "kk")) -> PagesFound:
    """Proposals for every page of a PDF. A page with a picture on it is read by tesseract as well as by its text.

    Raises what `open_pdf` raises. Bounded by 60 s of recognition for a page.
    """
    proposals: list[Proposal] = []
    unread: list[int] = []
    document = open_pdf(path)
    try:
        for number in range(len(document)):
            page = document[number]
            layer = text_layer(page)
            proposals += suggest_page(find, languages, number, layer)
            letters = sum(letter.isalnum() for letter in layer.text)
            if letters < _ENOUGH_LETTERS or _has_picture(page):
                seen = recognize(Image.fromarray(render(page)))
                if seen is None:
                    unread.append(number)
                else:
                    proposals += _new_ones(suggest_page(find, languages, number, seen), proposals)
            page.close()
    finally:
        document.close()
    return PagesFound(tuple(proposals), tuple(unread))


def suggest_picture(find: FindsInText, path: Path, languages: Sequence[str] = ("ru", "kk")) -> PagesFound:
    """Proposals for what can be read in a picture. Faces are not looked for: a person marks them.

    The picture always stays on the list of pages a person must look at. Raises what `read_picture` raises.
    """
    seen = recognize(read_picture(path))
    return PagesFound(tuple(suggest_page(find, languages, 0, seen)) if seen else (), (0,))


def _has_picture(page: pdfium.PdfPage) -> bool:
    return any(True for _ in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=4))


def _new_ones(seen: list[Proposal], known: list[Proposal]) -> list[Proposal]:
    """Those with a box that no proposal of the text layer covers already."""
    taken = [region for one in known for region in one.regions]
    return [one for one in seen if any(not any(touches(region, box) for box in taken) for region in one.regions)]
