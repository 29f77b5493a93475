"""Creation with bytes (tus 1.0, «Creation With Upload»), and an upload that is begun again from elsewhere."""

import base64
import os
from uuid import UUID

import pytest

from evidence_api.jobs import WORKER
from evidence_api.use_cases import intake
from storage import whole
from storage.ports import EVIDENCE
from storage.seal import evidence_key
from storage.tables import UploadRow
from tests.integration.api.refusals import counts, refused


@pytest.fixture(scope="module")
def case_id(system):
    return system.case()


def create(api, case_id, data, body, name="with-bytes.bin", headers=None):
    return api.begin_upload(case_id, data, name, headers, body)


def test_what_is_announced_before_the_first_byte(system):
    said = system.api("investigator")("OPTIONS", "/api/v1/uploads").headers
    assert said["tus-version"] == "1.0.0"
    assert said["tus-extension"] == "creation,creation-with-upload,checksum,expiration,termination"
    assert said["tus-checksum-algorithm"] == "sha256,sha1"
    assert int(said["tus-max-size"]) == system.settings.upload_limit_bytes


def test_a_small_file_in_one_request(system, case_id):
    """It needs no second request, nor a token; it waits for its seal like any other."""
    api, data = system.api("investigator"), os.urandom(4096)
    created = create(api, case_id, data, data)
    assert (created.status_code, created.headers["upload-offset"]) == (201, "4096")
    assert "upload-token" not in created.headers
    exhibit_id = created.headers["Dalel-Exhibit"]
    head = api("HEAD", created.headers["Location"])
    assert (head.status_code, head.headers["upload-offset"]) == (200, "4096")
    assert api.get(f"/api/v1/exhibits/{exhibit_id}")["state"] == "checking"
    assert system.work_off(f"exhibit:{exhibit_id}") == ["done"]
    assert system.api("prosecutor")("GET", f"/api/v1/exhibits/{exhibit_id}/content").content == data
    types = [one["type"] for one in system.events(f"exhibit:{exhibit_id}")]
    assert types[:3] == ["exhibit.registered", "upload.finished", "exhibit.sealed"]


@pytest.mark.parametrize("size", [whole.MOST_BYTES + 1, 3000])
def test_the_first_bytes_of_a_file(system, case_id, size):
    """The rest comes by PATCH from where the answer says."""
    api, data = system.api("investigator"), os.urandom(size)
    created = create(api, case_id, data, data[:1000])
    assert (created.status_code, created.headers["upload-offset"]) == (201, "1000")
    assert api.append(created.headers["Location"], data[1000:], 1000).status_code == 204
    assert system.work_off(f"exhibit:{created.headers['Dalel-Exhibit']}") == ["done"]


def test_what_is_wrong_with_it_is_said_before_anything_is_stored(system, case_id):
    api, before = system.api("investigator"), counts(system)
    listed = len(list(system.services.store.list(EVIDENCE, "")))
    right, wrong = b"what was hashed", b"what is sent now"[:15]
    refused(lambda said: create(api, case_id, right, wrong, headers=said), 422, "upload.digest_mismatch")
    other = {"Upload-Checksum": "sha1 " + base64.b64encode(bytes(20)).decode()}
    refused(lambda said: create(api, case_id, right, right, headers=said | other), 422, "upload.checksum_mismatch")
    plain = {"Content-Type": "text/plain"}
    refused(lambda said: create(api, case_id, right, right, headers=said | plain), 422, "upload.wrong_content_type")
    refused(lambda said: create(api, case_id, right, right, headers=said, name="a/b"), 422, "upload.bad_name")
    assert counts(system) == before
    assert len(list(system.services.store.list(EVIDENCE, ""))) == listed


def test_a_lost_answer_is_asked_for_again(system, case_id):
    api, data, key = system.api("investigator"), os.urandom(500), {"Idempotency-Key": "small-and-whole-0001"}
    first = create(api, case_id, data, data, headers=key)
    second = create(api, case_id, data, data, headers=key)
    assert (second.status_code, second.headers["Location"]) == (201, first.headers["Location"])
    refused(lambda said: create(api, case_id, data, data, headers=said), 409, "exhibit.duplicate")
    exhibit_id = first.headers["Dalel-Exhibit"]
    query = "SELECT blob_id FROM uploads WHERE exhibit_id = :id"
    ((blob_id,),) = system.rows(query, id=exhibit_id)
    assert len(list(system.services.store.list(EVIDENCE, evidence_key(blob_id)))) == 1
    assert system.work_off(f"exhibit:{exhibit_id}") == ["done"]


def test_the_same_person_goes_on_from_another_computer(system, case_id):
    """The same announcement finds the upload that is half sent: no «duplicate», nothing sent twice."""
    api, data = system.api("investigator"), os.urandom(5000)
    first = api.begin_upload(case_id, data, "half.bin")
    api.append(first.headers["Location"], data[:2000])
    again = api.begin_upload(case_id, data, "half.bin")
    assert (again.status_code, again.headers["upload-offset"]) == (201, "2000")
    assert (again.headers["Location"], again.headers["Dalel-Exhibit"]) == (
        first.headers["Location"],
        first.headers["Dalel-Exhibit"],
    )
    token = {"Authorization": f"Upload {again.headers['Upload-Token']}"}
    assert system.api(None)("HEAD", again.headers["Location"], headers=token).headers["upload-offset"] == "2000"
    whole_again = create(api, case_id, data, data, name="half.bin")
    assert (whole_again.status_code, whole_again.headers["upload-offset"]) == (201, "5000")
    assert system.work_off(f"exhibit:{first.headers['Dalel-Exhibit']}") == ["done"]


def left_alone(system, location):
    """As if its last byte had come a quarter of an hour ago."""
    with system.services.database.begin(WORKER) as work:
        row = work.session.get(UploadRow, UUID(location.rpartition("/")[2]))
        row.expires_at -= intake.STILL_SENDING
        work.commit()


def test_a_half_sent_twin_that_says_otherwise(system, case_id):
    """While bytes come it is a duplicate; left alone, its sender is told what to end, another person what to ask."""
    api, data = system.api("investigator"), os.urandom(5000)
    first = api.begin_upload(case_id, data, "half-2.bin")
    location = first.headers["Location"]
    api.append(location, data[:2000])
    refused(lambda said: api.begin_upload(case_id, data, "other.bin", headers=said), 409, "exhibit.duplicate")
    left_alone(system, location)
    problem = refused(lambda said: api.begin_upload(case_id, data, "other.bin", headers=said), 409, "exhibit.half_sent")
    assert problem["params"]["upload"] == location.rpartition("/")[2]
    assert (problem["params"]["received_bytes"], problem["params"]["size_bytes"]) == (2000, 5000)
    assert api("DELETE", location).status_code == 204
    created = api.begin_upload(case_id, data, "other.bin")
    assert created.headers["Location"] != location
    assert api.append(created.headers["Location"], data).status_code == 204
    assert system.work_off(f"exhibit:{created.headers['Dalel-Exhibit']}") == ["done"]
