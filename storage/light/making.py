"""The task `light`: makes the files of one recipe in the working directory."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from storage.light.recipes import OFFICE, PAGES, PICTURE, SOUND, TEXT, VIDEO

Tell = Callable[[int, int], None]
_MODULES = {
    VIDEO: "storage.light.moving",
    SOUND: "storage.light.moving",
    PICTURE: "storage.light.picture",
    PAGES: "storage.light.pages",
    TEXT: "storage.light.words",
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


def NEEDS_PROGRAMS(args: Mapping[str, Any]) -> bool:  # noqa: N802  named by the sandbox
    """Only an office document is made by a program of its own."""
    return bool(args["recipe"] == OFFICE)


def run(args: Mapping[str, Any], source: Path, tell: Tell) -> dict[str, Any]:
    """The files made, as JSON. Raises Invalid and TooLarge `light.…`."""
    made: list[Made] = _module(args).make(args, source, tell)
    return {"files": [vars(one) for one in made]}


def _module(args: Mapping[str, Any]) -> ModuleType:
    return importlib.import_module(_MODULES[str(args["recipe"])])
