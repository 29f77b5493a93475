"""The fictitious people of the demonstration case: one source for the sound, the documents and the picture.

Nobody here exists. Identification numbers (IIN) have a valid checksum and belong to nobody: the birth years are 2097
to 2099 with century digit 5 or 6 (born 2000-2099), so none can have been issued. The telephone number has the operator
code 709 and the plate the series number 000; to our knowledge neither is in use in Kazakhstan. The address is a street
that exists in many towns with a house number that is made up.
"""

from dataclasses import dataclass

_FIRST_WEIGHTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
_SECOND_WEIGHTS = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)


@dataclass(frozen=True)
class Person:
    """A fictitious person: the name as documents write it in each language, and the number."""

    kk: str
    ru: str
    iin: str


def iin(eleven: str) -> str:
    """Eleven digits and their check digit (sum of digits times weights, modulo 11; twice if the first gives 10).

    Raises ValueError for eleven digits that can have no check digit.
    """
    for weights in (_FIRST_WEIGHTS, _SECOND_WEIGHTS):
        check = sum(int(digit) * weight for digit, weight in zip(eleven, weights, strict=True)) % 11
        if check < 10:
            return f"{eleven}{check}"
    raise ValueError("no check digit exists for these eleven digits")


WITNESS = Person("Жұмабаев Адилет Серікұлы", "Жумабаев Адилет Серикович", iin("99031450001"))
SUSPECT = Person("Петров Игорь Николаевич", "Петров Игорь Николаевич", iin("97112050004"))
SISTER = Person("Жұмабаева Айгүл Серікқызы", "Жумабаева Айгуль Сериковна", iin("98060760007"))
INVESTIGATOR = Person("Сәрсенова Динара Маратқызы", "Сарсенова Динара Маратовна", iin("97010160003"))

PHONE = "+7 709 123 45 67"
ADDRESS_RU = "город Алматы, улица Абая, дом 945, квартира 12"
ADDRESS_KK = "Алматы қаласы, Абай көшесі, 945-үй, 12-пәтер"
PLATE = "000 DAL 02"
ERDR = "990000000000001"
