"""Sentences of a text, for models that read one at a time, and whether a sentence is Kazakh."""

import re
from collections.abc import Iterator

KAZAKH_LETTER = re.compile("[әғқңөұүһіӘҒҚҢӨҰҮҺІ]")
_END = re.compile(r"\n|(?<=[.!?…])\s+(?=[^\W\d_])")
_WORD = re.compile(r"[^\W\d_]+")
_LONGEST = 2_000
_KAZAKH_SHARE = 0.25


def pieces(text: str) -> Iterator[tuple[int, str]]:
    """Sentences and where they begin; longer than 2,000 characters they are cut, empty ones are left out."""
    start = 0
    ends = [(match.start(), match.end()) for match in _END.finditer(text)] + [(len(text), len(text))]
    for end, after in ends:
        for cut in range(start, end, _LONGEST):
            yield cut, text[cut : min(cut + _LONGEST, end)]
        start = after


def is_kazakh(sentence: str) -> bool:
    """Whether a quarter of its words have a letter that Russian lacks: a name alone does not make a sentence Kazakh."""
    words = _WORD.findall(sentence)
    return sum(bool(KAZAKH_LETTER.search(word)) for word in words) > len(words) * _KAZAKH_SHARE
