"""Bad input around disclosure rounds: what must not leave does not leave."""

import hashlib
from dataclasses import replace

import pytest

from evidence_api.use_cases import burning
from redaction.leak.picture import attack_picture
from redaction.leak.report import check
from tests import acts
from tests.integration.api.races import at_once
from tests.integration.api.refusals import counts, denials, refused


@pytest.fixture(scope="module")
def case_id(system):
    return system.case()


@pytest.fixture(scope="module")
def exhibit_id(system, case_id):
    return system.sealed(case_id, acts.picture(1), "scene.png")


@pytest.fixture(scope="module")
def renditions(system, exhibit_id):
    return acts.burned(system, exhibit_id)


@pytest.fixture(scope="module")
def ready(system, case_id, renditions):
    return acts.ready(system, case_id, renditions)


def refuse_release(system, disclosure_id, status, code):
    """Refused in three languages, nothing released, nothing written to any chain."""
    api, path = system.api("supervising_prosecutor"), f"/api/v1/disclosures/{disclosure_id}"
    before = counts(system)
    problem = refused(lambda said: api("POST", f"{path}/release", headers=said), status, code)
    assert counts(system) == before
    assert [one["type"] for one in system.events(f"disclosure:{disclosure_id}")] == ["disclosure.drafted"]
    seen = api.get(path)
    assert (seen["state"], seen["round"], seen["manifest_sha256"]) == ("draft", None, None)
    return problem


def test_an_unconfirmed_transcript(system):
    """The words were corrected after the plan: what was burned is not what somebody stands behind now."""
    case_id = system.case()
    exhibit_id = system.sealed(case_id, acts.sound(number=30), "said.flac")
    transcript = acts.confirmed(system, exhibit_id)
    renditions = acts.burned(system, exhibit_id)
    assert len(renditions) == 3
    prosecutor, path = system.api("prosecutor"), f"/api/v1/transcripts/{transcript['id']}"
    edits = [{"turn": 0, "text": "Это сказано иначе."}]
    again = prosecutor.post(f"{path}/revisions", parent=transcript["revision"], edits=edits)
    prosecutor.post(f"{path}/confirm", revision=again["revision"], sha256=again["sha256"])
    draft = acts.draft_round(system, case_id, renditions)
    assert refuse_release(system, draft, 409, "disclosure.transcript_unconfirmed")["params"] == {"number": 1}


def test_an_unchecked_rendition(system, monkeypatch):
    case_id = system.case()
    exhibit_id = system.sealed(case_id, acts.picture(), "scene.png")
    with monkeypatch.context() as patched:
        patched.setattr(burning.redaction, "record_leak", lambda *_, **__: None)
        renditions = acts.burned(system, exhibit_id)
    refuse_release(system, acts.draft_round(system, case_id, renditions), 409, "disclosure.rendition_unchecked")


def leaking(*where):
    """The real attacks, and one that found something."""
    honest = attack_picture(*where)
    return replace(honest, checks=(*honest.checks, check("one more", False, "one was found")))


def test_a_leaking_rendition(system, monkeypatch):
    """What the leak check found blocks the release, and the check is on the record."""
    case_id = system.case()
    exhibit_id = system.sealed(case_id, acts.picture(), "scene.png")
    with monkeypatch.context() as patched:
        patched.setattr(burning, "attack_picture", leaking)
        renditions = acts.burned(system, exhibit_id)
    (checked,) = system.events(f"exhibit:{exhibit_id}", "rendition.leak_checked")
    assert checked["data"]["result"] == "failed"
    refuse_release(system, acts.draft_round(system, case_id, renditions), 409, "disclosure.rendition_leaks")


def test_an_incomplete_round(system, case_id, renditions, ready):
    """Each sealed exhibit is handed over or withheld on a ground; one on its way is not asked about."""
    case_id = system.case()
    shown = system.sealed(case_id, acts.picture(), "shown.png")
    kept = system.sealed(case_id, b"kept back", "kept.txt")
    system.api("investigator").upload(case_id, b"on its way", "on-its-way.txt")
    made = acts.burned(system, shown)
    problem = refuse_release(system, acts.draft_round(system, case_id, made), 422, "disclosure.incomplete")
    assert problem["params"] == {"missing": 1}
    both = {shown: "under_review", kept: "under_review"}
    refuse_release(system, acts.draft_round(system, case_id, made, **both), 422, "disclosure.twice")
    refuse_release(system, acts.draft_round(system, case_id, [], **both), 422, "disclosure.empty")
    foreign = acts.draft_round(system, case_id, renditions, **both)
    refuse_release(system, foreign, 422, "disclosure.foreign_exhibit")
    acts.ready(system, case_id, made, **{kept: "under_review"})


def test_a_draft_that_cannot_be(system, case_id, exhibit_id, renditions):
    api, path = system.api("prosecutor"), f"/api/v1/cases/{case_id}/disclosures"
    defence = system.members["defence"].login
    elsewhere = system.sealed(system.case(), b"elsewhere", "elsewhere.txt")
    before = counts(system)
    for form, status, code in (
        ({"recipient": system.members["other defence"].login}, 422, "disclosure.not_a_recipient"),
        ({"recipient": system.members["prosecutor"].login}, 422, "disclosure.not_a_recipient"),
        ({"recipient": "nobody-of-this-name"}, 404, "account.not_found"),
        ({"withheld": [{"exhibit": exhibit_id, "ground": "because"}]}, 422, "disclosure.unknown_ground"),
        ({"withheld": [{"exhibit": elsewhere, "ground": "minor"}]}, 422, "disclosure.foreign_exhibit"),
    ):
        body = {"recipient": defence, "renditions": renditions, "withheld": []} | form
        refused(lambda said, body=body: api("POST", path, json=body, headers=said), status, code)
    assert counts(system) == before


def test_releasing_twice(system, case_id, ready):
    api, path = system.api("supervising_prosecutor"), f"/api/v1/disclosures/{ready}/release"
    before = [one["type"] for one in system.events(f"disclosure:{ready}")]
    refused(lambda said: api("POST", path, headers=said), 409, "disclosure.already_released")
    assert [one["type"] for one in system.events(f"disclosure:{ready}")] == before


def test_two_people_release_one_round_at_once(system, case_id, renditions):
    draft = acts.draft_round(system, case_id, renditions)
    apis = [system.api(role) for role in ("prosecutor", "supervising_prosecutor", "prosecutor")]
    answers = at_once(apis, lambda api: api("POST", f"/api/v1/disclosures/{draft}/release"))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert len(system.events(f"disclosure:{draft}", "disclosure.released")) == 1
    assert len(system.open_jobs(f"disclosure:{draft}")) == 1
    assert system.work_off(f"disclosure:{draft}") == ["done"]


def test_two_rounds_to_one_recipient_at_once(system):
    """Both go out, one after the other: their numbers have no gap and each names the one before."""
    case_id = system.case()
    made = acts.burned(system, system.sealed(case_id, acts.picture(), "scene.png"))
    drafts = [acts.draft_round(system, case_id, made) for _ in range(3)]
    apis = [system.api("supervising_prosecutor") for _ in drafts]
    own = dict(zip(map(id, apis), drafts, strict=True))
    answers = at_once(apis, lambda api: api("POST", f"/api/v1/disclosures/{own[id(api)]}/release"))
    assert [answer.status_code for answer in answers] == [200, 200, 200], [answer.text for answer in answers]
    assert sorted(answer.json()["round"] for answer in answers) == [1, 2, 3]
    assert len({answer.json()["manifest_sha256"] for answer in answers}) == 3


def test_before_it_is_ready(system, case_id, renditions):
    """Released and not yet packaged: its recipient sees the contents and hears that the package comes."""
    disclosure_id = acts.released(system, case_id, renditions)
    defence, path = system.api("defence"), f"/api/v1/disclosures/{disclosure_id}"
    assert defence.get(path)["state"] == "releasing"
    refused(lambda said: defence("GET", f"{path}/package", headers=said), 409, "disclosure.not_ready")
    body = {"package_sha256": "sha256:" + "0" * 64}
    refused(lambda said: defence("POST", f"{path}/receipt", json=body, headers=said), 422, "disclosure.other_package")
    assert system.events(f"disclosure:{disclosure_id}", "content.downloaded") == []
    assert system.work_off(f"disclosure:{disclosure_id}") == ["done"]


def test_before_it_is_released(system, case_id, renditions):
    """A draft does not exist for its recipient."""
    draft = acts.draft_round(system, case_id, renditions)
    defence = system.api("defence")
    for path in (f"/api/v1/disclosures/{draft}", f"/api/v1/disclosures/{draft}/package"):
        refused(lambda said, path=path: defence("GET", path, headers=said), 404, "access.not_found")


def test_somebody_elses_disclosure(system, case_id, ready):
    stranger, path = system.api("other defence"), f"/api/v1/disclosures/{ready}"
    denied = denials(system, f"case:{case_id}", "other defence")
    for address in (path, f"{path}/package"):
        refused(lambda said, address=address: stranger("GET", address, headers=said), 404, "access.not_found")
    assert stranger("HEAD", f"{path}/package").status_code == 404
    assert denials(system, f"case:{case_id}", "other defence") == denied + 7
    assert stranger.get("/api/v1/disclosures")["items"] == []


def test_the_defence_sees_nothing_else_of_the_case(system, case_id, exhibit_id, renditions, ready):
    defence = system.api("defence")
    for path in (
        f"/api/v1/exhibits/{exhibit_id}",
        f"/api/v1/exhibits/{exhibit_id}/content",
        f"/api/v1/cases/{case_id}",
        f"/api/v1/cases/{case_id}/trail",
        f"/api/v1/cases/{case_id}/disclosures",
        f"/api/v1/renditions/{renditions[0]}/content",
    ):
        refused(lambda said, path=path: defence("GET", path, headers=said), 404, "access.not_found")


def test_download_and_receipt(system, case_id, ready):
    """By ranges; each is on the record of the disclosure; one receipt, for the right digest."""
    defence, path = system.api("defence"), f"/api/v1/disclosures/{ready}"
    contents = defence.get(path)
    defence.get(path)
    assert len(system.events(f"disclosure:{ready}", "disclosure.opened")) == 1
    size = contents["package_bytes"]
    half = [
        defence("GET", f"{path}/package", headers={"Range": f"bytes={start}-{end}"})
        for start, end in ((0, size // 2), (size // 2 + 1, size * 2))
    ]
    assert [answer.status_code for answer in half] == [206, 206]
    digest = "sha256:" + hashlib.sha256(b"".join(answer.content for answer in half)).hexdigest()
    assert digest == contents["package_sha256"]
    downloads = [one["data"]["range"] for one in system.events(f"disclosure:{ready}", "content.downloaded")]
    assert downloads == [f"0-{size // 2}", f"{size // 2 + 1}-{size - 1}"]
    wrong = {"package_sha256": "sha256:" + "0" * 64}
    refused(lambda said: defence("POST", f"{path}/receipt", json=wrong, headers=said), 422, "disclosure.other_package")
    defence.post(f"{path}/receipt", package_sha256=digest)
    right = {"package_sha256": digest}
    refused(
        lambda said: defence("POST", f"{path}/receipt", json=right, headers=said), 409, "disclosure.already_received"
    )
    assert len(system.events(f"disclosure:{ready}", "disclosure.received")) == 1
