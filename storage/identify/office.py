"""Office documents (OOXML, OpenDocument): author, time and program as they say; macros. Nothing is unpacked whole."""

import zipfile
from pathlib import Path
from xml.parsers import expat

from storage.identify.archives import list_zip
from storage.identify.model import Claims

_PARTS = ("docProps/core.xml", "docProps/app.xml", "meta.xml")
_PART_BYTES = 1 << 20
_TOLD = {
    "title", "subject", "creator", "lastModifiedBy", "created", "modified", "revision", "Application", "AppVersion",
    "Company", "Pages", "Words", "Slides", "initial-creator", "creation-date", "date", "generator", "editing-cycles",
}  # fmt: skip


class Forbidden(ValueError):
    """The XML declares types or entities, which office programs do not write: entities can grow without end."""


def read(source: Path, media_type: str, claims: Claims) -> None:
    """Raises zipfile.BadZipFile."""
    del media_type
    claims.tools["zipfile"] = "python"
    with zipfile.ZipFile(source) as package:
        list_zip(package, claims, name_entries=False)
        names = set(package.namelist())
        if any(name.endswith("vbaProject.bin") or name.startswith("Basic/") for name in names):
            claims.flag("active_content")
        if any("/embeddings/" in name for name in names):
            claims.flag("attachments")
        for part in _PARTS:
            if part in names:
                with package.open(part) as opened:
                    data = opened.read(_PART_BYTES + 1)
                if len(data) > _PART_BYTES:
                    claims.flag("too_costly")
                    continue
                _told(data, claims)


def _told(data: bytes, claims: Claims) -> None:
    try:
        for name, text in texts(data):
            if name in _TOLD:
                claims.claim(f"office.{name}", text)
    except Forbidden:
        claims.flag("xml_entities")


def texts(data: bytes) -> list[tuple[str, str]]:
    """Local names of elements with their own text. Raises Forbidden for a document type, expat.ExpatError."""
    found: list[tuple[str, str]] = []
    open_: list[tuple[str, list[str]]] = []

    def start(name: str, _: dict[str, str]) -> None:
        open_.append((name.rpartition(":")[2], []))

    def end(_: str) -> None:
        name, said = open_.pop()
        if said and (text := "".join(said).strip()):
            found.append((name, text))

    def refuse(*_: object) -> None:
        raise Forbidden("a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = lambda said: open_[-1][1].append(said)
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(data, True)
    return found
