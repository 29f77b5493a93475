"""Which light copy fits which file, what it may cost, and what comes of it. No library is loaded here."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.sandbox.launch import Limits

VIDEO, SOUND, PICTURE, PAGES, TEXT, MAIL, OFFICE = (
    "video", "sound", "picture", "pages", "text", "mail", "office",
)  # fmt: skip
RECIPES: Final = {
    "video/": VIDEO,
    "audio/": SOUND,
    "image/": PICTURE,
    "application/pdf": PAGES,
    "message/rfc822": MAIL,
    "application/vnd.ms-outlook": MAIL,
    "text/html": TEXT,
    "application/vnd.openxmlformats": OFFICE,
    "application/vnd.oasis": OFFICE,
    "application/x-ole-storage": OFFICE,
    "application/rtf": OFFICE,
}
KIND: Final = {
    VIDEO: "light_video",
    SOUND: "light_sound",
    PICTURE: "light_picture",
    PAGES: "light_pages",
    TEXT: "light_text",
    MAIL: "light_pdf",
    OFFICE: "light_pdf",
}
"""What a recipe is for; others come with it (a video's frame map, a document's pages, a message's text)."""
MEDIA_TYPES: Final = {
    "light_video": "video/mp4",
    "light_sound": "audio/mp4",
    "light_picture": "image/jpeg",
    "light_pages": "application/zip",
    "light_pdf": "application/pdf",
    "light_text": "text/plain",
    "frame_map": "application/json",
    "peaks": "application/json",
}
PAGE_TYPE: Final = "image/jpeg"
_MIB: Final = 1 << 20
_SLOWEST_BYTES_PER_S: Final = 50_000
"""A recording of a camera at night has few bytes for much time: this leaves it enough."""


def recipe_of(media_type: str) -> str | None:
    """The recipe for a type; None for what has no open form here."""
    return next((recipe for begin, recipe in RECIPES.items() if media_type.startswith(begin)), None)


def office_program() -> str | None:
    """Where LibreOffice's libraries are, where it is installed: beside the program on PATH."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    return str(Path(found).resolve().parent) if found else None


def limits(recipe: str, size_bytes: int, most_s: int) -> Limits:
    """What making the copy may cost: by the file's size, never more than `most_s` seconds of the clock."""
    if recipe in (VIDEO, SOUND):
        wall_s = min(300 + size_bytes // _SLOWEST_BYTES_PER_S, most_s)
        return Limits(4 * wall_s, wall_s, 4096 * _MIB, 256 * _MIB + size_bytes + 150_000 * wall_s)
    return Limits(300, 300, 3072 * _MIB, 1024 * _MIB)


def facts_limits(size_bytes: int) -> Limits:
    """What reading a file's own data may cost; a signature over a large video needs all of it read."""
    wall_s = 60 + size_bytes // (20 * _MIB)
    return Limits(wall_s, wall_s, 3072 * _MIB, 64 * _MIB)


@dataclass(frozen=True)
class Page:
    """One page inside a copy of pages: where its bytes lie in the file, its digest, its size in pixels."""

    start: int
    size_bytes: int
    sha256: str
    width: int
    height: int
