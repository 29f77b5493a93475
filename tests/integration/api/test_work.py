"""Bad input around transcripts and plans, through the public API."""

import io

import av
import numpy as np
import pytest

from tests import acts
from tests.integration.api.races import at_once
from tests.integration.api.refusals import counts, denials, refused


@pytest.fixture(scope="module")
def case_id(system):
    return system.case()


@pytest.fixture(scope="module")
def spoken(system, case_id):
    """A recording whose draft nobody has touched."""
    exhibit_id = system.sealed(case_id, acts.sound(number=1), "said.flac")
    return exhibit_id, acts.drafted(system, exhibit_id)


def silence(seconds=3):
    made = io.BytesIO()
    with av.open(made, "w", format="wav") as target:
        stream = target.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16_000 * seconds), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16_000
        target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return made.getvalue()


def test_corrupt_sound(system, case_id):
    """A FLAC header and then noise: the transcript fails with a code, the original stays, another may be asked for."""
    data = b"fLaC" + bytes(range(256)) * 40
    exhibit_id = system.sealed(case_id, data, "broken.flac")
    prosecutor, path = system.api("prosecutor"), f"/api/v1/exhibits/{exhibit_id}/transcript"
    for times in (1, 2):
        asked = prosecutor.post(path)
        assert system.work_off(f"transcript:{asked['id']}") == ["failed"]
        seen = prosecutor.get(path)
        assert (seen["state"], seen["failure"], seen["turns"]) == ("failed", "sound.unreadable", [])
        failed = system.events(f"exhibit:{exhibit_id}", "transcript.failed")
        assert [one["data"]["reason"] for one in failed] == ["sound.unreadable"] * times
    assert prosecutor("GET", f"/api/v1/exhibits/{exhibit_id}/content").content == data


def test_a_recording_of_silence(system, case_id):
    """Real Whisper: a draft with no turns, never invented words."""
    exhibit_id = system.sealed(case_id, silence(), "silence.wav")
    drafted = acts.drafted(system, exhibit_id, system.services)
    assert (drafted["state"], drafted["turns"]) == ("draft", [])
    assert len(system.events(f"exhibit:{exhibit_id}", "transcript.drafted")) == 1


def test_a_transcript_of_what_cannot_speak(system, case_id):
    exhibit_id = system.sealed(case_id, acts.picture(50), "mute.png")
    api, before = system.api("prosecutor"), counts(system)
    path = f"/api/v1/exhibits/{exhibit_id}/transcript"
    refused(lambda said: api("POST", path, headers=said), 409, "transcript.no_sound")
    assert counts(system) == before


def test_a_transcript_before_the_seal(system, case_id):
    exhibit_id = system.api("investigator").upload(case_id, acts.sound(number=2), "early.flac")
    api = system.api("prosecutor")
    for path in ("transcript", "plan"):
        refused(
            lambda said, path=path: api("POST", f"/api/v1/exhibits/{exhibit_id}/{path}", headers=said),
            409,
            "exhibit.not_sealed",
        )
    assert system.work_off(f"exhibit:{exhibit_id}") == ["done"]


def test_asked_for_twice(system, spoken):
    api = system.api("prosecutor")
    refused(
        lambda said: api("POST", f"/api/v1/exhibits/{spoken[0]}/transcript", headers=said), 409, "transcript.exists"
    )


def test_a_plan_for_words_nobody_stands_behind(system, spoken):
    api, before = system.api("prosecutor"), counts(system)
    refused(
        lambda said: api("POST", f"/api/v1/exhibits/{spoken[0]}/plan", headers=said), 409, "plan.transcript_unconfirmed"
    )
    assert counts(system) == before


def test_a_stale_correction_and_a_stale_confirmation(system, case_id):
    exhibit_id = system.sealed(case_id, acts.sound(number=3), "stale.flac")
    transcript = acts.drafted(system, exhibit_id)
    api, path = system.api("prosecutor"), f"/api/v1/transcripts/{transcript['id']}"
    mine = {"parent": 1, "edits": [{"turn": 0, "text": "первая правка"}]}
    assert api("POST", f"{path}/revisions", json=mine).status_code == 201
    late = {"parent": 1, "edits": [{"turn": 0, "text": "опоздавшая правка"}]}
    before = counts(system)
    problem = refused(lambda said: api("POST", f"{path}/revisions", json=late, headers=said), 409, "transcript.stale")
    assert problem["params"] == {"latest": 2}
    old = {"revision": 1, "sha256": transcript["sha256"]}
    refused(lambda said: api("POST", f"{path}/confirm", json=old, headers=said), 409, "transcript.stale")
    other_bytes = {"revision": 2, "sha256": transcript["sha256"]}
    refused(lambda said: api("POST", f"{path}/confirm", json=other_bytes, headers=said), 409, "transcript.stale")
    same = {"parent": 2, "edits": [{"turn": 0, "text": "первая правка"}]}
    refused(lambda said: api("POST", f"{path}/revisions", json=same, headers=said), 422, "transcript.unchanged")
    missing = {"parent": 2, "edits": [{"turn": 99, "text": "нет такой"}]}
    refused(lambda said: api("POST", f"{path}/revisions", json=missing, headers=said), 422, "transcript.no_such_turn")
    assert counts(system) == before
    assert [one["type"] for one in system.events(f"exhibit:{exhibit_id}")].count("transcript.corrected") == 1


def test_two_people_confirm_at_once(system, case_id):
    """Exactly one wins, one event says so, and the other hears it in words."""
    exhibit_id = system.sealed(case_id, acts.sound(number=4), "race.flac")
    transcript = acts.drafted(system, exhibit_id)
    path = f"/api/v1/transcripts/{transcript['id']}"
    edits = [{"turn": 0, "speaker": "Петров И. Н."}]
    seen = system.api("prosecutor").post(f"{path}/revisions", parent=1, edits=edits)
    stand = {"revision": seen["revision"], "sha256": seen["sha256"]}
    people = [system.api(role) for role in ("prosecutor", "supervising_prosecutor")] * 2
    answers = at_once(people, lambda api: api("POST", f"{path}/confirm", json=stand))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {
        "transcript.already_confirmed"
    }
    (event,) = system.events(f"exhibit:{exhibit_id}", "transcript.confirmed")
    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert event["actor"]["id"] == winner["confirmed_by"]


def test_two_people_correct_at_once(system, case_id):
    exhibit_id = system.sealed(case_id, acts.sound(number=5), "correct.flac")
    transcript = acts.drafted(system, exhibit_id)
    path = f"/api/v1/transcripts/{transcript['id']}/revisions"
    form = {"parent": 1, "edits": [{"turn": 0, "text": "чья-то правка"}]}
    apis = [system.api("prosecutor") for _ in range(3)]
    answers = at_once(apis, lambda api: api("POST", path, json=form))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert len(system.events(f"exhibit:{exhibit_id}", "transcript.corrected")) == 1


def test_approving_ones_own_plan(system, case_id):
    """Refused in words and on the record; nothing is burned. A second person's yes goes through."""
    exhibit_id = system.sealed(case_id, acts.picture(51), "own.png")
    plan = acts.submitted(system, exhibit_id)
    api, path = system.api("prosecutor"), f"/api/v1/plans/{plan['id']}"
    version = {"version": plan["version"]}
    denied = denials(system, f"case:{case_id}", "prosecutor")
    refused(lambda said: api("POST", f"{path}/approve", json=version, headers=said), 403, "plan.self_approval")
    assert denials(system, f"case:{case_id}", "prosecutor") == denied + 3
    assert system.events(f"exhibit:{exhibit_id}", "plan.approved") == []
    assert system.open_jobs(f"plan:{plan['id']}") == []
    supervisor = system.api("supervising_prosecutor")
    stale = {"version": plan["version"] - 1}
    refused(lambda said: supervisor("POST", f"{path}/approve", json=stale, headers=said), 409, "plan.stale")
    supervisor.post(f"{path}/approve", **version)
    assert system.work_off(f"plan:{plan['id']}") == ["done"]


def test_two_people_approve_at_once(system, case_id):
    """One approval, one burning."""
    exhibit_id = system.sealed(case_id, acts.picture(52), "twice.png")
    plan = acts.submitted(system, exhibit_id)
    path, version = f"/api/v1/plans/{plan['id']}/approve", {"version": plan["version"]}
    apis = [system.api("supervising_prosecutor") for _ in range(3)]
    answers = at_once(apis, lambda api: api("POST", path, json=version))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert len(system.events(f"exhibit:{exhibit_id}", "plan.approved")) == 1
    assert len(system.open_jobs(f"plan:{plan['id']}")) == 1
    system.work_off(f"plan:{plan['id']}")


def test_an_undecided_plan_and_an_unsubmitted_one(system, case_id):
    exhibit_id = system.sealed(case_id, (acts.FILES / "protocol.pdf").read_bytes(), "protocol.pdf")
    plan = acts.suggested(system, exhibit_id)
    assert plan["suggestions"]
    path, version = f"/api/v1/plans/{plan['id']}", {"version": plan["version"]}
    api, supervisor = system.api("prosecutor"), system.api("supervising_prosecutor")
    refused(lambda said: api("POST", f"{path}/submit", json=version, headers=said), 409, "plan.undecided")
    refused(lambda said: supervisor("POST", f"{path}/approve", json=version, headers=said), 409, "plan.not_submitted")
    first = plan["suggestions"][0]["id"]
    for decision, status, code in (
        ({"suggestion": first, "accept": True}, 409, "plan.no_reason"),
        ({"suggestion": first, "accept": True, "reason": "because"}, 422, "plan.unknown_reason"),
        ({"suggestion": exhibit_id, "accept": False}, 404, "plan.suggestion_not_found"),
    ):
        form = version | {"decisions": [decision]}
        refused(lambda said, form=form: api("POST", f"{path}/decisions", json=form, headers=said), status, code)
    assert api.get(path)["version"] == plan["version"]


@pytest.mark.parametrize("who", ["other investigator", "other prosecutor"])
def test_somebody_elses_case(system, case_id, spoken, who):
    """Every door answers that there is nothing here, and each knock is on the case's record."""
    exhibit_id, transcript = spoken
    api = system.api(who)
    doors = [
        ("GET", f"/api/v1/cases/{case_id}"),
        ("GET", f"/api/v1/cases/{case_id}/exhibits"),
        ("GET", f"/api/v1/exhibits/{exhibit_id}"),
        ("GET", f"/api/v1/exhibits/{exhibit_id}/content"),
        ("HEAD", f"/api/v1/exhibits/{exhibit_id}/content"),
        ("GET", f"/api/v1/exhibits/{exhibit_id}/transcript"),
        ("POST", f"/api/v1/exhibits/{exhibit_id}/transcript"),
        ("POST", f"/api/v1/exhibits/{exhibit_id}/plan"),
        ("GET", f"/api/v1/transcripts/{transcript['id']}/revisions"),
        ("GET", f"/api/v1/cases/{case_id}/trail"),
    ]
    for number, (method, path) in enumerate(doors, denials(system, f"case:{case_id}", who) + 1):
        answer = api(method, path)
        assert answer.status_code == 404, (method, path)
        assert method == "HEAD" or answer.json()["code"] == "access.not_found"
        assert denials(system, f"case:{case_id}", who) == number, (method, path)
    refused(lambda said: api("GET", doors[2][1], headers=said), 404, "access.not_found")


def test_the_auditor_and_the_administrator_see_no_content(system, case_id, spoken):
    for who in ("auditor", "administrator"):
        api, denied = system.api(who), denials(system, f"case:{case_id}", who)
        path = f"/api/v1/exhibits/{spoken[0]}/content"
        refused(lambda said, api=api, path=path: api("GET", path, headers=said), 403, "access.denied")
        assert denials(system, f"case:{case_id}", who) == denied + 3


def test_an_id_that_is_none(system):
    api = system.api("prosecutor")
    for wrong in ("x", "%00", "01900000-0000-7000-8000-000000000000", "0190-0000"):
        refused(
            lambda said, wrong=wrong: api("GET", f"/api/v1/exhibits/{wrong}", headers=said), 404, "access.not_found"
        )
