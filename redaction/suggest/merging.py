"""One finding for each place of a text."""

from collections.abc import Iterable

from redaction.model import Finding

# what stays when two kinds claim the same characters: the more exact kind first
_PRECEDENCE = {entity: place for place, entity in enumerate(
    ("IIN", "BIN", "IBAN", "CARD", "CASE_NUMBER", "PASSPORT", "PHONE", "EMAIL", "BIRTH_DATE", "ID_CARD", "PLATE",
     "ADDRESS", "PERSON", "LOCATION", "OTHER")
)}  # fmt: skip


def merge(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each place: of overlapping ones the certain and exact kind names it, their union is its extent.

    A union, because hiding a letter too many is mended by a person and a letter too few is not seen.
    """
    merged: list[Finding] = []
    for one in sorted(findings, key=lambda found: (found.start, -found.end)):
        start, end = _trim(text, one.start, one.end)
        if start >= end:
            continue
        found = Finding(one.entity, start, end, one.score_ppm, one.recognizer)
        if merged and found.start < merged[-1].end:
            last = merged.pop()
            best = min(last, found, key=_rank)
            found = Finding(
                best.entity, last.start, max(last.end, found.end), max(last.score_ppm, found.score_ppm), best.recognizer
            )
        merged.append(found)
    return merged


def _rank(found: Finding) -> tuple[bool, int, int]:
    return found.score_ppm < 700_000, _PRECEDENCE[found.entity], -found.score_ppm


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in " \t\r\n,;":
        start += 1
    while end > start and text[end - 1] in " \t\r\n,;":
        end -= 1
    return start, end
