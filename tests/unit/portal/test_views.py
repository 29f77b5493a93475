"""Between a form's words and what is asked for; between ids in events and what people call them."""

import itertools
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from custody import event
from custody.kernel.errors import Invalid
from evidence_api.queries.cases import ROUND, Thing
from portal.catalog import LANGUAGES, Language
from portal.filters import of_trail
from portal.lines import readable
from portal.pages.audit import AREAS
from portal.views.cases import _until

ONE, TWO, THREE, FOUR = (UUID(int=number) for number in range(1, 5))


def test_filter_days_are_local_and_the_last_is_whole() -> None:
    wanted = of_trail({"since": "2026-03-14", "until": "2026-03-14"})
    assert wanted.since == datetime(2026, 3, 13, 19, tzinfo=UTC)
    assert wanted.until == datetime(2026, 3, 14, 19, tzinfo=UTC)


def test_a_grant_ends_with_the_local_day() -> None:
    assert _until("2026-03-14") == datetime(2026, 3, 14, 18, 59, 59, 999_000, tzinfo=UTC)
    assert _until("") is None
    with pytest.raises(Invalid) as refused:
        _until("14.03.2026")
    assert refused.value.code == "grant.until_past"


def test_every_event_of_a_case_is_in_some_area() -> None:
    covered = {first for area in AREAS for first in of_trail({"area": area}).areas}
    of_no_case = {"system", "store", "key", "config", "ledger", "log"}
    assert {name.partition(".")[0] for name in event.WHO} - of_no_case <= covered
    assert set(of_trail({"area": "exhibit"}).areas) == {"exhibit", "upload", "fixity", "intake", "receipt", "disposal"}
    assert of_trail({"area": "everything; DROP"}).areas == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_ids_are_read_as_names_and_numbers(language: Language) -> None:
    things = {TWO: Thing(3), THREE: Thing(3, "sound"), FOUR: Thing(2, ROUND)}
    told = readable(language, {ONE: "Прокурор Ерлан Демо"}, things)
    assert told[str(ONE)] == "Прокурор Ерлан Демо"
    assert "3" in told[str(TWO)]
    assert told[str(THREE)].startswith(told[str(TWO)] + ", ")
    assert "2" in told[str(FOUR)]


def test_no_view_hides_a_refusal_from_the_record() -> None:
    """Views answer refusals through `visits.try_form`, which notes them; whoever catches one notes it too."""
    for view in (Path(__file__).parents[3] / "portal" / "views").glob("*.py"):
        lines = [line.strip() for line in view.read_text(encoding="utf-8").splitlines()]
        for line, following in itertools.pairwise(lines):
            if line.startswith("except "):
                assert following.startswith(("note_refusal(request, refusal)", "raise ")), view.name
