"""A package whose events lie in two logs, on the whole system: disclosed by people, its log's key changed in between by
the operator's own commands, judged by the command, by the page, by a monitor and by the check of the whole ledger.
"""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from custody import __main__ as command
from custody.proof import policy
from custody.proof.refusal import VerificationError
from custody.proof.verify import Verified, verify_path
from evidence_api import care, rotation
from evidence_api.log_keys import KeyPlace
from evidence_api.stack.endpoints import Endpoints
from tests import acts
from tests.browser.verifier_page import VerifierPage
from tests.databases import copy_template, drop
from tests.integration.ledger.test_monitor_live import serving
from tests.whole import System, until, whole

NEXT = "dalel.example/test-2"


@pytest.fixture
def alone(database_template: Endpoints, tmp_path: Path) -> Iterator[System]:
    """A system of this test's own: what the others share goes on in one log."""
    database = copy_template(database_template)
    with whole(database_template, database, tmp_path / "system") as running:
        yield running
    drop(database_template, database)


def rotate(system: System) -> None:
    """As `dalel ledger key` and `dalel ledger rotate` do it."""
    said: list[str] = []
    keys = system.settings.data_dir / "keys"
    place = KeyPlace("file", key_file=str(keys / "next.pem"), passphrase_file=str(keys / "next.passphrase"))
    assert rotation.make_key(system.settings, said.append, NEXT, place) == rotation.DONE, said
    assert rotation.rotate(system.settings, said.append, NEXT, "scheduled") == rotation.DONE, said


def outcome(package: Path, trusted: bytes) -> Verified | VerificationError:
    try:
        return verify_path(package, policy.parse(trusted))
    except VerificationError as refusal:
        return refusal


def test_a_package_over_two_logs(
    alone: System, chromium: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    system = alone
    policy_file = system.settings.policy_file
    assert policy_file is not None
    first_line = policy_file.read_bytes()
    follow = ["monitor", "--policy", str(policy_file), "--state", str(tmp_path / "seen"), "--lang", "en"]
    with serving(system.services) as url:
        case_id = system.case()
        exhibit = system.sealed(case_id, acts.picture(78), "scene.png")
        until(lambda: command.main([*follow, url]) == command.VERIFIED)
        rotate(system)
        disclosure_id = acts.ready(system, case_id, acts.burned(system, exhibit))
        assert command.main([*follow, url]) == command.VERIFIED
        told = capsys.readouterr().out
    assert f"dalel.example/test: closed; it goes on as {NEXT}" in told
    assert (tmp_path / "seen.next").read_text().startswith(NEXT + "\n")

    answer = system.api("defence")("GET", f"/api/v1/disclosures/{disclosure_id}/package")
    assert answer.status_code == 200, answer.text
    package = tmp_path / "two-logs.zip"
    package.write_bytes(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as container:
        origins = {
            container.read(name).decode().split("\n")[0]
            for name in container.namelist()
            if name.rpartition("/")[2].startswith("checkpoint")
        }
    assert origins == {system.settings.log_origin, NEXT}

    assert command.main(["verify", str(package), "--policy", str(policy_file), "--json"]) == command.VERIFIED
    assert json.loads(capsys.readouterr().out)["verified"] is True
    both = policy_file.read_bytes()
    second_line = both.removesuffix(first_line) + b"quorum none\n"
    opened = VerifierPage(chromium, tmp_path, "kk")
    opened.page.clock.set_fixed_time(time.time())
    for trusted, verified in ((both, True), (second_line, True), (first_line, False)):
        judged = outcome(package, trusted)
        assert isinstance(judged, Verified) == verified
        opened.judge(answer.content, trusted, b"", judged)
    opened.context.close()

    said: list[str] = []
    assert care.fsck(system.settings, said.append, deep=True, out=None, language="en") == care.SAME, said
