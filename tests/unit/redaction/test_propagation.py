"""Other places of an accepted name become proposals, places already suggested do not."""

from uuid import UUID

import pytest

from redaction.model import PageBox, Region, SpokenWord, Suggestion, TextSpan, TimeSpan, WordSpan
from redaction.suggest.propagation import accepted_names, finder, not_yet, touches
from redaction.suggest.spoken import suggest_words

WORDS = [
    SpokenWord(word, place * 100, place * 100 + 90)
    for place, word in enumerate(["Жумабаев", "и", "Жұмабаевтардың", "үйі"])
]


def suggestion(state: str, entity: str = "PERSON") -> Suggestion:
    return Suggestion(UUID(int=1), entity, (WordSpan(0, 0, 0, 90),), "Жумабаев", 1, "t", state)


def test_the_other_place_of_an_accepted_name_is_proposed() -> None:
    known = [suggestion("accepted"), suggestion("rejected"), suggestion("accepted", "IIN")]
    assert accepted_names(known) == {"Жумабаев"}
    (more,) = not_yet(suggest_words(finder(accepted_names(known)), WORDS), known)
    assert (more.text, more.recognizer, more.regions) == ("Жұмабаевтардың", "same-name", (WordSpan(2, 2, 200, 290),))
    assert not_yet([more], [Suggestion(UUID(int=2), "OTHER", more.regions, "", 1, "t")]) == []


@pytest.mark.parametrize(
    ("one", "other", "held"),
    [
        (WordSpan(0, 2, 0, 1), WordSpan(2, 3, 5, 6), True),
        (WordSpan(0, 1, 0, 1), WordSpan(2, 3, 0, 1), False),
        (TextSpan(0, 2), TextSpan(1, 3), True),
        (TextSpan(0, 2), TextSpan(2, 3), False),
        (TimeSpan(0, 10), WordSpan(0, 0, 9, 11), True),
        (TimeSpan(0, 10), TimeSpan(10, 11), False),
        (PageBox(0, 0, 0, 10, 10), PageBox(0, 4, 4, 6, 6), True),
        (PageBox(0, 0, 0, 10, 10), PageBox(1, 4, 4, 6, 6), False),
        (PageBox(0, 0, 0, 10, 10), PageBox(0, 6, 4, 9, 6), False),
        (TextSpan(0, 2), TimeSpan(0, 2), False),
    ],
)
def test_regions_that_touch(one: Region, other: Region, held: bool) -> None:
    assert touches(one, other) is held
