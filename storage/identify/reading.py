"""The task `identify`: recognizes a file by its content and asks the reader of its family what it says of itself."""

import contextlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from storage.blob import FileName
from storage.identify.model import Claims
from storage.media_type import HEAD_BYTES, sniff

_READERS = {
    "pictures": ("image/",),
    "media": ("audio/", "video/"),
    "documents": ("application/pdf",),
    "office": ("application/vnd.openxmlformats", "application/vnd.oasis"),
    "mail": ("message/rfc822",),
    "ole": ("application/x-ole-storage", "application/vnd.ms-outlook"),
    "archives": ("application/zip", "application/gzip", "application/x-tar", "application/x-bzip2", "application/x-xz"),
    "packed": ("application/x-7z-compressed", "application/vnd.rar"),
}
SIGNED = ("image/", "audio/", "video/", "application/pdf")
"""What may carry a signature of the device that made it."""


def reader_of(media_type: str) -> str | None:
    """The module that reads this type; None for what stays opaque."""
    return next((name for name, begins in _READERS.items() if media_type.startswith(begins)), None)


def prepare(args: Mapping[str, Any]) -> None:
    """Import what the sealed type will need: afterwards nothing can be."""
    _modules(str(args["media_type"]))
    importlib.import_module("puremagic")


def readable(args: Mapping[str, Any]) -> Sequence[Path]:
    """Nothing besides the system's own files."""
    del args
    return ()


def _modules(media_type: str) -> list[ModuleType]:
    name = reader_of(media_type)
    wanted = [f"storage.identify.{name}"] if name else []
    wanted += ["storage.identify.provenance"] if media_type.startswith(SIGNED) else []
    return [importlib.import_module(one) for one in wanted]


def run(args: Mapping[str, Any], source: Path, tell: Callable[[int, int], None]) -> dict[str, Any]:
    """The claims of the file as a document. A file that is broken is no error: it is flagged `unreadable`."""
    del tell
    claims = Claims()
    head, tail = _ends(source)
    kind = sniff(head, tail, FileName(str(args["filename"])))
    if kind.mismatch:
        claims.flag("name_mismatch")
    if kind.media_type != args["media_type"]:
        claims.flag("type_differs")  # from what the seal saw: the table has learned a type since
    for module in _modules(str(args["media_type"])):
        _read(module, source, str(args["media_type"]), claims)
    return claims.document(kind.media_type)


def _read(module: ModuleType, source: Path, media_type: str, claims: Claims) -> None:
    try:
        module.read(source, media_type, claims)
    except (MemoryError, RecursionError):
        claims.flag("too_costly")
    except Exception as fault:
        # Whatever a library makes of a hostile file, it is a property of the file. The message may quote it.
        claims.flag("unreadable")
        claims.claim("reader.fault", type(fault).__name__)


def _ends(source: Path) -> tuple[bytes, bytes]:
    with source.open("rb") as file:
        head = file.read(HEAD_BYTES)
        with contextlib.suppress(OSError):
            file.seek(-HEAD_BYTES, 2)
            return head, file.read()
        return head, head
