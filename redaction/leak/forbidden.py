"""What must not be found in a released file: every form of every accepted name, every accepted number and phrase."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redaction.folding import fold
from redaction.model import Suggestion
from redaction.pseudonyms import forms_of, name_words
from redaction.suggest import digits

_WORD = re.compile(r"[^\W\d_]+")
_NUMBERS = frozenset(("IIN", "BIN", "PHONE", "CARD", "ID_CARD", "CASE_NUMBER"))
_FEWEST_DIGITS = 6
_FEWEST_LETTERS = 4
_FEWEST_BYTES = 6
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1251")


@dataclass(frozen=True)
class Forbidden:
    """Folded word forms, digit strings and folded phrases; `literal` are the words and phrases as they stood."""

    words: frozenset[str]
    numbers: frozenset[str]
    phrases: frozenset[str]
    literal: frozenset[str]

    def hits(self, text: str) -> int:
        """How often something forbidden stands in a text."""
        folded = fold(text)
        found = sum(word in self.words for word in _WORD.findall(folded))
        flat = f" {_flat(folded)} "
        found += sum(f" {phrase} " in flat for phrase in self.phrases)
        runs = ["".join(group.digits for group in run) for run in digits.groups(text)] if self.numbers else []
        return found + sum(number in run for number in self.numbers for run in runs)

    def needles(self, encodings: Sequence[str] = _ENCODINGS) -> frozenset[bytes]:
        """The byte strings to look for in raw bytes: six bytes and longer, for shorter ones occur by chance."""
        texts = {shape for word in self.words | self.literal for shape in (word, word.title(), word.upper())}
        texts |= self.numbers
        found: set[bytes] = set()
        for text in texts:
            for encoding in encodings:
                data = text.encode(encoding, "ignore")
                if len(data) >= _FEWEST_BYTES:
                    found.add(data)
        return frozenset(found)

    def raw_hits(self, data: bytes, *, is_utf8_text: bool = False) -> int:
        """How many of the needles occur in bytes. In UTF-8 text `hits` finds whole words, so only the other encodings
        are looked for here: «мен» also stands inside «менің».
        """
        encodings = _ENCODINGS[1:] if is_utf8_text else _ENCODINGS
        return sum(needle in data for needle in self.needles(encodings))


def _flat(folded: str) -> str:
    return " ".join(re.findall(r"\w+", folded))


def _digits_of(text: str) -> str:
    number = "".join(group.digits for run in digits.groups(text) for group in run)
    return number[-10:] if len(number) == 11 and number[0] in "78" else number


def forbidden_of(suggestions: Iterable[Suggestion]) -> Forbidden:
    """What the accepted suggestions forbid. What a person looked at and left standing by rejecting it is not forbidden.

    Not covered: words of fewer than three letters («Ли»), and names nobody accepted.
    """
    words: set[str] = set()
    numbers: set[str] = set()
    phrases: set[str] = set()
    literal: set[str] = set()
    spared: set[str] = set()
    for one in suggestions:
        if one.state == "rejected":
            spared |= {fold(word) for word in name_words(one.text)} | {_flat(fold(one.text))}
        elif one.state != "accepted":
            continue
        elif one.entity == "PERSON":
            words |= forms_of(one.text)
            literal |= set(name_words(one.text))
        elif one.entity in _NUMBERS and len(_digits_of(one.text)) >= _FEWEST_DIGITS:
            numbers.add(_digits_of(one.text))
        elif len(_flat(fold(one.text))) >= _FEWEST_LETTERS:
            phrases.add(_flat(fold(one.text)))
            literal.add(one.text.strip(" .,;"))
    kept = frozenset(word for word in literal if fold(word) not in spared and _flat(fold(word)) not in spared)
    return Forbidden(frozenset(words - spared), frozenset(numbers), frozenset(phrases - spared), kept)
