"""A word-processor document burned: what it says is taken out as plain text, and a new document is written from it.

The text of the body, tables, text boxes, headers, footers and notes is kept, in this order: headers, body, notes,
footers. Deleted text of tracked changes, comments, pictures, formatting, properties, themes and every other part of
the file are not carried over.
"""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from custody.kernel.errors import Corrupt, Invalid, TooLarge
from redaction.burn.facts import BurnFacts, check_source, facts_of, file_sha256
from redaction.burn.transcript import BLOCK
from redaction.model import Proposal, TextSpan
from redaction.plan import Plan, digest
from redaction.suggest.merging import merge
from redaction.suggest.spoken import FindsInText

VERSION = "document/1"
MAX_XML_BYTES = 64 << 20
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_PARTS = tuple(
    re.compile(rf"word/{name}\.xml") for name in (r"header\d*", "document", "footnotes", "endnotes", r"footer\d*")
)
_EPOCH = (1980, 1, 1, 0, 0, 0)
CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml"'
    ' ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1"'
    ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
    ' Target="word/document.xml"/></Relationships>'
)


@dataclass(frozen=True)
class DocumentText:
    """What a document says, a line for each paragraph; spans of a plan count its characters."""

    text: str

    @property
    def sha256(self) -> str:
        """The digest a plan names as `text_sha256`."""
        return digest(self.text.encode())


def read_document(path: Path) -> DocumentText:
    """The text of a DOCX. Raises Corrupt `source.unreadable`, TooLarge `source.too_large`."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            chosen = [name for part in _PARTS for name in sorted(filter(part.fullmatch, names))]
            if "word/document.xml" not in chosen:
                raise Corrupt("source.unreadable")
            if sum(archive.getinfo(name).file_size for name in chosen) > MAX_XML_BYTES:
                raise TooLarge("source.too_large")
            lines = [line for name in chosen for line in _paragraphs(archive.read(name))]
    except (zipfile.BadZipFile, etree.XMLSyntaxError, OSError, RuntimeError) as wrong:
        raise Corrupt("source.unreadable") from wrong
    return DocumentText("\n".join(lines))


def _paragraphs(xml: bytes) -> list[str]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    root = etree.fromstring(xml, parser)
    for fallback in list(root.iter(_FALLBACK)):  # the same text a second time, for old programs
        fallback.getparent().remove(fallback)
    return [_line(paragraph) for paragraph in root.iter(f"{_W}p")]


def _line(paragraph: etree._Element) -> str:
    """The paragraph's own text; that of a text box anchored in it comes as paragraphs of its own."""
    said: list[str] = []
    for piece in paragraph.iter(f"{_W}t", f"{_W}tab", f"{_W}br"):
        if next(piece.iterancestors(f"{_W}p")) is not paragraph:
            continue
        said.append(piece.text or "" if piece.tag == f"{_W}t" else " ")
    return "".join(said)


def suggest_document(
    find: FindsInText, document: DocumentText, languages: tuple[str, ...] = ("ru", "kk")
) -> list[Proposal]:
    """Proposals over the text of a document."""
    text = document.text
    return [
        Proposal(one.entity, (TextSpan(one.start, one.end),), text[one.start : one.end], one.score_ppm, one.recognizer)
        for one in merge(text, [finding for language in languages for finding in find(text, language)])
    ]


def redact_text(text: str, plan: Plan) -> str:
    """The text with every span replaced by its pseudonym, or by blocks that keep no length; line ends stay.

    Overlapping spans are hidden together under the first one's pseudonym. Raises Invalid `plan.bad_region`.
    """
    parts: list[str] = []
    done = 0
    for part in plan.regions:
        if not isinstance(part.region, TextSpan) or part.region.end > len(text):
            raise Invalid("plan.bad_region")
        if part.region.end <= done:
            continue
        if part.region.start >= done:
            parts.append(text[done : part.region.start] + (part.replacement or BLOCK))
        parts.append("\n" * text.count("\n", max(done, part.region.start), part.region.end))
        done = part.region.end
    return "".join(parts) + text[done:]


def document_xml(text: str) -> str:
    """The one part of a burned document that says something: paragraphs of plain runs."""
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    clean = "".join(letter for letter in text if letter == "\n" or letter >= " ")
    lines = "".join(
        f'<w:p><w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>' for line in clean.split("\n")
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<w:document xmlns:w="{space}"><w:body>{lines}</w:body></w:document>'


def burn_document(source: Path, target: Path, plan: Plan) -> BurnFacts:
    """Burn the text spans of a plan into a document; writes a new DOCX. The same input gives the same bytes.

    Raises Invalid `burn.other_source`, `plan.bad_region`, and what `read_document` raises.
    """
    source_sha256 = check_source(file_sha256(source), plan.source_sha256)
    document = read_document(source)
    check_source(document.sha256, plan.text_sha256)
    body = document_xml(redact_text(document.text, plan))
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in (
            ("[Content_Types].xml", CONTENT_TYPES),
            ("_rels/.rels", RELATIONS),
            ("word/document.xml", body),
        ):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            archive.writestr(entry, data.encode())
    parameters = {"plan_sha256": plan.sha256, "block": BLOCK, "spans": len(plan.regions)}
    return facts_of("docx", source_sha256, target, VERSION, parameters)
