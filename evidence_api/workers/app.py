"""Celery: carries job ids from the dispatcher to worker processes. It knows nothing of what a job is."""

import os
from collections.abc import Callable
from uuid import UUID

from celery import Celery
from celery.signals import worker_process_init
from kombu.exceptions import OperationalError

from custody.kernel.errors import Unavailable
from evidence_api.jobs import Runner
from evidence_api.stack.lifeline import die_with_parent

TASK = "dalel.run_job"
FAST, MEDIA, LIGHT = "fast", "media", "light"
_MEDIA_TASKS = frozenset(
    {"transcript.draft", "plan.suggest", "rendition.burn", "ledger.check", "fixity.scrub", "fixity.check"}
)
_LIGHT_TASKS = frozenset({"exhibit.identify", "exhibit.scan", "rendition.light"})


def queue_of(task: str) -> str:
    """Long work on sound and pages goes to its own queue, so that a seal never waits behind an interrogation.

    What nobody has asked for goes to a third, which the workers of the second turn to when theirs is empty.
    """
    if task in _LIGHT_TASKS:
        return LIGHT
    return MEDIA if task in _MEDIA_TASKS else FAST


def create(broker_url: str) -> Celery:
    """A Celery application on this broker. Results are not kept: the jobs table is the truth."""
    app = Celery("dalel", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        # A child loads its libraries before it says that it is up; killed after four seconds, it took its job with it.
        worker_proc_alive_timeout=120,
        # Above the longest job: a live task past this would be delivered twice. The dispatcher notices dead workers
        # long before, by their lock, so nothing waits for it.
        # A worker of several queues takes from the first that has something, in the order it was given them.
        broker_transport_options={"visibility_timeout": 24 * 3600, "queue_order_strategy": "priority"},
    )
    return app


def sender(app: Celery) -> Callable[[str, UUID], None]:
    """A function that puts a job id on a queue; raises Unavailable when the broker does not take it."""

    def send(queue: str, job_id: UUID) -> None:
        try:
            app.send_task(TASK, args=[str(job_id)], queue=queue, retry=False)
        except OperationalError as error:
            raise Unavailable("broker.unreachable") from error

    return send


def serve(app: Celery, make_runner: Callable[[], Runner], queue: str, processes: int) -> None:
    """Work off a queue until told to stop. Each child process builds its own runner: no connection crosses a fork."""
    runners: list[Runner] = []

    parent = os.getpid()

    def prepare(**_: object) -> None:
        # A pool child outlives nobody: killed with its parent, its job goes to another at once.
        die_with_parent(parent)
        runners[:] = [make_runner()]

    worker_process_init.connect(prepare, weak=False)

    @app.task(name=TASK)  # type: ignore[untyped-decorator]  # celery ships no types
    def run_job(job_id: str) -> str:
        return runners[0].run(UUID(job_id))

    queues = f"{MEDIA},{LIGHT}" if queue == MEDIA else queue
    options = ["-Q", queues, "-c", str(processes), "-n", f"{queue}@%h", "-l", "WARNING"]
    app.worker_main(["worker", *options, "--without-gossip", "--without-mingle", "--without-heartbeat"])
