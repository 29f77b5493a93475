"""Names of built files: `main.css` → `/static/main-<digest>.css`, from the manifest that `npm run build` writes."""

import json
from functools import cache
from pathlib import Path

BUILD = Path(__file__).parent / "static" / "build"


class AssetsNotBuilt(RuntimeError):
    """`npm ci && npm run build` has not run in portal/."""


@cache
def _manifest() -> dict[str, str]:
    file = BUILD / "manifest.json"
    if not file.is_file():
        raise AssetsNotBuilt("portal/static/build is missing: run `npm ci && npm run build` in portal/")
    names: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return names


def url(name: str) -> str:
    """The address of a built file. Raises AssetsNotBuilt, or KeyError for a name that no build makes."""
    return f"/static/{_manifest()[name]}"
