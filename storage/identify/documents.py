"""PDF: what it says of its making, and what lies in it that a reader does not see."""

import re
from pathlib import Path
from typing import Any

import pikepdf

from storage.identify.model import Claims

_END = re.compile(rb"%%EOF")
_PIECE = 1 << 20
_FIELDS = ("/Title", "/Author", "/Subject", "/Creator", "/Producer", "/CreationDate", "/ModDate")
_MOST_FIELDS = 10_000


def read(source: Path, media_type: str, claims: Claims) -> None:
    """Raises pikepdf.PdfError for what is no PDF."""
    del media_type
    claims.tools["pikepdf"] = pikepdf.__version__
    revisions = _revisions(source)
    claims.claim("pdf.revisions", revisions)
    if revisions > 1:
        claims.flag("pdf.revisions")
    try:
        pdf = pikepdf.open(source, attempt_recovery=True, suppress_warnings=True)
    except pikepdf.PasswordError:
        claims.flag("encrypted")
        return
    with pdf:
        claims.claim("pdf.version", pdf.pdf_version)
        claims.claim("pdf.pages", len(pdf.pages))
        if pdf.is_encrypted:
            claims.flag("encrypted")
        for name in _FIELDS:
            if name in pdf.docinfo:
                claims.claim(f"pdf.{name[1:]}", pdf.docinfo[name])
        for name, attached in pdf.attachments.items():
            claims.flag("attachments")
            claims.entry(name, attached.get_file().size or 0)
        _hidden(pdf, claims)


def _hidden(pdf: pikepdf.Pdf, claims: Claims) -> None:
    names: Any = pdf.Root.get("/Names", {})
    if "/JavaScript" in names or "/OpenAction" in pdf.Root or "/AA" in pdf.Root:
        claims.flag("active_content")
    signatures = 0
    for number, item in enumerate(pdf.objects):
        if number >= _MOST_FIELDS:
            break
        if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/Sig" and "/ByteRange" in item:
            signatures += 1
    if signatures:
        claims.flag("signed")
        claims.claim("pdf.signatures", signatures)


def _revisions(source: Path) -> int:
    """How often the file was saved on: ends of file in it, a linearized one's first counted out."""
    found, before = 0, b""
    linear = False
    with source.open("rb") as file:
        while piece := file.read(_PIECE):
            linear = linear or (not before and b"/Linearized" in piece[:2048])
            data = before + piece
            found += len(_END.findall(data)) - len(_END.findall(before))
            before = data[-4:]
    return max(found - 1 if linear else found, 0)
