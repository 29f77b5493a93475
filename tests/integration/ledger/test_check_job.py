"""The check as a job on the whole system: progress, a kept report under its event, damage to stored files named."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel

from custody.checking import words
from custody.checking.difference import Step
from custody.kernel.errors import DalelError, NotFound, Unavailable
from custody.kernel.outbox import Actor
from evidence_api import care
from evidence_api.access.policy import Viewer
from evidence_api.paper import keys
from evidence_api.paper.blocks import Exact, Paragraph
from evidence_api.paper.office import FileOffice
from evidence_api.queries import checks
from evidence_api.registry.model import Role
from evidence_api.use_cases import check_paper, checking
from storage.ports import ObjectStore, Stored
from tests.whole import System, until

AUDITOR = Viewer(UUID(int=1), Role.AUDITOR)


class Damaged:
    """The store, one of whose answers is not what it was."""

    def __init__(self, store: ObjectStore, **answers: Any) -> None:
        self._store = store
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        return self._answers.get(name) or getattr(self._store, name)


class Unlocked(Damaged):
    """The store, which says that nothing is locked."""

    def head(self, *where: str) -> Stored:
        return replace(self._store.head(*where), locked_until=None)


@pytest.fixture(scope="module")
def sealed(system: System) -> str:
    """An exhibit that is sealed and published."""
    exhibit_id = system.sealed(system.case(), b"what was said " * 1000, "said.txt")
    published(system)
    return exhibit_id


def published(system: System) -> None:
    query = (
        "SELECT (SELECT max(size) FROM checkpoints) = (SELECT size FROM ledger_state), NOT EXISTS (TABLE event_outbox)"
    )
    until(lambda: all(system.rows(query)[0]))


def asked(system: System, *, deep: bool = False) -> UUID:
    auditor = system.members["auditor"]
    return checking.request(system.services, Actor(UUID(auditor.account_id), "auditor", "browser"), deep=deep)


@pytest.mark.usefixtures("sealed")
def test_a_check_leaves_a_report_under_its_event(system: System) -> None:
    job_id = asked(system, deep=True)
    assert checks.state(system.services, AUDITOR).running is not None
    assert system.work_off("ledger") == ["done"]
    state = checks.state(system.services, AUDITOR)
    kept = checks.report(system.services, job_id)
    event = system.events("system", "ledger.checked")[-1]
    assert (state.running, state.reports[0]) == (None, kept)
    assert event["data"]["report_sha256"] == kept.sha256
    assert event["data"]["requested_by"] == system.members["auditor"].account_id
    assert kept.report.difference is None
    assert (kept.report.deep, kept.report.register, kept.report.objects >= 1) == (True, True, True)
    done = system.rows("SELECT done_units, total_units, unit FROM jobs WHERE id = :id", id=job_id)[0]
    assert done.done_units == done.total_units == kept.report.entries
    assert done.unit == "entries"
    assert system.rows("SELECT 1 FROM ledger_check_positions") == []


def test_only_auditors_learn_of_checks(system: System) -> None:
    for role in set(Role) - {Role.AUDITOR}:
        assert checks.state(system.services, Viewer(UUID(int=1), role)).may_check is False
    with pytest.raises(NotFound, match=r"ledger\.no_such_report"):
        checks.report(system.services, UUID(int=9))


def _missing(*_: Any) -> Stored:
    raise NotFound("store.missing")


def _gone_now(*_: Any) -> Iterator[bytes]:
    yield b"other bytes"


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize(
    ("damaged", "answers", "code"),
    [
        (Damaged, {"head": _missing}, "objects.missing"),
        (Damaged, {"head": lambda *_: Stored("", "", 1)}, "objects.missing"),
        (Unlocked, {}, "objects.lock"),
        (Damaged, {"get": _gone_now}, "objects.bytes"),
        (Damaged, {"get": lambda *_: iter([_missing()])}, "objects.bytes"),
    ],
)
def test_damage_to_a_stored_file_is_named(
    system: System, damaged: type[Damaged], answers: dict[str, Any], code: str
) -> None:
    published(system)
    services = system.variant(store=damaged(system.services.store, **answers))
    report = checking.check(services, deep=True)
    assert report.difference is not None
    assert (report.difference.step, report.difference.code) == (Step.OBJECTS, code)


@pytest.mark.usefixtures("sealed")
def test_a_file_not_read_passes_unless_it_is_read(system: System) -> None:
    services = system.variant(store=Damaged(system.services.store, get=_gone_now))
    assert checking.check(services, deep=False).difference is None


def test_a_store_that_does_not_answer_proves_nothing(system: System) -> None:
    def away(*_: Any) -> Stored:
        raise Unavailable("store.unreachable")

    services = system.variant(store=Damaged(system.services.store, head=away))
    job_id = asked(system)
    assert system.runner(services).run(job_id) == "later"
    assert system.runner().run(job_id) == "done"


def test_without_a_policy_nothing_is_checked(system: System) -> None:
    job_id = asked(system)
    without = replace(system.services, settings=system.settings.model_copy(update={"policy_file": None}))
    assert system.runner(without).run(job_id) == "failed"
    assert checks.state(system.services, AUDITOR).failed == "log.no_policy"


@pytest.mark.usefixtures("sealed")
def test_the_register_may_be_out_of_reach(system: System) -> None:
    for register in (None, system.settings.data_dir / "nowhere"):
        services = replace(system.services, settings=system.settings.model_copy(update={"register_file": register}))
        report = checking.check(services, deep=False)
        assert (report.register, report.difference) == (False, None)


@pytest.mark.usefixtures("sealed")
def test_the_command(system: System, tmp_path: Path) -> None:
    published(system)
    lines: list[str] = []
    out = tmp_path / "report.json"
    assert care.fsck(system.settings, lines.append, deep=False, out=out, language="ru") == care.SAME
    assert any(line.startswith("НЕ ИЗМЕНЕНО") for line in lines)
    assert json.loads(out.read_text())["difference"] is None
    assert care.rebuild(system.settings, lines.append, out=None, dry_run=True) == care.SAME
    assert "nothing is missing" in lines[-1]


def test_a_command_without_settings_says_so(system: System) -> None:
    lines: list[str] = []
    bare = system.settings.model_copy(update={"policy_file": None, "register_file": None})
    with pytest.raises(DalelError, match="policy"):
        care.fsck(bare, lines.append, deep=False, out=None, language="en")
    with pytest.raises(ValueError, match="DALEL_POLICY_FILE"):
        care.rebuild(bare, lines.append, out=None, dry_run=True)


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_a_report_is_given_as_a_signed_act(system: System, tmp_path: Path, language: Any) -> None:
    """Its exact bytes stand in it, and the signature is over all of it; without the office's key it says so."""
    published(system)
    key, passphrase = tmp_path / "key.pem", tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("a passphrase of a test\n")
    keys.create(key, passphrase, datetime.now(UTC))
    services = replace(system.services, office=lambda: FileOffice(key, passphrase))
    report = checking.check(services, deep=False)
    pdf = check_paper.signed(services, report, language)
    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    assert signature.compute_integrity_info() is None
    assert signature.evaluate_signature_coverage() is SignatureCoverageLevel.ENTIRE_FILE
    act = check_paper.paper(report, language, is_signed=True)
    assert [one.text for one in act.blocks if isinstance(one, Exact)] == [report.encode().decode()]
    assert act.title == words.said("title", language)
    without = check_paper.paper(report, language, is_signed=False)
    assert without.blocks[-1] == Paragraph(words.said("unsigned", language))
    assert check_paper.signed(system.services, report, language).startswith(b"%PDF")
