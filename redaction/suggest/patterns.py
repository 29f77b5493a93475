"""Detectors by form: numbers with check digits, numbers that need their context, addresses, dates of birth.

Each is a function from text to findings. Scores: a valid check digit 0.95 and more; a form in its context 0.6 to 0.9.
Where no authoritative source of a form was found (cards, passports, ЕРДР), context is required.
"""

import re
from collections.abc import Callable, Iterator

from redaction.model import Finding
from redaction.suggest import checks, digits

Detector = Callable[[str], Iterator[Finding]]

_BEFORE, _AFTER = 40, 24
_QUESTION_BEFORE = 100  # in an interrogation the word stands in the question, the number in the answer


def near(text: str, start: int, end: int, words: re.Pattern[str], before: int = _BEFORE) -> bool:
    """Whether a context word stands within `before` characters before or 24 after."""
    return bool(words.search(text[max(0, start - before) : start]) or words.search(text[end : end + _AFTER]))


def _words(*stems: str) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(stems) + r")", re.IGNORECASE)


_IIN_CONTEXT = _words("иин", "жсн", "iin", "индивидуальн", "жеке сәйкестендіру")
_BIN_CONTEXT = _words("бин", "бсн", "bin", "бизнес-идентиф")
_PHONE_CONTEXT = _words("тел", "моб", "номер", "сот", "звон", "whatsapp", "ватсап", "phone", "call", "нөмір", "қоңырау")
_ID_CONTEXT = _words("удост", "жеке куәлік", "куәлі", "id card", "identity card", "документ")
_PASSPORT_CONTEXT = _words("паспорт", "passport", "төлқұжат")
_CASE_CONTEXT = _words("ердр", "сдтбт", "уголовн", "қылмыстық", "досудебн", "сотқа дейінгі", "criminal case")
_BIRTH_CONTEXT = _words("рожд", "родил", r"род\.", r"г\.\s?р", "туған", "туылған", "born", "birth", r"т\.ж")
_CARD_CONTEXT = _words("карт", "card")


def iin_and_bin(text: str) -> Iterator[Finding]:
    """Twelve digits, written or spoken. Without a valid check digit only where the text calls it an IIN or BIN."""
    for group in digits.windows(text, 12):
        called_iin = near(text, group.start, group.end, _IIN_CONTEXT, _QUESTION_BEFORE)
        if checks.is_iin(group.digits):
            yield Finding("IIN", group.start, group.end, 990_000 if called_iin else 950_000, "kz-iin")
        elif checks.is_bin(group.digits):
            yield Finding("BIN", group.start, group.end, 950_000, "kz-bin")
        elif called_iin:
            yield Finding("IIN", group.start, group.end, 600_000, "kz-iin")
        elif near(text, group.start, group.end, _BIN_CONTEXT):
            yield Finding("BIN", group.start, group.end, 600_000, "kz-bin")


def phone(text: str) -> Iterator[Finding]:
    """+7 or 8 and ten digits of a Kazakhstan number, written or spoken; ten or six digits only in context."""
    for group in digits.windows(text, 11):
        if checks.is_mobile(group.digits):
            start = group.start - 1 if text[: group.start].endswith("+") else group.start
            yield Finding("PHONE", start, group.end, 950_000, "kz-phone")
    for length, heads in ((10, ("7", "6")), (6, ("2", "3", "4", "5", "6", "7", "8", "9"))):
        for group in digits.windows(text, length):
            if group.digits[0] in heads and near(text, group.start, group.end, _PHONE_CONTEXT):
                yield Finding("PHONE", group.start, group.end, 700_000 if length == 10 else 400_000, "kz-phone")
    for match in re.finditer(r"\+\d{1,3}[\s\-(]{0,2}\d{2,4}(?:[\s\-)]{0,2}\d{2,4}){2,3}(?!\d)", text):
        yield Finding("PHONE", match.start(), match.end(), 850_000, "phone-international")


def misheard(text: str) -> Iterator[Finding]:
    """Seven digits and more in one run where an IIN or a telephone is spoken of: a digit may have been misheard."""
    for run in digits.groups(text):
        if sum(len(group.digits) for group in run) < 7:
            continue
        start, end = run[0].start, run[-1].end
        for entity, context in (("IIN", _IIN_CONTEXT), ("PHONE", _PHONE_CONTEXT)):
            if near(text, start, end, context, _QUESTION_BEFORE):
                yield Finding(entity, start, end, 350_000, "long-number")


def iban(text: str) -> Iterator[Finding]:
    """KZ and eighteen characters, in one piece or in groups of four."""
    for match in re.finditer(r"(?<!\w)KZ\d{2}(?:[ ]?[0-9A-Za-z]{4}){4}(?!\w)", text, re.IGNORECASE):
        valid = checks.is_iban(match.group().replace(" ", ""))
        yield Finding("IBAN", match.start(), match.end(), 990_000 if valid else 600_000, "kz-iban")


def card(text: str) -> Iterator[Finding]:
    """A payment card by Luhn; sixteen digits that fail it only where the text speaks of a card."""
    for length in (16, 18, 19):
        for group in digits.windows(text, length):
            if checks.is_card(group.digits):
                yield Finding("CARD", group.start, group.end, 950_000, "card-luhn")
            elif length == 16 and near(text, group.start, group.end, _CARD_CONTEXT):
                yield Finding("CARD", group.start, group.end, 600_000, "card-luhn")


def email(text: str) -> Iterator[Finding]:
    """An address of electronic mail. Not a validation; no list of top-level domains is consulted."""
    for match in re.finditer(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,4}[^\W\d_]{2,24}", text):
        yield Finding("EMAIL", match.start(), match.end(), 970_000, "email")


_PLATE_NEW = r"\d{3}[ -]?[A-Z]{2,3}[ -]?(?:0[1-9]|1\d|20)"
_PLATE_OLD = r"[A-Z][ -]?\d{3}[ -]?[A-Z]{2,3}"
_CYRILLIC_TWINS = str.maketrans("АВСЕНКМОРТХУавсенкмортху", "ABCEHKMOPTXYABCEHKMOPTXY")


def plate(text: str) -> Iterator[Finding]:
    """Number plates since 2012 (three digits, letters, region 01 to 20) and of 1993, in Latin or look-alike letters."""
    twins = text.translate(_CYRILLIC_TWINS)
    latin = "".join(letter.upper() if len(letter.upper()) == 1 else letter for letter in twins)
    for form, score in ((_PLATE_NEW, 850_000), (_PLATE_OLD, 600_000)):
        for match in re.finditer(rf"(?<!\w){form}(?!\w)", latin):
            if any(letter.isupper() for letter in text[match.start() : match.end()] if letter.isalpha()):
                yield Finding("PLATE", match.start(), match.end(), score, "kz-plate")


def documents(text: str) -> Iterator[Finding]:
    """Identity card (nine digits), passport (a letter and eight digits), ЕРДР (15 or 16 digits), each in context."""
    for group in digits.windows(text, 9):
        if near(text, group.start, group.end, _ID_CONTEXT):
            yield Finding("ID_CARD", group.start, group.end, 800_000, "kz-id-card")
    for match in re.finditer(r"(?<!\w)[A-ZА-Я] ?\d{8}(?!\d)", text):
        if near(text, match.start(), match.end(), _PASSPORT_CONTEXT):
            yield Finding("PASSPORT", match.start(), match.end(), 900_000, "kz-passport")
    for length in (15, 16):
        for group in digits.windows(text, length):
            if near(text, group.start, group.end, _CASE_CONTEXT):
                yield Finding("CASE_NUMBER", group.start, group.end, 800_000, "kz-erdr")


_MONTHS = (
    r"январ[ья]|феврал[ья]|март[а]?|апрел[ья]|ма[йя]|июн[ья]|июл[ья]|август[а]?|сентябр[ья]|октябр[ья]|ноябр[ья]"
    r"|декабр[ья]|қаңтар\w*|ақпан\w*|наурыз\w*|сәуір\w*|мамыр\w*|маусым\w*|шілде\w*|тамыз\w*|қыркүйек\w*|қазан\w*"
    r"|қараша\w*|желтоқсан\w*|january|february|march|april|may|june|july|august|september|october|november|december"
)
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d{2}|(?:19|20)\d{2}-\d{2}-\d{2}"
    rf"|\d{{1,2}}(?:-?го)? (?:{_MONTHS}),? (?:19|20)\d{{2}}"
    rf"|(?:19|20)\d{{2}}(?: жыл\w*| ж\.)? \d{{1,2}}(?:-?ші|-?шы)? (?:{_MONTHS}))(?!\d)",
    re.IGNORECASE,
)


def birth_date(text: str) -> Iterator[Finding]:
    """A date where the text speaks of birth; a bare year before «г.р.» or «года рождения»."""
    for match in _DATE.finditer(text):
        if near(text, match.start(), match.end(), _BIRTH_CONTEXT):
            yield Finding("BIRTH_DATE", match.start(), match.end(), 850_000, "birth-date")
    for match in re.finditer(r"(?<!\d)(?:19|20)\d{2}(?=\s?(?:г\.\s?р|года рожд|г\. рожд|жылы туған|ж\. туған))", text):
        yield Finding("BIRTH_DATE", match.start(), match.end(), 800_000, "birth-date")


_STREET_RU = (
    r"(?:ул\.|улиц[аеуыо]\w*|пр\.|пр-т|пр-кт|просп\.|проспект\w*|пер\.|переул\w*|мкр\.?|микрорайон\w*|б-р|бульвар\w*"
    r"|шоссе|наб\.|набережн\w*)"
)
_STREET_KK = r"(?:көшесі|даңғылы|шағын ауданы|тұйығы|бульвары|ш/а)\w*"
_PROPER = r"[«\"]?[А-ЯЁӘҒҚҢӨҰҮҺІ][\w-]*[»\"]?"
_NAME = (
    r"[«\"]?[А-ЯЁӘҒҚҢӨҰҮҺІA-Z0-9][\w.-]*[»\"]?"
    rf"(?: {_PROPER}| (?:би|бия|ата|батыр|хан)\w{{0,3}}(?!\w)){{0,2}}"
)
_SAID = "(?:" + "|".join(digits.NUMBER_WORDS) + ")"
_NUMBER = rf"(?:\d{{1,4}}|{_SAID}(?: {_SAID}){{0,3}}(?!\w))"
_FLAT = rf"(?:,? *(?:кв\.?|квартир\w*|пәтер\w*|apt\.?|офис\w*) *№? *{_NUMBER})"
_HOUSE = (
    rf"(?:,? *(?:д\.|дом\w*|үй|house)? *№? *{_NUMBER}(?:[/-]\d{{1,3}})?[ -]?(?:[а-еА-Е](?!\w))?(?:[ -]?(?:үй|уй)\w*)?)"
    rf"(?:,? *(?:корп\.?|корпус\w*|стр\.) *{_NUMBER})?{_FLAT}?(?:,? *{_NUMBER}[ -]?(?:пәтер|п\.)\w*)?"
)
_ADDRESSES = (
    re.compile(rf"(?<!\w)(?i:{_STREET_RU}) +(?:имени +)?{_NAME}(?i:{_HOUSE})?"),
    re.compile(rf"(?<!\w){_NAME} +(?i:{_STREET_KK})(?i:{_HOUSE})?"),
    re.compile(rf"\d{{1,4}} [A-Z]\w+ (?:street|avenue|road|lane)\b(?:{_HOUSE})?", re.IGNORECASE),
    re.compile(rf"(?<!\w)(?:дом\w{{0,2}}|д\.) *№? *{_NUMBER}\w?{_FLAT}", re.IGNORECASE),
    re.compile(rf"(?<!\w)(?:кв\.|квартир\w*) *№? *{_NUMBER}(?!\d)|(?<![\d\w]){_NUMBER}[ -]?пәтер\w*", re.IGNORECASE),
)


def address(text: str) -> Iterator[Finding]:
    """A street with its name and, when they follow, house and flat; in Kazakh the kind of street comes after."""
    for form in _ADDRESSES:
        for match in form.finditer(text):
            end = match.start() + len(match.group().rstrip(" ,.;"))
            yield Finding("ADDRESS", match.start(), end, 800_000, "address-form")


DETECTORS: tuple[tuple[str, str, Detector], ...] = (
    ("kz-identity-numbers", "1", iin_and_bin),
    ("phones", "1", phone),
    ("long-number", "1", misheard),
    ("kz-iban", "1", iban),
    ("payment-card", "1", card),
    ("email", "1", email),
    ("kz-plate", "1", plate),
    ("kz-documents", "1", documents),
    ("birth-date", "1", birth_date),
    ("address", "1", address),
)
