"""A destruction act on paper: the words of its page, set as PDF."""

from evidence_api.paper.blocks import Block, Exact, Facts, Heading, Paper, Paragraph, SignatureLines, Table
from portal import catalog, formats
from portal.catalog import Language
from portal.context import OFFSET_HOURS
from portal.pages.retention import ActLine, ActPage, PackageLine, Signature


def act_paper(language: Language, act: ActPage, address: str) -> Paper:
    """The act in a language. The QR code says where the act is and the digest that was signed, to compare offline."""

    def word(key: str, **values: object) -> str:
        return catalog.text(language, key, **values)

    blocks: list[Block] = [
        Facts(
            [
                (word("case.erdr"), f"{act.head.erdr} · {act.head.title}"),
                (word("exhibit.state"), word(f"state.{act.state}")),
                (word("disposal.ground"), word("disposal.ground.term_over")),
                (word("disposal.digest"), act.digest),
            ]
        ),
        Paragraph(word("disposal.means_keys") + " " + word("disposal.means_stays")),
    ]
    columns = [word("exhibit.size"), "SHA-256", word("retention.until")]
    if act.lines:
        named = [word("disposal.column.number"), word("exhibit.name"), *columns]
        rows = [_row(language, line) for line in act.lines]
        blocks += [Heading(word("disposal.exhibits")), Table(named, rows, (0.06, 0.3, 0.12, 0.36, 0.16))]
    if act.packages:
        rows = [_package(language, line) for line in act.packages]
        table = Table([word("disposal.round"), *columns], rows, (0.36, 0.12, 0.36, 0.16))
        blocks += [Heading(word("disposal.packages")), table]
    blocks += [
        Heading(word("disposal.signatures")),
        Facts([_signature(language, one) for one in act.signatures]),
    ]
    if act.state in ("proposed", "signed"):
        blocks.append(SignatureLines([word("disposal.first_signature"), word("disposal.second_signature")]))
    blocks += [Heading(word("disposal.exact")), Exact(act.text)]
    last = act.signatures[-1].at
    return Paper(
        language=language,
        title=word("disposal.title", number=act.number),
        case=f"{word('case.erdr')} {act.head.erdr} · {word('disposal.title', number=act.number)}",
        made_at=formats.moment(last, OFFSET_HOURS),
        blocks=blocks,
        code=f"{address}\n{act.digest}",
    )


def _row(language: Language, line: ActLine) -> list[str]:
    return [str(line.number), line.name + _outcome(language, line), *_facts(language, line)]


def _package(language: Language, line: PackageLine) -> list[str]:
    name = f"{catalog.text(language, 'disclosure.round', number=line.round)}\n{line.recipient}"
    return [name + _outcome(language, line), *_facts(language, line)]


def _facts(language: Language, line: ActLine | PackageLine) -> list[str]:
    return [formats.size(line.size_bytes, language), line.digest, formats.day(line.retain_until, OFFSET_HOURS)]


def _outcome(language: Language, line: ActLine | PackageLine) -> str:
    if line.keys_destroyed is None:
        return ""
    values = {"keys": line.keys_destroyed, "objects": line.objects_removed or 0, "locked": line.locked}
    return "\n" + catalog.text(language, "disposal.outcome", **values)


def _signature(language: Language, one: Signature) -> tuple[str, str]:
    by = one.by or catalog.text(language, "role.system")
    return catalog.text(language, f"disposal.step.{one.act}"), f"{by}, {formats.moment(one.at, OFFSET_HOURS)}"
