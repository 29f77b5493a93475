"""A trail as an act on paper: what was asked for, how much there is, each event in a sentence, the signed head."""

from collections.abc import Sequence

from custody.proof import note
from evidence_api.paper.blocks import Block, Exact, Facts, Heading, Paper, Paragraph, Table
from evidence_api.queries.exports import Export, ExportPage
from evidence_api.services import Services
from portal import catalog
from portal.catalog import Language
from portal.context import OFFSET_HOURS
from portal.formats import moment
from portal.lines import event_line, readable
from portal.pages.events import sentence

MOST_EVENTS = 1000
"""A longer trail is refused, not cut: CSV, JSON and CASE/UCO have no limit."""
_WIDTHS = (0.1, 0.17, 0.2, 0.53)


def trail_paper(services: Services, export: Export, language: Language, answers: Sequence[str]) -> bytes:
    """The act as PDF, signed by the office where it has a key. `answers` stand first, a sentence each."""
    from evidence_api.paper import setting  # noqa: PLC0415  fonts and typesetting, for acts only

    number = export.exhibit.number if export.exhibit else None
    exhibit = catalog.text(language, "exhibit.number", number=number)
    paper = Paper(
        language=language,
        title=catalog.text(language, "paper.title") + (f": {exhibit}" if number is not None else ""),
        case=export.case.erdr + (f" · {exhibit}" if number is not None else ""),
        made_at=moment(export.at, OFFSET_HOURS),
        blocks=_blocks(export, language, answers),
        code=_code(export, number),
    )
    pdf, office = setting.render(paper), services.office()
    return office.sign(pdf, "trail") if office else pdf


def _blocks(export: Export, language: Language, answers: Sequence[str]) -> list[Block]:
    def said(key: str) -> str:
        return catalog.text(language, f"paper.{key}")

    def told(name: str, value: str) -> str:
        key = f"area.{value}"
        known = name == "area" and catalog.has(language, key)
        return f"{catalog.text(language, f'trail.{name}')}: {catalog.text(language, key) if known else value}"

    asked = ", ".join(told(name, value) for name, value in export.filters.items())
    facts = [
        (catalog.text(language, "case.erdr"), f"{export.case.erdr} · {export.case.title}"),
        (said("by"), export.by),
        (said("filters"), asked or catalog.text(language, "trail.all")),
        (said("events"), catalog.grouped(export.total)),
        (said("ledger"), catalog.grouped(export.size)),
    ]
    if export.exhibit:
        facts[1:1] = [(catalog.text(language, "exhibit.original_name"), export.exhibit.filename)]
        facts[2:2] = [("SHA-256", export.exhibit.sha256.removeprefix("sha256:"))]
    rows = [row for page in export.pages() for row in _rows(page, language)]
    head = tuple(said(f"column.{name}") for name in ("place", "time", "who", "what"))
    table: Block = Table(head, rows, _WIDTHS) if rows else Paragraph(catalog.text(language, "trail.none"))
    # the QR code stands beside the title: what follows it at once must be short
    begin = Heading(catalog.text(language, "record.answers") if answers else said("about"))
    blocks: list[Block] = [begin, *map(Paragraph, answers), Facts(facts), table, Heading(said("head"))]
    blocks += [Paragraph(said("head_what")), Exact(export.checkpoint)] if export.checkpoint else []
    return [*blocks, Paragraph(said("limits"))]


def _rows(page: ExportPage, language: Language) -> list[tuple[str, str, str, str]]:
    names = readable(language, page.names, page.things)
    rows = []
    for line in (event_line(entry, names) for entry in page.entries):
        role = f"role.{line.role}"
        named = catalog.text(language, role) if catalog.has(language, role) else line.role
        who = f"{line.actor}\n{named}" if line.actor else named
        what = f"{sentence(language, OFFSET_HOURS, line)}\n{(line.leaf_hash or '')[:16]}…"
        rows.append((catalog.grouped(line.index or 0), moment(line.at, OFFSET_HOURS), who, what))
    return rows


def _code(export: Export, number: int | None) -> str:
    """For the QR code: how many events of what, and the head of the log that they are compared with."""
    head = note.parse(export.checkpoint.encode()).text if export.checkpoint else ""
    return f"dalel-trail {export.case.erdr} {number or '-'} {export.total} {export.size}\n{head}"
