"""Law 8 through real Celery: its pool process is killed in the middle of a job, and its whole worker."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

import tests
from evidence_api import container
from evidence_api.settings import as_environment
from tests import acts
from tests.whole import System, until

ROOT = Path(tests.__file__).parents[1]
Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def marks(tmp_path) -> Path:
    made = tmp_path / "marks"
    made.mkdir()
    return made


@pytest.fixture
def start(system, marks, tmp_path) -> Iterator[Start]:
    """Starts a worker in a session of its own; what still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def one() -> subprocess.Popen[bytes]:
        with (tmp_path / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.failures.celery_entry", str(marks)]
            env = os.environ | as_environment(dict(system.settings))
            worker = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
        started.append(worker)
        return worker

    yield one
    for worker in started:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


@pytest.fixture
def dispatching(system) -> Iterator[None]:
    """A dispatcher at work."""
    running, stop = container.dispatcher(system.settings), threading.Event()
    loop = threading.Thread(target=running.run, args=(stop,), name="dispatcher")
    loop.start()
    yield
    stop.set()
    loop.join()
    running._database.close()


def begun(system: System, marks: Path, number: int) -> tuple[str, UUID, int]:
    """An exhibit whose seal is being made, its job, and the process that makes it."""
    exhibit_id = system.api("investigator").upload(system.case(), f"celery {number}".encode(), f"{number}.bin")
    job_id = acts.job_of(system, f"exhibit:{exhibit_id}")
    mark = marks / str(job_id)
    until(mark.exists, 90)
    return exhibit_id, job_id, int(mark.read_text())


def sealed_once(system: System, exhibit_id: str, job_id: UUID) -> bool:
    if system.rows("SELECT state FROM jobs WHERE id = :id", id=job_id) != [("done",)]:
        return False
    assert len(system.events(f"exhibit:{exhibit_id}", "exhibit.sealed")) == 1
    assert system.api("prosecutor")("GET", f"/api/v1/exhibits/{exhibit_id}/content").content.startswith(b"celery")
    return True


@pytest.mark.usefixtures("dispatching")
def test_the_process_is_killed_then_the_whole_worker(system, start, marks):
    worker = start()
    exhibit_id, job_id, pid = begun(system, marks, 1)
    os.kill(pid, signal.SIGKILL)
    until(lambda: sealed_once(system, exhibit_id, job_id), 60)
    assert worker.poll() is None

    exhibit_id, job_id, _ = begun(system, marks, 2)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    start()
    until(lambda: sealed_once(system, exhibit_id, job_id), 90)
