"""The closed set of events: every type, every required field, every stranger, every limit."""

from uuid import UUID

import pytest

from custody import event
from custody.event import ANYONE, WHO
from custody.kernel.errors import Denied, Invalid
from custody.kernel.outbox import Actor
from custody.proof.shapes import SHAPES

ITEM = "exhibit:0190a5b4-0000-7000-8000-000000000001"


def test_each_event_has_a_form_and_somebody_who_may_cause_it() -> None:
    assert SHAPES.keys() == WHO.keys()


def complete(type: str) -> dict[str, str]:
    return dict.fromkeys(SHAPES[type].required, "x")


@pytest.mark.parametrize("type", SHAPES)
def test_the_required_fields_suffice(type: str) -> None:
    assert event.draft(type, item=ITEM, **complete(type)).data == complete(type)


@pytest.mark.parametrize("type", SHAPES)
def test_each_required_field_is_required(type: str) -> None:
    for name in SHAPES[type].required:
        rest = {key: value for key, value in complete(type).items() if key != name}
        with pytest.raises(Invalid) as refused:
            event.draft(type, item=ITEM, **rest)
        assert (refused.value.code, refused.value.params["field"]) == ("event.malformed", name)


@pytest.mark.parametrize("type", SHAPES)
def test_optional_fields_are_accepted_and_strangers_refused(type: str) -> None:
    everything = complete(type) | dict.fromkeys(SHAPES[type].optional, "x")
    assert event.draft(type, item=ITEM, **everything).data == everything
    with pytest.raises(Invalid, match="stranger"):
        event.draft(type, item=ITEM, **everything, stranger="x")


@pytest.mark.parametrize("type", SHAPES)
def test_personal_values_have_their_own_place(type: str) -> None:
    personal = dict.fromkeys(SHAPES[type].personal, "x")
    assert event.draft(type, item=ITEM, personal=personal, **complete(type)).personal == personal
    assert not SHAPES[type].personal & (SHAPES[type].required | SHAPES[type].optional)
    with pytest.raises(Invalid, match="stranger"):
        event.draft(type, item=ITEM, personal={"stranger": "x"}, **complete(type))


@pytest.mark.parametrize("type", SHAPES)
def test_only_some_roles_may_cause_it(type: str) -> None:
    who = WHO[type]
    assert who
    assert who <= ANYONE
    for role in who:
        event.check_actor(type, Actor(None, role, "api"))
    for role in (ANYONE | {"god", ""}) - who:
        with pytest.raises(Denied, match=r"event\.role"):
            event.check_actor(type, Actor(None, role, "api"))


def test_machines_do_not_decide_and_people_do_not_compute() -> None:
    for decided in ("transcript.confirmed", "plan.submitted", "plan.approved", "disclosure.released"):
        assert event.SYSTEM not in WHO[decided]
    for computed in ("exhibit.sealed", "transcript.drafted", "rendition.burned", "rendition.leak_checked"):
        assert WHO[computed] == {event.SYSTEM}


def test_what_is_not_in_the_set_is_no_event() -> None:
    with pytest.raises(Invalid, match=r"event\.malformed"):
        event.draft("exhibit.improved", item=ITEM)


@pytest.mark.parametrize("text", ["я" * 2049, "a" * 4097, "a\0b"], ids=["utf8", "ascii", "nul"])
@pytest.mark.parametrize("place", ["data", "nested", "personal", "item"])
def test_texts_are_bounded_and_storable(text: str, place: str) -> None:
    data = {"exhibit": "x", "reason": "x"}
    match place:
        case "data":
            data["reason"] = text
        case "nested":
            data["reason"] = [{"deep": text}]  # type: ignore[assignment]  # JSON is wider than this test's data
    with pytest.raises(Invalid) as refused:
        event.draft(
            "exhibit.discarded",
            item=text if place == "item" else ITEM,
            personal={"address": text} if place == "personal" else None,
            **data,
        )
    assert text not in str(refused.value)


def test_the_longest_text_is_accepted() -> None:
    assert event.draft("exhibit.discarded", item=ITEM, exhibit="x", reason="я" * 2048)


def test_ids_and_bytes_become_text() -> None:
    exhibit = UUID(int=5)
    assert event.draft("exhibit.discarded", item=ITEM, exhibit=exhibit, reason=b"\xab").data == {
        "exhibit": str(exhibit),
        "reason": "ab",
    }


def test_a_personal_digest_depends_on_value_and_salt() -> None:
    digests = {event.personal_digest(salt, value) for salt in (b"a" * 16, b"b" * 16) for value in ("x", "y")}
    assert len(digests) == 4
    assert event.personal_digest(b"\0" * 16, "Әлия").startswith("sha256:")
