"""Rules of terms: what a rule set may say, and what a rule makes of a wish."""

import json
from copy import deepcopy

import pytest

from custody.kernel.errors import Conflict, Invalid
from evidence_api.disclosure.model import destroyed_by, destroyed_ground
from evidence_api.retention import model

GOOD = {
    "code": "grave",
    "names": {"kk": "Ауыр", "ru": "Тяжкое", "en": "Grave"},
    "term_days": 100,
    "min_days": 50,
    "extendable": False,
}


def test_a_version_is_read_back_as_it_was_kept():
    delivered = model.delivered()
    assert model.decode(delivered.encode()) == delivered
    assert model.parse_file(delivered.encode()) == delivered.rules
    assert model.parse_file(json.dumps([GOOD], indent=2).encode()) == model.parse_rules([GOOD])
    assert delivered.rule("grave").names["en"] == "Grave crime"
    with pytest.raises(Invalid, match=r"retention\.unknown_category"):
        delivered.rule("none such")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code": "Grave"}, "rules.bad_code"),
        ({"code": "individual"}, "rules.bad_code"),
        ({"code": 7}, "rules.malformed"),
        ({"names": {"kk": "x", "ru": "x"}}, "rules.bad_name"),
        ({"names": {"kk": " ", "ru": "x", "en": "x"}}, "rules.bad_name"),
        ({"names": {"kk": 1, "ru": "x", "en": "x"}}, "rules.bad_name"),
        ({"names": []}, "rules.malformed"),
        ({"min_days": 0}, "rules.bad_days"),
        ({"min_days": 101}, "rules.bad_days"),
        ({"term_days": 36_501}, "rules.bad_days"),
        ({"term_days": True}, "rules.malformed"),
        ({"extendable": 1}, "rules.malformed"),
        ({"more": 1}, "rules.malformed"),
    ],
)
def test_what_a_rule_may_not_say(change, code):
    with pytest.raises(Invalid, match=code.replace(".", r"\.")):
        model.parse_rules([deepcopy(GOOD) | change])


@pytest.mark.parametrize("rules", [[], {}, [GOOD] * 201, ["grave"], None])
def test_what_are_no_rules(rules):
    with pytest.raises(Invalid, match=r"rules\.malformed"):
        model.parse_rules(rules)


def test_a_category_stands_once():
    with pytest.raises(Invalid, match=r"rules\.twice"):
        model.parse_rules([GOOD, GOOD])
    with pytest.raises(Invalid, match=r"rules\.malformed"):
        model.parse_file(b"not JSON")


def test_what_a_rule_makes_of_a_wish():
    (firm,) = model.parse_rules([GOOD])
    assert [firm.days(wish) for wish in (0, 50, 100)] == [100, 50, 100]
    with pytest.raises(Invalid, match=r"retention\.below_minimum"):
        firm.days(49)
    with pytest.raises(Conflict, match=r"retention\.not_extendable"):
        firm.days(101)
    (loose,) = model.parse_rules([GOOD | {"extendable": True}])
    assert loose.days(101) == 101


def test_grounds_and_reasons_are_of_the_list():
    assert model.parse_hold("appeal") is model.HoldGround.APPEAL
    assert model.parse_lift("court_order") is model.LiftGround.COURT_ORDER
    assert model.parse_rejection("still_needed") is model.Rejection.STILL_NEEDED
    for parse in (model.parse_hold, model.parse_lift):
        with pytest.raises(Invalid, match=r"hold\.bad_ground"):
            parse("")
    with pytest.raises(Invalid, match=r"disposal\.bad_reason"):
        model.parse_rejection("")


def test_the_ground_of_what_was_destroyed():
    assert destroyed_by(destroyed_ground("2026-11-22", 3)) == ("2026-11-22", "3")
    assert destroyed_by("minor") is None
