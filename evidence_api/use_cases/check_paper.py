"""A check of the whole ledger as a signed act on paper: what was found in sentences, and the report's exact bytes.

The report's own digest stands in the event `ledger.checked` when a worker made it; the office's signature vouches for
a report that was made from the command line and is in no event. Signing is not repeatable: every copy is another file.
"""

from custody.checking import words
from custody.checking.service import Report
from custody.kernel.clock import from_ms
from evidence_api.paper.blocks import Exact, Facts, Heading, Language, Paper, Paragraph
from evidence_api.services import Services


def signed(services: Services, report: Report, language: Language) -> bytes:
    """The PDF; without a signature, and saying so, where the office has no key."""
    from evidence_api.paper import setting  # noqa: PLC0415  fonts and typesetting, for acts only

    office = services.office()
    pdf = setting.render(paper(report, language, is_signed=office is not None))
    return office.sign(pdf, "ledger check") if office else pdf


def paper(report: Report, language: Language, *, is_signed: bool) -> Paper:
    """The act of a report."""

    def said(key: str) -> str:
        return words.said(key, language)

    exact = report.encode().decode()
    facts = [
        (said("began"), _moment(report.began_ms)),
        (said("ended"), _moment(report.ended_ms)),
        (said("size"), str(report.size)),
        (said("root"), report.root.removeprefix("sha256:")),
        ("SHA-256", report.sha256.removeprefix("sha256:")),
    ]
    return Paper(
        language=language,
        title=said("title"),
        case=report.origin,
        made_at=_moment(report.ended_ms),
        blocks=[
            *(Paragraph(sentence) for sentence in words.report(report, language)),
            Facts(facts),
            Heading(said("exact")),
            Exact(exact),
            *([] if is_signed else [Paragraph(said("unsigned"))]),
        ],
        code=f"{report.origin}\n{report.result} {report.size}\n{report.sha256}",
    )


def _moment(ms: int) -> str:
    return f"{from_ms(ms):%Y-%m-%d %H:%M:%S} UTC"
