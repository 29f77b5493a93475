"""Before the first byte and after the last: surveys, states, receipts, and a provider's list held against what came."""

import hashlib
import io
from datetime import timedelta
from uuid import UUID

import pikepdf
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from custody.kernel.outbox import Actor
from evidence_api import prepare
from evidence_api.use_cases import delivering
from tests.integration.api.refusals import refused
from tests.whole import until


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def named(name, data, folder="", **more):
    return {"filename": name, "folder": folder, "size_bytes": len(data), "sha256": sha(data)} | more


def receipt(api, case_id, headers=None, **body):
    """The answer to a receipt's request once the log has caught up."""

    def asked():
        answer = api("POST", f"/api/v1/cases/{case_id}/receipts", json=body, headers=headers or {})
        return None if answer.status_code == 409 else answer

    return until(asked, 120)


@pytest.fixture(scope="module")
def case_id(system):
    return system.case()


def test_a_survey_says_what_awaits_each_file(system):
    case_id, api = system.case(), system.api("investigator")
    sealed = system.sealed(case_id, b"sealed", "a.txt")
    checking = api.upload(case_id, b"checking", "b.txt")
    begun = api.begin_upload(case_id, b"begun", "c.txt")
    system.api("prosecutor").begin_upload(case_id, b"theirs", "d.txt")
    files = [
        named("жаңа.txt", b"new"),
        named("e.txt", b"sealed"),
        named("b.txt", b"checking"),
        named("c.txt", b"begun"),
        named("d.txt", b"theirs"),
        named("empty.txt", b""),
        named("x" * 256, b"1"),
        named("a.txt", b"1", folder="a/../b"),
        named("big", b"1", size_bytes=2**50),
        {"filename": "no digest", "size_bytes": 5},
    ]
    before = len(system.events(f"case:{case_id}"))
    told = api.post(f"/api/v1/cases/{case_id}/survey", files=files)
    states = ["new", "sealed", "checking", "begun", "elsewhere", *["refused"] * 4, "new"]
    assert [one["state"] for one in told["items"]] == states
    assert [one["exhibit"] for one in told["items"][1:4]] == [sealed, checking, begun.headers["Dalel-Exhibit"]]
    assert begun.headers["Location"].endswith(told["items"][3]["upload"])
    codes = ["exhibit.empty", "upload.bad_name", "upload.bad_folder", "exhibit.too_large"]
    assert [one["code"] for one in told["items"][5:9]] == codes
    assert told["free_bytes"] is None
    assert len(system.events(f"case:{case_id}")) == before, "asking changes nothing"


def test_an_upload_whose_time_is_over_is_not_gone_on_with(system):
    case_id, api = system.case(), system.api("investigator")
    api.begin_upload(case_id, b"late", "late.txt")
    actor = Actor(UUID(system.members["investigator"].account_id), "investigator", "api")
    later = system.variant(moved=timedelta(seconds=system.settings.upload_lifetime_seconds + 1))
    late = [delivering.Candidate("late.txt", "", 4, sha(b"late"))]
    states = [
        delivering.survey(services, actor, UUID(case_id), late).findings[0].state
        for services in (system.services, later)
    ]
    assert states == ["begun", "elsewhere"]


def test_no_room_in_the_store_is_said_before_the_first_byte(system, tmp_path):
    settings = system.settings.model_copy(update={"store_volume": tmp_path, "store_reserve_bytes": 2**60})
    api = system.api("investigator", system.variant(settings=settings))
    told = api.post(f"/api/v1/cases/{system.case()}/survey", files=[named("a", b"1")])
    assert told["free_bytes"] == 0
    assert told["items"][0]["code"] == "upload.no_room"


def test_states_of_many_in_one_answer(system, case_id):
    api = system.api("investigator")
    mine, foreign = system.sealed(case_id, b"state", "s.txt"), system.sealed(system.case(), b"state", "s.txt")
    told = api.post(f"/api/v1/cases/{case_id}/states", exhibits=[mine, foreign])
    assert [(one["id"], one["state"], one["sha256"]) for one in told["items"]] == [(mine, "sealed", sha(b"state"))]


def test_a_receipt_is_signed_recorded_and_the_same_for_ever(system):
    case_id, api = system.case(), system.api("investigator")
    data = {f"файл {n} 📷.txt": f"content {n}".encode() for n in range(3)}
    exhibits = [system.sealed(case_id, content, name) for name, content in data.items()]
    failed = [{"path": "бос.txt", "code": "exhibit.empty"}]
    issued = receipt(api, case_id, {"Accept-Language": "ru"}, exhibits=exhibits, failed=failed).json()
    says = issued["says"]
    assert [(one["name"], one["sha256"]) for one in says["files"]] == [(name, sha(one)) for name, one in data.items()]
    assert says["failed"] == failed
    for line in says["files"]:
        (seal,) = system.rows("SELECT item, type FROM ledger_entries WHERE seq = :seq", seq=line["ledger_index"])
        assert tuple(seal) == (f"exhibit:{line['exhibit']}", "exhibit.sealed")
        assert line["ledger_index"] < says["checkpoint"]["size"]
    (event,) = system.events(f"case:{case_id}", "receipt.issued")
    first = api("GET", issued["pdf"]).content
    assert event["data"] == {
        "files": 3,
        "receipt": issued["id"],
        "sha256": sha(first),
        "size_bytes": sum(map(len, data.values())),
    }
    assert issued["sha256"] == sha(first)
    assert api("GET", issued["pdf"]).content == first
    assert api("GET", issued["pdf"], headers={"Range": "bytes=0-3"}).content == b"%PDF"
    with pikepdf.open(io.BytesIO(first)) as pdf:
        assert len(pdf.pages) >= 1
    assert api("GET", f"/api/v1/receipts/{issued['id']}").json() == issued
    listed = api("GET", f"/api/v1/cases/{case_id}/receipts").json()["items"]
    assert [one["id"] for one in listed] == [issued["id"]]


def test_what_no_receipt_can_be_given_for(system, case_id):
    api, path = system.api("investigator"), f"/api/v1/cases/{case_id}/receipts"
    begun = api.begin_upload(case_id, b"not yet", "n.txt").headers["Dalel-Exhibit"]
    theirs = system.sealed(case_id, b"mine", "m.txt")
    refused(lambda said: api("POST", path, json={}, headers=said), 422, "receipt.empty")
    wrong = {"exhibits": [begun]}
    refused(lambda said: api("POST", path, json=wrong, headers=said), 422, "receipt.not_deliverable")
    other = system.api("prosecutor")
    wrong = {"exhibits": [theirs]}
    refused(lambda said: other("POST", path, json=wrong, headers=said), 422, "receipt.not_deliverable")
    assert system.api("defence")("POST", path, json=wrong).status_code == 404
    issued = receipt(api, case_id, exhibits=[theirs]).json()
    assert system.api("other investigator")("GET", issued["pdf"]).status_code == 404
    assert system.api("auditor")("GET", issued["pdf"]).status_code == 200


def test_a_receipt_never_changes(system, case_id):
    exhibit = system.sealed(case_id, b"never", "never.txt")
    receipt(system.api("investigator"), case_id, exhibits=[exhibit])
    for change in ("UPDATE receipts SET files = 9", "DELETE FROM receipts"):
        with system.services.database.begin(prepare.OPERATOR) as work, pytest.raises(ProgrammingError, match="denied"):
            work.session.execute(text(change))


def test_a_providers_list_is_held_against_what_came(system):
    case_id, api = system.case(), system.api("investigator")
    came = {"data/a.txt": b"aaa", "data/b.txt": b"changed", "data/more.txt": b"more", "bagit.txt": b"tag"}
    exhibits = []
    for path, content in came.items():
        folder, _, name = path.rpartition("/")
        exhibit = api.upload(case_id, content, name, folder=f"bag/{folder}".rstrip("/"))
        assert system.work_off(f"exhibit:{exhibit}") == ["done"]
        exhibits.append(exhibit)
    given = {"data/a.txt": b"aaa", "data/b.txt": b"bbb", "data/gone.txt": b"gone"}
    lines = "".join(f"{sha(content)[7:]}  {path}\n" for path, content in given.items())
    told = {"text": lines, "format": "bagit", "root": "bag", "name": "manifest-sha256.txt"}
    found = receipt(api, case_id, exhibits=exhibits, list=told).json()["says"]["list"]
    assert (found["listed"], found["matched"]) == (3, 1)
    assert found["differing"] == [{"path": "data/b.txt", "expected": sha(b"bbb"), "found": sha(b"changed")}]
    assert (found["missing"], found["extra"]) == (["data/gone.txt"], ["data/more.txt"])
    (event,) = system.events(f"case:{case_id}", "intake.checked")
    counts = {"listed": 3, "matched": 1, "differing": 1, "missing": 1, "extra": 1}
    assert {name: event["data"][name] for name in counts} == counts
    assert event["data"]["manifest_sha256"] == sha(lines.encode())
    bad = told | {"text": "nonsense"}
    path = f"/api/v1/cases/{case_id}/receipts"
    body = {"exhibits": exhibits, "list": bad}
    refused(lambda said: api("POST", path, json=body, headers=said), 422, "hashlist.bad_line")
