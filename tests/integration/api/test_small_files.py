"""Many small files in one request: all are taken or each has its reason, once, and each is sealed like any other."""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage import whole
from storage.ports import EVIDENCE
from tests.integration.api.refusals import counts, refused

TYPE = "application/vnd.dalel.small-files"


@pytest.fixture
def case_id(system):
    return system.case()


def listed(name, data, **said):
    digest = hashlib.sha256(data).hexdigest()
    return {"filename": name, "folder": "Тінту/ішкі", "size_bytes": len(data), "sha256": digest} | said


def body(files, contents=None, **said):
    listing = {"basis": "seizure", "purpose": "pretrial", "retain_days": 30} | said | {"files": files}
    return json.dumps(listing, ensure_ascii=False).encode() + b"\n" + b"".join(contents or [])


def send(api, case_id, content, **headers):
    sent = {"Content-Type": TYPE} | {name.replace("_", "-"): value for name, value in headers.items()}
    return api("POST", f"/api/v1/cases/{case_id}/small-files", headers=sent, content=content)


def taken(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def objects(system):
    return len(list(system.services.store.list(EVIDENCE, "")))


def test_a_folder_at_once(system, case_id):
    api, datas = system.api("investigator"), [os.urandom(size) for size in (1, 4096, 70_000, 300)]
    names = ["қолхат 📷.txt", "b.bin", "c", "d.jpg"]
    items = taken(send(api, case_id, body([listed(*one) for one in zip(names, datas, strict=True)], datas)))
    assert [one["code"] for one in items] == [None] * 4
    for number, (name, data, one) in enumerate(zip(names, datas, items, strict=True), 1):
        exhibit = api.get(f"/api/v1/exhibits/{one['exhibit']}")
        assert (exhibit["number"], exhibit["filename"], exhibit["folder"]) == (number, name, "Тінту/ішкі")
        assert system.work_off(f"exhibit:{one['exhibit']}") == ["done"]
        assert system.api("prosecutor")("GET", f"/api/v1/exhibits/{one['exhibit']}/content").content == data
        types = [said["type"] for said in system.events(f"exhibit:{one['exhibit']}")]
        assert types[:3] == ["exhibit.registered", "upload.finished", "exhibit.sealed"]


def test_one_that_is_refused_stops_no_other(system, case_id):
    api, good, copied, held = system.api("investigator"), b"good", b"twice among them", b"in the case already"
    system.sealed(case_id, held, "before.bin")
    before = objects(system)
    files = [
        listed("held", held),
        listed("good", good),
        listed("a/b", b"name"),
        listed("empty", b""),
        listed("other", b"other", sha256="0" * 64),
        listed("digest", b"digest", sha256="no digest"),
        listed("copy 1", copied),
        listed("copy 2", copied),
    ]
    contents = [held, good, b"name", b"", b"other", b"digest", copied, copied]
    items = taken(send(api, case_id, body(files, contents)))
    codes = [one["code"] for one in items]
    assert codes == [
        "exhibit.duplicate",
        None,
        "upload.bad_name",
        "exhibit.empty",
        "upload.digest_mismatch",
        "digest.invalid",
        None,
        "exhibit.duplicate",
    ]
    assert items[0]["params"] == {"number": 1}
    assert items[7]["params"] == {"number": 3}
    # what was refused left nothing in the store, and every refusal is on the record
    assert objects(system) == before + 2
    refusals = [one["data"]["code"] for one in system.events(f"case:{case_id}", "act.refused")]
    assert sorted(refusals) == sorted(code for code in codes if code)


def test_repeated_under_its_key_it_acts_once(system, case_id):
    api, data = system.api("investigator"), os.urandom(900)
    content = body([listed("once.bin", data)], [data])
    first = taken(send(api, case_id, content, Idempotency_Key="folder-0001"))
    again = send(api, case_id, content, Idempotency_Key="folder-0001")
    assert (again.headers["Idempotency-Replayed"], taken(again)) == ("true", first)
    assert taken(send(api, case_id, content))[0]["code"] == "exhibit.duplicate"


def test_the_sender_learns_that_it_is_their_own(system, case_id):
    data = os.urandom(700)
    asked = {"files": [{"filename": "x", "size_bytes": 700, "sha256": "sha256:" + hashlib.sha256(data).hexdigest()}]}
    taken(send(system.api("investigator"), case_id, body([listed("x", data)], [data])))
    (found,) = system.api("investigator").post(f"/api/v1/cases/{case_id}/survey", **asked)["items"]
    assert (found["state"], found["mine"]) == ("checking", True)


def test_two_at_once_with_the_same_files(system, case_id):
    """Numbers stay gapless, each file is there once, and nothing is left of those that were second."""
    api, datas = system.api("investigator"), [os.urandom(200) for _ in range(12)]
    before = objects(system)
    content = body([listed(f"{number}", data) for number, data in enumerate(datas)], datas)
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: taken(send(api, case_id, content)), range(3)))
    for place in range(len(datas)):
        codes = sorted(answer[place]["code"] or "" for answer in answers)
        assert codes == ["", "exhibit.duplicate", "exhibit.duplicate"]
    numbers = system.rows("SELECT number FROM exhibits WHERE case_id = :id ORDER BY number", id=case_id)
    assert [number for (number,) in numbers] == list(range(1, 13))
    assert objects(system) == before + len(datas)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "request.invalid"),
        (b"\n", "request.invalid"),
        (b"\xff\xfe\nabc", "request.invalid"),
        (b"[" * 100_000 + b"\n", "request.invalid"),
        (body([]), "request.invalid"),
        (body([{"filename": "a", "size_bytes": -1, "sha256": "0" * 64}]), "request.invalid"),
        (body([{"filename": "a", "size_bytes": whole.MOST_BYTES + 1, "sha256": "0" * 64}]), "request.invalid"),
        (body([listed("a", b"x")] * 501, [b"x"] * 501), "request.invalid"),
        (body([listed("a", b"four")], [b"fiv"]), "upload.listing_mismatch"),
        (body([listed("a", b"four")], [b"fourfive"]), "upload.listing_mismatch"),
    ],
)
def test_what_is_no_such_request_changes_nothing(system, case_id, content, code):
    before, lay = counts(system), objects(system)
    api = system.api("investigator")
    refused(lambda said: send(api, case_id, content, **said), 422, code)
    assert (counts(system), objects(system)) == (before, lay)


def test_another_type_and_too_much(system, case_id):
    api, large = system.api("investigator"), bytes(system.settings.request_body_limit_bytes)
    content = body([listed("a", b"x")], [b"x"])
    refused(
        lambda said: send(api, case_id, content, Content_Type="text/plain", **said), 422, "upload.wrong_content_type"
    )
    refused(lambda said: send(api, case_id, content + large, **said), 413, "request.too_large")


def test_who_may(system, case_id):
    content = body([listed("a", b"x")], [b"x"])
    before = counts(system)
    assert send(system.api(None), case_id, content).status_code == 401
    for name in ("defence", "auditor", "administrator", "other investigator"):
        assert send(system.api(name), case_id, content).status_code in (403, 404), name
    assert counts(system) == before
