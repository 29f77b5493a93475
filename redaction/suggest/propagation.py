"""The other places of an accepted name, as further proposals: found in the same source, none applied unseen."""

from collections.abc import Iterable, Sequence

from redaction.model import Finding, PageBox, Proposal, Region, Suggestion, TextSpan, TimeSpan, WordSpan
from redaction.pseudonyms import mentions
from redaction.suggest.spoken import FindsInText


def finder(names: Iterable[str]) -> FindsInText:
    """Finds every form of these names: to be given to `suggest_words`, `suggest_pdf` or `suggest_document`."""
    wanted = tuple(names)

    def find(text: str, language: str) -> list[Finding]:
        return list(mentions(text, wanted))

    return find


def accepted_names(suggestions: Iterable[Suggestion]) -> frozenset[str]:
    """The texts of accepted persons."""
    return frozenset(one.text for one in suggestions if one.state == "accepted" and one.entity == "PERSON")


def not_yet(proposals: Iterable[Proposal], suggestions: Sequence[Suggestion]) -> list[Proposal]:
    """The proposals that have a region no suggestion touches, whatever was decided on that suggestion."""
    taken = [region for one in suggestions for region in one.regions]
    return [
        one for one in proposals if any(not any(touches(region, other) for other in taken) for region in one.regions)
    ]


def touches(one: Region, other: Region) -> bool:
    """Whether two regions of one kind overlap; for boxes, whether the middle of the first lies in the second."""
    match one, other:
        case WordSpan(), WordSpan():
            return one.first <= other.last and other.first <= one.last
        case TextSpan(), TextSpan():
            return one.start < other.end and other.start < one.end
        case ((WordSpan() | TimeSpan()), (WordSpan() | TimeSpan())):
            return one.start_ms < other.end_ms and other.start_ms < one.end_ms
        case PageBox(), PageBox():
            across, down = (one.left_ppm + one.right_ppm) // 2, (one.top_ppm + one.bottom_ppm) // 2
            inside = other.left_ppm <= across <= other.right_ppm and other.top_ppm <= down <= other.bottom_ppm
            return one.page == other.page and inside
        case _:
            return False
