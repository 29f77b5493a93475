"""A name can be withheld from one reader and erased by law, and no hash breaks."""

from uuid import UUID

import pytest
from sqlalchemy import text

from custody import audit
from custody import personal as opened
from custody.kernel.errors import Conflict, Invalid, NotFound
from evidence_api.prepare import OPERATOR
from evidence_api.queries import personal, records
from evidence_api.queries.records import State
from evidence_api.use_cases import erasing
from tests import acts
from tests.whole import until

NAME = "Куәгер Бейсенов.png"
ORDER = "Алматы соты, № 2-17, 14.03.2026"


@pytest.fixture(scope="module")
def exhibit_id(system):
    made = UUID(system.sealed(system.case(), acts.picture(940), NAME))
    until(lambda: records.of_exhibit(system.services, made).verdict == "complete")
    return made


def registered(system, exhibit_id):
    with system.services.database.read() as session:
        return audit.chain(session, f"exhibit:{exhibit_id}")[0]


def seen(system, exhibit_id, *, may_see=True):
    return personal.of(system.services, records.of_exhibit(system.services, exhibit_id).chain, may_see=may_see)


def test_one_reader_sees_it_and_another_does_not(system, visit, exhibit_id):
    event_id = registered(system, exhibit_id).id
    for may_see, state in ((True, "shown"), (False, "withheld")):
        found = seen(system, exhibit_id, may_see=may_see)[event_id]
        (name,) = [one for one in found if one.field == "filename"]
        assert (name.state, name.value) == (state, NAME if may_see else "")
    for role, said in (("supervising_prosecutor", "matches the digest"), ("prosecutor", "withheld from you")):
        assert said in visit(role, f"/exhibits/{exhibit_id}/record").text


def test_an_opening_that_was_changed_does_not_pass_for_the_value(system, exhibit_id, monkeypatch):
    entry = registered(system, exhibit_id)
    stranger = dict.fromkeys(entry.personal, "sha256:" + "0" * 64)
    monkeypatch.setattr(type(entry), "personal", property(lambda _: stranger), raising=False)
    with system.services.database.read() as session:
        found = opened.values(session, {entry.id: stranger})[entry.id]
    assert {(one.value, one.true) for one in found} == {(None, False)}


@pytest.mark.parametrize("order", ["", "  ", "x" * 201, "two\nlines"], ids=["none", "blank", "long", "lines"])
def test_nothing_is_erased_without_an_order(system, exhibit_id, order):
    with pytest.raises(Invalid, match=r"personal\.no_order"):
        erasing.erase(system.services, OPERATOR, registered(system, exhibit_id).id, "filename", order=order)


def test_erased_by_order_and_every_step_still_holds(system, visit, exhibit_id):
    entry = registered(system, exhibit_id)
    with pytest.raises(NotFound, match=r"personal\.no_such_field"):
        erasing.erase(system.services, OPERATOR, entry.id, "recipient", order=ORDER)
    erased = erasing.erase(system.services, OPERATOR, entry.id, "filename", order=ORDER)
    with pytest.raises(Conflict, match=r"personal\.already_erased"):
        erasing.erase(system.services, OPERATOR, entry.id, "filename", order=ORDER)
    until(lambda: records.of_exhibit(system.services, exhibit_id).verdict == "complete")
    found = records.of_exhibit(system.services, exhibit_id)
    assert {one.state for one in found.steps} == {State.HOLDS}
    assert (found.chain[-1].id, found.chain[-1].type) == (erased, "personal.erased")
    assert found.chain[-1].data == {"event": str(entry.id), "field": "filename", "order": ORDER}
    (name,) = [one for one in seen(system, exhibit_id)[entry.id] if one.field == "filename"]
    assert (name.state, name.value) == ("erased", "")
    page = visit("auditor", f"/exhibits/{exhibit_id}/record").text
    assert "by order: " + ORDER in page
    assert "A personal value was erased by law: File name" in page
    assert (
        system.rows("SELECT value FROM event_openings WHERE event_id = :id AND field = 'filename'", id=entry.id) == []
    )


def test_a_value_that_is_lost_is_not_called_erased(system, visit, exhibit_id):
    """As a restored backup may leave it: the page does not make an order of it."""
    entry = registered(system, exhibit_id)
    with system.services.database.begin(OPERATOR) as work:
        work.session.execute(
            text("DELETE FROM event_openings WHERE event_id = :id AND field = 'address'"), {"id": entry.id}
        )
        work.commit()
    found = {one.field: one.state for one in seen(system, exhibit_id)[entry.id]}
    assert found == {"filename": "erased", "address": "lost"}
