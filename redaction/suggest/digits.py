"""Numbers as people say them: groups of digits parted by blanks, and number words in Russian, Kazakh and English.

A recognizer of speech writes «8 701 123 45 67», «восемь семьсот один сто двадцать три» or a mix of both; this module
turns each into groups of digits that know where in the text they stand, and finds the runs that have a wanted length.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_UNITS = {
    "ноль": 0, "нуль": 0, "нөл": 0, "zero": 0, "oh": 0,
    "один": 1, "одна": 1, "бір": 1, "one": 1,
    "два": 2, "две": 2, "екі": 2, "two": 2,
    "три": 3, "үш": 3, "three": 3,
    "четыре": 4, "төрт": 4, "four": 4,
    "пять": 5, "бес": 5, "five": 5,
    "шесть": 6, "алты": 6, "six": 6,
    "семь": 7, "жеті": 7, "seven": 7,
    "восемь": 8, "сегіз": 8, "eight": 8,
    "девять": 9, "тоғыз": 9, "nine": 9,
}  # fmt: skip
_TEENS = {
    "десять": 10, "одиннадцать": 11, "двенадцать": 12, "тринадцать": 13, "четырнадцать": 14, "пятнадцать": 15,
    "шестнадцать": 16, "семнадцать": 17, "восемнадцать": 18, "девятнадцать": 19,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "он": 10, "двадцать": 20, "жиырма": 20, "twenty": 20, "тридцать": 30, "отыз": 30, "thirty": 30,
    "сорок": 40, "қырық": 40, "forty": 40, "пятьдесят": 50, "елу": 50, "fifty": 50,
    "шестьдесят": 60, "алпыс": 60, "sixty": 60, "семьдесят": 70, "жетпіс": 70, "seventy": 70,
    "восемьдесят": 80, "сексен": 80, "eighty": 80, "девяносто": 90, "тоқсан": 90, "ninety": 90,
}  # fmt: skip
_HUNDREDS = {
    "сто": 100, "жүз": 100, "двести": 200, "триста": 300, "четыреста": 400, "пятьсот": 500, "шестьсот": 600,
    "семьсот": 700, "восемьсот": 800, "девятьсот": 900,
}  # fmt: skip
_TABLES = ((_UNITS, 1), (_TEENS, 2), (_TENS, 2), (_HUNDREDS, 3))
_TOKEN = re.compile(r"\d+|[^\W\d_]+")
_GLUE = re.compile(r"[\s\-–—().,/+№:]{0,4}")
NUMBER_WORDS = tuple(sorted((*_UNITS, *_TEENS, *_TENS, *_HUNDREDS), key=len, reverse=True))
"""Every number word known here, longer ones first."""


@dataclass(frozen=True)
class Group:
    """Digits said or written as one number; characters `start`..`end` of the text."""

    digits: str
    start: int
    end: int


def _words_to_groups(words: list[tuple[str, int, int]]) -> Iterator[Group]:
    """One or more number words in a row: «семьсот один» is one group 701, «семь ноль один» are three."""
    value, start, end, room = 0, -1, -1, 0
    for word, here, after in words:
        number, size = next((table[word], width) for table, width in _TABLES if word in table)
        if word == "жүз" and start >= 0 and room == 0 and 1 <= value <= 9:
            value, end, room = value * 100, after, 2
            continue
        fits = start >= 0 and number > 0 and (size <= room if size < 3 else False)
        if fits:
            value, end = value + number, after
            room = 1 if word in _TENS else 0
            continue
        if start >= 0:
            yield Group(str(value), start, end)
        value, start, end = number, here, after
        room = 2 if word in _HUNDREDS else 1 if word in _TENS else 0
    yield Group(str(value), start, end)


def groups(text: str) -> list[list[Group]]:
    """Runs of groups with nothing but blanks and usual separators between them, in the order of the text."""
    runs: list[list[Group]] = []
    words: list[tuple[str, int, int]] = []
    last_end = -1

    def flush() -> None:
        if words:
            runs[-1].extend(_words_to_groups(words))
            words.clear()

    for match in _TOKEN.finditer(text):
        token = match.group()
        word = token.lower()
        spoken = word in _UNITS or word in _TEENS or word in _TENS or word in _HUNDREDS
        if not (token.isascii() and token.isdigit()) and not spoken:
            flush()
            last_end = -1
            continue
        if last_end < 0 or not _GLUE.fullmatch(text, last_end, match.start()):
            flush()
            runs.append([])
        if spoken:
            words.append((word, match.start(), match.end()))
        else:
            flush()
            runs[-1].append(Group(token, match.start(), match.end()))
        last_end = match.end()
    flush()
    return runs


def windows(text: str, length: int) -> Iterator[Group]:
    """Every run of whole groups that together hold exactly `length` digits."""
    for run in groups(text):
        for first in range(len(run)):
            digits = ""
            for group in run[first:]:
                digits += group.digits
                if len(digits) == length:
                    yield Group(digits, run[first].start, group.end)
                if len(digits) >= length:
                    break
