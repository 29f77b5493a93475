"""What may go wrong around a job besides its worker's death: parts that are away, faults, doubles, a broken job."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from custody.kernel.errors import Conflict, Unavailable
from evidence_api.jobs import MAX_ATTEMPTS, WORKER, Job, Runner, latest, lock_key
from storage.s3 import S3Address, S3Store
from tests import acts
from tests.whole import System


class Handling:
    """A handler that does what the test says, and notes how it was ended."""

    def __init__(self, act=lambda job: None) -> None:
        self.act = act
        self.runs = 0
        self.failures: list[str] = []

    def run(self, job: Job) -> None:
        self.runs += 1
        self.act(job)
        with job.conclude():
            pass

    def fail(self, job: Job, code: str) -> None:
        self.failures.append(code)
        with job.conclude("failed", code):
            pass


@pytest.fixture
def enqueue(system):
    """Puts a job of the kind `test` into the table; it is taken out of the way afterwards."""
    made: list[UUID] = []

    def put(**args) -> UUID:
        with system.services.database.begin(WORKER) as work:
            made.append(work.enqueue("test", subject=f"test:{len(made)}", **args))
            work.commit()
        return made[-1]

    yield put
    with system.services.database.unit() as unit:
        unit.session.execute(text("UPDATE jobs SET state = 'done' WHERE task = 'test'"))
        unit.commit()


def runner(system: System, handler: Handling) -> Runner:
    return Runner(system.services.database, {"test": handler})


def row(system: System, job_id: UUID) -> tuple[str, int, str | None]:
    ((state, attempts, code),) = system.rows("SELECT state, attempts, error_code FROM jobs WHERE id = :id", id=job_id)
    return state, attempts, code


def raising(*errors: Exception):
    """Raises each in turn, then nothing."""
    left = list(errors)

    def act(job: Job) -> None:
        if left:
            raise left.pop(0)

    return act


def test_a_job_is_done_once_and_is_over_afterwards(system, enqueue):
    job_id, handler = enqueue(), Handling()
    assert [runner(system, handler).run(job_id) for _ in range(2)] == ["done", "over"]
    assert (handler.runs, row(system, job_id)) == (1, ("done", 1, None))


def test_a_job_nobody_knows_is_over(system):
    assert runner(system, Handling()).run(UUID(int=1)) == "over"


def test_arguments_come_as_they_were_given(system, enqueue):
    seen: list[Mapping[str, object]] = []
    job_id = enqueue(thing=UUID(int=7), kind="transcript")
    runner(system, Handling(lambda job: seen.append({**job.facts.args, "uuid": job.facts.uuid("thing")}))).run(job_id)
    assert seen == [{"thing": str(UUID(int=7)), "kind": "transcript", "uuid": UUID(int=7)}]


def test_what_no_retry_mends_fails_with_its_code(system, enqueue):
    job_id, handler = enqueue(), Handling(raising(Conflict("plan.not_approved")))
    assert runner(system, handler).run(job_id) == "failed"
    assert (handler.failures, row(system, job_id)) == (["plan.not_approved"], ("failed", 1, "plan.not_approved"))


def test_a_part_that_is_away_does_not_count(system, enqueue):
    """Far more often than there are attempts."""
    away = [Unavailable("store.unreachable") for _ in range(2 * MAX_ATTEMPTS)]
    job_id, handler = enqueue(), Handling(raising(*away))
    for _ in away:
        assert runner(system, handler).run(job_id) == "later"
        assert row(system, job_id) == ("queued", 0, None)
    assert runner(system, handler).run(job_id) == "done"


def test_faults_count_and_run_out(system, enqueue):
    job_id, handler = enqueue(), Handling(raising(*[RuntimeError("a fault")] * (MAX_ATTEMPTS + 1)))
    outcomes = [runner(system, handler).run(job_id) for _ in range(MAX_ATTEMPTS + 2)]
    assert outcomes == ["later"] * MAX_ATTEMPTS + ["failed", "over"]
    assert handler.failures == ["job.attempts_exhausted"]
    assert row(system, job_id) == ("failed", MAX_ATTEMPTS + 1, "job.attempts_exhausted")


def test_a_kind_of_job_that_nobody_knows_any_more_fails(system, enqueue):
    job_id = enqueue()
    assert Runner(system.services.database, {}).run(job_id) == "failed"
    assert row(system, job_id) == ("failed", 1, "job.unknown_task")


def test_a_job_whose_failure_cannot_be_recorded_is_still_given_up(system, enqueue):
    """Otherwise it would come back for ever, with nobody told."""

    class Stubborn(Handling):
        def fail(self, job: Job, code: str) -> None:
            raise Conflict("transcript.not_requested")

    job_id, handler = enqueue(), Stubborn(raising(Conflict("plan.not_approved")))
    assert runner(system, handler).run(job_id) == "failed"
    assert row(system, job_id) == ("failed", 1, "plan.not_approved")


def test_two_deliveries_at_once_are_one_run(system, enqueue):
    inside, go = threading.Event(), threading.Event()

    def wait(job: Job) -> None:
        inside.set()
        assert go.wait(30)

    job_id, handler = enqueue(), Handling(wait)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(runner(system, handler).run, job_id)
        assert inside.wait(30)
        assert runner(system, handler).run(job_id) == "busy"
        go.set()
        assert first.result() == "done"
    assert handler.runs == 1


def test_whoever_concludes_second_drops_its_result(system, enqueue):
    """The lock was lost with its connection while the work went on, and another did the job meanwhile."""
    job_id = enqueue()
    other = Handling()

    def overtaken(job: Job) -> None:
        end_connections(system, f"objid = {lock_key(job_id) & 0xFFFFFFFF}")
        assert runner(system, other).run(job_id) == "done"

    handler = Handling(overtaken)
    assert runner(system, handler).run(job_id) == "over"
    assert (other.runs, row(system, job_id)) == (1, ("done", 2, None))


def test_the_database_is_lost_in_the_middle(system, enqueue):
    """Every connection of the application ends while a job runs: the work itself goes through on new ones."""
    job_id = enqueue()
    handler = Handling(lambda job: end_connections(system, "true"))
    assert runner(system, handler).run(job_id) == "done"
    assert row(system, job_id)[0] == "done"


def test_the_database_is_lost_while_the_result_is_written(system, enqueue):
    """Nothing is half done, and the job is run again."""
    job_id = enqueue()
    lost = [True]

    class Writing(Handling):
        def run(self, job: Job) -> None:
            with job.conclude() as work:
                work.session.execute(text("SELECT 1"))
                if lost.pop() if lost else False:
                    end_connections(system, "true")
                work.session.execute(text("SELECT 1"))

    assert runner(system, Writing()).run(job_id) == "later"
    assert row(system, job_id) == ("queued", 0, None)
    assert runner(system, Writing()).run(job_id) == "done"


def end_connections(system: System, which: str) -> None:
    """End the application's own connections to this database, as a restarted server would."""
    query = f"""
        SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = current_user
        AND datname = current_database() AND pid <> pg_backend_pid()
        AND ({which} OR pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND {which}))
    """
    if which != "true":
        query = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND {which}"
    database = system.variant(moved=timedelta()).database
    with database.read() as session:
        assert session.execute(text(query)).all()
    database.close()


def test_progress_survives_a_reload(system, enqueue):
    job_id, seen = enqueue(), []

    def told(job: Job) -> None:
        job.progress(3, 10, "pages")
        with system.services.database.read() as session:
            seen.append(latest(session, "test:0"))

    runner(system, Handling(told)).run(job_id)
    assert [(view.done_units, view.total_units, view.unit, view.state) for view in seen] == [
        (3, 10, "pages", "running")
    ]
    with system.services.database.read() as session:
        assert latest(session, "test:0").state == "done"
        assert latest(session, "test:nothing") is None


def test_an_unreachable_store_is_waited_for(system):
    """A port that nobody listens on, then the real one: sealed all the same, no attempt counted."""
    case_id = system.case()
    exhibit_id = system.api("investigator").upload(case_id, b"patience", "patience.bin")
    job_id = acts.job_of(system, f"exhibit:{exhibit_id}")
    address = S3Address("127.0.0.1:9", "nobody", "nothing", secure=False)
    gone = system.variant(store=S3Store(address, connect_seconds=0.5, answer_seconds=0.5))
    for _ in range(2):
        assert system.runner(gone).run(job_id) == "later"
        assert row(system, job_id) == ("queued", 0, None)
    assert system.api("investigator").get(f"/api/v1/exhibits/{exhibit_id}")["state"] == "checking"
    assert system.runner().run(job_id) == "done"
    assert len(system.events(f"exhibit:{exhibit_id}", "exhibit.sealed")) == 1


@pytest.mark.parametrize(
    ("kind", "type"),
    [
        ("seal", "exhibit.seal_failed"),
        ("transcribe", "transcript.failed"),
        ("burn", "rendition.failed"),
        ("disclose", "disclosure.failed"),
    ],
)
def test_a_job_that_is_given_up_says_so_in_the_record(system, kind, type):
    """Its event carries the code, its page shows it."""
    subject, item, state = broken(system, kind)
    job_id = acts.job_of(system, subject)
    with system.services.database.unit() as unit:
        unit.session.execute(text("UPDATE jobs SET attempts = 5, state = 'running' WHERE id = :id"), {"id": job_id})
        unit.commit()
    assert system.runner().run(job_id) == "failed"
    assert [one["data"]["reason"] for one in system.events(item, type)] == ["job.attempts_exhausted"]
    assert state() == "job.attempts_exhausted"
    assert system.open_jobs(subject) == []


def broken(system: System, kind: str):
    """A waiting job, the chain its end is written to, and how its people hear of it."""
    case_id, prosecutor = system.case(), system.api("prosecutor")
    if kind == "seal":
        exhibit_id = system.api("investigator").upload(case_id, b"hopeless", "hopeless.bin")
        return (
            f"exhibit:{exhibit_id}",
            f"exhibit:{exhibit_id}",
            lambda: prosecutor.get(f"/api/v1/exhibits/{exhibit_id}")["reason"],
        )
    if kind == "transcribe":
        exhibit_id = system.sealed(case_id, acts.sound(number=2000), "hopeless.flac")
        path = f"/api/v1/exhibits/{exhibit_id}/transcript"
        asked = prosecutor.post(path)
        return f"transcript:{asked['id']}", f"exhibit:{exhibit_id}", lambda: prosecutor.get(path)["failure"]
    exhibit_id = system.sealed(case_id, acts.picture(7), "hopeless.png")
    if kind == "burn":
        plan_id = acts.approved(system, exhibit_id)
        return f"plan:{plan_id}", f"exhibit:{exhibit_id}", lambda: failure_of(system, f"plan:{plan_id}")
    disclosure_id = acts.released(system, case_id, acts.burned(system, exhibit_id))

    def state() -> str:
        assert prosecutor.get(f"/api/v1/disclosures/{disclosure_id}")["state"] == "failed"
        return failure_of(system, f"disclosure:{disclosure_id}")

    return f"disclosure:{disclosure_id}", f"disclosure:{disclosure_id}", state


def failure_of(system: System, subject: str) -> str | None:
    with system.services.database.read() as session:
        return latest(session, subject).error_code
