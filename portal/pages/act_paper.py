"""A destruction act on paper: the words of its page, set as PDF."""

from evidence_api.paper.blocks import Block, Exact, Facts, Heading, Paper, Paragraph, SignatureLines, Table
from portal import catalog, formats
from portal.catalog import Language
from portal.context import OFFSET_HOURS
from portal.pages.retention import ActLine, ActPage, Signature


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
        Heading(word("disposal.exhibits")),
        Table(
            [
                word("disposal.column.number"),
                word("exhibit.name"),
                word("exhibit.size"),
                "SHA-256",
                word("retention.until"),
            ],
            [_row(language, line) for line in act.lines],
            (0.06, 0.3, 0.12, 0.36, 0.16),
        ),
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
    done = ""
    if line.keys_destroyed is not None:
        values = {"keys": line.keys_destroyed, "objects": line.objects_removed, "locked": line.locked}
        done = "\n" + catalog.text(language, "disposal.outcome", **values)
    name = f"{line.name}{done}"
    until = formats.day(line.retain_until, OFFSET_HOURS)
    return [str(line.number), name, formats.size(line.size_bytes, language), line.digest, until]


def _signature(language: Language, one: Signature) -> tuple[str, str]:
    by = one.by or catalog.text(language, "role.system")
    return catalog.text(language, f"disposal.step.{one.act}"), f"{by}, {formats.moment(one.at, OFFSET_HOURS)}"
