"""Messages as PDF: who, to whom, when and about what, as they claim; their text; what lies in them, with digests.

Set here, with fonts of ours, and not by a browser or LibreOffice: nothing in a message is taken for a command, nothing
can be fetched, and the same message gives the same bytes. HTML is reduced to its words. The text stands beside the PDF
whole, with the letters that the font lacks.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import HRFlowable, LongTable, Paragraph, SimpleDocTemplate, Spacer

from custody.kernel.errors import Invalid
from storage import typeface
from storage.identify import mail, outlook
from storage.identify.letter import Letter, Letters
from storage.light.making import Made, Tell
from storage.light.pages import pages_of
from storage.light.words import MOST_CHARS, words_of

SET_CHARS, SET_LINES, SET_PARTS = 400_000, 10_000, 500
_LINE, _CELL = 2_000, 700
"""A line longer than this is set as several paragraphs: what breaks lines is slow with very long ones."""
_NAMES = {
    "From": "From · Кімнен · От кого",
    "To": "To · Кімге · Кому",
    "Cc": "Cc · Көшірме · Копия",
    "Bcc": "Bcc · Жасырын көшірме · Скрытая копия",
    "Reply-To": "Reply-To · Жауап беру · Ответить",
    "Date": "Date · Күні · Дата",
    "Subject": "Subject · Тақырыбы · Тема",
}
_CLAIMED = "As the message claims. · Хаттың өзі айтқандай. · Так утверждает само письмо."
_INSIDE = "Inside · Хаттың ішінде · Внутри письма"
_FORWARDED = "A message inside this one · Ішіндегі хат · Письмо внутри этого письма"
_CUT = "Not all of it is shown here. · Мұнда бәрі көрсетілмеген. · Здесь показано не всё."

# Fonts are files: the lowered user may not be able to read them any more.
typeface.register()
typeface.shown("")


def make(args: Mapping[str, Any], source: Path, tell: Tell) -> list[Made]:
    """PDF, its pages, and the text. A message without any text still has its header and its parts.

    Raises Invalid `light.unreadable` for a compound file that is no message of Outlook's.
    """
    tell(0, 1)
    letters = _read(str(args["media_type"]), source)
    said = [_text(one) for one in letters.found]
    Path("light.txt").write_text(_plain(letters, said), encoding="utf-8", errors="replace")
    _set(letters, said)
    parameters = {"chars": SET_CHARS, "lines": SET_LINES, "parts": SET_PARTS, "read_with": letters.tool}
    pdf = Made("light_pdf", "light.pdf", "reportlab", str(reportlab.__version__), parameters, {})
    text = Made("light_text", "light.txt", "reportlab", str(reportlab.__version__), {"most_chars": MOST_CHARS}, {})
    return [pdf, pages_of(Path("light.pdf"), tell), text]


def _read(media_type: str, source: Path) -> Letters:
    """Raises Invalid `light.unreadable`."""
    if media_type == "message/rfc822":
        return mail.letters(source)
    try:
        return outlook.letters(source)
    except MemoryError:
        raise
    except Exception as fault:  # whatever a library makes of a hostile file
        raise Invalid("light.unreadable", what=type(fault).__name__) from fault


def _text(letter: Letter) -> str:
    return "\n\n".join(words_of(text) if html else text for text, html in letter.texts)


def _plain(letters: Letters, said: list[str]) -> str:
    lines: list[str] = []
    for letter, text in zip(letters.found, said, strict=True):
        lines += [f"[{_FORWARDED}]"] * (letter.depth > 0)
        lines += [f"{name}: {value}" for name, value in letter.headers]
        lines += ["", text, ""]
        lines += [f"[{one.name} · {one.media_type} · {one.size_bytes} B · {one.sha256}]" for one in letter.parts]
    lines += [f"[{_CUT}]"] * letters.more
    return "\n".join(lines)[:MOST_CHARS]


def _set(letters: Letters, said: list[str]) -> None:
    margin = 18 * mm
    document = SimpleDocTemplate(
        "light.pdf",
        pagesize=A4,
        leftMargin=margin,
        rightMargin=margin,
        topMargin=margin,
        bottomMargin=margin,
        title="",
        author="",
        invariant=1,
    )
    document.build(list(_flow(letters, said, A4[0] - 2 * margin)), onFirstPage=_number, onLaterPages=_number)


def _number(canvas: Any, document: Any) -> None:
    canvas.setFont(typeface.REGULAR, 8)
    canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, str(document.page))


def _flow(letters: Letters, said: list[str], width: float) -> Iterator[Any]:
    """What is set, bounded over all messages together."""
    chars, lines, parts = SET_CHARS, SET_LINES, SET_PARTS
    cut = letters.more
    yield Paragraph(_CLAIMED, _style(9))
    for letter, text in zip(letters.found, said, strict=True):
        if lines <= 0 or chars <= 0:
            cut = True
            break
        if letter.depth:
            yield Spacer(1, 5 * mm)
            yield HRFlowable(width="100%", thickness=0.5)
            yield Paragraph(_FORWARDED, _style(10, bold=True))
        yield from _table([(_NAMES[name], value) for name, value in letter.headers], (0.32, 0.68), width)
        lines -= len(letter.headers)
        for line in _lines(text):
            lines, chars = lines - 1, chars - len(line)
            if lines < 0 or chars < 0:
                cut = True
                break
            yield Paragraph(_safe(line), _style(11)) if line.strip() else Spacer(1, 3 * mm)
        if letter.parts:
            listed = letter.parts[: max(parts, 0)]
            parts, cut = parts - len(listed), cut or len(listed) < len(letter.parts)
            yield Spacer(1, 4 * mm)
            yield Paragraph(f"{_INSIDE}: {len(letter.parts)}", _style(10, bold=True))
            rows = [
                (f"{one.name} ({one.media_type})", f"{one.size_bytes:,} B {one.sha256}".replace(",", " "))
                for one in listed
            ]
            yield from _table(rows, (0.4, 0.6), width)
    if cut:
        yield Paragraph(_CUT, _style(9.5, bold=True))


def _lines(text: str) -> Iterator[str]:
    """Lines of a length that can be set; many empty ones in a row are one."""
    empty = False
    for line in text.splitlines():
        if line.strip() or not empty:
            indented = line.expandtabs(4)
            yield from (indented[at : at + _LINE] for at in range(0, max(len(indented), 1), _LINE))
        empty = not line.strip()


def _table(rows: list[tuple[str, str]], widths: tuple[float, float], width: float) -> Iterator[Any]:
    if not rows:
        return
    cells = [[_cell(left, bold=True), _cell(right)] for left, right in rows]
    table = LongTable(cells, colWidths=[part * width for part in widths], hAlign="LEFT")
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    yield table
    yield Spacer(1, 4 * mm)


def _cell(text: str, *, bold: bool = False) -> Paragraph:
    """Cut so that it fits on a page: a row is not set over two."""
    known = typeface.shown(" ".join(text.split()))
    return Paragraph(escape(known[:_CELL] + "…" * (len(known) > _CELL)), _style(9.5, bold=bold))


def _safe(text: str) -> str:
    indent = len(text) - len(text.lstrip(" "))
    return escape("\u00a0" * min(indent, 60) + typeface.shown(text[indent:]))


def _style(size: float, *, bold: bool = False) -> ParagraphStyle:
    font = typeface.BOLD if bold else typeface.REGULAR
    return ParagraphStyle(
        f"{size}-{bold}", fontName=font, fontSize=size, leading=size * 1.32, spaceAfter=2, splitLongWords=True
    )
