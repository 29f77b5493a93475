"""The letters of PDFs set here: Roboto (Kazakh and Russian, embedded), and what stands for those that it lacks."""

from functools import cache

from font_roboto import font_files
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont, TTFontFile

REGULAR, BOLD = "Dalel-Roboto", "Dalel-Roboto-Bold"


@cache
def register() -> None:
    """Make both fonts known to ReportLab."""
    pdfmetrics.registerFont(TTFont(REGULAR, font_files["Roboto"]))
    pdfmetrics.registerFont(TTFont(BOLD, font_files["RobotoBold"]))


def shown(text: str) -> str:
    """The text with each letter the font lacks as `[U+XXXX]`; control characters too, except line ends."""
    known = _letters()
    return "".join(
        letter if letter == "\n" or (ord(letter) in known and letter >= " ") else f"[U+{ord(letter):04X}]"
        for letter in text
    )


@cache
def _letters() -> frozenset[int]:
    regular, bold = (TTFontFile(font_files[name]).charToGlyph for name in ("Roboto", "RobotoBold"))
    return frozenset(regular.keys() & bold.keys())
