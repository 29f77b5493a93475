"""Sets an act as PDF pages: A4, Roboto (Kazakh and Russian letters, embedded), page numbers, a QR code.

The same act gives the same bytes, on any machine and at any time. Letters that the font does not have (a smiling face
in a file's name) are written as `[U+1F600]`, never dropped: a name on paper must lead back to the exact name.
Not guaranteed: PDF/UA tags. For reading aloud there is the page the act was printed from.
"""

import io
from collections.abc import Callable
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, HRFlowable, LongTable, PageTemplate, Spacer
from reportlab.platypus import Paragraph as Text

from evidence_api.paper.blocks import (
    Block,
    Exact,
    Facts,
    Heading,
    Paper,
    Paragraph,
    SignatureLines,
    Table,
)
from storage import typeface
from storage.typeface import shown

_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_CODE = 24 * mm
_INK, _RULE = Color(0.05, 0.05, 0.05), Color(0.7, 0.7, 0.7)
_PAGE_OF = {"kk": "{page}-бет, барлығы {pages}", "ru": "страница {page} из {pages}", "en": "page {page} of {pages}"}


def render(paper: Paper) -> bytes:
    """The act as PDF, unsigned. Raises ValueError for a table whose rows do not fit its head."""
    typeface.register()
    out = io.BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN + 8 * mm,
        bottomMargin=_MARGIN,
        title=paper.title,
        author="Dälel",
        lang=paper.language,
        invariant=1,
    )
    frame = Frame(_MARGIN, _MARGIN, _WIDTH, A4[1] - 2 * _MARGIN - 8 * mm, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate(frames=[frame])])
    document.build(_flow(paper), canvasmaker=_numbered(paper))
    return out.getvalue()


def _flow(paper: Paper) -> list[Flowable]:
    top: list[Flowable] = [
        Text(_safe(paper.title), _style(15, bold=True, after=3)),
        Text(_safe(paper.made_at), _style(9.5, after=6)),
    ]
    flow = [_beside_code(top, paper.code), Spacer(1, 3 * mm)] if paper.code else top
    for block in paper.blocks:
        flow += _set(block)
    return flow


def _set(block: Block) -> list[Flowable]:
    match block:
        case Heading(text):
            return [Text(_safe(text), _style(11.5, bold=True, before=8, after=3, keep=True))]
        case Paragraph(text):
            return [Text(_safe(text), _style(9.5, after=4))]
        case Facts(rows):
            cells = [[_cell(name, bold=True), _cell(value)] for name, value in rows]
            return [_table(cells, (0.32, 0.68), repeat=0), Spacer(1, 3 * mm)] if cells else []
        case Table(head, rows, widths):
            if any(len(row) != len(head) for row in [widths, *rows]):
                raise ValueError("a row has more or fewer cells than the table's head")
            cells = [[_cell(text, bold=True) for text in head], *([_cell(text) for text in row] for row in rows)]
            return [_table(cells, tuple(widths), repeat=1), Spacer(1, 3 * mm)]
        case Exact(text):
            return [Text(_safe(text), _style(7, after=4))]
        case SignatureLines(names):
            lines: list[Flowable] = []
            for name in names:
                lines += [Spacer(1, 12 * mm), HRFlowable(width="60%", hAlign="LEFT", color=_INK, thickness=0.5)]
                lines += [Text(_safe(name), _style(8.5))]
            return lines


def _table(cells: list[list[Text]], widths: tuple[float, ...], *, repeat: int) -> LongTable:
    table = LongTable(cells, colWidths=[part * _WIDTH for part in widths], repeatRows=repeat, hAlign="LEFT")
    table.setStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ]
    )
    return table


def _cell(text: str, *, bold: bool = False) -> Text:
    return Text(_safe(text), _style(8.5, bold=bold))


@cache
def _style(
    size: float, *, bold: bool = False, before: float = 0, after: float = 0, keep: bool = False
) -> ParagraphStyle:
    return ParagraphStyle(
        f"{size}-{bold}-{before}-{after}-{keep}",
        fontName=typeface.BOLD if bold else typeface.REGULAR,
        fontSize=size,
        leading=size * 1.32,
        textColor=_INK,
        spaceBefore=before,
        spaceAfter=after,
        keepWithNext=keep,
        splitLongWords=True,
    )


def _safe(text: str) -> str:
    return escape(shown(text)).replace("\n", "<br/>")


def _beside_code(top: list[Flowable], text: str) -> Flowable:
    """The act's head with the QR code at its right."""
    widget = QrCodeWidget(text, barLevel="M")
    left, low, right, high = widget.getBounds()
    code = Drawing(_CODE, _CODE, transform=[_CODE / (right - left), 0, 0, _CODE / (high - low), 0, 0])
    code.add(widget)
    table = LongTable([[top, code]], colWidths=[_WIDTH - _CODE - 4 * mm, _CODE + 4 * mm], hAlign="LEFT")
    table.setStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("ALIGN", (1, 0), (1, 0), "RIGHT"),
            *((f"{side}PADDING", (0, 0), (-1, -1), 0) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")),
        ]
    )
    return table


def _numbered(paper: Paper) -> Callable[..., Canvas]:
    """A canvas that knows at the end how many pages there are."""

    class Numbered(Canvas):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, object]] = []

        def showPage(self) -> None:  # noqa: N802  the library's name
            self._pages.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined]  # not in the library's stubs

        def save(self) -> None:
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                self._furniture(number)
                super().showPage()
            super().save()

        def _furniture(self, number: int) -> None:
            self.setFont(typeface.REGULAR, 8)
            self.setFillColor(_INK)
            self.drawString(_MARGIN, A4[1] - _MARGIN, shown(paper.case))
            text = _PAGE_OF[paper.language].format(page=number, pages=len(self._pages))
            self.drawRightString(A4[0] - _MARGIN, _MARGIN - 6 * mm, text)
            self.drawString(_MARGIN, _MARGIN - 6 * mm, shown(paper.title))

    return Numbered
