"""Makes the documents and the picture of the demonstration case; the results are committed under `files/`.

Run: `python -m evidence_api.demo.make_files`. Needs reportlab and Debian's fonts-dejavu-core (free, has every Kazakh
letter). The same libraries give the same bytes: all dates are fixed. Each file leaks a name in places where people
forget to look (metadata, outline, note, attachment, header, comment, tracked deletion, EXIF): redaction has real work.
"""

import io
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docx
import pikepdf
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate

from evidence_api.demo.people import INVESTIGATOR, PHONE, PLATE, WITNESS
from evidence_api.demo.texts import PROTOCOL_KK, PROTOCOL_RU, STATEMENT

FILES = Path(__file__).parent / "files"
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
WRITTEN_AT = datetime(2026, 10, 13, 12, 40, tzinfo=UTC)
_INK = (38, 38, 44)


def protocol() -> bytes:
    """A two-page protocol of questioning, Russian and Kazakh, with names in its metadata, outline, note, attachment."""
    pdfmetrics.registerFont(TTFont("DejaVuSans", FONT))
    body = ParagraphStyle("body", fontName="DejaVuSans", fontSize=10.5, leading=15.5, spaceAfter=7)
    head = ParagraphStyle("head", parent=body, fontSize=14, leading=20, alignment=TA_CENTER, spaceAfter=12)
    flow: list[Any] = []
    for heading, *paragraphs in (PROTOCOL_RU, PROTOCOL_KK):
        flow += [Paragraph(heading, head), *(Paragraph(text, body) for text in paragraphs), PageBreak()]
    made = io.BytesIO()
    SimpleDocTemplate(
        made,
        pagesize=A4,
        leftMargin=60,
        rightMargin=60,
        title="Протокол допроса свидетеля Жумабаева А. С.",
        author=INVESTIGATOR.ru,
        subject=f"Свидетель {WITNESS.ru}, ИИН {WITNESS.iin}",
        keywords=["допрос", "Жумабаев", "Петров"],
        invariant=1,
    ).build(flow[:-1])
    with pikepdf.open(io.BytesIO(made.getvalue())) as pdf:
        _leak_into(pdf)
        result = io.BytesIO()
        pdf.save(result, deterministic_id=True)
    return result.getvalue()


def _leak_into(pdf: pikepdf.Pdf) -> None:
    """An outline, a sticky note and an attached draft that name the witness."""
    with pdf.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem("Допрос Жумабаева Адилета", 0))
        outline.root.append(pikepdf.OutlineItem("Жұмабаевтан жауап алу", 1))
    note = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Text,
        Rect=[520, 780, 540, 800],
        T=pikepdf.String(INVESTIGATOR.ru),
        Contents=pikepdf.String(f"Перезвонить Жумабаеву, {PHONE}"),
        Name=pikepdf.Name.Comment,
    )
    pdf.pages[0].Annots = pdf.make_indirect(pikepdf.Array([pdf.make_indirect(note)]))
    draft = f"Черновик. Свидетель: {WITNESS.ru}, ИИН {WITNESS.iin}, телефон {PHONE}.\n"
    pdf.attachments["Жумабаев-черновик.txt"] = pikepdf.AttachedFileSpec(
        pdf,
        draft.encode(),
        filename="Жумабаев-черновик.txt",
        description="",
        mime_type="text/plain",
        creation_date="D:20261013124000Z",
        mod_date="D:20261013124000Z",
    )


def statement() -> bytes:
    """The witness's statement; names also in a table, the header, a comment, a tracked deletion, the properties."""
    document = docx.Document()
    document.styles["Normal"].font.name = "DejaVu Sans"
    document.sections[0].header.paragraphs[0].text = f"Заявление: {WITNESS.ru}"
    heading, *paragraphs = STATEMENT
    document.add_heading(heading, level=1)
    for text in paragraphs:
        document.add_paragraph(text)
    table = document.add_table(rows=0, cols=2)
    for label, value in (("Тел.", PHONE), ("ИИН / ЖСН", WITNESS.iin), ("Подпись / Қолы", "А. С. Жумабаев")):
        cells = table.add_row().cells
        cells[0].text, cells[1].text = label, value
    remark = document.add_comment(
        document.paragraphs[2].runs[0], f"Уточнить у Жумабаева адрес. {INVESTIGATOR.ru}", INVESTIGATOR.ru, "ДС"
    )
    remark._comment_elm.set(qn("w:date"), "2026-10-13T12:40:00Z")  # python-docx offers no way to say when
    _tracked_deletion(document.paragraphs[3]._p, " Моего соседа зовут Петров Игорь.")
    properties = document.core_properties
    properties.author, properties.last_modified_by = WITNESS.ru, INVESTIGATOR.ru
    properties.title, properties.comments = "Заявление Жумабаева", f"ИИН {WITNESS.iin}"
    properties.created = properties.modified = WRITTEN_AT.replace(tzinfo=None)
    made = io.BytesIO()
    document.save(made)
    return _with_fixed_dates(made.getvalue())


def _tracked_deletion(paragraph: Any, text: str) -> None:
    """Text that a reader no longer sees and the file still holds (ECMA-376 part 1, section 17.13.5.14)."""
    deletion, run, deleted = OxmlElement("w:del"), OxmlElement("w:r"), OxmlElement("w:delText")
    deletion.set(qn("w:id"), "900")
    deletion.set(qn("w:author"), WITNESS.ru)
    deletion.set(qn("w:date"), "2026-10-13T12:40:00Z")
    deleted.text = text
    deleted.set(qn("xml:space"), "preserve")
    run.append(deleted)
    deletion.append(run)
    paragraph.append(deletion)


def _with_fixed_dates(package: bytes) -> bytes:
    """The same ZIP with one date on every entry, so that the same text gives the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name, (2026, 10, 13, 12, 40, 0)), source.read(name), zipfile.ZIP_DEFLATED)
    return made.getvalue()


def scene() -> bytes:
    """A drawn yard: a car with its plate, a shop sign with a name; EXIF says where, when and who took it."""
    picture = Image.new("RGB", (1280, 720), (198, 214, 226))
    draw = ImageDraw.Draw(picture)
    _draw_yard(draw)
    _draw_car(draw)
    exif = Image.Exif()
    exif[0x010E] = (
        "Osmotr, svidetel Zhumabayev Adilet Serikovich"  # ImageDescription is ASCII (Exif 3.0, section 4.6.5)
    )
    exif[0x010F], exif[0x0110] = "Dalel", "Demonstration camera"
    exif[0x013B] = "Sarsenova Dinara Maratovna"
    exif[0x9C9D] = INVESTIGATOR.ru.encode("utf-16-le")  # XPAuthor, as Windows writes it
    exif[0x0132] = "2026:10:12 19:05:00"
    place = exif.get_ifd(0x8825)
    place.update({1: "N", 2: (43.0, 14.0, 20.4), 3: "E", 4: (76.0, 56.0, 43.1)})
    made = io.BytesIO()
    picture.save(made, "JPEG", quality=88, exif=exif)
    return made.getvalue()


def _draw_yard(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((0, 470, 1280, 720), fill=(120, 122, 126))
    draw.rectangle((60, 70, 760, 470), fill=(214, 188, 152), outline=_INK, width=3)
    for column in range(4):
        draw.rectangle((110 + column * 165, 230, 200 + column * 165, 340), fill=(92, 120, 148), outline=_INK, width=3)
    draw.rectangle((120, 96, 700, 186), fill=(20, 76, 92), outline=_INK, width=3)
    draw.text((410, 122), "«ЖҰМАБАЕВ А. С.» ДҮКЕНІ", font=_font(34), fill="white", anchor="mm")
    draw.text((410, 163), f"тел. {PHONE}", font=_font(24), fill="white", anchor="mm")
    draw.rectangle((790, 380, 850, 470), fill=(96, 74, 52))
    draw.ellipse((730, 190, 910, 400), fill=(84, 122, 76))


def _draw_car(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon([(560, 480), (640, 390), (1000, 390), (1090, 480)], fill=(40, 42, 48), outline=_INK)
    draw.polygon([(600, 478), (660, 405), (980, 405), (1050, 478)], fill=(170, 192, 204))
    draw.rounded_rectangle((500, 476, 1150, 640), 28, fill=(40, 42, 48))
    for left in (550, 970):
        draw.ellipse((left, 590, left + 120, 710), fill=(18, 18, 20), outline=(150, 150, 150), width=8)
    draw.rectangle((690, 556, 960, 622), fill="white", outline=_INK, width=4)
    draw.text((825, 589), PLATE, font=_font(40), fill=_INK, anchor="mm")


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)


def main() -> None:
    """Make every file."""
    FILES.mkdir(exist_ok=True)
    for name, make in (("protocol.pdf", protocol), ("statement.docx", statement), ("scene.jpg", scene)):
        content = make()
        (FILES / name).write_bytes(content)
        sys.stdout.write(f"{name}: {len(content)} bytes\n")


if __name__ == "__main__":
    main()
