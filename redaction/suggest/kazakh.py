"""Persons and places in Kazakh: a conditional random field over letters and neighbours, trained here on KazNERD.

The model file and its card lie in `models/`; `train_kazakh.py` makes it. A word is reported when its probability of
being part of a name is above a quarter: hiding is decided by people, so finding weighs more than being right.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pycrfsuite  # type: ignore[import-untyped]  # ships no types

from custody.kernel.errors import Unavailable
from redaction.folding import fold
from redaction.model import MILLION, Finding
from redaction.suggest.lines import KAZAKH_LETTER, pieces

MODEL = Path(__file__).parent / "models" / "kazakh-names-1.crfsuite"
MODEL_SHA256 = "69079af9ed3762fc94a4d3e8ff4cc42020c8ae5a4c071d5853fe8a6cd813bc50"
CUT = 0.25
KINDS = ("PERSON", "LOCATION")
TOKEN = re.compile(r"\w+(?:[-’'.]\w+)*|[^\w\s]")


def shape(word: str) -> str:
    """«Абай» is Xx, «ТОО» is X, «2024» is d, «Алма-Ата» is Xx-Xx."""
    marks = (
        "d" if letter.isdigit() else "X" if letter.isupper() else "x" if letter.isalpha() else "-" for letter in word
    )
    return re.sub(r"(.)\1+", r"\1", "".join(marks))


def features(words: list[str]) -> list[list[str]]:
    """What the model sees of each word: its letters' ends, its shape, and its two neighbours on each side."""
    folded = [fold(word) for word in words]
    shapes = [shape(word) for word in words]
    told: list[list[str]] = []
    for place, word in enumerate(folded):
        row = [f"w={word}", f"s={shapes[place]}", f"n={min(len(word), 12)}"]
        row += [f"p{size}={word[:size]}" for size in (2, 3, 4) if len(word) > size]
        row += [f"e{size}={word[-size:]}" for size in (1, 2, 3, 4, 5) if len(word) > size]
        for step in (-2, -1, 1, 2):
            other = place + step
            if 0 <= other < len(words):
                row += [f"{step}w={folded[other]}", f"{step}s={shapes[other]}", f"{step}e={folded[other][-3:]}"]
            else:
                row.append(f"{step}edge")
        told.append(row)
    return told


class KazakhNames:
    """The trained model. Refuses a model file whose digest is not the one written here."""

    name = "kazakh-crf"
    version = "1"
    languages: tuple[str, ...] = ("kk", "ru", "en")

    def __init__(self, model: Path = MODEL, sha256: str = MODEL_SHA256) -> None:
        """Raises Unavailable `suggest.model_missing` when the file is missing or another one."""
        if not model.is_file() or hashlib.sha256(model.read_bytes()).hexdigest() != sha256:
            raise Unavailable("suggest.model_missing")
        self._tagger: Any = pycrfsuite.Tagger()
        self._tagger.open(str(model))
        self._labels = frozenset(self._tagger.labels())

    def find(self, text: str) -> Iterator[Finding]:
        """Persons and places in the sentences that have a Kazakh letter; others are not this model's language."""
        for offset, sentence in pieces(text):
            if not KAZAKH_LETTER.search(sentence):
                continue
            places = [match.span() for match in TOKEN.finditer(sentence)]
            words = [sentence[start:end] for start, end in places]
            if words:
                yield from self._in_sentence(words, [(offset + start, offset + end) for start, end in places])

    def _in_sentence(self, words: list[str], places: list[tuple[int, int]]) -> Iterator[Finding]:
        self._tagger.set(features(words))
        open_kind, start, end, best = "", 0, 0, 0.0
        for number, (here, after) in enumerate(places):
            chances = {
                kind: {
                    part: self._tagger.marginal(f"{part}-{kind}", number) if f"{part}-{kind}" in self._labels else 0.0
                    for part in "BI"
                }
                for kind in KINDS
            }
            kind = max(KINDS, key=lambda one: sum(chances[one].values()))
            chance = sum(chances[kind].values())
            begins = chances[kind]["B"] > chances[kind]["I"]
            if open_kind and (chance < CUT or kind != open_kind or begins):
                yield Finding(open_kind, start, end, round(best * MILLION), self.name)
                open_kind = ""
            if chance >= CUT and words[number][0].isalnum():
                start, best = (start, max(best, chance)) if open_kind else (here, chance)
                open_kind, end = kind, after
        if open_kind:
            yield Finding(open_kind, start, end, round(best * MILLION), self.name)
