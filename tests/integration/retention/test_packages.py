"""The package of a round whose term is over: proposed, signed by two, gone under a tombstone; a hold wins."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from custody.kernel.errors import Conflict
from portal import app
from storage.ports import PACKAGES
from tests import acts, ended
from tests.whole import BASE_URL

LONG_AGO = timedelta(days=3652)
"""Packages are kept for 3650 days: made then, the term of one is over."""


@pytest.fixture(scope="module")
def round_(system):
    """A case with an exhibit that stands, and a round of it whose package's term is over. No test but the last destroys
    it, and each leaves no open act.
    """
    case_id = system.case()
    exhibit = system.sealed(case_id, acts.picture(70), "shown.png")
    disclosure_id = acts.released(system, case_id, acts.burned(system, exhibit))
    brief: Any = ended.BriefLocks(system.services.store)
    made = system.variant(store=brief, moved=-LONG_AGO)
    assert system.work_off(f"disclosure:{disclosure_id}", made) == ["done"]
    query = "SELECT bucket, key, version_id FROM disclosures JOIN blobs ON blobs.id = package_blob_id"
    ((*place,),) = system.rows(f"{query} WHERE disclosures.id = :id", id=disclosure_id)
    ended.wait_for_locks(system, [place])
    return {"case": case_id, "exhibit": exhibit, "id": disclosure_id}


def proposed(system, round_):
    """The open acts of the case after the beat has looked."""
    ended.propose_due(system)
    items = system.api("prosecutor").get(f"/api/v1/cases/{round_['case']}/disposals")["items"]
    return [one for one in items if one["state"] in ("proposed", "signed")]


def act_of(system, round_):
    """The act that the beat proposes, once."""
    (act,) = proposed(system, round_)
    assert proposed(system, round_) == [act]
    return act


def sign(system, act, steps=(("prosecutor", "sign"), ("supervising_prosecutor", "approve"))):
    answers = []
    for role, step in steps:
        body = {"act_sha256": act["act_sha256"]}
        answers.append(system.api(role)("POST", f"/api/v1/disposals/{act['id']}/{step}", json=body))
    return answers


def download(system, round_):
    return system.api("defence")("GET", f"/api/v1/disclosures/{round_['id']}/package")


def test_one_person_is_not_enough_nor_a_term_that_stands(system, round_):
    act = act_of(system, round_)
    signed, approved = sign(system, act, [("prosecutor", "sign"), ("prosecutor", "approve")])
    assert (signed.status_code, approved.json()["code"]) == (200, "disposal.self_approval")
    twice = system.api("prosecutor")(
        "POST", f"/api/v1/cases/{round_['case']}/disposals", json={"packages": [round_["id"]]}
    )
    assert twice.json()["code"] == "disposal.package_in_an_act"
    system.api("prosecutor").post(f"/api/v1/disposals/{act['id']}/reject", reason="out_of_date")
    fresh = acts.ready(system, round_["case"], acts.burned(system, round_["exhibit"]))
    stands = system.api("prosecutor")("POST", f"/api/v1/cases/{round_['case']}/disposals", json={"packages": [fresh]})
    assert stands.json()["code"] == "disposal.package_term_stands"
    with (
        system.services.database.begin(ended.person(system, "prosecutor")) as work,
        pytest.raises(Conflict, match=r"law\.immutable"),
    ):
        work.session.connection().exec_driver_sql(
            f"UPDATE disclosures SET destroyed_at = now(), disposal_id = '{act['id']}', disposal_number = 1"
            f" WHERE id = '{UUID(round_['id'])}'"
        )


@pytest.mark.parametrize("of", ["exhibit", "case"])
def test_a_hold_wins_over_a_package(system, round_, of):
    """On the case, or on an exhibit that is inside: the act is stopped, none is proposed until it is lifted."""
    act = act_of(system, round_)
    sign(system, act, [("prosecutor", "sign")])
    path = f"/api/v1/{of}s/{round_[of]}/holds"
    hold = system.api("investigator").post(path, ground="appeal", note="")
    assert system.api("auditor").get(f"/api/v1/disposals/{act['id']}")["state"] == "stopped"
    (late,) = sign(system, act, [("supervising_prosecutor", "approve")])
    assert late.json()["code"] == "disposal.wrong_state"
    assert proposed(system, round_) == []
    asked = system.api("prosecutor")(
        "POST", f"/api/v1/cases/{round_['case']}/disposals", json={"packages": [round_["id"]]}
    )
    assert asked.json()["code"] == "disposal.package_held"
    system.api("prosecutor").post(f"/api/v1/holds/{hold['id']}/lift", ground="ground_ended")
    again = act_of(system, round_)
    assert download(system, round_).status_code == 200
    system.api("prosecutor").post(f"/api/v1/disposals/{again['id']}/reject", reason="out_of_date")


def test_it_goes_under_an_act_of_two_and_the_round_stays(system, round_):
    assert download(system, round_).status_code == 200
    act = act_of(system, round_)
    system.api("prosecutor").post(f"/api/v1/disposals/{act['id']}/reject", reason="still_needed")
    assert proposed(system, round_) == []
    act = system.api("prosecutor").post(f"/api/v1/cases/{round_['case']}/disposals", packages=[round_["id"]])
    assert (act["exhibits"], [one["disclosure"] for one in act["packages"]]) == ([], [round_["id"]])
    assert [one.status_code for one in sign(system, act)] == [200, 200]
    ((blob_id,),) = system.rows("SELECT package_blob_id FROM disclosures WHERE id = :id", id=round_["id"])
    assert system.work_off(f"disposal:{act['id']}") == ["done"]
    done = system.api("auditor").get(f"/api/v1/disposals/{act['id']}")
    (outcome,) = done["packages"]
    assert (done["state"], outcome["keys_destroyed"], outcome["objects_removed"]) == ("done", 1, 1)
    assert system.rows("SELECT wrapped_key, destroyed_at IS NOT NULL FROM blobs WHERE id = :id", id=blob_id) == [
        (b"", True)
    ]
    assert list(system.services.store.list(PACKAGES, str(blob_id))) == []
    answer = download(system, round_)
    assert (answer.status_code, answer.json()["code"]) == (410, "disclosure.destroyed")
    chain = [one["type"] for one in system.events(f"disclosure:{round_['id']}")]
    assert chain[-5:] == [
        *("disposal.proposed", "disposal.signed", "disposal.approved"),
        *("key.destroyed", "disposal.done"),
    ]
    kept = system.api("prosecutor").get(f"/api/v1/disclosures/{round_['id']}")
    assert kept["package_sha256"]
    assert system.api("prosecutor")("GET", f"/api/v1/exhibits/{round_['exhibit']}/content").status_code == 200
    pages = TestClient(app.build(system.services), base_url=BASE_URL)
    for role, path, said in (
        ("defence", f"/disclosures/{round_['id']}", "This package was destroyed on"),
        ("prosecutor", f"/disposals/{act['id']}", "Packages of disclosures"),
        ("auditor", f"/cases/{round_['case']}/retention", f"/disposals/{act['id']}"),
    ):
        headers = {"Authorization": f"Bearer {system.members[role].token}", "Cookie": "language=en"}
        assert said in pages.get(path, headers=headers).text
    answer = pages.get(f"/disposals/{act['id']}/act.pdf?lang=ru", headers=headers)
    assert answer.content.startswith(b"%PDF")
