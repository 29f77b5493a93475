"""Pictures: size, format, EXIF. Headers only; no pixel is decoded, so no picture is too large to ask."""

import warnings
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, __version__

from storage.identify.model import Claims

HUGE_PIXELS = 150_000_000
_GPS_IFD, _EXIF_IFD = 0x8825, 0x8769
_NOT_SHOWN = {"MakerNote", "PrintImageMatching", "UserComment", "ExifOffset", "GPSInfo", "JPEGThumbnail"}
Image.init()


def read(source: Path, media_type: str, claims: Claims) -> None:
    """Raises what Pillow raises for a file that is none of its formats."""
    del media_type
    claims.tools["pillow"] = __version__
    Image.MAX_IMAGE_PIXELS = None  # nothing is decoded here
    with warnings.catch_warnings(action="ignore"), Image.open(source) as picture:
        claims.claim("picture.format", picture.format)
        claims.claim("picture.width", picture.width)
        claims.claim("picture.height", picture.height)
        if picture.width * picture.height > HUGE_PIXELS:
            claims.flag("picture.huge")
        frames = getattr(picture, "n_frames", 1) if picture.format in ("GIF", "WEBP", "TIFF", "PNG") else 1
        if frames > 1:
            claims.claim("picture.frames", frames)
        exif = _exif(picture)
        found = dict(exif) | dict(exif.get_ifd(_EXIF_IFD))
        for tag, value in found.items():
            name = ExifTags.TAGS.get(tag, f"0x{tag:04x}")
            if name not in _NOT_SHOWN and not isinstance(value, bytes | dict):
                claims.claim(f"exif.{name}", value)
        _place(exif.get_ifd(_GPS_IFD), claims)


def _exif(picture: Image.Image) -> Image.Exif:
    if picture.format != "PNG":
        return picture.getexif()
    # There `getexif` decodes the whole picture to look behind its pixels.
    found = Image.Exif()
    found.load(picture.info.get("exif", b""))
    return found


def _place(gps: dict[int, Any], claims: Claims) -> None:
    """Where the file says it was made: degrees to six places."""
    latitude, longitude = gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLongitude)
    if latitude is None or longitude is None:
        return
    claims.flag("place")
    north = _degrees(latitude, gps.get(ExifTags.GPS.GPSLatitudeRef) == "S")
    east = _degrees(longitude, gps.get(ExifTags.GPS.GPSLongitudeRef) == "W")
    claims.claim("exif.place", f"{north:.6f}, {east:.6f}")


def _degrees(parts: Any, negative: bool) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    return -value if negative else value
