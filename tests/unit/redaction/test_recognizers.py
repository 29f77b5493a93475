"""Detectors by form: what each must find and what it must leave alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redaction.model import Finding
from redaction.suggest import checks, digits, lines, names
from redaction.suggest.merging import merge
from redaction.suggest.patterns import DETECTORS


def found(text: str) -> dict[str, set[str]]:
    by_kind: dict[str, set[str]] = {}
    for one in merge(text, [each for _, _, find in DETECTORS for each in find(text)]):
        by_kind.setdefault(one.entity, set()).add(text[one.start : one.end])
    return by_kind


@pytest.mark.parametrize(
    ("text", "entity", "span"),
    [
        ("номер 990314500014 в деле", "IIN", "990314500014"),
        ("ИИН 990314500015 с опиской", "IIN", "990314500015"),
        ("номер: девять девять ноль три один четыре пять ноль ноль ноль один четыре.", "IIN", None),
        ("ЖСН тоғыз тоғыз 03 14 50 00 14", "IIN", "тоғыз тоғыз 03 14 50 00 14"),
        ("ваш индивидуальный номер?\nТам было 99 03 14 5 и дальше не помню", "IIN", "99 03 14 5"),
        ("БИН 123456789012", "BIN", "123456789012"),
        ("ТОО, 040340000007,", "BIN", "040340000007"),
        ("звоните +7 701 123-45-67", "PHONE", "+7 701 123-45-67"),
        ("8(727)2501234", "PHONE", "8(727)2501234"),
        ("тел. 701 123 45 67", "PHONE", "701 123 45 67"),
        ("тел. 25-01-23", "PHONE", "25-01-23"),
        ("call +44 20 7946 0958", "PHONE", "+44 20 7946 0958"),
        ("восемь семьсот девять сто двадцать три сорок пять шестьдесят семь", "PHONE", None),
        ("счёт KZ86 125K ZT50 0410 0100", "IBAN", "KZ86 125K ZT50 0410 0100"),
        ("счёт KZ00125KZT5004100100", "IBAN", "KZ00125KZT5004100100"),
        ("4111 1111 1111 1111", "CARD", "4111 1111 1111 1111"),
        ("карта 4111 1111 1111 1112", "CARD", "4111 1111 1111 1112"),
        ("пишите i.petrov@mail.kz.", "EMAIL", "i.petrov@mail.kz"),
        ("бин ЖШС: 123 456 789 013", "BIN", "123 456 789 013"),
        ("машина 000 DAL 02", "PLATE", "000 DAL 02"),
        ("ﬁ ß 123 ABC 05", "PLATE", "123 ABC 05"),
        ("машина 123АВС05", "PLATE", "123АВС05"),
        ("старая А 123 ВЕ", "PLATE", "А 123 ВЕ"),
        ("удостоверение личности № 012345678", "ID_CARD", "012345678"),
        ("паспорт N12345678", "PASSPORT", "N12345678"),
        ("ЕРДР 990000000000001", "CASE_NUMBER", "990000000000001"),
        ("родился 14 марта 1985 года", "BIRTH_DATE", "14 марта 1985"),
        ("1985 года рождения", "BIRTH_DATE", "1985"),
        ("туған күні 1990 жылғы 5 мамыр", "BIRTH_DATE", "1990 жылғы 5 мамыр"),
        ("ул. Абая, д. 15, кв. 7", "ADDRESS", "ул. Абая, д. 15, кв. 7"),
        ("на улице Толе би, 45", "ADDRESS", "улице Толе би, 45"),
        ("Абай көшесі, 15-үй, 7-пәтер", "ADDRESS", "Абай көшесі, 15-үй, 7-пәтер"),
        ("улица Абая, дом девятьсот сорок пять, квартира двенадцать.", "ADDRESS", None),
        ("15 Baker Street", "ADDRESS", "15 Baker Street"),
    ],
)
def test_is_found(text: str, entity: str, span: str | None) -> None:
    spans = found(text).get(entity, set())
    assert spans if span is None else span in spans, found(text)


@pytest.mark.parametrize(
    "text",
    [
        "заказ 990314500015 готов",
        "сумма 123 456 789 012 тенге",
        "в 2024 году было 15 дел",
        "KZ1234",
        "1234 5678 9012 3456",
        "14 марта 2024 года составлен протокол",
        "пошёл на улицу гулять",
        "012345678",
        "990000000000001",
        "N12345678",
        "123 abc 05",
        "собака@",
    ],
)
def test_is_left_alone(text: str) -> None:
    assert found(text) == {}


@pytest.mark.parametrize(
    ("number", "holds"),
    [
        ("990314500014", True),
        ("990314500015", False),
        ("991314500014", False),
        ("99031450001", False),
        ("990231500000", False),
    ],
)
def test_iin(number: str, holds: bool) -> None:
    assert checks.is_iin(number) is holds


@given(st.from_regex(r"[0-9]{11}", fullmatch=True))
def test_check_digit_catches_every_single_changed_digit_of_the_last_place(eleven: str) -> None:
    digit = checks.check_digit(eleven)
    if digit is not None:
        others = [other for other in range(10) if other != digit]
        assert not any(checks.is_iin(eleven + str(other)) for other in others)


def test_a_date_that_does_not_exist_is_no_iin() -> None:
    eleven = "99023050001"
    digit = checks.check_digit(eleven)
    assert digit is not None
    assert not checks.is_iin(f"{eleven}{digit}")
    strange = "99031490001"
    assert not checks.is_iin(f"{strange}{checks.check_digit(strange)}")


def test_a_foreigner_has_no_century() -> None:
    for serial in range(20):
        eleven = f"9903140{serial:04}"
        digit = checks.check_digit(eleven)
        if digit is not None:
            assert checks.is_iin(f"{eleven}{digit}")


def test_eleven_digits_without_a_check_digit_exist() -> None:
    assert any(checks.check_digit(f"9903145{serial:04}") is None for serial in range(2000))


@pytest.mark.parametrize(
    "text", ["KZ86125KZT500410010", "RU86125KZT5004100100", "KZ8612AKZT5004100100", "KZ861-5KZT500410010"]
)
def test_no_iban(text: str) -> None:
    assert not checks.is_iban(text)


@pytest.mark.parametrize("number", ["411111111111111", "9111111111111111", "4111111111111112"])
def test_no_card(number: str) -> None:
    assert not checks.is_card(number)


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("семьсот один", ["701"]),
        ("семь ноль один", ["7", "0", "1"]),
        ("жеті жүз бір", ["701"]),
        ("жүз бір", ["101"]),
        ("сто пять двадцать один", ["105", "21"]),
        ("двести двенадцать", ["212"]),
        ("двадцать двенадцать", ["20", "12"]),
        ("он бес", ["15"]),
        ("8 семьсот 1", ["8", "700", "1"]),
        ("twenty one", ["21"]),
    ],
)
def test_number_words(text: str, groups: list[str]) -> None:
    assert [group.digits for run in digits.groups(text) for group in run] == groups


def test_a_word_between_ends_a_run() -> None:
    assert [len(run) for run in digits.groups("12 и 34, 56")] == [1, 2]
    assert [len(run) for run in digits.groups("12 ****** 34")] == [1, 1]
    assert digits.groups("слова") == []


def test_merging_keeps_the_exact_kind_and_the_whole_extent() -> None:
    text = " Ахметов Ерлан, 990314500014 "
    merged = merge(
        text,
        [
            Finding("PERSON", 1, 8, 850_000, "a"),
            Finding("LOCATION", 0, 15, 400_000, "b"),
            Finding("PHONE", 17, 28, 700_000, "c"),
            Finding("IIN", 16, 28, 950_000, "d"),
            Finding("OTHER", 14, 16, 900_000, "e"),
        ],
    )
    assert [(one.entity, text[one.start : one.end], one.score_ppm) for one in merged] == [
        ("PERSON", "Ахметов Ерлан", 850_000),
        ("IIN", "990314500014", 950_000),
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("пришёл Нұрлан Серікұлы Қасымов домой", "Нұрлан Серікұлы Қасымов"),
        ("подпись: А. С. Жумабаев", "А. С. Жумабаев"),
        ("Жумабаев А. С.", "Жумабаев А. С"),
        ("видел Жұмабаевтың үйін", "Жұмабаевтың"),
        ("Менің атым Айгүл, ал", "Айгүл"),
        ("my name is John Smith and", "John Smith"),
        ("Dr. Alice Brown said", "Alice Brown"),
    ],
)
def test_names_by_rule(text: str, name: str) -> None:
    spans = {text[one.start : one.end].strip(" .") for one in names.by_rules(text)}
    assert name.strip(" .") in spans


def test_sentences_lose_nothing_but_what_parts_them() -> None:
    text = "Раз. Два! три\nТөрт\n\n" + "а" * 4500
    parts = list(lines.pieces(text))
    assert [len(part) for _, part in parts] == [4, 4, 3, 4, 2000, 2000, 500]
    assert all(text[start : start + len(part)] == part for start, part in parts)
    assert list(lines.pieces("")) == []


def test_a_name_does_not_make_a_sentence_kazakh() -> None:
    assert not lines.is_kazakh("Свидетель Жұмабаев пояснил следующее")
    assert lines.is_kazakh("Ол менің көршім, оны бес жылдан бері танимын")
    assert not lines.is_kazakh("123")


def test_roles_and_pronouns_beside_a_name_are_let_go() -> None:
    text = "Куә Жұмабаев, свидетель Мен"
    after = "Жұмабаев куә"
    (one,) = merge(after, [Finding("PERSON", 0, len(after), 1, "a")])
    assert (one.start, one.end) == (0, 8)
    merged = merge(
        text, [Finding("PERSON", 0, 12, 1, "a"), Finding("PERSON", 14, 27, 1, "a"), Finding("IIN", 13, 14, 1, "a")]
    )
    assert [text[one.start : one.end] for one in merged] == ["Жұмабаев"]
