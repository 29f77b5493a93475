"""The task `light`: makes the files of one recipe in the working directory."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from storage.light.recipes import MAIL, OFFICE, PAGES, PICTURE, SOUND, TEXT, VIDEO

LIBREOFFICE = tuple(
    Path(name)
    for name in ("/opt", "/etc/libreoffice", "/var/lib/libreoffice", "/var/spool/libreoffice", "/var/cache/fontconfig")
)
"""Where distributions (Debian) and its own packages (`/opt`) put parts of it."""
Tell = Callable[[int, int], None]
_MODULES = {
    VIDEO: "storage.light.moving",
    SOUND: "storage.light.moving",
    PICTURE: "storage.light.picture",
    PAGES: "storage.light.pages",
    TEXT: "storage.light.words",
    MAIL: "storage.light.letter",
    OFFICE: "storage.light.office",
}


@dataclass(frozen=True)
class Made:
    """One file in the working directory and how it was made. `details` say what a viewer needs besides the bytes."""

    kind: str
    file: str
    tool: str
    tool_version: str
    parameters: Mapping[str, Any]
    details: Mapping[str, Any]


def prepare(args: Mapping[str, Any]) -> None:
    """Import the recipe's libraries: afterwards nothing can be."""
    _module(args)


def readable(args: Mapping[str, Any]) -> Sequence[Path]:
    """What the recipe reads besides the system's own files: LibreOffice's."""
    return LIBREOFFICE if args["recipe"] == OFFICE else ()


def run(args: Mapping[str, Any], source: Path, tell: Tell) -> dict[str, Any]:
    """The files made, as JSON. Raises Invalid and TooLarge `light.…`."""
    made: list[Made] = _module(args).make(args, source, tell)
    return {"files": [vars(one) for one in made]}


def _module(args: Mapping[str, Any]) -> ModuleType:
    return importlib.import_module(_MODULES[str(args["recipe"])])
