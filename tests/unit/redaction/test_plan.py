"""Regions, grounds, plans and their life: every refusal, and what is never in a plan."""

from uuid import UUID

import pytest

from custody.kernel.errors import Conflict, DalelError, Denied, Invalid
from redaction.model import PageBox, Region, Suggestion, TextSpan, TimeSpan, WordSpan, region_from_json, region_to_json
from redaction.plan import (
    Addition,
    Decision,
    assemble,
    check_approval,
    check_decision,
    check_open,
    decisions_sha256,
)
from redaction.reasons import REASONS, Reason, Reasons

A, B, C = (UUID(int=number) for number in (1, 2, 3))
WORDS = WordSpan(3, 4, 1000, 2000)


def suggestion(
    state: str = "accepted", reason: str | None = "minor", *, id: UUID = A, regions: tuple[Region, ...] = (WORDS,)
) -> Suggestion:
    return Suggestion(id, "PERSON", regions, "Ахметов", 900_000, "test", state, reason, "Лицо № 1")


def plan_of(*suggestions: Suggestion):
    return assemble(
        id=B, exhibit=C, source_sha256="sha256:00", text_sha256=None, rules_sha256="sha256:11", suggestions=suggestions
    )


@pytest.mark.parametrize("region", [WORDS, TextSpan(0, 5), TimeSpan(0, 1), PageBox(2, 0, 1, 1_000_000, 500_000)])
def test_a_region_survives_json(region: Region) -> None:
    assert region_from_json(region_to_json(region)) == region


@pytest.mark.parametrize(
    "make",
    [
        lambda: WordSpan(5, 4, 0, 1),
        lambda: WordSpan(0, 0, 5, 5),
        lambda: TextSpan(-1, 4),
        lambda: TimeSpan(7, 7),
        lambda: PageBox(-1, 0, 0, 1, 1),
        lambda: PageBox(0, 0, 0, 1_000_001, 1),
        lambda: PageBox(0, 0, 9, 1, 9),
        lambda: region_from_json({"kind": "circle"}),
        lambda: region_from_json({"kind": "time", "start_ms": 0, "end_ms": "1"}),
        lambda: region_from_json({"kind": "time", "start_ms": 0, "end_ms": True}),
        lambda: region_from_json({"kind": "time", "start_ms": 0}),
        lambda: region_from_json({"kind": "time", "start_ms": 0, "end_ms": 1, "more": 2}),
    ],
)
def test_a_region_that_is_none_is_refused(make) -> None:
    with pytest.raises(Invalid, match=r"plan\.bad_region"):
        make()


def test_a_plan_holds_places_and_grounds_and_no_text() -> None:
    plan = plan_of(suggestion(), suggestion("rejected", None))
    assert len(plan.regions) == 1
    assert "Ахметов".encode() not in plan.encode()
    assert plan.sha256.startswith("sha256:")
    assert plan.to_json()["regions"][0]["reason"] == "minor"


def test_a_plan_does_not_depend_on_the_order_of_decisions() -> None:
    one, other = suggestion(), suggestion(id=B, regions=(TimeSpan(0, 1), WordSpan(0, 0, 0, 1)))
    assert plan_of(one, other).encode() == plan_of(other, one).encode()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (suggestion("open", None), "plan.undecided"),
        (suggestion("accepted", None), "plan.no_reason"),
        (suggestion("accepted", "because"), "plan.unknown_reason"),
    ],
)
def test_a_plan_that_is_not_decided_is_refused(wrong: Suggestion, code: str) -> None:
    with pytest.raises(DalelError) as refused:
        plan_of(wrong)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("decision", "code"),
    [
        (Decision(A, True), "plan.no_reason"),
        (Decision(A, True, "because"), "plan.unknown_reason"),
        (Decision(A, True, "minor", " "), "plan.bad_replacement"),
        (Decision(A, True, "minor", "a\nb"), "plan.bad_replacement"),
        (Decision(A, True, "minor", "x" * 81), "plan.bad_replacement"),
        (Addition((), "minor"), "plan.bad_region"),
        (Addition((WORDS,), "minor", "GHOST"), "plan.bad_region"),
        (Addition((WORDS,), "because"), "plan.unknown_reason"),
    ],
)
def test_a_decision_that_cannot_stand_is_refused(decision: Decision | Addition, code: str) -> None:
    with pytest.raises(DalelError) as refused:
        check_decision(decision)
    assert refused.value.code == code


def test_decisions_that_stand() -> None:
    check_decision(Decision(A, False))
    check_decision(Decision(A, True, "minor", "Лицо № 1"))
    check_decision(Addition((WORDS,), "medical"))


def test_the_digest_of_decisions_changes_with_each_of_them_and_not_with_their_order() -> None:
    one, other = Decision(A, True, "minor"), Decision(B, False)
    whole = decisions_sha256([one, other], [])
    assert whole == decisions_sha256([other, one], [])
    assert len({whole, decisions_sha256([one], []), decisions_sha256([one, other], [Addition((WORDS,), "minor")])}) == 3


@pytest.mark.parametrize("state", ["submitted", "approved"])
def test_a_closed_plan_takes_no_decisions(state: str) -> None:
    with pytest.raises(Conflict, match=r"plan\.closed"):
        check_open(state)


def test_an_open_plan_takes_decisions() -> None:
    check_open("drafted")
    check_open("returned")


def test_approving_is_a_second_persons() -> None:
    check_approval("submitted", C, A, {A, B})
    for approver in (A, B):
        with pytest.raises(Denied, match=r"plan\.self_approval"):
            check_approval("submitted", approver, A, {B})
    for state in ("drafted", "returned", "approved"):
        with pytest.raises(Conflict, match=r"plan\.not_submitted"):
            check_approval(state, C, A, set())


def test_grounds_speak_three_languages_and_can_be_worded_by_settings() -> None:
    for reason in REASONS.all():
        assert set(reason.label) == {"kk", "ru", "en"}
        assert not reason.reference or set(reason.reference) == {"kk", "ru", "en"}
    other = Reasons({"minor": Reason("ignored", {"ru": "Ребёнок"}, {})})
    assert other.check("minor") == Reason("minor", {"ru": "Ребёнок"}, {})
    with pytest.raises(Invalid, match=r"plan\.unknown_reason"):
        Reasons({"because": Reason("because", {}, {})})
