"""Attacks on a burned document: an allow-list of parts and elements, the archive's own bytes, forbidden strings."""

import re
import zipfile
from pathlib import Path

from custody.kernel.errors import DalelError
from redaction.burn.document import CONTENT_TYPES, RELATIONS, document_xml, read_document
from redaction.burn.facts import file_sha256
from redaction.leak.forbidden import Forbidden
from redaction.leak.report import Check, LeakReport, check
from redaction.leak.texts import check_name
from redaction.plan import Plan

_FIXED = {"[Content_Types].xml": CONTENT_TYPES.encode(), "_rels/.rels": RELATIONS.encode()}
_BODY = "word/document.xml"
_LOCAL_HEADER, _CENTRAL_HEADER, _END = 30, 46, 22


def _archive(path: Path) -> Check:
    """Three entries, two of them known to the byte, and not a byte between, before or after them (APPNOTE 4.3)."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        expected = sum(
            _LOCAL_HEADER + _CENTRAL_HEADER + 2 * len(entry.filename.encode()) + entry.compress_size
            for entry in entries
        )
        held = (
            sorted(entry.filename for entry in entries) == sorted([*_FIXED, _BODY])
            and all(archive.read(name) == data for name, data in _FIXED.items())
            and not archive.comment
            and not any(entry.extra or entry.comment for entry in entries)
            and path.stat().st_size == expected + _END
        )
    return check("archive", held, f"{len(entries)} entries")


def _body(path: Path) -> Check:
    """The text written anew by the same rules gives the same bytes: no element, attribute or comment hides there."""
    with zipfile.ZipFile(path) as archive:
        found = archive.read(_BODY)
    held = found == document_xml(read_document(path).text).encode()
    return check("structure", held, "plain paragraphs only" if held else "something besides plain paragraphs")


def attack_document(path: Path, plan: Plan, forbidden: Forbidden) -> LeakReport:
    """Archive, structure, strings, file name of a burned DOCX."""
    checks: list[Check] = []
    try:
        text = read_document(path).text
        with zipfile.ZipFile(path) as archive:
            unpacked = b"\n".join(archive.read(name) for name in archive.namelist())
        hits = forbidden.hits(text) + forbidden.hits(re.sub(r"<[^>]*>", " ", unpacked.decode("utf-8", "replace")))
        raw = forbidden.raw_hits(unpacked, is_utf8_text=True) + forbidden.raw_hits(path.read_bytes())
        checks += [
            _archive(path),
            _body(path),
            check("strings", hits + raw == 0, f"{hits} forbidden words in the text, {raw} in the raw bytes"),
        ]
    except (DalelError, ValueError, KeyError, zipfile.BadZipFile, RuntimeError) as wrong:
        checks.append(check("readable", False, f"the document cannot be read: {type(wrong).__name__}"))
    checks.append(check_name(path, forbidden))
    return LeakReport("docx", file_sha256(path), plan.sha256, tuple(checks))
