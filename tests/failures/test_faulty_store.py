"""A store that lies, stalls, loses or forgets, over real sockets: caught before «sealed», told, recovered from."""

import os

import pytest

from tests.failures import faulty_store as faults
from tests.failures.truth import assert_sealed, goes_on_to_the_seal, offset_of

SEGMENT = 8 * 1024 * 1024
SMALL, LARGE = os.urandom(5000), os.urandom(SEGMENT + 70_000)
GONE = {
    "dropped before": faults.dropped_before,
    "dropped after": faults.dropped_after,
    "late": faults.late,
    "500": faults.status(500, "InternalError"),
    "503": faults.status(503, "SlowDown"),
    "disk full": faults.status(507, "InsufficientStorage"),
}
"""The store does not answer, or says that it cannot: nothing is lost, everything is tried again."""

SENDING = [
    ("begin parts", "dropped before"),
    ("begin parts", "dropped after"),
    ("put", "disk full"),
    ("put", "late"),
    ("put part", "dropped before"),
    ("put part", "dropped after"),
    ("put part", "disk full"),
]
SEALING = [
    ("complete", "dropped before", False),
    ("complete", "dropped after", False),
    ("complete", "late", False),
    ("get", "500", False),
    ("lock", "503", False),
    ("lock", "dropped after", False),
    ("head", "late", False),
    ("get", "late", True),
    ("lock", "503", True),
    ("lock", "dropped after", True),
]


def named(rows):
    return ["-".join([*row[:2], *(["whole"] if row[-1] is True else [])]).replace(" ", "_") for row in rows]


def brought(api, case_id, data, whole):
    """An exhibit whose bytes came with its creation, or after it."""
    if not whole:
        return api.upload(case_id, data, "faulty.bin")
    created = api.create_whole(case_id, data, "faulty.bin")
    assert created.status_code == 201, created.text
    return created.headers["Dalel-Exhibit"]


@pytest.fixture(scope="module")
def case_id(system):
    return system.case()


def fresh(data):
    """The same length and other bytes, so that no two tests send the same file into one case."""
    return os.urandom(64) + data[64:]


@pytest.mark.parametrize(("act", "how"), SENDING, ids=named(SENDING))
def test_while_it_is_sent(system, behind, faulty, case_id, act, how):
    """The sender is told that the store does not answer, and an offset that is durable; then goes on from there."""
    data = fresh(SMALL if act == "put" else LARGE)
    api = system.api("investigator", behind)
    location = api.begin_upload(case_id, data, "faulty.bin").headers["Location"]
    with faulty.failing(act, GONE[how]):
        answer = api.append(location, data)
        assert (answer.status_code, answer.json()["code"]) == (503, "store.unreachable")
        assert act in faulty.seen
        assert offset_of(system, location) in (0, SEGMENT)
    goes_on_to_the_seal(system, location, data, 0)


def test_one_lost_connection_is_not_even_noticed(system, behind, faulty, case_id):
    """A request is tried three times before anybody is told; what the first one left is swept."""
    data, api = fresh(SMALL), system.api("investigator", behind)
    location = api.begin_upload(case_id, data, "once.bin").headers["Location"]
    with faulty.failing("put", faults.dropped_after, times=1):
        assert api.append(location, data).status_code == 204
    goes_on_to_the_seal(system, location, data, len(data))


@pytest.mark.parametrize(("act", "how", "whole"), SEALING, ids=named(SEALING))
def test_while_it_is_sealed(system, behind, faulty, case_id, act, how, whole):
    """The exhibit stays «checking», the job waits; nothing is sealed, nothing refused; then it is."""
    data = fresh(LARGE if act == "complete" else SMALL)
    exhibit_id = brought(system.api("investigator"), case_id, data, whole)
    subject = f"exhibit:{exhibit_id}"
    with faulty.failing(act, GONE[how]):
        assert system.work_off(subject, behind) == ["later"]
        assert system.api("prosecutor").get(f"/api/v1/exhibits/{exhibit_id}")["state"] == "checking"
        assert [one["type"] for one in system.events(subject)] == ["exhibit.registered", "upload.finished"]
    assert system.work_off(subject, behind) == ["done"]
    ((blob_id,),) = system.rows("SELECT blob_id FROM uploads WHERE exhibit_id = :id", id=exhibit_id)
    assert_sealed(system, exhibit_id, blob_id, data)


LIES = [
    ("get", "other_bytes", None, "store.corrupt", False),
    ("get", "truncated", None, "store.corrupt", False),
    ("lock", "claimed", None, "store.not_locked", False),
    ("put part", "claimed", 1, "store.corrupt", False),
    ("put part", "claimed", None, "store.missing", False),
    ("put part", "wrong_etag", 1, "store.corrupt", False),
    ("put", "claimed", None, "store.missing", False),
    ("get", "other_bytes", None, "store.corrupt", True),
    ("get", "truncated", None, "store.corrupt", True),
    ("lock", "claimed", None, "store.not_locked", True),
    ("put", "claimed", None, "store.missing", True),
]


@pytest.mark.parametrize(("act", "how", "times", "code", "whole"), LIES, ids=named(LIES))
def test_a_lie_is_caught_before_the_seal(system, behind, faulty, case_id, act, how, times, code, whole):
    """Refused on the record with a code; the same file sent again to a store that keeps its word is sealed."""
    data = fresh(LARGE if act in ("complete", "put part") else SMALL)
    lie = getattr(faults, how)
    with faulty.failing(act, lie, times):
        exhibit_id = brought(system.api("investigator", behind), case_id, data, whole)
        subject = f"exhibit:{exhibit_id}"
        assert system.work_off(subject, behind) == ["failed"]
    told = system.api("investigator").get(f"/api/v1/exhibits/{exhibit_id}")
    assert (told["state"], told["reason"]) == ("refused", code)
    (failed,) = system.events(subject, "exhibit.seal_failed")
    assert failed["data"]["reason"] == code
    assert system.events(subject, "exhibit.sealed") == []
    again = system.sealed(case_id, data, "faulty.bin")
    assert system.api("prosecutor")("GET", f"/api/v1/exhibits/{again}/content").content == data


@pytest.mark.parametrize("whole", [False, True])
def test_an_answer_that_breaks_off_while_it_is_read_back_is_tried_again(system, behind, faulty, case_id, whole):
    """A line that was cut proves nothing of the bytes: no refusal, only another try."""
    exhibit_id = brought(system.api("investigator"), case_id, fresh(SMALL), whole)
    with faulty.failing("get", faults.cut_short):
        assert system.work_off(f"exhibit:{exhibit_id}", behind) == ["later"]
    assert system.work_off(f"exhibit:{exhibit_id}", behind) == ["done"]
