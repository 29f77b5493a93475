"""The whole system for tests: real database, store and log, people of every role; jobs run where the test says."""

import base64
import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text
from starlette.testclient import TestClient

from custody.kernel.clock import SystemClock
from custody.kernel.ids import RandomIds
from custody.kernel.unit_of_work import Database
from custody.scribe import EventScribe
from evidence_api import container, prepare
from evidence_api import settings as configuration
from evidence_api.http.main import application
from evidence_api.jobs import Job, JobFacts, Runner
from evidence_api.services import Services
from evidence_api.settings import Settings
from evidence_api.stack.endpoints import Endpoints
from evidence_api.use_cases import handlers, people, retaining
from storage.ports import STAGING, ObjectStore
from tests.databases import FreshDatabase

BASE_URL = "http://127.0.0.1:8000"
PASSWORD = "correct horse battery"
ROLES = ("administrator", "investigator", "prosecutor", "supervising_prosecutor", "defence", "auditor")
ON_CASE = ("prosecutor", "supervising_prosecutor", "defence")
MakeJob = Callable[[Database, JobFacts], Job]


class MovedClock:
    """The operating system's clock, moved by so much."""

    def __init__(self, by: timedelta = timedelta()) -> None:
        self.by = by

    def now(self) -> datetime:
        return SystemClock().now() + self.by


@dataclass(frozen=True)
class Member:
    """An account and its bearer token."""

    login: str
    account_id: str
    role: str
    token: str


class Api:
    """One person at the HTTP API of one application."""

    def __init__(self, client: httpx.Client, member: Member | None) -> None:
        self.client = client
        self.member = member

    def __call__(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **body: Any) -> Any:
        sent = {"Authorization": f"Bearer {self.member.token}"} if self.member else {}
        return self.client.request(method, path, headers=sent | dict(headers or {}), **body)

    def get(self, path: str) -> Any:
        """JSON of a GET that succeeds."""
        return self._json(self("GET", path))

    def post(self, path: str, **form: Any) -> Any:
        """JSON of a POST that succeeds."""
        return self._json(self("POST", path, json=form))

    def begin_upload(
        self, case_id: str, data: bytes, name: str, headers: Mapping[str, str] | None = None, body: bytes = b"", **said
    ) -> Any:
        """The answer to the creation of an upload, with the first bytes or without; `said` replaces metadata."""
        values = {
            "filename": name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "case": case_id,
            "basis": "seizure",
            "purpose": "pretrial",
            "retain_days": "30",
        } | said
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())
        sent = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data)), "Upload-Metadata": metadata}
        brings = {"Content-Type": "application/offset+octet-stream"} if body else {}
        return self("POST", "/api/v1/uploads", headers=sent | brings | dict(headers or {}), content=body)

    def create_whole(self, case_id: str, data: bytes, name: str, **said: str) -> Any:
        """The answer to the creation of an upload that brings all of its bytes."""
        return self.begin_upload(case_id, data, name, body=data, **said)

    def append(self, location: str, data: bytes, offset: int = 0, **headers: str) -> Any:
        """The answer to one PATCH."""
        sent = {
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        return self("PATCH", location, headers=sent | headers, content=data)

    def upload(self, case_id: str, data: bytes, name: str, **said: str) -> str:
        """Send a file whole; returns its exhibit's id. It is not sealed yet."""
        created = self.begin_upload(case_id, data, name, **said)
        assert created.status_code == 201, created.text
        sent = self.append(created.headers["Location"], data)
        assert sent.status_code == 204, sent.text
        return str(created.headers["Dalel-Exhibit"])

    @staticmethod
    def _json(answer: httpx.Response) -> Any:
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        return answer.json()


@dataclass
class System:
    """The parts, the people, and what the tests ask of the database."""

    settings: Settings
    services: Services
    members: dict[str, Member] = field(default_factory=dict)
    owner_url: str = ""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _opened: list[Any] = field(default_factory=list)

    def variant(self, *, moved: timedelta | None = None, store: ObjectStore | None = None, **parts: Any) -> Services:
        """The same system with some part exchanged. `moved` exchanges the clock."""
        if moved is not None:
            clock = MovedClock(moved)
            ids = RandomIds(clock)
            url = self.settings.database_url.get_secret_value()
            parts["database"] = Database(url, clock, ids, EventScribe(clock, ids), pool_size=2)
            self._opened.append(parts["database"])
        if store is not None:
            parts["store"] = store
        return replace(self.services, **parts)

    def client(self, services: Services | None = None, **options: Any) -> TestClient:
        """A client of an application of its own."""
        return TestClient(application(services or self.services), base_url=BASE_URL, **options)

    def api(self, role: str | None, services: Services | None = None, **options: Any) -> Api:
        """A person (by role, or `other …` for one who stands on no case) at the API."""
        return Api(self.client(services, **options), self.members[role] if role else None)

    def add_member(self, name: str, role: str, language: str = "kk") -> Member:
        """A new account, signed in."""
        login = f"{name.replace(' ', '-')}-{next(self._numbers)}"
        account = people.create_account(
            self.services.database,
            self.services.passwords,
            prepare.OPERATOR,
            login=login,
            display_name=f"Test {name}",
            role=role,
            language=language,
            password=PASSWORD,
        )
        token = Api(self.client(), None).post("/api/v1/session", login=login, password=PASSWORD)["token"]
        self.members[name] = member = Member(login, str(account.id), role, token)
        return member

    def case(self) -> str:
        """A new case with its investigator, both prosecutors and the defence."""
        opened = self.api("investigator").post("/api/v1/cases", erdr=f"99{next(self._numbers):013}", title="Test")
        for role in ON_CASE:
            granter = self.api("prosecutor" if role == "defence" else "administrator")
            grant = {"login": self.members[role].login, "role": role}
            granter.post(f"/api/v1/cases/{opened['id']}/grants", **grant)
        return str(opened["id"])

    def sealed(self, case_id: str, data: bytes, name: str) -> str:
        """An exhibit of these bytes, sealed."""
        exhibit_id = self.api("investigator").upload(case_id, data, name)
        assert self.work_off(f"exhibit:{exhibit_id}") == ["done"]
        return exhibit_id

    def runner(self, services: Services | None = None, make_job: MakeJob = Job) -> Runner:
        """A runner in this process."""
        parts = services or self.services
        return Runner(parts.database, handlers.of(parts), make_job)

    def open_jobs(self, subject: str) -> list[UUID]:
        """Jobs about a subject that are not over, oldest first."""
        query = "SELECT id FROM jobs WHERE subject = :subject AND state IN ('queued', 'running') ORDER BY id"
        return [row[0] for row in self.rows(query, subject=subject)]

    def work_off(self, subject: str, services: Services | None = None) -> list[str]:
        """Run what is open about a subject, once each and what follows from it; returns the outcomes."""
        runner, outcomes = self.runner(services), []
        tried: set[UUID] = set()
        while todo := [job for job in self.open_jobs(subject) if job not in tried]:
            tried.update(todo)
            outcomes += [runner.run(job) for job in todo]
        return outcomes

    def rows(self, query: str, **values: Any) -> list[Any]:
        """What the database answers."""
        with self.services.database.read() as session:
            return list(session.execute(text(query), values))

    def events(self, item: str, type: str | None = None) -> list[dict[str, Any]]:
        """The events of a chain in their order, those still in the outbox included."""
        query = """
            SELECT convert_from(canonical, 'UTF8') FROM (
                SELECT 0 AS late, seq AS place, canonical FROM ledger_entries WHERE item = :item
                UNION ALL SELECT 1, position, convert_to(body, 'UTF8') FROM event_outbox WHERE item = :item
            ) AS chain ORDER BY late, place
        """
        found = [json.loads(row[0]) for row in self.rows(query, item=item)]
        return [one for one in found if type in (None, one["type"])]

    def tails(self, blob_id: UUID) -> int:
        """How many beginnings of segments lie in the staging bucket."""
        return len(list(self.services.store.list(STAGING, f"{blob_id}/")))

    def close(self) -> None:
        for opened in self._opened:
            opened.close()
        self.services.database.close()


def settings_for(stack: Endpoints, database: FreshDatabase, directory: Path) -> Settings:
    """Settings of a system in this database, with buckets of its own."""
    return configuration.load(
        data_dir=directory,
        public_base_url=BASE_URL,
        database_url=database.app_url,
        sequencer_database_url=database.sequencer_url,
        database_pool_size=5,
        broker_url=stack.broker_url,
        s3_endpoint=stack.object_store.endpoint,
        s3_secure=stack.object_store.secure,
        s3_access_key=stack.object_store.access_key,
        s3_secret_key=stack.object_store.secret_key,
        s3_bucket_prefix=database.name.replace("_", "-"),
        kek_file=directory / "keys" / "kek",
        log_key_file=directory / "keys" / "log-key.pem",
        log_key_passphrase_file=directory / "keys" / "log-key.passphrase",
        policy_file=directory / "keys" / "policy",
        log_keys_file=directory / "keys" / "log-keys.json",
        register_file=directory / "register" / "checkpoint",
        log_origin="dalel.example/test",
        # Reachable for whom a child of the sandbox becomes, which the directories of pytest are not.
        work_dir=Path(tempfile.gettempdir()) / f"dalel-work-{os.getpid()}-{directory.name}",
        password_passes=1,
        password_memory_kib=64,
        login_attempts_per_address=10_000,
        requests_per_minute=100_000,
        upload_lifetime_seconds=3600,
        erdr_pattern="[0-9]{15}",
    )


@contextmanager
def whole(stack: Endpoints, database: FreshDatabase, directory: Path) -> Iterator[System]:
    """A running system: its ledger is kept by threads of this process."""
    settings = settings_for(stack, database, directory)
    prepare.keys(settings)
    container.object_store(settings).ensure_buckets()
    system = System(settings, container.services(settings), owner_url=database.owner_url)
    retaining.deliver_rules(system.services, prepare.OPERATOR)
    order, publisher = container.ledger(settings)
    stop = threading.Event()
    threads = [
        threading.Thread(target=order.run, args=(stop,), name="sequencer"),
        threading.Thread(target=publisher.run, args=(stop, order.leading, 0.2), name="publisher"),
    ]
    for thread in threads:
        thread.start()
    try:
        for role in ROLES:
            system.add_member(role, role)
        for role in ("investigator", "prosecutor", "defence"):
            system.add_member(f"other {role}", role)
        yield system
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        shutil.rmtree(settings.work_dir, ignore_errors=True)
        order._database.close()  # a process of its own in life, which ends with its connections
        system.close()


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """The first true value of a condition; fails when there is none in time."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)
    return value
