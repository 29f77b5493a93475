"""A picture burned: decoded, upright, solid black boxes, encoded anew as PNG with pixels and nothing else."""

from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from custody.kernel.errors import Corrupt, Invalid, TooLarge
from redaction.burn.facts import BurnFacts, check_source, facts_of, file_sha256
from redaction.burn.pdf import MAX_PIXELS, blacken
from redaction.model import PageBox
from redaction.plan import Plan

VERSION = f"picture/1 pillow/{version('pillow')}"


def read_picture(path: Path) -> Image.Image:
    """The first frame as RGB, turned the way a viewer shows it. Raises Corrupt `source.unreadable`, TooLarge."""
    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise TooLarge("source.page_too_large")
            upright = ImageOps.exif_transpose(opened)
            return upright.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as wrong:
        raise Corrupt("source.unreadable") from wrong


def burn_picture(source: Path, target: Path, plan: Plan) -> BurnFacts:
    """Burn the boxes of a plan into a picture; writes PNG. Transparency is lost, further frames are not carried over.

    Raises Invalid `burn.other_source`, `plan.bad_region` for a region that is no box or is not on page 0, and what
    `read_picture` raises.
    """
    source_sha256 = check_source(file_sha256(source), plan.source_sha256)
    boxes: list[PageBox] = []
    for part in plan.regions:
        if not isinstance(part.region, PageBox) or part.region.page != 0:
            raise Invalid("plan.bad_region")
        boxes.append(part.region)
    pixels = np.array(read_picture(source), dtype=np.uint8)
    blacken(pixels, boxes)
    Image.fromarray(pixels).save(target, format="PNG")
    return facts_of("picture", source_sha256, target, VERSION, {"plan_sha256": plan.sha256, "boxes": len(boxes)})
