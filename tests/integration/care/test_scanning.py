"""A malware scanner that is switched on later: what was sealed before is scanned, bounded, once, and visibly so.

These have a database of their own: the beat asks for scans of everything that is stored in it.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from evidence_api.use_cases import examining
from portal import app
from storage.clamd import Clamd
from tests import hostile_files as files
from tests.clamd import MALWARE, STREAM_BYTES
from tests.databases import copy_template, drop
from tests.integration.api.refusals import refused
from tests.whole import BASE_URL, System, whole


@pytest.fixture(scope="module")
def system(database_template, tmp_path_factory) -> Iterator[System]:
    database = copy_template(database_template)
    with whole(database_template, database, tmp_path_factory.mktemp("scanning")) as running:
        yield running
    drop(database_template, database)


def page(system, services) -> str:
    headers = {"Authorization": f"Bearer {system.members['auditor'].token}", "Cookie": "language=en"}
    shown = TestClient(app.build(services), base_url=BASE_URL).get("/fixity", headers=headers)
    assert shown.status_code == 200
    return shown.text


def asked(system) -> set[str]:
    query = "SELECT subject FROM jobs WHERE task = 'exhibit.scan' AND state IN ('queued', 'running')"
    return {row[0].removeprefix("scan:") for row in system.rows(query)}


def test_a_scanner_that_comes_later_scans_what_was_there_before(system, scanner, monkeypatch):
    case_id = system.case()
    contents = {
        "photo.jpg": files.photo(),
        "infected.bin": b"1" + MALWARE,
        "large.bin": bytes(STREAM_BYTES + 1),
        "letter.eml": files.mail(),
        "last.txt": b"last",
    }
    ids = {name: system.sealed(case_id, data, name) for name, data in contents.items()}
    drafted = system.api("investigator").upload(case_id, b"not sealed yet", "draft.txt")
    assert examining.scan_the_unseen(system.services) == 0, "there is no scanner"
    assert "No malware scanner is configured" in page(system, system.services)

    there = system.variant(scanner=Clamd(scanner))
    prosecutor = system.api("prosecutor", there)
    view = "/api/v1/exhibits/{}/content?view=true"
    hidden = view.format(ids["photo.jpg"])
    refused(lambda headers: prosecutor("GET", hidden, headers=headers), 503, "exhibit.not_scanned")
    assert "0 of 5 files scanned" in page(system, there)

    monkeypatch.setattr(examining, "BACKLOG", 2)
    assert examining.scan_the_unseen(there) == 2
    assert asked(system) == {ids["last.txt"], ids["letter.eml"]}, "the newest first, and no more than may wait"
    assert examining.scan_the_unseen(there) == 0, "those that wait are not asked for twice"
    while waiting := asked(system):
        for exhibit_id in waiting:
            assert system.work_off(f"scan:{exhibit_id}", there) == ["done"]
        examining.scan_the_unseen(there)
    found = dict(system.rows("SELECT exhibit_id::text, result FROM scans"))
    expected = dict.fromkeys(ids.values(), "clean")
    expected |= {ids["infected.bin"]: "infected", ids["large.bin"]: "not_scanned"}
    assert found == expected
    assert drafted not in found
    said = page(system, there)
    assert "The scanner has spoken of every file: 5." in said
    assert "Malware found: 1. Too large for the scanner: 1." in said
    assert prosecutor("GET", hidden).content == contents["photo.jpg"]
    infected = view.format(ids["infected.bin"])
    refused(lambda headers: prosecutor("GET", infected, headers=headers), 409, "exhibit.infected")


def test_a_scan_that_failed_is_tried_again_after_a_day(system, scanner):
    exhibit_id = system.sealed(system.case(), b"tried twice", "twice.txt")
    there = system.variant(scanner=Clamd(scanner))
    assert examining.scan_the_unseen(there) == 1
    assert system.work_off(f"scan:{exhibit_id}") == ["failed"], "a worker that was not told of the scanner"
    assert examining.scan_the_unseen(there) == 0
    later = system.variant(moved=timedelta(hours=25), scanner=there.scanner)
    assert examining.scan_the_unseen(later) == 1
    assert system.work_off(f"scan:{exhibit_id}", there) == ["done"]


def test_a_scanner_that_is_away_is_waited_for(system):
    exhibit_id = system.sealed(system.case(), b"waits", "waits.txt")
    away = system.variant(scanner=Clamd("127.0.0.1:9", 2))
    assert examining.scan_the_unseen(away) == 1
    assert system.work_off(f"scan:{exhibit_id}", away) == ["later"]
    assert examining.scan_the_unseen(away) == 0
    assert asked(system) == {exhibit_id}
