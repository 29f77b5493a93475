"""Pages where a recording is played: not before a configured scanner has looked at it."""

import pytest
from starlette.testclient import TestClient

from portal import app
from storage.clamd import Clamd
from tests import acts
from tests.whole import BASE_URL

PLAYED = "/api/v1/exhibits/{}/content?view=true"
WHY = "has not been scanned for malware yet"


@pytest.fixture(scope="module")
def spoken(system):
    """A recording with a plan, sealed while there was no scanner."""
    exhibit_id = system.sealed(system.case(), acts.sound(2.0, 40.0), "said.flac")
    acts.confirmed(system, exhibit_id)
    acts.suggested(system, exhibit_id)
    return exhibit_id


@pytest.mark.parametrize("page", ["transcript", "redaction", ""])
def test_nothing_is_played_that_was_not_scanned(system, spoken, page):
    headers = {"Authorization": f"Bearer {system.members['prosecutor'].token}", "Cookie": "language=en"}
    address = f"/exhibits/{spoken}/{page}".rstrip("/")
    parts = {True: system.services, False: system.variant(scanner=Clamd("127.0.0.1:9", 2))}
    for plays, services in parts.items():
        shown = TestClient(app.build(services), base_url=BASE_URL).get(address, headers=headers)
        assert shown.status_code == 200
        assert (PLAYED.format(spoken) in shown.text) is plays
        if page:
            assert (WHY in shown.text) is not plays
