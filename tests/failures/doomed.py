"""A worker that dies: a real process with connections of its own, killed at a named step of one job."""

import os
import signal
from uuid import UUID

from custody.kernel.unit_of_work import Database
from evidence_api import container
from evidence_api.jobs import Job, JobFacts, Runner
from evidence_api.settings import Settings
from evidence_api.use_cases import handlers
from tests.failures.killing import killed


class Counting(Job):
    """Notes the steps it passes: the dry run that tells where there is to die."""

    passed: list[str]

    def step(self, name: str) -> None:
        self.passed.append(name)
        super().step(name)


class Doomed(Job):
    """Is killed at its `fatal`-th step, counted from 1."""

    fatal: int

    def __init__(self, database: Database, facts: JobFacts) -> None:
        super().__init__(database, facts)
        self._steps = 0

    def step(self, name: str) -> None:
        self._steps += 1
        if self._steps == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def _run(settings: Settings, job_id: UUID, fatal: int) -> None:
    parts = container.services(settings)
    make_job = type("DoomedAt", (Doomed,), {"fatal": fatal})
    Runner(parts.database, handlers.of(parts), make_job).run(job_id)


def run_and_die(settings: Settings, job_id: UUID, fatal: int) -> None:
    """Run a job in a process that is killed at its `fatal`-th step; returns when it is dead and known to be."""
    killed(_run, settings, job_id, fatal)
