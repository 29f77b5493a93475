"""One finding for each place of a text."""

from collections.abc import Iterable

from redaction.folding import is_role_word
from redaction.model import Finding

# what stays when two kinds claim the same characters: the more exact kind first
_PRECEDENCE = {entity: place for place, entity in enumerate(
    ("IIN", "BIN", "IBAN", "CARD", "CASE_NUMBER", "PASSPORT", "PHONE", "EMAIL", "BIRTH_DATE", "ID_CARD", "PLATE",
     "ADDRESS", "PERSON", "LOCATION", "OTHER")
)}  # fmt: skip

_AROUND = " \t\r\n,;"


def merge(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each place: of overlapping ones the certain and exact kind names it, their union is its extent.

    A union, because hiding a letter too many is mended by a person and a letter too few is not seen.
    """
    merged: list[Finding] = []
    for one in sorted(findings, key=lambda found: (found.start, -found.end)):
        start, end = _trim(text, one)
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


def _trim(text: str, one: Finding) -> tuple[int, int]:
    """Without blanks and commas around it; a person or place also without a role or pronoun beside the name."""
    start, end = one.start, one.end
    while True:
        while start < end and text[start] in _AROUND:
            start += 1
        while end > start and text[end - 1] in _AROUND:
            end -= 1
        if one.entity not in ("PERSON", "LOCATION"):
            return start, end
        words = text[start:end].split()
        if words and is_role_word(words[0]):
            start += len(words[0])
        elif words and is_role_word(words[-1]):
            end -= len(words[-1])
        else:
            return start, end
