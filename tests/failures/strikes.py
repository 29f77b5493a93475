"""Something happens at one point of an intake: before or after one call to the store, or one commit with an event."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import Database, UnitOfWork
from evidence_api import container
from evidence_api.jobs import Runner
from evidence_api.registry.model import ExhibitForm
from evidence_api.services import Services
from evidence_api.settings import Settings
from evidence_api.use_cases import handlers, intake, small_files
from evidence_api.use_cases.small_files import SmallFile
from storage import intake as storage_intake
from tests.failures.doomed import PROCESSES

Strike = Callable[[], None]
BEFORE, AFTER = "before", "after"


class StruckStore:
    """The store, but something happens before or after its first `act`."""

    def __init__(self, store: Any, act: str, when: str, strike: Strike) -> None:
        self._store, self._act, self._when, self._strike = store, act, when, strike

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._store, name)
        if name != self._act:
            return real

        def struck(*args: Any) -> Any:
            if self._when == BEFORE:
                self._strike()
            result = real(*args)
            if self._when == AFTER:
                self._strike()
            return result

        return struck


class StruckDatabase(Database):
    """The database, but something happens before or after a commit that carries an event."""

    strike: Strike
    when: str

    @contextmanager
    def begin(self, actor: Any) -> Iterator[UnitOfWork]:
        with super().begin(actor) as work:
            commit = work.commit

            def struck() -> None:
                if work._recorded and self.when == BEFORE:
                    work.session.flush()  # so that what is said next is COMMIT
                    self.strike()
                commit()
                if work._recorded and self.when == AFTER:
                    self.strike()

            work.commit = struck  # type: ignore[method-assign]  # this very unit
            yield work


def struck_database(url: str, like: Database, when: str, strike: Strike) -> StruckDatabase:
    made = StruckDatabase(url, like.clock, like.ids, like._scribe, pool_size=3)
    made.strike, made.when = strike, when
    return made


def struck(parts: Services, point: str, when: str, strike: Strike) -> Services:
    """These parts, struck at `point`: `commit`, or the name of a store's method."""
    if point == "commit":
        url = parts.settings.database_url.get_secret_value()
        return replace(parts, database=struck_database(url, parts.database, when, strike))
    return replace(parts, store=StruckStore(parts.store, point, when, strike))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _send_and_die(settings: Settings, point: str, when: str, act: str, *args: Any) -> None:
    parts = struck(container.services(settings), point, when, _die)
    getattr(sys.modules[__name__], act)(parts, *args)


def create(parts: Services, account_id: str, case_id: str, form: ExhibitForm) -> None:
    """What POST does."""
    intake.begin(parts, _sender(account_id), UUID(case_id), form)


def create_whole(parts: Services, account_id: str, case_id: str, form: ExhibitForm, data: bytes) -> None:
    """What POST with all the bytes does."""
    small_files.take_whole(parts, _sender(account_id), UUID(case_id), form, data)


def create_many(parts: Services, account_id: str, case_id: str, forms: list[ExhibitForm], datas: list[bytes]) -> None:
    """What POST of many small files does."""
    files = [SmallFile(form, data) for form, data in zip(forms, datas, strict=True)]
    small_files.take_all(parts, _sender(account_id), UUID(case_id), files)


def append(parts: Services, account_id: str, upload_id: str, data: bytes) -> None:
    """What PATCH does."""
    taker = intake.receive(
        parts, _sender(account_id), UUID(upload_id), offset_bytes=0, declared_bytes=len(data), checksum=None
    )
    storage_intake.append(taker, [data])


def _sender(account_id: str) -> Actor:
    return Actor(UUID(account_id), "investigator", "api")


def _work_and_die(settings: Settings, job_id: UUID, point: str, when: str, together: int) -> None:
    parts = struck(container.services(settings), point, when, _die)
    Runner(parts.database, handlers.of(parts), together=together).run(job_id)


def killed(what: Callable[..., None], *args: Any) -> None:
    """Run it in a process of its own, which must be killed by itself."""
    process = PROCESSES.Process(target=what, args=args)
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL, f"it ended with {process.exitcode}"


def killed_while_sending(settings: Settings, point: str, when: str, act: Callable[..., None], *args: Any) -> None:
    """The process of the API dies at `point` of `create`, `create_whole`, `create_many` or `append`."""
    killed(_send_and_die, settings, point, when, act.__name__, *args)


def killed_while_sealing(settings: Settings, job_id: UUID, point: str, when: str, together: int = 1) -> None:
    """The worker process dies at `point` of this job, and of those it took along."""
    killed(_work_and_die, settings, job_id, point, when, together)
