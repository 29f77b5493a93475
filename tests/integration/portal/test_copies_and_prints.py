"""Copies as officers state them, printing as an act: on the record before anything is shown (R1, law 2)."""

import pytest

from tests import acts
from tests.integration.api.refusals import refused

COPY = {"medium": "flash", "recipient": "Эксперт Ольга Демо", "purpose": "examination"}


@pytest.fixture(scope="module")
def case(system):
    case_id = system.case()
    return case_id, system.sealed(case_id, acts.sound(number=930), "copied.flac")


def test_a_copy_is_stated_on_the_page_and_its_recipient_is_not_in_the_clear(system, visit, case):
    page = visit("investigator", f"/exhibits/{case[1]}").text
    assert f'action="/exhibits/{case[1]}/copies"' in page
    done = visit("investigator", f"/exhibits/{case[1]}/copies", "POST", data=COPY)
    assert done.headers["location"] == f"/exhibits/{case[1]}?done=copy_recorded"
    (copied,) = system.events(f"exhibit:{case[1]}", "content.copied")
    assert (copied["data"]["medium"], copied["data"]["purpose"]) == ("flash", "examination")
    assert copied["actor"]["id"] == system.members["investigator"].account_id
    assert "Ольга" not in str(copied)
    assert copied["personal"]["recipient"].startswith("sha256:")
    opened = system.rows(
        "SELECT value FROM event_openings WHERE event_id = :id AND field = 'recipient'", id=copied["id"]
    )
    assert opened == [(COPY["recipient"],)]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"medium": "parchment"}, "copy.medium"),
        ({"purpose": "fun"}, "copy.purpose"),
        ({"recipient": " "}, "copy.recipient"),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_what_is_missing_comes_back_at_its_field(system, visit, case, wrong, code):
    before = len(system.events(f"exhibit:{case[1]}", "content.copied"))
    answer = visit("investigator", f"/exhibits/{case[1]}/copies", "POST", data=COPY | wrong)
    assert answer.status_code == 422
    assert f'href="#{code.removeprefix("copy.")}"' in answer.text
    assert len(system.events(f"exhibit:{case[1]}", "content.copied")) == before
    api = system.api("prosecutor")
    path = f"/api/v1/exhibits/{case[1]}/copies"
    refused(lambda said: api("POST", path, headers=said, json=COPY | wrong), 422, code)


def test_a_copy_of_what_is_not_sealed(system, case):
    open_id = system.api("investigator").upload(case[0], b"not sealed yet", "open.txt")
    api = system.api("investigator")
    path = f"/api/v1/exhibits/{open_id}/copies"
    refused(lambda said: api("POST", path, headers=said, json=COPY), 409, "exhibit.not_sealed")


def test_who_may_not_state_a_copy(visit, case):
    assert visit("auditor", f"/exhibits/{case[1]}/copies", "POST", data=COPY).status_code == 403
    assert "/copies" not in visit("auditor", f"/exhibits/{case[1]}").text


def test_printing_a_transcript_is_recorded_before_it_is_shown(system, visit, case):
    transcript = acts.drafted(system, case[1])
    page = visit("prosecutor", f"/exhibits/{case[1]}/transcript/print")
    assert page.status_code == 200
    assert "NOT CONFIRMED" in page.text
    (printed,) = system.events(f"exhibit:{case[1]}", "content.printed")
    assert printed["data"] == {"subject": transcript["id"], "sha256": transcript["sha256"]}
    assert transcript["sha256"] in page.text
    assert visit("auditor", f"/exhibits/{case[1]}/transcript/print").status_code == 403


def test_what_cannot_be_recorded_is_not_printed(system, visit, case, monkeypatch):
    def full(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr("portal.views.printing.reading.record", full)
    answer = visit("prosecutor", f"/exhibits/{case[1]}/transcript/print")
    assert answer.status_code == 500
    assert acts.SAID.split()[2] not in answer.text


def test_printing_a_trail(system, visit, case):
    page = visit("auditor", f"/cases/{case[0]}/trail/print?area=exhibit")
    assert page.status_code == 200
    (printed,) = system.events(f"case:{case[0]}", "content.printed")
    assert printed["data"]["subject"] == case[0]
    assert printed["data"]["sha256"] in page.text
    assert visit("auditor", f"/cases/{case[0]}/trail/print?actor=nobody-at-all").status_code == 409
