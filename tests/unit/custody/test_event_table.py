"""docs/custody-events.md says what the program holds to."""

from custody.event import WHO
from tests.event_table import FILE, GROUPS, _who, table


def test_the_page_is_what_the_closed_set_says() -> None:
    assert FILE.read_text(encoding="utf-8") == table(), "run: python -m tests.event_table"


def test_the_roles_of_each_event_are_exactly_those_of_its_words() -> None:
    for type, roles in WHO.items():
        told = set[str]()
        for word in _who(roles).split(", "):
            told |= GROUPS.get(word, frozenset({word.strip("`")}))
        assert told == roles, type
