"""The API on a real database, with a clock that stands still and cheap passwords."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from custody.kernel.ids import RandomIds
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import Database
from custody.scribe import EventScribe
from evidence_api.access.passwords import Passwords
from evidence_api.http.app import create_app
from evidence_api.registry.facts import Account
from evidence_api.settings import Settings
from evidence_api.use_cases import people
from tests.clock import FixedClock
from tests.databases import FreshDatabase

PASSWORD = "correct horse battery"
SYSTEM = Actor(None, "system", "cli")


@dataclass
class TestParts:
    """A composition root for tests."""

    __test__ = False
    settings: Settings
    database: Database
    passwords: Passwords
    clock: FixedClock
    ready_checks: Mapping[str, Callable[[], None]] = field(default_factory=dict)


@pytest.fixture
def parts(fresh_database: FreshDatabase, clock: FixedClock) -> Iterator[TestParts]:
    ids = RandomIds(clock)
    database = Database(fresh_database.app_url, clock, ids, EventScribe(clock, ids))
    settings = Settings(
        database_url=fresh_database.app_url, login_attempts_per_login=3, login_attempts_per_address=1000
    )
    yield TestParts(settings, database, Passwords(passes=1, memory_kib=8, lanes=1), clock)
    database.close()


@pytest.fixture
def client(parts: TestParts) -> Iterator[TestClient]:
    with TestClient(create_app(parts), base_url="http://127.0.0.1:8000") as client:
        yield client


@dataclass(frozen=True)
class Person:
    """A fresh account and its bearer token."""

    account: Account
    client: TestClient
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


MakePerson = Callable[..., Person]


@pytest.fixture
def make_person(parts: TestParts, client: TestClient) -> MakePerson:
    def make(role: str, language: str = "en") -> Person:
        login = f"{role[:20]}-{parts.database.ids.nonce().hex()[:12]}"
        account = people.create_account(
            parts.database,
            parts.passwords,
            SYSTEM,
            login=login,
            display_name=f"Test {role}",
            role=role,
            language=language,
            password=PASSWORD,
        )
        answer = client.post("/api/v1/session", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return Person(account, client, answer.json()["token"])

    return make


EventTypes = Callable[[], list[tuple[str, str]]]


@pytest.fixture
def recorded(parts: TestParts) -> EventTypes:
    """Type and item of every event that waits in the outbox, in order."""

    def read() -> list[tuple[str, str]]:
        query = "SELECT body::jsonb ->> 'type', item FROM event_outbox ORDER BY position"
        with parts.database.read() as session:
            return [(kind, item) for kind, item in session.execute(text(query))]

    return read
