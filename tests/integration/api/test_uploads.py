"""Bad uploads through the public API: each refused with its code and its sentence, recorded, nothing half done."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest

from evidence_api.use_cases import intake
from storage.ports import EVIDENCE
from storage.seal import evidence_key
from tests import acts
from tests.integration.api.refusals import counts, denials, refused

PNG = acts.picture(99)


@pytest.fixture(scope="module")
def case_id(system):
    return system.case()


def blob_of(system, exhibit_id):
    query = "SELECT u.blob_id, u.state FROM uploads u JOIN exhibits e ON e.upload_id = u.id WHERE e.id = :id"
    ((blob_id, state),) = system.rows(query, id=exhibit_id)
    return blob_id, state


def in_store(system, exhibit_id):
    """How many objects the store holds for an exhibit, tails included."""
    blob_id, _ = blob_of(system, exhibit_id)
    return len(list(system.services.store.list(EVIDENCE, evidence_key(blob_id)))) + system.tails(blob_id)


def test_zero_bytes(system, case_id):
    before = counts(system)
    api = system.api("investigator")
    refused(lambda said: api.begin_upload(case_id, b"", "empty.bin", headers=said), 422, "exhibit.empty")
    assert counts(system) == before


def test_a_refused_act_is_recorded_with_its_code(system):
    """U1: also what somebody was allowed to try; a reader's mistakes are not acts."""
    case_id, api = system.case(), system.api("investigator")
    api.begin_upload(case_id, b"", "empty.bin")
    api("POST", "/api/v1/uploads", headers={"Tus-Resumable": "0.9"})
    told = [event["data"] for event in system.events(f"case:{case_id}", "act.refused")]
    assert told == [{"action": "upload.create", "code": "exhibit.empty"}]
    assert api("GET", f"/api/v1/cases/{case_id}/exhibits?cursor=nonsense").status_code == 422
    assert len(system.events(f"case:{case_id}", "act.refused")) == 1


def test_larger_than_the_limit(system, case_id):
    api, before = system.api("investigator"), counts(system)
    size = {"Upload-Length": str(system.settings.upload_limit_bytes + 1)}
    refused(lambda said: api.begin_upload(case_id, b"x", "big.bin", headers=said | size), 413, "exhibit.too_large")
    assert counts(system) == before


BAD_NAMES = ["", ".", "..", "a/b.txt", "a\\b.txt", "a\nb.txt", "a\0b.txt", "ұ" * 128, "ұ" * 127 + "ab"]
GOOD_NAMES = ["🎥 жазба 👮🏽.mp4", "ұ" * 127 + "a", "с пробелом.txt", "Қ", "a'b\"c;d.txt", "%2e%2e%2f.txt", "con.txt"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=[f"bad-{number}" for number in range(len(BAD_NAMES))])
def test_names_that_are_refused(system, case_id, name):
    before, api = counts(system), system.api("investigator")
    refused(lambda said: api.begin_upload(case_id, b"named", name, headers=said), 422, "upload.bad_name")
    assert counts(system) == before


@pytest.mark.parametrize("name", GOOD_NAMES, ids=[f"good-{number}" for number in range(len(GOOD_NAMES))])
def test_names_that_are_kept_exactly(system, case_id, name):
    data = name.encode() * 3
    exhibit_id = system.sealed(case_id, data, name)
    api = system.api("prosecutor")
    assert api.get(f"/api/v1/exhibits/{exhibit_id}")["filename"] == name
    assert len(name.encode()) <= 255
    answer = api("GET", f"/api/v1/exhibits/{exhibit_id}/content")
    assert answer.content == data
    assert answer.headers["content-disposition"].isascii()


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"sha256": "abc"}, 422, "upload.bad_digest"),
        ({"retain_days": "0"}, 422, "retention.bad_days"),
        ({"retain_days": "-5"}, 422, "retention.bad_days"),
        ({"basis": "because"}, 422, "retention.bad_basis"),
        ({"purpose": ""}, 422, "retention.bad_purpose"),
        ({"folder": "../up"}, 422, "upload.bad_folder"),
    ],
)
def test_a_form_that_says_too_little(system, case_id, said, status, code):
    before, api = counts(system), system.api("investigator")
    refused(lambda lang: api.begin_upload(case_id, b"form", "f.bin", headers=lang, **said), status, code)
    assert counts(system) == before


def test_a_case_that_is_not_there_or_somebody_elses(system, case_id):
    """The same words for both; the second is on the record of the case."""
    before = counts(system)
    mine, others = system.api("investigator"), system.api("other investigator")
    for wrong in ("01900000-0000-7000-8000-000000000000", "not-a-case", ""):
        refused(
            lambda said, wrong=wrong: mine.begin_upload(wrong, b"x", "x.bin", headers=said), 404, "access.not_found"
        )
    denied = denials(system, f"case:{case_id}", "other investigator")
    refused(lambda said: others.begin_upload(case_id, b"x", "x.bin", headers=said), 404, "access.not_found")
    assert denials(system, f"case:{case_id}", "other investigator") == denied + 3
    assert counts(system) == before


def test_somebody_elses_upload(system, case_id):
    """Also of a colleague on the same case: only who began it sends."""
    created = system.api("investigator").begin_upload(case_id, b"mine alone", "mine.bin")
    location = created.headers["Location"]
    for who, status, code in (("other investigator", 404, "access.not_found"), ("prosecutor", 403, "access.denied")):
        api = system.api(who)
        refused(lambda said, api=api: api.append(location, b"theirs", **said), status, code)
        refused(lambda said, api=api: api("DELETE", location, headers=said), status, code)
    assert system.api("investigator")("HEAD", location).headers["Upload-Offset"] == "0"
    assert system.api("investigator")("DELETE", location).status_code == 204


def test_the_same_file_twice(system, case_id):
    exhibit_id = system.sealed(case_id, b"only once", "once.bin")
    number = system.api("investigator").get(f"/api/v1/exhibits/{exhibit_id}")["number"]
    before, api = counts(system), system.api("investigator")
    problem = refused(
        lambda said: api.begin_upload(case_id, b"only once", "twice.bin", headers=said), 409, "exhibit.duplicate"
    )
    assert problem["params"] == {"number": number}
    assert counts(system) == before


def test_a_wrong_digest_is_refused_when_it_is_checked(system, case_id):
    """Refused on the record, its object removed, and the same file may be sent again with the right digest."""
    data = b"what really came"
    wrong = hashlib.sha256(b"what was announced").hexdigest()
    exhibit_id = system.api("investigator").upload(case_id, data, "wrong.bin", sha256=wrong)
    assert in_store(system, exhibit_id) == 1
    assert system.work_off(f"exhibit:{exhibit_id}") == ["failed", "done"]
    exhibit = system.api("investigator").get(f"/api/v1/exhibits/{exhibit_id}")
    assert (exhibit["state"], exhibit["reason"]) == ("refused", "upload.digest_mismatch")
    (event,) = system.events(f"exhibit:{exhibit_id}", "upload.refused")
    assert event["data"]["reason"] == "upload.digest_mismatch"
    assert system.events(f"exhibit:{exhibit_id}", "exhibit.sealed") == []
    assert in_store(system, exhibit_id) == 0
    api = system.api("prosecutor")
    path = f"/api/v1/exhibits/{exhibit_id}/content"
    refused(lambda said: api("GET", path, headers=said), 409, "exhibit.not_sealed")
    assert system.sealed(case_id, data, "right.bin")


def test_larger_than_announced(system, case_id):
    """Nothing of the body is taken, with a length and without; what is announced may still come."""
    api = system.api("investigator")
    created = api.begin_upload(case_id, b"exactly ten", "ten.bin")
    location, exhibit_id = created.headers["Location"], created.headers["Dalel-Exhibit"]
    assert api.append(location, b"exactly").status_code == 204
    refused(lambda said: api.append(location, b" ten and more", 7, **said), 413, "upload.larger_than_announced")
    chunked = iter([b" ten", b" and", b" more"])
    answer = api.append(location, chunked, 7)
    assert (answer.status_code, answer.json()["code"]) == (413, "upload.larger_than_announced")
    assert api("HEAD", location).headers["Upload-Offset"] == "7"
    assert api.append(location, b" ten", 7).status_code == 204
    assert system.work_off(f"exhibit:{exhibit_id}") == ["done"]
    refused(lambda said: api.append(location, b"!", 11, **said), 409, "upload.already_received")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Tus-Resumable": "0.2"}, "upload.wrong_tus_version"),
        ({"Content-Type": "text/plain"}, "upload.wrong_content_type"),
        ({"Upload-Offset": "+0"}, "upload.bad_length"),
        ({"Upload-Offset": "٣"}, "upload.bad_length"),
        ({"Upload-Checksum": "md5 AAAA"}, "upload.bad_checksum_header"),
        ({"Upload-Checksum": "sha256 " + "A" * 43 + "="}, "upload.checksum_mismatch"),
    ],
)
def test_a_malformed_part(system, case_id, headers, code):
    api = system.api("investigator")
    location = api.begin_upload(case_id, os.urandom(9), "part.bin").headers["Location"]
    sent = {name: value.encode() for name, value in headers.items()}
    refused(lambda said: api.append(location, b"part", **sent, **said), 422, code)
    assert api("HEAD", location).headers["Upload-Offset"] == "0"
    api("DELETE", location)


def test_a_wrong_offset_names_the_right_one(system, case_id):
    api = system.api("investigator")
    location = api.begin_upload(case_id, b"0123456789", "offset.bin").headers["Location"]
    api.append(location, b"012")
    problem = refused(lambda said: api.append(location, b"x", 5, **said), 409, "upload.wrong_offset")
    assert problem["params"] == {"expected": 3}
    api("DELETE", location)


def test_an_abandoned_upload_expires_and_leaves_nothing(system, case_id):
    """The clock is moved past its life; it is discarded on the record, its parts are removed, its number is taken."""
    api = system.api("investigator")
    created = api.begin_upload(case_id, b"never all of it", "abandoned.bin")
    location, exhibit_id = created.headers["Location"], created.headers["Dalel-Exhibit"]
    api.append(location, b"never")
    assert in_store(system, exhibit_id) == 1
    later = system.variant(moved=timedelta(seconds=system.settings.upload_lifetime_seconds + 60))
    token = {"Authorization": f"Upload {created.headers['Upload-Token']}"}

    def late(said):
        return system.api(None, later).append(location, b" all", 5, **token, **said)

    refused(late, 410, "upload.expired")
    assert system.api(None, later)("HEAD", location, headers=token).status_code == 410
    assert intake.expire(later) >= 1
    refused(late, 410, "upload.expired")
    assert system.api(None, later)("HEAD", location, headers=token).status_code == 410
    assert system.work_off(f"exhibit:{exhibit_id}") == ["done"]
    assert in_store(system, exhibit_id) == 0
    (event,) = system.events(f"exhibit:{exhibit_id}", "upload.expired")
    assert event["data"]["received_bytes"] == 5
    exhibit = api.get(f"/api/v1/exhibits/{exhibit_id}")
    assert (exhibit["state"], exhibit["reason"]) == ("discarded", "upload.expired")
    again = api.get(f"/api/v1/exhibits/{system.sealed(case_id, b'never all of it', 'again.bin')}")
    assert again["number"] > exhibit["number"]
    assert intake.expire(later) == 0


def test_an_upload_given_up(system, case_id):
    api = system.api("investigator")
    created = api.begin_upload(case_id, b"given up on", "given-up.bin")
    location, exhibit_id = created.headers["Location"], created.headers["Dalel-Exhibit"]
    api.append(location, b"given")
    assert api("DELETE", location).status_code == 204
    assert api("DELETE", location).status_code in (204, 409)
    refused(lambda said: api.append(location, b" up", 5, **said), 410, "upload.terminated")
    assert api("HEAD", location).status_code == 410
    assert system.work_off(f"exhibit:{exhibit_id}") == ["done"]
    assert in_store(system, exhibit_id) == 0
    (event,) = system.events(f"exhibit:{exhibit_id}", "exhibit.discarded")
    assert event["data"]["reason"] == "upload.terminated"


def test_a_pdf_that_is_a_png(system, case_id):
    """Accepted as what it is; that its name says otherwise is known."""
    exhibit_id = system.sealed(case_id, PNG, "protocol.pdf")
    exhibit = system.api("prosecutor").get(f"/api/v1/exhibits/{exhibit_id}")
    assert (exhibit["media_type"], exhibit["filename"]) == ("image/png", "protocol.pdf")
    assert exhibit["name_mismatch"] is True
    answer = system.api("prosecutor")("GET", f"/api/v1/exhibits/{exhibit_id}/content?view=true")
    assert (answer.headers["content-type"], answer.content) == ("image/png", PNG)


def test_a_name_that_says_what_it_is(system, case_id):
    exhibit_id = system.sealed(case_id, acts.picture(100), "scene.PNG")
    assert system.api("prosecutor").get(f"/api/v1/exhibits/{exhibit_id}")["name_mismatch"] is False


TUSPY = """
import json, sys
from tusclient.client import TusClient

said = json.load(sys.stdin)
client = TusClient(said["url"], headers={"Authorization": f"Bearer {said['token']}"})
first = client.uploader(said["path"], chunk_size=100_000, metadata=said["metadata"])
first.upload_chunk()
assert first.offset == 100_000
second = client.uploader(said["path"], chunk_size=70_000, url=first.url)
assert second.get_offset() == 100_000
second.upload()
"""


def test_the_official_tus_client(system, case_id, server, tmp_path):
    """tuspy, unmodified: in pieces, broken off, gone on with by another client from where it durably was."""
    data = os.urandom(300_000)
    path = tmp_path / "жазба.bin"
    path.write_bytes(data)
    metadata = {
        "filename": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "case": case_id,
        "basis": "seizure",
        "purpose": "pretrial",
        "retain_days": "30",
    }
    token = system.members["investigator"].token
    said = {"url": f"{server}/api/v1/uploads", "token": token, "path": str(path), "metadata": metadata}
    command = [sys.executable, "-c", TUSPY]
    outcome = subprocess.run(command, input=json.dumps(said), capture_output=True, text=True, check=False, timeout=120)
    assert outcome.returncode == 0, outcome.stderr
    (exhibit_id,) = system.rows("SELECT id FROM exhibits WHERE filename = 'жазба.bin' AND case_id = :id", id=case_id)[0]
    assert system.work_off(f"exhibit:{exhibit_id}") == ["done"]
    assert system.api("prosecutor")("GET", f"/api/v1/exhibits/{exhibit_id}/content").content == data
