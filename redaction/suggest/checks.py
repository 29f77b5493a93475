"""Check digits of numbers used in Kazakhstan. Each says whether a digit string can be such a number at all.

Not guaranteed: that the number was ever issued. Sources of the IIN and BIN rules: government decrees on the national
registers of identification numbers, as verified against public samples; IBAN: ISO 13616; card: ISO/IEC 7812-1.
"""

from datetime import date

_FIRST = range(1, 12)
_SECOND = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
_CENTURIES = {"1": 1800, "2": 1800, "3": 1900, "4": 1900, "5": 2000, "6": 2000}


def check_digit(first_eleven: str) -> int | None:
    """The twelfth digit of an IIN or BIN, None when no number with these eleven digits exists."""
    digits = [int(digit) for digit in first_eleven]
    rest = sum(digit * weight for digit, weight in zip(digits, _FIRST, strict=True)) % 11
    if rest == 10:
        rest = sum(digit * weight for digit, weight in zip(digits, _SECOND, strict=True)) % 11
    return None if rest == 10 else rest


def is_iin(digits: str) -> bool:
    """YYMMDD, century and sex, serial, check digit. The seventh digit 0 (foreigners) has no century to check."""
    if len(digits) != 12 or check_digit(digits[:11]) != int(digits[11]):
        return False
    century = 2000 if digits[6] == "0" else _CENTURIES.get(digits[6])
    return century is not None and _is_date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))


def is_bin(digits: str) -> bool:
    """Month in digits 3 and 4, kind of organisation 4 to 6 in the fifth, 0 to 4 in the sixth, check digit."""
    return (
        len(digits) == 12
        and 1 <= int(digits[2:4]) <= 12
        and digits[4] in "456"
        and digits[5] in "01234"
        and check_digit(digits[:11]) == int(digits[11])
    )


def is_iban(text: str) -> bool:
    """KZ, two check digits, three digits of the bank, thirteen letters or digits; ISO 7064 mod 97-10."""
    text = text.upper()
    if len(text) != 20 or not text.isascii() or not text.isalnum() or not text.startswith("KZ"):
        return False
    if not text[2:7].isdigit():
        return False
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1


def is_card(digits: str) -> bool:
    """Luhn over 16 to 19 digits that begin with a payment network's 2 to 6."""
    if not 16 <= len(digits) <= 19 or digits[0] not in "23456":
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_mobile(digits: str) -> bool:
    """Eleven digits of a number in Kazakhstan as dialled (7 or 8, then 7xx or 6xx)."""
    return len(digits) == 11 and digits[0] in "78" and digits[1] in "67"


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
