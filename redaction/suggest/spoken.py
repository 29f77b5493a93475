"""Suggestions in a transcript: findings in its text brought back to words and to the time they take."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Protocol

from redaction.model import Finding, Proposal, SpokenWord, WordSpan
from redaction.suggest.merging import merge


class FindsInText(Protocol):
    """What finds things in a text: `Suggester.suggest`."""

    def __call__(self, text: str, language: str) -> list[Finding]:
        """Findings in the order of the text, none overlapping."""
        ...


def text_of(words: Sequence[SpokenWord]) -> tuple[str, list[int]]:
    """The words as one text, a line for each turn; and where in it each word begins."""
    parts: list[str] = []
    starts: list[int] = []
    length = 0
    for place, word in enumerate(words):
        if place:
            parts.append(" " if word.turn == words[place - 1].turn else "\n")
            length += 1
        starts.append(length)
        parts.append(word.text)
        length += len(word.text)
    return "".join(parts), starts


def suggest_words(
    find: FindsInText, words: Sequence[SpokenWord], languages: Iterable[str] = ("ru", "kk")
) -> list[Proposal]:
    """Proposals for a transcript. Whole words only: «Ахметовым,» is hidden with its comma.

    Every language given is tried, because a recording changes language within a sentence; what overlaps is
    merged. The text of a proposal is that of its words, joined by blanks.
    """
    text, starts = text_of(words)
    found: list[Proposal] = []
    for one in merge(text, [finding for language in languages for finding in find(text, language)]):
        first = bisect_right(starts, one.start) - 1
        last = bisect_left(starts, one.end) - 1
        found.append(proposal(words, first, last, one))
    return found


def proposal(words: Sequence[SpokenWord], first: int, last: int, found: Finding) -> Proposal:
    """The proposal over words `first`..`last`; a word without length is given one millisecond."""
    start_ms = words[first].start_ms
    end_ms = max(words[last].end_ms, start_ms + 1)
    said = " ".join(word.text for word in words[first : last + 1])
    return Proposal(found.entity, (WordSpan(first, last, start_ms, end_ms),), said, found.score_ppm, found.recognizer)
