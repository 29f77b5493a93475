"""Compound files (OLE): the old Office documents and Outlook's messages, by their property sets ([MS-OLEPS]).

Read with `olefile` (BSD licence). Nothing in them is run; of streams only those named here are read.
"""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import olefile  # type: ignore[import-untyped]  # it ships no types

from storage.identify import letter, outlook
from storage.identify.mail import text_of
from storage.identify.model import Claims

_SUMMARY, _DOCUMENT = "\x05SummaryInformation", "\x05DocumentSummaryInformation"
_TOLD: Final = {
    _SUMMARY: {
        2: "title", 3: "subject", 4: "creator", 8: "lastModifiedBy", 9: "revision", 12: "created", 13: "modified",
        14: "Pages", 18: "Application",
    },
    _DOCUMENT: {15: "Company"},
}  # fmt: skip
_CODE_PAGE: Final = 1
_MACROS: Final = frozenset({"vba", "macros", "_vba_project_cur"})
_SEALED: Final = frozenset({"encryptedpackage", "encryptioninfo"})
_NOT_SAID: Final = datetime(1601, 1, 1)  # noqa: DTZ001  where these times begin: `olefile` gives them without a zone


def read(source: Path, media_type: str, claims: Claims) -> None:
    """Raises what `olefile` raises for a file that is none."""
    del media_type
    claims.tools["olefile"] = olefile.__version__
    with olefile.OleFileIO(str(source)) as file:
        names = {name.lower() for path in file.listdir(storages=True) for name in path}
        if names & _MACROS:
            claims.flag("active_content")
        if names & _SEALED:
            claims.flag("encrypted")
        if "objectpool" in names:
            claims.flag("attachments")
        for stream, told in _TOLD.items():
            if file.exists(stream):
                _tell(file.getproperties(stream, convert_time=True), told, claims)
        if outlook.is_message(file):
            for key, value in outlook.claims_of(file):
                claims.claim(key, value)
            letter.tell(outlook.letters_of(file), claims)


def _tell(found: dict[int, Any], told: dict[int, str], claims: Claims) -> None:
    page = found.get(_CODE_PAGE)
    charset = outlook.charset_of(page & 0xFFFF if isinstance(page, int) else None)
    for number, name in told.items():
        value = found.get(number)
        if isinstance(value, bytes):
            value = text_of(value, charset).partition("\0")[0]
        elif isinstance(value, datetime):
            value = f"{value:%Y-%m-%dT%H:%M:%SZ}" if value > _NOT_SAID else None
        claims.claim(f"office.{name}", value)
