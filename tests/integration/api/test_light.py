"""What a file is and its light copies through the API: made, shown to the people of the case, and to nobody else."""

import hashlib
import os

import pytest

from storage.clamd import Clamd
from tests import hostile_files as files
from tests.acts import FILES
from tests.clamd import MALWARE, NAME
from tests.integration.api.refusals import refused


@pytest.fixture(scope="module")
def case_id(system):
    return system.case()


def examined(system, case_id, data, name, services=None):
    """The id of a sealed exhibit whose jobs are done, and what the API says of it."""
    exhibit_id = system.api("investigator").upload(case_id, data, name)
    assert system.work_off(f"exhibit:{exhibit_id}", services) == ["done"]
    outcomes = [system.work_off(f"{task}:{exhibit_id}", services) for task in ("scan", "identify", "light")]
    return exhibit_id, system.api("prosecutor").get(f"/api/v1/exhibits/{exhibit_id}/facts"), outcomes


def get(system, path, services=None):
    """A prosecutor's GET, for `refused`."""
    return lambda headers: system.api("prosecutor", services)("GET", path, headers=headers)


def copy_of(facts, kind):
    (copy,) = [one for one in facts["light_copies"] if one["kind"] == kind]
    return copy


@pytest.fixture(scope="module")
def film(system, case_id):
    return examined(system, case_id, files.video(), "film.mp4")


def test_a_video_gets_its_light_copy_its_frame_map_and_its_waveform(system, film):
    exhibit_id, facts, outcomes = film
    assert outcomes == [[], ["done"], ["done"]]
    assert {one["kind"] for one in facts["light_copies"]} == {"light_video", "frame_map", "peaks"}
    sealed = system.api("prosecutor").get(f"/api/v1/exhibits/{exhibit_id}")
    made = system.events(f"exhibit:{exhibit_id}", "rendition.made")
    for one in facts["light_copies"]:
        assert one["source_sha256"] == sealed["sha256"]
        (event,) = [event["data"] for event in made if event["data"]["rendition"] == one["id"]]
        assert (event["sha256"], event["tool"], event["size_bytes"]) == (one["sha256"], "pyav", one["size_bytes"])
    assert facts["scan"] is None
    assert facts["scanning"] is False


def test_what_a_file_says_is_bound_to_its_event(system, film):
    exhibit_id, facts, _ = film
    (event,) = system.events(f"exhibit:{exhibit_id}", "exhibit.identified")
    assert event["data"]["facts_sha256"] == facts["claims_sha256"]
    assert event["data"]["media_type"] == facts["claims"]["media_type"] == "video/mp4"
    assert {"limits", "files", "system-calls"} <= set(facts["claims"]["confined"])


def test_a_light_copy_has_ranges_a_tag_and_a_read_event(system, film):
    exhibit_id, facts, _ = film
    copy = copy_of(facts, "light_video")
    path = f"/api/v1/light-copies/{copy['id']}/content"
    whole = system.api("prosecutor")("GET", path)
    assert "sha256:" + hashlib.sha256(whole.content).hexdigest() == copy["sha256"]
    assert whole.headers["etag"] == f'"{copy["sha256"]}"'
    part = system.api("prosecutor")("GET", f"{path}?view=true", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-type"] == "video/mp4"
    assert part.headers["content-disposition"].startswith("inline")
    read = [one for one in system.events(f"exhibit:{exhibit_id}") if one["data"].get("subject") == copy["id"]]
    assert [(one["type"], one["data"]["range"]) for one in read] == [
        ("content.downloaded", "all"),
        ("content.viewed", "100-199"),
    ]


@pytest.mark.parametrize("who", ["defence", "other investigator", "other defence", "auditor", "administrator"])
def test_a_light_copy_of_an_original_is_for_the_people_of_the_case_alone(system, film, who):
    exhibit_id, facts, _ = film
    before = len(system.events(f"exhibit:{exhibit_id}", "content.viewed"))
    for path in (
        f"/api/v1/light-copies/{copy_of(facts, 'light_video')['id']}/content?view=true",
        f"/api/v1/light-copies/{copy_of(facts, 'light_video')['id']}/pages/1",
        f"/api/v1/exhibits/{exhibit_id}/facts",
    ):
        assert system.api(who)("GET", path).status_code in (403, 404)
    assert len(system.events(f"exhibit:{exhibit_id}", "content.viewed")) == before


def test_a_page_of_a_document_is_read_by_itself(system, case_id):
    exhibit_id, facts, _ = examined(system, case_id, (FILES / "protocol.pdf").read_bytes(), "protocol.pdf")
    copy = copy_of(facts, "light_pages")
    assert copy["pages"] == 2
    page = system.api("prosecutor")("GET", f"/api/v1/light-copies/{copy['id']}/pages/2")
    assert page.headers["content-type"] == "image/jpeg"
    assert page.headers["etag"] == f'"sha256:{hashlib.sha256(page.content).hexdigest()}"'
    assert page.content.startswith(b"\xff\xd8\xff")
    assert system.events(f"exhibit:{exhibit_id}", "content.viewed")[-1]["data"]["subject"] == copy["id"]
    for number in ("0", "3"):
        refused(get(system, f"/api/v1/light-copies/{copy['id']}/pages/{number}"), 404, "light.not_found")


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (files.huge_png, "huge.png", "light.too_many_pixels"),
        (lambda: files.video()[:3000], "cut.mp4", "light.unreadable"),
    ],
)
def test_a_hostile_file_costs_its_copy_and_nothing_else(system, case_id, data, name, reason):
    exhibit_id, facts, outcomes = examined(system, case_id, data(), name)
    assert outcomes == [[], ["done"], ["failed"]]
    assert [one["reason"] for one in facts["light_copies"]] == [reason]
    (event,) = system.events(f"exhibit:{exhibit_id}", "rendition.not_made")
    assert event["data"]["reason"] == reason
    refused(
        get(system, f"/api/v1/light-copies/{facts['light_copies'][0]['id']}/content"),
        404,
        "light.not_found",
    )
    assert system.api("prosecutor")("GET", f"/api/v1/exhibits/{exhibit_id}/content").content == data()


def test_without_libreoffice_there_is_no_open_copy_and_the_chain_says_so(system, case_id, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    _, facts, _ = examined(system, case_id, files.office(), "letter.docx")
    assert [one["reason"] for one in facts["light_copies"]] == ["light.program_missing"]
    assert facts["claims"]["claims"][0] == {"key": "office.creator", "value": "Иванов"}


def test_a_file_can_be_asked_again(system, film):
    exhibit_id, facts, _ = film
    path = f"/api/v1/exhibits/{exhibit_id}/examine"
    assert system.api("investigator")("POST", path).status_code == 202
    investigator = system.api("investigator")
    refused(lambda headers: investigator("POST", path, headers=headers), 409, "exhibit.being_examined")
    assert system.work_off(f"identify:{exhibit_id}") == ["done"]
    assert system.work_off(f"light:{exhibit_id}") == ["done"]
    again = system.api("prosecutor").get(f"/api/v1/exhibits/{exhibit_id}/facts")
    assert again["claims_sha256"] == facts["claims_sha256"]
    assert copy_of(again, "light_video")["sha256"] == copy_of(facts, "light_video")["sha256"]
    assert copy_of(again, "light_video")["id"] != copy_of(facts, "light_video")["id"]
    assert system.api("defence")("POST", path).status_code in (403, 404)


def test_whose_signature_is_trusted_the_operator_says(system, case_id, tmp_path):
    maker, listed = files.maker(), tmp_path / "anchors.pem"
    listed.write_bytes(files.anchor(maker))
    trusting = system.variant(settings=system.settings.model_copy(update={"c2pa_anchors_file": listed}))
    mask = os.umask(0o077)  # as the processes of an installation have it
    try:
        exhibit_id, facts, _ = examined(system, case_id, files.signed_picture(maker), "trusted.jpg", trusting)
    finally:
        os.umask(mask)
    assert facts["claims"]["c2pa"]["verdict"] == "trusted"
    (event,) = system.events(f"exhibit:{exhibit_id}", "exhibit.identified")
    assert event["data"]["c2pa"] == "trusted"


def test_a_message_becomes_pages(system, case_id):
    _, facts, outcomes = examined(system, case_id, files.outlook(), "letter.msg")
    assert outcomes == [[], ["done"], ["done"]]
    assert {one["kind"] for one in facts["light_copies"]} == {"light_pdf", "light_pages", "light_text"}
    path = f"/api/v1/light-copies/{copy_of(facts, 'light_pdf')['id']}/content?view=true"
    shown = system.api("prosecutor")("GET", path)
    assert (shown.headers["content-type"], shown.content[:5]) == ("application/pdf", b"%PDF-")
    assert copy_of(facts, "light_pages")["pages"] == 1


def test_infected_evidence_is_kept_marked_and_never_shown(system, case_id, scanner):
    scanning = system.variant(scanner=Clamd(scanner))
    data = files.photo() + MALWARE
    exhibit_id, facts, outcomes = examined(system, case_id, data, "infected.jpg", scanning)
    assert outcomes == [["done"], ["done"], ["failed"]]
    assert (facts["scan"], facts["scan_signature"]) == ("infected", NAME)
    assert [one["reason"] for one in facts["light_copies"]] == ["exhibit.infected"]
    path = f"/api/v1/exhibits/{exhibit_id}/content"
    reads = len(system.events(f"exhibit:{exhibit_id}", "content.viewed"))
    for shown in (path, f"{path}?view=true", f"{path}?view=true&accept_infected=true"):
        refused(get(system, shown), 409, "exhibit.infected")
    assert len(system.events(f"exhibit:{exhibit_id}", "content.viewed")) == reads
    assert system.api("prosecutor")("GET", f"{path}?accept_infected=true").content == data


def test_a_scanner_that_is_away_is_waited_for_and_nothing_is_shown_meanwhile(system, case_id, film, scanner):
    away = system.variant(scanner=Clamd("127.0.0.1:9", 2))
    exhibit_id, facts, outcomes = examined(system, case_id, files.photo(place=False), "waits.jpg", away)
    assert outcomes == [["later"], ["done"], ["later"]]
    assert (facts["scan"], facts["light_copies"]) == (None, [])
    assert system.events(f"exhibit:{exhibit_id}", "content.viewed")[1:] == [], "waiting reads nothing"
    rows = system.rows("SELECT attempts FROM jobs WHERE subject = :subject", subject=f"scan:{exhibit_id}")
    assert rows == [(0,)], "waiting for a part costs no attempt"
    path = f"/api/v1/exhibits/{exhibit_id}/content"
    refused(get(system, f"{path}?view=true", away), 503, "exhibit.not_scanned")
    assert len(system.events(f"exhibit:{exhibit_id}", "content.viewed")) == 1, "what is refused is not read"
    # as evidence it is given out all the same
    assert system.api("prosecutor", away)("GET", path).content == files.photo(place=False)
    # a copy that was made before there was a scanner is a view as well
    copy = copy_of(film[1], "light_video")
    refused(get(system, f"/api/v1/light-copies/{copy['id']}/content", away), 503, "exhibit.not_scanned")
    there = system.variant(scanner=Clamd(scanner))
    assert system.work_off(f"scan:{exhibit_id}", there) == ["done"]
    shown = system.api("prosecutor", there)("GET", f"{path}?view=true")
    assert (shown.status_code, shown.content) == (200, files.photo(place=False))
