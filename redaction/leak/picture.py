"""Attacks on a burned picture: an allow-list of PNG chunks, exact pixels, solid boxes, optical reading."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from custody.kernel.errors import DalelError
from redaction.burn.facts import file_sha256
from redaction.burn.pdf import pixel_box
from redaction.burn.picture import read_picture
from redaction.leak.forbidden import Forbidden
from redaction.leak.report import Check, LeakReport, check
from redaction.leak.texts import check_name
from redaction.model import PageBox
from redaction.plan import Plan
from redaction.suggest.pages import PageText, recognize

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNKS = (b"IHDR", b"IDAT", b"IEND")


def _chunks(data: bytes) -> tuple[list[bytes], bytes, bytes]:
    """Chunk types, the joined picture data, and what follows the last chunk (PNG, section 5)."""
    kinds: list[bytes] = []
    pixels = b""
    place = len(_SIGNATURE)
    while place + 12 <= len(data) and (not kinds or kinds[-1] != b"IEND"):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind = data[place + 4 : place + 8]
        kinds.append(kind)
        if kind == b"IDAT":
            pixels += data[place + 8 : place + 8 + length]
        place += 12 + length
    return kinds, pixels, data[place:]


def _structure(data: bytes, width: int, height: int) -> Check:
    if not data.startswith(_SIGNATURE):
        return check("structure", False, "not a PNG file")
    kinds, packed, rest = _chunks(data)
    strangers = sum(kind not in _CHUNKS for kind in kinds)
    inflate = zlib.decompressobj()
    try:
        pixels = inflate.decompress(packed)
    except zlib.error:
        return check("structure", False, "the picture data cannot be unpacked")
    exact = len(pixels) == height * (1 + 3 * width) and inflate.eof and not inflate.unused_data
    return check(
        "structure",
        not strangers and not rest and exact,
        f"{strangers} chunks outside the allow-list, {len(rest)} bytes after the end",
    )


def attack_picture(
    burned: Path,
    plan: Plan,
    forbidden: Forbidden,
    read: Callable[[Image.Image], PageText | None] = recognize,
) -> LeakReport:
    """Structure, raw strings, solid boxes, optical reading, file name. Faces outside the boxes are not looked for."""
    data = burned.read_bytes()
    checks: list[Check] = []
    try:
        picture = read_picture(burned)
    except DalelError:
        checks.append(check("readable", False, "the picture cannot be shown"))
    else:
        pixels = np.array(picture)
        checks.append(_structure(data, picture.width, picture.height))
        unsolid = 0
        for part in plan.regions:
            if isinstance(part.region, PageBox):
                left, top, right, bottom = pixel_box(part.region, picture.width, picture.height)
                unsolid += bool(pixels[top:bottom, left:right].any())
        checks.append(check("boxes_solid", unsolid == 0, f"{unsolid} boxes are not solid black"))
        seen = read(picture)
        hits = forbidden.hits(seen.text) if seen else 0
        state = "failed" if hits else "passed" if seen else "not_run"
        checks.append(Check("ocr", state, f"{hits} forbidden words read"))
    raw = forbidden.raw_hits(data) if len(data) < 1 << 20 else forbidden.raw_hits(data[: 1 << 16] + data[-(1 << 16) :])
    checks.append(check("strings", raw == 0, f"{raw} forbidden strings in the raw bytes"))
    checks.append(check_name(burned, forbidden))
    return LeakReport("picture", file_sha256(burned), plan.sha256, tuple(checks))
