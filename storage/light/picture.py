"""Pictures: a JPEG of at most 1600 pixels a side, upright, without any of the file's own data."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError, __version__

from custody.kernel.errors import Invalid, TooLarge
from storage.light.making import Made, Tell

SIDE, QUALITY = 1600, 80
MOST_PIXELS = 150_000_000
"""Decoded at four bytes each this is what the sandbox's memory holds. 60,000 by 60,000 is refused by its header."""
Image.init()


def make(args: Mapping[str, Any], source: Path, tell: Tell) -> list[Made]:
    """The preview. Raises Invalid `light.unreadable`, TooLarge `light.too_many_pixels`."""
    del args
    Image.MAX_IMAGE_PIXELS = None  # judged here, by name
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(source) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise TooLarge("light.too_many_pixels", width=picture.width, height=picture.height)
            tell(0, 1)
            picture.draft("RGB", (SIDE, SIDE))
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((SIDE, SIDE), reducing_gap=2.0)
            _flat(upright).save("light.jpg", "JPEG", quality=QUALITY, optimize=True)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as fault:
        raise Invalid("light.unreadable", what=type(fault).__name__) from fault
    return [Made("light_picture", "light.jpg", "pillow", __version__, {"side": SIDE, "quality": QUALITY}, {})]


def _flat(picture: Image.Image) -> Image.Image:
    """Opaque on white, in plain RGB, with nothing of the file but its pixels."""
    clear = picture.convert("RGBA")
    flat = Image.new("RGB", clear.size, "white")
    flat.paste(clear, mask=clear.getchannel("A"))
    return flat
