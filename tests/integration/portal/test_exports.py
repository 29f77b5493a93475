"""Trails to take away: exactly the events they say, each export itself recorded, CASE accepted by its validator."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pypdfium2
import pytest

from custody.proof import grammar
from evidence_api.queries import records
from portal import trail_paper
from tests import acts
from tests.whole import until


@pytest.fixture(scope="module")
def case(system):
    """A case with one exhibit, everything in its place; (case, exhibit)."""
    case_id = system.case()
    exhibit_id = system.sealed(case_id, acts.picture(920), "Қоңыр №1.png")
    until(lambda: records.of_exhibit(system.services, UUID(exhibit_id)).verdict == "complete")
    return case_id, exhibit_id


def settled(system, case_id):
    until(lambda: not system.rows("SELECT 1 FROM event_outbox"))
    return [
        row[0]
        for row in system.rows("SELECT canonical FROM ledger_entries WHERE case_id = :id ORDER BY seq", id=case_id)
    ]


def test_csv_numbers_each_event_of_how_many(system, visit, case):
    leaves = settled(system, case[0])
    answer = visit("auditor", f"/cases/{case[0]}/trail.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["canonical"].encode() for row in rows] == leaves
    assert [(row["number"], row["of"]) for row in rows] == [
        (str(n), str(len(leaves))) for n in range(1, len(leaves) + 1)
    ]
    assert f"-{len(leaves)}.csv" in answer.headers["content-disposition"]
    assert system.events(f"case:{case[0]}", "trail.exported")[-1]["data"] == {"format": "csv"}


def test_json_keeps_the_filters_and_the_exact_bytes(system, visit, case):
    settled(system, case[0])
    told = visit("auditor", f"/cases/{case[0]}/trail.json?area=exhibit&exhibit=1").json()
    types = [json.loads(one["canonical"])["type"] for one in told["events"]]
    assert told["filters"] == {"area": "exhibit", "exhibit": "1"}
    assert told["events_total"] == len(types)
    assert types == ["exhibit.registered", "upload.finished", "exhibit.sealed"]
    assert grammar.parse(told["events"][0]["canonical"].encode()).item == f"exhibit:{case[1]}"
    assert told["checkpoint"].startswith("dalel.example/test\n")


def test_nothing_matches_is_an_export_of_nothing(visit, case):
    told = visit("auditor", f"/cases/{case[0]}/trail.json?actor=nobody-at-all").json()
    assert (told["events_total"], told["events"]) == (0, [])


def test_an_exhibits_export_is_on_its_chain(system, visit, case):
    before = len(system.events(f"exhibit:{case[1]}"))
    answer = visit("supervising_prosecutor", f"/exhibits/{case[1]}/record.json")
    assert answer.json()["events_total"] == before
    (exported,) = system.events(f"exhibit:{case[1]}", "trail.exported")
    assert (exported["data"]["format"], exported["actor"]["role"]) == ("json", "supervising_prosecutor")


def test_pdf_says_it_in_sentences(system, visit, case):
    settled(system, case[0])
    answer = visit("auditor", f"/exhibits/{case[1]}/record.pdf", headers={"Cookie": "language=kk"})
    assert answer.status_code == 200, answer.text
    with pypdfium2.PdfDocument(answer.content) as document:
        said = " ".join("".join(page.get_textpage().get_text_bounded() for page in document).split())
    assert "Файл алғашқы күнгідей" in said
    assert "Қоңыр №1.png" in said
    assert "dalel.example/test" in said


def test_a_trail_too_long_for_paper_is_refused_whole(system, visit, case, monkeypatch):
    monkeypatch.setattr("portal.views.exports.MOST_EVENTS", 2)
    before = len(system.events(f"case:{case[0]}", "trail.exported"))
    answer = visit("auditor", f"/cases/{case[0]}/trail.pdf")
    assert answer.status_code == 413
    assert "2 at most" in answer.text
    assert len(system.events(f"case:{case[0]}", "trail.exported")) == before


def test_who_may_not_and_what_does_not_exist(visit, case):
    assert visit("investigator", f"/cases/{case[0]}/trail.csv").status_code == 403
    assert visit("defence", f"/exhibits/{case[1]}/record.pdf").status_code == 404
    assert visit("auditor", f"/cases/{case[0]}/trail.xlsx").status_code == 404


def test_case_uco_is_accepted_by_its_own_validator(visit, case, tmp_path):
    path = tmp_path / "trail.jsonld"
    path.write_text(visit("auditor", f"/cases/{case[0]}/trail.jsonld").text, encoding="utf-8")
    validate = Path(sys.executable).with_name("case_validate")
    ran = subprocess.run([validate, path], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Conforms: True" in ran.stdout
    nodes = json.loads(path.read_text(encoding="utf-8"))["@graph"]
    actions = [node for node in nodes if node["@type"] == "case-investigation:InvestigativeAction"]
    assert {"exhibit.sealed", "case.opened"} <= {node["uco-core:name"] for node in actions}


def test_the_limit_on_paper_is_said_in_the_module():
    assert trail_paper.MOST_EVENTS == 1000
