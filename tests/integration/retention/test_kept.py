"""What keeps an exhibit: rules by category, longer terms, holds; each followed by the store, all read back from it."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest

from custody.kernel.errors import Conflict
from evidence_api.retention.model import delivered
from evidence_api.use_cases import retaining
from storage.ports import RENDITIONS
from storage.seal import evidence_key
from tests import acts, ended


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def follow(system, exhibit_id):
    assert set(system.work_off(f"exhibit:{exhibit_id}")) == {"done"}


def test_a_category_gives_the_term(system):
    """At registration: the rule's term, or a longer one; never less than its minimum."""
    case_id, investigator = system.case(), system.api("investigator")
    by_rule = investigator.upload(case_id, b"by rule", "rule.txt", category="grave", retain_days="")
    longer = investigator.upload(case_id, b"longer", "longer.txt", category="grave", retain_days="9000")
    for exhibit_id, days in ((by_rule, 5475), (longer, 9000)):
        registered = system.events(f"exhibit:{exhibit_id}", "exhibit.registered")[0]["data"]
        assert (registered["category"], registered["rule_version"], registered["retain_days"]) == ("grave", 1, days)
    for said, code in (
        ({"category": "grave", "retain_days": "30"}, (422, "retention.below_minimum")),
        ({"category": "acquitted", "retain_days": "9000"}, (409, "retention.not_extendable")),
        ({"category": "unheard"}, (422, "retention.unknown_category")),
    ):
        assert refusal(investigator.begin_upload(case_id, b"refused", "no.txt", **said)) == code


def test_a_longer_term_lengthens_the_lock(system):
    """The original's and the rendition's; a shorter one is refused, also by the database."""
    case_id = system.case()
    exhibit_id = system.sealed(case_id, acts.picture(31), "kept.png")
    (rendition,) = acts.burned(system, exhibit_id)
    investigator, path = system.api("investigator"), f"/api/v1/exhibits/{exhibit_id}/retention"
    put = investigator.post(path, category="misdemeanour")
    assert (put["category"], put["rule_version"]) == ("misdemeanour", 1)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=4000)
    investigator.post(path, until=until.isoformat())
    store, place = system.services.store, ended.place_of(system, exhibit_id)
    assert store.head(*place).locked_until < until
    follow(system, exhibit_id)
    assert store.head(*place).locked_until == until
    (stored,) = store.list(RENDITIONS, evidence_key(blob_of(system, rendition)))
    assert store.head(RENDITIONS, stored.key, stored.version_id).locked_until == until
    term = investigator.get(path)
    assert datetime.fromisoformat(term["locked_until"]) == until
    who = [one["actor"]["role"] for one in system.events(f"exhibit:{exhibit_id}", "exhibit.retained")]
    assert who == ["investigator", "investigator", "system"]

    for body, code in (
        ({"until": (until - timedelta(days=1)).isoformat()}, (409, "retention.shorter")),
        ({"until": (until + timedelta(days=40_000)).isoformat()}, (422, "retention.bad_until")),
    ):
        assert refusal(investigator("POST", path, json=body)) == code
    assert investigator.post(path, category="minor")["retain_until"] == term["retain_until"]
    with system.services.database.begin(ended.person(system, "investigator")) as work, pytest.raises(Conflict):
        work.session.connection().exec_driver_sql(
            f"UPDATE exhibits SET retain_until = retain_until - interval '1 s' WHERE id = '{exhibit_id}'"
        )


def blob_of(system, rendition_id):
    ((blob_id,),) = system.rows("SELECT blob_id FROM redaction_renditions WHERE id = :id", id=rendition_id)
    return blob_id


def test_holds_stand_each_by_itself(system):
    """One on the exhibit, one on its case: the store's own ends with the last. A prosecutor lifts, nobody else."""
    case_id = system.case()
    exhibit_id = system.sealed(case_id, b"held " * 20, "held.txt")
    investigator, prosecutor = system.api("investigator"), system.api("prosecutor")
    store, place = system.services.store, ended.place_of(system, exhibit_id)
    first = investigator.post(f"/api/v1/exhibits/{exhibit_id}/holds", ground="appeal", note="№ 7 от 1 марта")
    second = prosecutor.post(f"/api/v1/cases/{case_id}/holds", ground="wanted")
    follow(system, exhibit_id)
    assert store.is_held(*place)
    assert [one["data"]["ground"] for one in system.events(f"exhibit:{exhibit_id}", "exhibit.held")] == ["appeal"]
    assert "№ 7" not in str(system.events(f"exhibit:{exhibit_id}"))

    # sealed while the case is held: the beat notices
    late = system.sealed(case_id, b"late " * 20, "late.txt")
    assert retaining.follow(system.services) == 1
    assert retaining.follow(system.services) == 0
    follow(system, late)
    assert store.is_held(*ended.place_of(system, late))

    lift = {"json": {"ground": "ground_ended"}}
    assert refusal(investigator("POST", f"/api/v1/holds/{first['id']}/lift", **lift)) == (403, "access.denied")
    prosecutor.post(f"/api/v1/holds/{first['id']}/lift", ground="ground_ended")
    follow(system, exhibit_id)
    assert store.is_held(*place)
    assert refusal(prosecutor("POST", f"/api/v1/holds/{first['id']}/lift", **lift)) == (409, "hold.lifted")
    prosecutor.post(f"/api/v1/holds/{second['id']}/lift", ground="court_order")
    follow(system, exhibit_id)
    assert not store.is_held(*place)
    term = prosecutor.get(f"/api/v1/exhibits/{exhibit_id}/retention")
    assert (term["held"], term["store_holds"], [one["lift_ground"] for one in term["holds"]]) == (
        False,
        0,
        ["ground_ended", "court_order"],
    )


@pytest.fixture(scope="module")
def over(system):
    """A case with two exhibits whose terms are over."""
    case_id = system.case()
    exhibits = [ended.sealed_briefly(system, case_id, b"over %d" % n * 9, f"{n}.txt") for n in (1, 2)]
    ended.wait_for_end(system, *exhibits)
    return case_id, exhibits


def test_a_hold_wins_over_an_approved_act(system, over):
    case_id, (exhibit_id, _) = over
    act = ended.approved(system, case_id, exhibit_id)
    hold = system.api("investigator").post(f"/api/v1/exhibits/{exhibit_id}/holds", ground="new_facts")
    follow(system, exhibit_id)
    assert system.work_off(f"disposal:{act['id']}") == ["failed"]
    path = f"/api/v1/disposals/{act['id']}"
    stopped = system.api("auditor").get(path)
    assert (stopped["state"], stopped["reason"]) == ("stopped", "disposal.held")
    asked = {"json": {"exhibits": [exhibit_id]}}
    propose = f"/api/v1/cases/{case_id}/disposals"
    assert refusal(system.api("prosecutor")("POST", propose, **asked)) == (409, "disposal.held")
    system.api("prosecutor").post(f"/api/v1/holds/{hold['id']}/lift", ground="ground_ended")
    follow(system, exhibit_id)
    assert system.api("auditor").get(path)["state"] == "stopped"
    assert system.api("prosecutor")("GET", f"/api/v1/exhibits/{exhibit_id}/content").content == b"over 1" * 9


def test_two_people_who_read_this_very_act(system, over):
    case_id, exhibits = over
    prosecutor, supervisor = system.api("prosecutor"), system.api("supervising_prosecutor")
    act = prosecutor.post(f"/api/v1/cases/{case_id}/disposals", exhibits=exhibits)
    path, seen = f"/api/v1/disposals/{act['id']}", {"json": {"act_sha256": act["act_sha256"]}}
    again = prosecutor("POST", f"/api/v1/cases/{case_id}/disposals", json={"exhibits": exhibits[:1]})
    assert refusal(again) == (409, "disposal.in_an_act")
    assert refusal(supervisor("POST", f"{path}/approve", **seen)) == (409, "disposal.wrong_state")
    other = {"json": {"act_sha256": "sha256:" + "0" * 64}}
    assert refusal(prosecutor("POST", f"{path}/sign", **other)) == (409, "disposal.other_act")
    assert refusal(system.api("investigator")("POST", f"{path}/sign", **seen)) == (403, "access.denied")
    prosecutor.post(f"{path}/sign", **seen["json"])
    assert refusal(prosecutor("POST", f"{path}/approve", **seen)) == (403, "disposal.self_approval")

    # a job on one of them, then something it made that the act does not name
    job = system.api("prosecutor")
    investigated = exhibits[1]
    with system.services.database.begin(ended.person(system, "prosecutor")) as work:
        work.enqueue("plan.suggest", subject="plan:x", plan=investigated, exhibit=investigated)
        work.commit()
    assert refusal(supervisor("POST", f"{path}/approve", **seen)) == (409, "disposal.busy")
    with system.services.database.begin(ended.person(system, "prosecutor")) as work:
        work.session.connection().exec_driver_sql("UPDATE jobs SET state = 'failed' WHERE subject = 'plan:x'")
        work.commit()
    until = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    job.post(f"/api/v1/exhibits/{investigated}/retention", until=until)
    assert refusal(supervisor("POST", f"{path}/approve", **seen)) == (409, "disposal.wrong_state")
    assert system.api("auditor").get(path)["reason"] == "retention.extended"
    answer = prosecutor("POST", f"/api/v1/cases/{case_id}/disposals", json={"exhibits": [investigated]})
    assert refusal(answer) == (409, "disposal.term_stands")
    follow(system, investigated)


def test_rules_are_versions(system):
    """An administrator's change is a new version with its digest in the ledger; the old one is kept to the byte."""
    administrator, path = system.api("administrator"), "/api/v1/retention-rules"
    first = administrator.get(f"{path}/1")
    assert (first["sha256"], first["made_by"]) == (delivered().sha256, None)
    rules = deepcopy(first["rules"][:2])
    rules[0]["term_days"] += 1
    made = administrator.post(path, rules=rules)
    assert made["version"] == 2
    said = [one["data"] for one in system.events("system", "config.changed")]
    assert [(one["setting"], one["sha256"]) for one in said] == [
        ("retention_rules/1", first["sha256"]),
        ("retention_rules/2", made["sha256"]),
    ]
    assert refusal(administrator("POST", path, json={"rules": rules})) == (409, "rules.unchanged")
    assert refusal(system.api("prosecutor")("POST", path, json={"rules": rules})) == (403, "access.denied")
    assert administrator.get(f"{path}/1") == first
    rules[1]["min_days"] = rules[1]["term_days"] + 1
    assert refusal(administrator("POST", path, json={"rules": rules})) == (422, "rules.bad_days")
    administrator.post(path, rules=first["rules"])
