"""Evidence made for the tests: a PDF that hides a name in every place people forget, a tone-and-noise recording."""

from pathlib import Path
from uuid import UUID

import av
import numpy as np
import pikepdf
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from redaction.burn.facts import file_sha256
from redaction.leak.forbidden import Forbidden, forbidden_of
from redaction.model import Proposal, Region, Suggestion
from redaction.plan import Plan, assemble

NAME = "Жұмабаев Адилет"
IIN = "990314500014"
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
LINES = (
    "Протокол допроса. Свидетель: Жұмабаев Адилет Серікұлы, ИИН 990314500014,",
    "телефон +7 709 123 45 67. С Жұмабаевым Адилетом беседовал следователь.",
    "Погода была ясная, машина стояла у дома.",
)


def write_pdf(path: Path, *, rotate: int = 0) -> None:
    pdfmetrics.registerFont(TTFont("DejaVu", FONT))
    canvas = Canvas(str(path), pagesize=(595, 842), invariant=1)
    canvas.setTitle(f"Допрос: {NAME}")
    canvas.setFont("DejaVu", 11)
    for row, line in enumerate(LINES):
        canvas.drawString(60, 760 - 18 * row, line)
    canvas.textAnnotation(f"Проверить {NAME}", Rect=[60, 600, 200, 640])
    canvas.bookmarkPage("one")
    canvas.addOutlineEntry(NAME, "one")
    canvas.showPage()
    canvas.save()
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        document.attachments["адрес.txt"] = f"{NAME}, {IIN}".encode()
        if rotate:
            document.pages[0].rotate(rotate, relative=False)
        document.save(path, deterministic_id=True)


def write_sound(path: Path, *, seconds: int = 4, rate: int = 16_000, **metadata: str) -> np.ndarray:
    """Noise that nothing predicts, mono, FLAC; `metadata` into the container."""
    samples = np.random.default_rng(7).integers(-9000, 9000, seconds * rate).astype(np.int16)
    write_samples(path, samples, rate, **metadata)
    return samples


def write_samples(path: Path, samples: np.ndarray, rate: int = 16_000, tracks: int = 1, **metadata: str) -> None:
    format_name, codec = ("flac", "flac") if path.suffix == ".flac" else ("matroska", "flac")
    with av.open(str(path), "w", format=format_name) as output:
        output.metadata.update(metadata)
        streams = [output.add_stream(codec, rate=rate, layout="mono") for _ in range(tracks)]
        for stream in streams:
            stream.codec_context.format = "s16"
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = rate
            frame.pts = 0
            output.mux(stream.encode(frame))
        for stream in streams:
            output.mux(stream.encode(None))


def write_picture(path: Path) -> None:
    picture = Image.new("RGB", (900, 300), "white")
    ImageDraw.Draw(picture).text((40, 100), "машина 000 DAL 02", fill="black", font=ImageFont.truetype(FONT, 56))
    exif = Image.Exif()
    exif[0x9286] = exif[0x010E] = "Zhumabayev Adilet 990314500014"
    picture.save(path, exif=exif)


def decided(proposals: list[Proposal] | tuple[Proposal, ...]) -> list[Suggestion]:
    return [
        Suggestion(
            UUID(int=number + 1), one.entity, one.regions, one.text, one.score_ppm, one.recognizer, "accepted", "minor"
        )
        for number, one in enumerate(proposals)
    ]


def plan_for(source: Path, suggestions: list[Suggestion]) -> tuple[Plan, Forbidden]:
    plan = assemble(
        id=UUID(int=1),
        exhibit=UUID(int=2),
        source_sha256=file_sha256(source),
        text_sha256=None,
        rules_sha256="sha256:00",
        suggestions=suggestions,
    )
    return plan, forbidden_of(suggestions)


def hide(source: Path, *regions: Region) -> tuple[Plan, Forbidden]:
    return plan_for(source, [Suggestion(UUID(int=9), "PERSON", regions, NAME, 1, "t", "accepted", "minor")])
