"""An exhibit whose term is over, from the proposal to the tombstone, on the real store with real locks."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from custody.kernel.errors import Gone, NotFound
from custody.proof import policy, verify
from evidence_api import prepare
from evidence_api.use_cases import disposing, reading
from portal import app
from storage.ports import EVIDENCE, RENDITIONS
from storage.seal import evidence_key
from tests import acts, ended
from tests.whole import BASE_URL

DATA = acts.picture(11)


@pytest.fixture(scope="module")
def told(system):
    """A destroyed exhibit with a rendition, and one that stands, in one case."""
    case_id = system.case()
    gone = ended.sealed_briefly(system, case_id, DATA, "gone.png")
    stands = system.sealed(case_id, acts.picture(12), "stands.png")
    renditions = acts.burned(system, gone)
    ended.wait_for_end(system, gone)
    act = ended.destroyed(system, case_id, gone)
    return {"case": case_id, "gone": gone, "stands": stands, "renditions": renditions, "act": act}


def test_keys_and_objects_are_gone(system, told):
    """What was burned near the end of the term is locked for a day at least: the act names it, without its key."""
    blob_ids = system.rows("SELECT blob_id FROM exhibits WHERE id = :id", id=told["gone"])
    blob_ids += system.rows("SELECT blob_id FROM redaction_renditions WHERE exhibit_id = :id", id=told["gone"])
    assert len(blob_ids) == 2
    (outcome,) = told["act"]["exhibits"]
    left = {one["object"] for one in outcome["locked"]}
    for (blob_id,), bucket in zip(blob_ids, (EVIDENCE, RENDITIONS), strict=True):
        rows = system.rows("SELECT wrapped_key, destroyed_at IS NOT NULL FROM blobs WHERE id = :id", id=blob_id)
        assert rows == [(b"", True)]
        stored = {f"{bucket}/{one.key}" for one in system.services.store.list(bucket, evidence_key(blob_id))}
        assert stored == left & {f"{bucket}/{evidence_key(blob_id)}"}
    assert f"{EVIDENCE}/{evidence_key(blob_ids[0][0])}" not in left
    assert (outcome["keys_destroyed"], outcome["objects_removed"]) == (2, 2 - len(left))
    uploads = "SELECT wrapped_key FROM uploads WHERE exhibit_id = :id"
    assert system.rows(uploads, id=told["gone"]) == [(b"",)]


def test_the_tombstone_stays(system, told):
    row = system.api("auditor").get(f"/api/v1/exhibits/{told['gone']}")
    assert (row["number"], row["sha256"]) == (1, "sha256:" + hashlib.sha256(DATA).hexdigest())
    assert told["act"]["state"] == "done"
    chain = [one["type"] for one in system.events(f"exhibit:{told['gone']}")]
    assert chain[-6:] == [
        *("disposal.proposed", "disposal.signed", "disposal.approved"),
        *("key.destroyed", "key.destroyed", "disposal.done"),
    ]
    digest = "sha256:" + hashlib.sha256(told["act"]["act"].encode()).hexdigest()
    assert {one["data"].get("act_sha256", digest) for one in system.events(f"exhibit:{told['gone']}")} == {digest}


@pytest.mark.parametrize("ask", ["content", "rendition", "transcript", "plan", "hold", "term", "act"])
def test_whoever_asks_is_told_so(system, told, ask):
    prosecutor, path = system.api("prosecutor"), f"/api/v1/exhibits/{told['gone']}"
    answer = {
        "content": lambda: prosecutor("GET", f"{path}/content", headers={"Range": "bytes=0-1"}),
        "rendition": lambda: prosecutor("GET", f"/api/v1/renditions/{told['renditions'][0]}/content"),
        "transcript": lambda: prosecutor("POST", f"{path}/transcript"),
        "plan": lambda: prosecutor("POST", f"{path}/plan"),
        "hold": lambda: prosecutor("POST", f"{path}/holds", json={"ground": "appeal"}),
        "term": lambda: prosecutor("POST", f"{path}/retention", json={"category": "grave"}),
        "act": lambda: prosecutor("POST", f"/api/v1/cases/{told['case']}/disposals", json={"exhibits": [told["gone"]]}),
    }[ask]()
    assert (answer.status_code, answer.json()["code"].partition(".")[2]) == (410, "destroyed")
    assert str(system.services.database.clock.now().year) in answer.json()["detail"]


def test_the_same_bytes_may_come_again_as_another_exhibit(system):
    """Never silently: the survey, both exhibits and their pages say so; the tombstone stays as it is."""
    case_id, data = system.case(), b"sent, destroyed, and sent again"
    gone = ended.sealed_briefly(system, case_id, data, "first.txt")
    ended.wait_for_end(system, gone)
    ended.destroyed(system, case_id, gone)
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    asked = [{"filename": "again.txt", "size_bytes": len(data), "sha256": digest}]
    (found,) = system.api("investigator").post(f"/api/v1/cases/{case_id}/survey", files=asked)["items"]
    assert (found["state"], found["exhibit"], found["destroyed"]) == ("new", None, 1)
    again = system.sealed(case_id, data, "again.txt")
    prosecutor = system.api("prosecutor")
    assert prosecutor("GET", f"/api/v1/exhibits/{again}/content").content == data
    told = prosecutor.get(f"/api/v1/exhibits/{again}/retention")["same_bytes"]
    assert [(one["exhibit"], one["number"]) for one in told] == [(gone, 1)]
    assert told[0]["destroyed_at"]
    told = prosecutor.get(f"/api/v1/exhibits/{gone}/retention")["same_bytes"]
    assert told == [{"exhibit": again, "number": 2, "destroyed_at": None}]
    answer = prosecutor("GET", f"/api/v1/exhibits/{gone}/content")
    assert (answer.status_code, answer.json()["code"]) == (410, "exhibit.destroyed")
    # a third time it is what the case has
    (found,) = system.api("investigator").post(f"/api/v1/cases/{case_id}/survey", files=asked)["items"]
    assert (found["state"], found["exhibit"], found["destroyed"]) == ("sealed", again, None)
    answer = system.api("investigator").begin_upload(case_id, data, "third.txt")
    assert (answer.json()["code"], answer.json()["params"]) == ("exhibit.duplicate", {"number": 2})
    pages = TestClient(app.build(system.services), base_url=BASE_URL)
    headers = {"Authorization": f"Bearer {system.members['prosecutor'].token}", "Cookie": "language=en"}
    for here, there in ((gone, again), (again, gone)):
        page = pages.get(f"/exhibits/{here}", headers=headers)
        assert page.status_code == 200
        assert "The same file was" in page.text
        assert f'href="/exhibits/{there}"' in page.text


def test_the_next_package_says_so(system, told, tmp_path):
    """A round accounts for what was destroyed by itself, whatever ground was drafted for it."""
    renditions = acts.burned(system, told["stands"])
    disclosure_id = acts.ready(system, told["case"], renditions, **{told["gone"]: "under_review"})
    package = tmp_path / "package.zip"
    answer = system.api("defence")("GET", f"/api/v1/disclosures/{disclosure_id}/package")
    package.write_bytes(answer.content)
    verify.verify_path(package, policy.parse(system.services.policy.encode()))
    day = f"{system.services.database.clock.now():%Y-%m-%d}"
    assert f"Destroyed on {day} under destruction act No. 1".encode() in answer.content


def test_a_round_with_a_file_of_it_is_not_released(system, told):
    renditions = [*acts.burned(system, told["stands"]), *told["renditions"]]
    disclosure_id = acts.draft_round(system, told["case"], renditions)
    answer = system.api("prosecutor")("POST", f"/api/v1/disclosures/{disclosure_id}/release")
    assert (answer.status_code, answer.json()["code"]) == (410, "exhibit.destroyed")


def test_words_go_with_their_exhibit(system):
    case_id = system.case()
    exhibit_id = ended.sealed_briefly(system, case_id, acts.sound(2.0, 20.0), "said.flac")
    transcript = acts.confirmed(system, exhibit_id)
    acts.suggested(system, exhibit_id)
    ended.wait_for_end(system, exhibit_id)
    ended.destroyed(system, case_id, exhibit_id)
    revisions = "SELECT count(*), max(content), count(confirmed_by) FROM revisions WHERE transcript_id = :id"
    assert system.rows(revisions, id=transcript["id"]) == [(2, "", 1)]
    words = (
        "SELECT DISTINCT text FROM redaction_suggestions JOIN redaction_plans ON redaction_plans.id = plan_id"
        " WHERE exhibit_id = :id"
    )
    assert system.rows(words, id=exhibit_id) == [("",)]
    answer = system.api("prosecutor")("GET", f"/api/v1/exhibits/{exhibit_id}/transcript")
    assert (answer.status_code, answer.json()["code"]) == (410, "transcript.destroyed")


def test_what_is_locked_goes_later(system):
    """The term is over, the store's lock is not: the key goes at once, the object when the lock has ended."""
    case_id = system.case()
    exhibit_id = ended.sealed_briefly(system, case_id, b"locked " * 99, "locked.txt")
    assert ended.propose_due(system) >= 1
    (act,) = system.api("prosecutor").get(f"/api/v1/cases/{case_id}/disposals")["items"]
    path, seen = f"/api/v1/disposals/{act['id']}", {"act_sha256": act["act_sha256"]}
    system.api("prosecutor").post(f"{path}/sign", **seen)
    system.api("supervising_prosecutor").post(f"{path}/approve", **seen)
    store, place = system.services.store, ended.place_of(system, exhibit_id)
    store.lock(*place, datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6))
    assert system.work_off(f"disposal:{act['id']}") == ["done"]
    (outcome,) = system.api("auditor").get(path)["exhibits"]
    assert (outcome["keys_destroyed"], outcome["objects_removed"], len(outcome["locked"])) == (1, 0, 1)
    with pytest.raises(Gone):
        reading.blob(system.services, UUID(outcome["locked"][0]["object"].rpartition("/")[2]))

    ended.wait_for_end(system, exhibit_id)
    disposing.carry_on(system.services)
    disposing.carry_on(system.services)
    assert system.work_off(f"disposal:{act['id']}") == ["done"]
    (outcome,) = system.api("auditor").get(path)["exhibits"]
    assert (outcome["objects_removed"], outcome["locked"]) == (1, [])
    done = [one["data"] for one in system.events(f"exhibit:{exhibit_id}", "disposal.done")]
    assert [(one["keys_destroyed"], one["objects_removed"], one.get("objects_locked")) for one in done] == [
        (1, 0, 1),
        (0, 1, None),
    ]
    with pytest.raises(NotFound):
        store.head(*place)


def test_the_check_of_the_ledger_knows_what_was_destroyed(system, told):
    from evidence_api.use_cases import checking

    found = checking.check(system.services, deep=True)
    assert found.difference is None, found.difference


def test_the_beat_proposes_once(system):
    case_id = system.case()
    exhibit_id = system.sealed(case_id, b"proposed " * 9, "proposed.txt")
    prepare.upkeep(system.services).run_due()
    assert system.api("auditor").get(f"/api/v1/cases/{case_id}/disposals")["items"] == []
    month = timedelta(days=31)
    assert ended.propose_due(system, month) >= 1
    assert ended.propose_due(system, month) == 0
    (act,) = system.api("auditor").get(f"/api/v1/cases/{case_id}/disposals")["items"]
    assert (act["number"], act["state"], act["proposed_by"]) == (1, "proposed", None)
    assert [one["exhibit"] for one in act["exhibits"]] == [exhibit_id]

    system.api("prosecutor").post(f"/api/v1/disposals/{act['id']}/reject", reason="still_needed")
    assert ended.propose_due(system, month) == 0
    assert ended.propose_due(system, disposing.PATIENCE + timedelta(days=1)) >= 1
    assert len(system.api("auditor").get(f"/api/v1/cases/{case_id}/disposals")["items"]) == 2
