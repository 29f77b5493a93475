"""Forms of names, who is who in a case, and where else an accepted name stands."""

import pytest

from redaction.folding import fold, russify
from redaction.inflection import all_forms, bases, forms
from redaction.pseudonyms import Person, forms_of, is_ambiguous, label, mentions, name_words, propagate, who

CASE = [Person(1, ("Ахметов Ерлан Серикович",)), Person(2, ("Жұмабаев Адилет",)), Person(3, ("Цой",))]


def test_folding_keeps_positions() -> None:
    for text in ("Жұмабаев Әлия", "Ёлкин İ ẞ", "ӘҒҚҢӨҰҮҺІ"):
        assert len(fold(text)) == len(text) == len(russify(text))
    assert fold("ЖҰМАБАЕВ Ё") == "жумабаев е"


@pytest.mark.parametrize(
    ("base", "form"),
    [
        ("Ахметов", "Ахметовым"),
        ("Ахметова", "Ахметовой"),
        ("Цой", "Цоем"),
        ("Ким", "Кима"),
        ("Айгуль", "Айгулью"),
        ("Мария", "Марией"),
        ("Роза", "Розу"),
        ("Адилет", "Адилетке"),
        ("Жұмабаев", "Жұмабаевтың"),
        ("Жұмабаев", "Жұмабаевпен"),
        ("Айгүл", "Айгүлден"),
        ("Нұрлан", "Нұрланнан"),
        ("Әлия", "Әлияға"),
        ("Шевченко", "Шевченконың"),
        ("Сейтқали", "Сейткали"),
    ],
)
def test_a_form_is_among_the_forms_and_leads_back(base: str, form: str) -> None:
    assert fold(form) in forms(base)
    assert fold(base) in {fold(one) for one in bases(form)}
    assert all_forms(form) >= forms(base)


def test_a_word_of_two_letters_has_itself_only() -> None:
    assert forms("Ли") == {"ли"}
    assert bases("Ли") == {"Ли"}


@pytest.mark.parametrize(
    ("mention", "number"),
    [
        ("Ахметовым", 1),
        ("Ерлану", 1),
        ("Ахметов Е. С.", 1),
        ("Жумабаеву Адилету", 2),
        ("Жұмабаевтың", 2),
        ("Цоя", 3),
        ("Иванов", None),
        ("Ахметов Адилет", None),
        ("Е. С.", None),
    ],
)
def test_who_is_who(mention: str, number: int | None) -> None:
    person = who(mention, CASE)
    assert (person.number if person else None) == number


def test_a_full_name_belongs_to_a_person_known_by_a_part() -> None:
    assert who("Ахметов Ерлан", [Person(4, ("Ахметовым",))]) == Person(4, ("Ахметовым",))


def test_two_of_one_surname_are_not_guessed() -> None:
    family = [Person(1, ("Жумабаев Адилет",)), Person(2, ("Жумабаева Айгуль",))]
    assert is_ambiguous("Жумабаева", family)
    assert who("Жумабаева", family) is None
    assert who("Айгуль Жумабаевой", family) == family[1]


def test_other_places_of_a_name_are_found_and_common_words_are_not() -> None:
    text = "Роза и Ерлан Ахметов. С Ахметовым Е. Ерланом говорил. Подарил розу. Розе."
    names = ["Ахметов Ерлан", "Роза"]
    spans = [text[one.start : one.end] for one in mentions(text, names)]
    assert spans == ["Роза", "Ерлан Ахметов", "Ахметовым", "Ерланом", "Розе"]
    assert [text[one.start : one.end] for one in propagate(text, names, [(0, 22)])] == ["Ахметовым", "Ерланом", "Розе"]


def test_text_without_capitals_is_searched_all_the_same() -> None:
    assert len(list(mentions("видел ахметова вчера", ["Ахметов"]))) == 1
    assert list(mentions("никого", [])) == []


def test_the_words_that_can_identify() -> None:
    assert name_words("Кешке мен Алматыда Ли А. С.") == ("Алматыда",)
    assert name_words("ахметов ерлан") == ("ахметов", "ерлан")
    assert forms_of("А. С.") == frozenset()


def test_labels() -> None:
    assert [label(3, language) for language in ("kk", "ru", "en", "de")] == [
        "№ 3 тұлға",
        "Лицо № 3",
        "Person No. 3",
        "Person No. 3",
    ]
