"""One person, one pseudonym in a case, in every inflected form and both languages (U7); and where else a name stands.

A mention belongs to a known person when each of its words is a form of a word of that person's name. Two persons it
could belong to make it ambiguous: then nothing is chosen and a person decides.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from redaction.folding import fold, is_role_word
from redaction.inflection import all_forms
from redaction.model import Finding

_WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")
_LABELS: Mapping[str, str] = {"kk": "№ {number} тұлға", "ru": "Лицо № {number}", "en": "Person No. {number}"}
_SHORTEST = 3


@dataclass(frozen=True)
class Person:
    """A person of a case as the redaction knows them: the number of the pseudonym and every name accepted so far."""

    number: int
    names: tuple[str, ...]


def label(number: int, language: str) -> str:
    """The pseudonym as printed: «Лицо № 3», «№ 3 тұлға», «Person No. 3». Other languages read English."""
    return _LABELS.get(language, _LABELS["en"]).format(number=number)


def name_words(name: str) -> tuple[str, ...]:
    """The words of a name that can identify: no initials, two-letter words, roles and, among capitals, small ones."""
    words = [word for word in _WORD.findall(name) if len(word) >= _SHORTEST and not is_role_word(word)]
    capitals = any(word[0].isupper() for word in words)
    return tuple(word for word in words if word[0].isupper() or not capitals)


def forms_of(name: str) -> frozenset[str]:
    """Folded forms of every identifying word of a name."""
    return frozenset().union(*(all_forms(word) for word in name_words(name)))


def same_word(one: str, other: str) -> bool:
    """Whether two words may be forms of one name."""
    return bool(all_forms(one) & all_forms(other)) and (fold(other) in all_forms(one) or fold(one) in all_forms(other))


def belongs(mention: str, person: Person) -> bool:
    """Whether each word of a mention is a form of a word of the person's names; never for a mention without words."""
    known = [word for name in person.names for word in name_words(name)]
    words = name_words(mention)
    return bool(words) and all(any(same_word(word, other) for other in known) for word in words)


def who(mention: str, persons: Sequence[Person]) -> Person | None:
    """The person a mention belongs to; None when it is nobody known, or could be two of them.

    A full name also belongs to a person known by a part of it («Ахметов Ерлан» to «Ахметов»).
    """
    found = [person for person in persons if belongs(mention, person)]
    if not found:
        found = [person for person in persons if any(belongs(name, Person(0, (mention,))) for name in person.names)]
    return found[0] if len(found) == 1 else None


def is_ambiguous(mention: str, persons: Sequence[Person]) -> bool:
    """Whether a mention could be two persons of the case."""
    return sum(belongs(mention, person) for person in persons) > 1


def mentions(text: str, names: Iterable[str]) -> Iterator[Finding]:
    """Every place of a text where a form of an accepted name stands: for suggestions, none is applied unseen.

    Neighbouring words of one name are one finding. Names are told from common nouns by their capital letter where
    the text has capitals at all.
    """
    wanted = frozenset().union(*(forms_of(name) for name in names))
    cased = any(letter.isupper() for letter in text)
    last: Finding | None = None
    for match in _WORD.finditer(text):
        word = match.group()
        if fold(word) not in wanted or (cased and word[0].islower()):
            continue
        if last and text[last.end : match.start()].strip(" .") == "" and match.start() - last.end <= 2:
            last = Finding("PERSON", last.start, match.end(), last.score_ppm, last.recognizer)
            continue
        if last:
            yield last
        last = Finding("PERSON", match.start(), match.end(), 750_000, "same-name")
    if last:
        yield last


def propagate(text: str, names: Iterable[str], taken: Sequence[tuple[int, int]]) -> list[Finding]:
    """Mentions of accepted names outside the places `taken` (start, end) that already have a suggestion."""
    return [
        found
        for found in mentions(text, names)
        if not any(start < found.end and found.start < end for start, end in taken)
    ]
