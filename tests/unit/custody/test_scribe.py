"""From a draft to an outbox row."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from custody import event
from custody.kernel.errors import Denied, Invalid
from custody.kernel.ids import RandomIds
from custody.kernel.outbox import Actor
from custody.proof import canonical
from custody.scribe import EventScribe


class Noon:
    """A clock that stands at noon."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 12, tzinfo=UTC)


ACTOR = Actor(UUID(int=9), "investigator", "browser", "192.0.2.7")
SCRIBE = EventScribe(Noon(), RandomIds(Noon()))


def registered(**change: object) -> event.EventDraft:
    data = {
        "exhibit": UUID(int=1),
        "number": 1,
        "sha256": "sha256:" + "0" * 64,
        "size_bytes": 10,
        "basis": "b",
        "purpose": "p",
        "retain_days": 30,
    } | change
    return event.draft("exhibit.registered", item="exhibit:1", personal={"filename": "Сауалнама.pdf"}, **data)


def test_a_row_is_canonical_and_says_all() -> None:
    row, _ = SCRIBE.write(registered(), ACTOR)
    body = json.loads(row.body)
    assert canonical.encode(body).decode() == row.body
    assert body.keys() == {"v", "id", "type", "item", "case", "time_ms", "actor", "personal", "data", "nonce"}
    assert (body["v"], body["id"], body["item"]) == (1, str(row.event_id), row.item)
    assert body["actor"] == {"id": str(ACTOR.id), "role": "investigator", "means": "browser"}
    assert body["time_ms"] == 1_795_262_400_000
    assert len(bytes.fromhex(body["nonce"])) == 16


def test_personal_values_reach_the_event_as_digests_that_their_openings_open() -> None:
    row, openings = SCRIBE.write(registered(), ACTOR)
    assert "Сауалнама" not in row.body
    assert "192.0.2.7" not in row.body
    assert {opening.field for opening in openings} == {"filename", "address"}
    for opening in openings:
        assert json.loads(row.body)["personal"][opening.field] == event.personal_digest(opening.salt, opening.value)


def test_nothing_is_repeated() -> None:
    rows = [SCRIBE.write(registered(), ACTOR) for _ in range(50)]
    assert len({row.event_id for row, _ in rows}) == 50
    assert len({json.loads(row.body)["nonce"] for row, _ in rows}) == 50
    assert len({opening.salt for _, openings in rows for opening in openings}) == 100


def test_a_role_that_may_not_cause_it_is_refused() -> None:
    with pytest.raises(Denied, match=r"event\.role"):
        SCRIBE.write(registered(), Actor(None, "defence", "browser"))


@pytest.mark.parametrize("value", [1.5, 2**53, {"ключ": 1}, "\ud800", object(), ["x" * 4000] * 17])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(Invalid, match=r"event\.malformed"):
        SCRIBE.write(registered(basis=value), ACTOR)
