"""Law 8: a worker is killed between each pair of steps of every kind of job; the job ends done exactly once."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import UUID

from custody.kernel.outbox import Actor
from custody.proof import policy, verify
from evidence_api.use_cases import (
    checking,
    disclosing,
    disposing,
    examining,
    fixity,
    redacting,
    retaining,
    transcribing,
)
from evidence_api.use_cases.handlers import of as handlers_of
from evidence_api.use_cases.intake import SEAL
from evidence_api.workers.dispatcher import Dispatcher
from storage.clamd import Clamd
from storage.ports import EVIDENCE
from storage.seal import evidence_key
from tests import acts, ended
from tests.failures.doomed import Counting, run_and_die
from tests.whole import System

LATER = timedelta(seconds=15)
KILLED = {
    *(SEAL, transcribing.DRAFT, redacting.SUGGEST, redacting.BURN, disclosing.PACKAGE, checking.CHECK),
    *(retaining.PROTECT, disposing.DESTROY),
    *(examining.IDENTIFY, examining.SCAN, examining.LIGHT),
    *(fixity.SCRUB, fixity.CHECK),
}


def test_every_kind_of_job_with_a_result_is_killed_here(system):
    """A discarded upload has none: removing again does nothing (tests/integration/storage)."""
    assert set(handlers_of(system.services)) - KILLED == {"upload.discard"}


def steps_of(system: System, job_id: UUID) -> list[str]:
    """The steps of a kind of job, found by running one to its end."""
    passed: list[str] = []
    made = type("CountingHere", (Counting,), {"passed": passed})
    assert system.runner(make_job=made).run(job_id) == "done"
    assert passed[-2:] == ["before commit", "after commit"]
    return passed


def kill_at_every_step(
    system: System, name: str, prepare: Callable[[], str], check: Callable[[str], None], least: int
) -> None:
    """`prepare` brings a subject to where its one job waits; `check` looks at it after the job's end."""
    first = prepare()
    steps = steps_of(system, acts.job_of(system, first))
    check(first)
    assert len(steps) >= least, steps
    for fatal, step in enumerate(steps, 1):
        subject = prepare()
        job_id = acts.job_of(system, subject)
        assert dispatched(system, job_id) == 1
        run_and_die(system.settings, job_id, fatal)
        ((state, attempts),) = system.rows("SELECT state, attempts FROM jobs WHERE id = :id", id=job_id)
        over = step == "after commit"
        assert (state, attempts) == ("done" if over else "running", 1), f"{name}, killed at «{step}»"
        assert dispatched(system, job_id, after=LATER) == (0 if over else 1), f"{name}, killed at «{step}»"
        assert system.runner().run(job_id) == ("over" if over else "done"), f"{name}, killed at «{step}»"
        assert system.runner().run(job_id) == "over"
        assert dispatched(system, job_id, after=2 * LATER) == 0
        check(subject)


def dispatched(system: System, job_id: UUID, after: timedelta = timedelta()) -> int:
    """How often a dispatcher sends this job, so much later."""
    sent: list[UUID] = []
    database = system.variant(moved=after).database
    dispatching = Dispatcher(database, lambda _, job: sent.append(job), lambda task: task)
    while dispatching.dispatch_once():
        pass  # other tests leave jobs of their own, more than one batch of them
    database.close()
    return sent.count(job_id)


def types(system: System, item: str) -> Counter[str]:
    return Counter(one["type"] for one in system.events(item))


def original_stands(system: System, exhibit_id: str, data: bytes) -> None:
    answer = system.api("prosecutor")("GET", f"/api/v1/exhibits/{exhibit_id}/content")
    assert (answer.status_code, answer.content) == (200, data)


def test_seal(system):
    case_id = system.case()
    sent: dict[str, bytes] = {}

    def prepare() -> str:
        data = f"evidence {len(sent)}".encode() * 500
        exhibit_id = system.api("investigator").upload(case_id, data, f"{len(sent)}.bin")
        sent[exhibit_id] = data
        return f"exhibit:{exhibit_id}"

    def check(subject: str) -> None:
        exhibit_id = subject.removeprefix("exhibit:")
        found = types(system, subject)
        assert (found["exhibit.sealed"], found["exhibit.seal_failed"], found["upload.refused"]) == (1, 0, 0)
        ((state, upload, blob_id),) = system.rows(
            "SELECT e.state, u.state, e.blob_id FROM exhibits e JOIN uploads u ON u.id = e.upload_id WHERE e.id = :id",
            id=exhibit_id,
        )
        assert (state, upload) == ("sealed", "sealed")
        store, key = system.services.store, evidence_key(blob_id)
        (stored,) = list(store.list(EVIDENCE, key))
        assert store.head(EVIDENCE, key, stored.version_id).locked_until
        assert system.tails(blob_id) == 0
        assert system.rows("SELECT count(*) FROM blobs WHERE id = :id", id=blob_id) == [(1,)]
        original_stands(system, exhibit_id, sent[exhibit_id])

    kill_at_every_step(system, "seal", prepare, check, least=4)


def test_identify(system):
    case_id, made = system.case(), count()

    def prepare() -> str:
        return f"identify:{system.sealed(case_id, acts.picture(next(made)), 'seen.png')}"

    def check(subject: str) -> None:
        exhibit_id = subject.removeprefix("identify:")
        found = types(system, f"exhibit:{exhibit_id}")
        assert (found["exhibit.identified"], found["exhibit.not_identified"]) == (1, 0)
        told = system.api("prosecutor").get(f"/api/v1/exhibits/{exhibit_id}/facts")
        (identified,) = system.events(f"exhibit:{exhibit_id}", "exhibit.identified")
        assert told["claims_sha256"] == identified["data"]["facts_sha256"]
        assert len(system.open_jobs(f"light:{exhibit_id}")) == 1

    kill_at_every_step(system, "identify", prepare, check, least=4)
    assert not list(system.settings.work_dir.glob("dalel-room-*")), "evidence in the clear was left behind"


def test_make_light_copies(system):
    case_id, made = system.case(), count()

    def prepare() -> str:
        exhibit_id = system.sealed(case_id, acts.picture(next(made)), "light.png")
        assert system.work_off(f"identify:{exhibit_id}") == ["done"]
        return f"light:{exhibit_id}"

    def check(subject: str) -> None:
        exhibit_id = subject.removeprefix("light:")
        found = types(system, f"exhibit:{exhibit_id}")
        assert (found["rendition.made"], found["rendition.not_made"]) == (1, 0)
        (copy,) = system.api("prosecutor").get(f"/api/v1/exhibits/{exhibit_id}/facts")["light_copies"]
        answer = system.api("prosecutor")("GET", f"/api/v1/light-copies/{copy['id']}/content")
        assert "sha256:" + hashlib.sha256(answer.content).hexdigest() == copy["sha256"]

    kill_at_every_step(system, "light", prepare, check, least=5)
    assert not list(system.settings.work_dir.glob("dalel-room-*")), "evidence in the clear was left behind"


def test_scan(system, scanner):
    settings = system.settings.model_copy(update={"clamd": scanner})
    scanning = replace(system, settings=settings, services=system.variant(scanner=Clamd(scanner)))
    case_id, made = system.case(), count()

    def prepare() -> str:
        return f"scan:{scanning.sealed(case_id, f'harmless {next(made)}'.encode(), 'scanned.txt')}"

    def check(subject: str) -> None:
        exhibit_id = subject.removeprefix("scan:")
        (scanned,) = system.events(f"exhibit:{exhibit_id}", "exhibit.scanned")
        assert scanned["data"]["result"] == "clean"
        assert system.rows("SELECT count(*) FROM scans WHERE exhibit_id = :id", id=exhibit_id) == [(1,)]

    kill_at_every_step(scanning, "scan", prepare, check, least=4)


def test_transcribe(system):
    case_id = system.case()
    sounds: dict[str, bytes] = {}

    def prepare() -> str:
        data = acts.sound(2.5, 10.0, number=len(sounds))
        exhibit_id = system.sealed(case_id, data, f"{len(sounds)}.flac")
        asked = system.api("prosecutor").post(f"/api/v1/exhibits/{exhibit_id}/transcript")
        sounds[f"transcript:{asked['id']}"] = data
        return f"transcript:{asked['id']}"

    def check(subject: str) -> None:
        transcript_id = subject.removeprefix("transcript:")
        ((exhibit_id, state, latest),) = system.rows(
            "SELECT exhibit_id, state, latest_revision FROM transcripts WHERE id = :id", id=transcript_id
        )
        assert (state, latest) == ("drafted", 1)
        count = "SELECT count(*) FROM revisions WHERE transcript_id = :id"
        assert system.rows(count, id=transcript_id) == [(1,)]
        found = types(system, f"exhibit:{exhibit_id}")
        assert (found["transcript.drafted"], found["transcript.failed"]) == (1, 0)
        original_stands(system, str(exhibit_id), sounds[subject])

    kill_at_every_step(system, "transcribe", prepare, check, least=4)


def test_suggest(system):
    exhibit_id = system.sealed(system.case(), data := acts.sound(number=1000), "said.flac")
    acts.confirmed(system, exhibit_id)
    counts = set()

    def prepare() -> str:
        asked = system.api("prosecutor").post(f"/api/v1/exhibits/{exhibit_id}/plan")
        return f"plan:{asked['id']}"

    def check(subject: str) -> None:
        plan_id = subject.removeprefix("plan:")
        drafted = system.events(f"exhibit:{exhibit_id}", "plan.suggested")
        assert [one["data"]["plan"] for one in drafted].count(plan_id) == 1
        plan = system.api("prosecutor").get(f"/api/v1/plans/{plan_id}")
        assert plan["state"] == "drafted"
        counts.add(len(plan["suggestions"]))
        original_stands(system, exhibit_id, data)

    kill_at_every_step(system, "suggest", prepare, check, least=4)
    assert len(counts) == 1
    assert counts != {0}


def test_burn(system):
    exhibit_id = system.sealed(system.case(), data := acts.picture(), "scene.png")

    def prepare() -> str:
        return f"plan:{acts.approved(system, exhibit_id)}"

    def check(subject: str) -> None:
        plan_id = subject.removeprefix("plan:")
        burned = [
            one["type"]
            for one in system.events(f"exhibit:{exhibit_id}")
            if one["data"].get("plan") == plan_id and one["type"].startswith("rendition.")
        ]
        assert burned == ["rendition.burned"]
        ((rendition_id, blob_id, result),) = system.rows(
            "SELECT id, blob_id, leak_result FROM redaction_renditions WHERE plan_id = :id", id=plan_id
        )
        assert result == "passed"
        checks = system.events(f"exhibit:{exhibit_id}", "rendition.leak_checked")
        assert [one["data"]["rendition"] for one in checks].count(str(rendition_id)) == 1
        assert system.rows("SELECT count(*) FROM blobs WHERE id = :id", id=blob_id) == [(1,)]
        bytes_ = system.api("prosecutor")("GET", f"/api/v1/renditions/{rendition_id}/content").content
        row = system.api("prosecutor").get(f"/api/v1/exhibits/{exhibit_id}/renditions")["items"]
        (digest,) = [one["sha256"] for one in row if one["id"] == str(rendition_id)]
        assert digest == "sha256:" + hashlib.sha256(bytes_).hexdigest()
        original_stands(system, exhibit_id, data)

    kill_at_every_step(system, "burn", prepare, check, least=5)


def test_disclose(system, tmp_path):
    case_id = system.case()
    exhibit_id = system.sealed(case_id, data := acts.picture(1), "scene.png")
    renditions = acts.burned(system, exhibit_id)
    rules = policy.parse(system.services.policy.encode())

    def prepare() -> str:
        return f"disclosure:{acts.released(system, case_id, renditions)}"

    def check(subject: str) -> None:
        disclosure_id = subject.removeprefix("disclosure:")
        assert types(system, subject) == {
            "disclosure.drafted": 1,
            "disclosure.released": 1,
            "disclosure.packaged": 1,
        }
        path = f"/api/v1/disclosures/{disclosure_id}"
        seen = system.api("prosecutor").get(path)
        assert seen["state"] == "ready"
        package = tmp_path / f"{disclosure_id}.zip"
        package.write_bytes(system.api("defence")("GET", f"{path}/package").content)
        assert seen["package_sha256"] == "sha256:" + hashlib.sha256(package.read_bytes()).hexdigest()
        verify.verify_path(package, rules)
        original_stands(system, exhibit_id, data)

    kill_at_every_step(system, "disclose", prepare, check, least=5)


def test_check(system):
    """What held before the kill is not checked again; the report is kept once."""
    system.sealed(system.case(), b"to be checked " * 100, "checked.txt")
    auditor = Actor(None, "system", "worker")
    before = types(system, "system")["ledger.checked"]
    asked = 0

    def prepare() -> str:
        nonlocal asked
        checking.request(system.services, auditor, deep=False)
        asked += 1
        return checking.SUBJECT

    def check(_: str) -> None:
        assert types(system, "system")["ledger.checked"] == before + asked
        reports = system.rows("SELECT count(*) FROM ledger_checks")
        assert reports == [(before + asked,)]

    kill_at_every_step(system, "check", prepare, check, least=3)


def test_check_one_exhibit(system):
    """Each check that was asked for is recorded once, whichever delivery made it."""
    exhibit_id = system.sealed(system.case(), data := b"looked at again and again " * 50, "again.txt")
    before = types(system, f"exhibit:{exhibit_id}")["fixity.checked"]
    asked = 0

    def prepare() -> str:
        nonlocal asked
        fixity.request(system.services, Actor(None, "system", "worker"), UUID(exhibit_id), deep=True)
        asked += 1
        return fixity.subject(UUID(exhibit_id))

    def check(_: str) -> None:
        assert types(system, f"exhibit:{exhibit_id}")["fixity.checked"] == before + asked
        original_stands(system, exhibit_id, data)

    kill_at_every_step(system, "check one exhibit", prepare, check, least=3)


def test_scrub(system):
    """A round counts each file once and ends once, however often its worker died."""
    system.sealed(system.case(), b"walked over " * 50, "walked.txt")
    before = types(system, "system")["fixity.swept"]
    rounds = 0

    def prepare() -> str:
        nonlocal rounds
        fixity.begin(system.services, Actor(None, "system", "worker"), deep=False)
        rounds += 1
        return fixity.ROUND

    def check(_: str) -> None:
        swept = system.events("system", "fixity.swept")
        assert len(swept) == before + rounds
        blobs = system.rows("SELECT count(*) FROM blobs WHERE octet_length(wrapped_key) > 0")[0][0]
        assert (swept[-1]["data"]["checked"], swept[-1]["data"]["differences"]) == (blobs, 0)

    kill_at_every_step(system, "scrub", prepare, check, least=3)


def test_protect(system):
    """A hold and a longer term: the store follows once, however often the job dies."""
    case_id = system.case()
    made: list[str] = []

    def prepare() -> str:
        data = b"protected %d" % len(made)
        exhibit_id = system.sealed(case_id, data, f"{len(made)}.txt")
        made.append(exhibit_id)
        until = system.services.database.clock.now() + timedelta(days=60 + len(made))
        system.api("prosecutor").post(f"/api/v1/exhibits/{exhibit_id}/retention", until=until.isoformat())
        return f"exhibit:{exhibit_id}"

    def check(item: str) -> None:
        ((key, version, until, kept),) = system.rows(
            "SELECT key, version_id, blobs.retain_until, exhibits.retain_until FROM blobs"
            " JOIN exhibits ON exhibits.blob_id = blobs.id WHERE exhibits.id = :id",
            id=item.removeprefix("exhibit:"),
        )
        assert system.services.store.head(EVIDENCE, key, version).locked_until == until == kept
        assert types(system, item)["exhibit.retained"] == 2

    kill_at_every_step(system, "protect", prepare, check, least=4)


def test_destroy(system):
    """Keys and objects of an approved act: destroyed once, recorded once, wherever the worker dies."""
    case_id = system.case()
    data = [b"destroyed %d" % number * 9 for number in range(8)]
    waiting = [ended.sealed_briefly(system, case_id, one, f"{number}.txt") for number, one in enumerate(data)]
    ended.wait_for_end(system, *waiting)

    def prepare() -> str:
        return f"disposal:{ended.approved(system, case_id, waiting.pop())['id']}"

    def check(subject: str) -> None:
        act = system.api("auditor").get(f"/api/v1/disposals/{subject.removeprefix('disposal:')}")
        (outcome,) = act["exhibits"]
        found = types(system, f"exhibit:{outcome['exhibit']}")
        assert (found["key.destroyed"], found["disposal.done"]) == (1, 1)
        assert (act["state"], outcome["keys_destroyed"], outcome["objects_removed"]) == ("done", 1, 1)
        ((key, wrapped),) = system.rows(
            "SELECT key, wrapped_key FROM blobs JOIN exhibits ON exhibits.blob_id = blobs.id WHERE exhibits.id = :id",
            id=outcome["exhibit"],
        )
        assert wrapped == b""
        assert list(system.services.store.list(EVIDENCE, key)) == []

    kill_at_every_step(system, "destroy", prepare, check, least=5)
