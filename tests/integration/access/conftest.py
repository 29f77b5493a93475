"""The API on a real database, with a clock that stands still and cheap passwords."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from sqlalchemy import create_engine, inspect, text
from starlette.testclient import TestClient

from custody.kernel.ids import RandomIds
from custody.kernel.orm import Base, Recorded
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import Database
from custody.scribe import EventScribe
from evidence_api.access import tables as access_tables
from evidence_api.access.passwords import Passwords
from evidence_api.http import tables as http_tables
from evidence_api.http.app import create_app
from evidence_api.migrations import law1
from evidence_api.registry import tables as registry_tables
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


def make_missing_tables(owner_url: str) -> None:
    """Our tables as the migrations will make them, where no migration does yet."""
    modules = (registry_tables, access_tables, http_tables)
    rows = [row for module in modules for row in vars(module).values() if isinstance(row, type) and row is not Base]
    engine = create_engine(owner_url)
    with engine.begin() as connection:
        here = set(inspect(connection).get_table_names())
        missing = {
            row.__tablename__: row
            for row in rows
            if issubclass(row, Base) and hasattr(row, "__tablename__") and row.__tablename__ not in here
        }
        Base.metadata.create_all(connection, [row.__table__ for row in missing.values()])

        class Op:
            def execute(self, statement: str) -> None:
                connection.execute(text(statement))

        for name, row in missing.items():
            if issubclass(row, Recorded):
                law1.attach(Op(), name)
                law1.open_to_app(Op(), name)
            else:
                law1.open_to_app(Op(), name, "SELECT", "INSERT", "UPDATE", "DELETE")
    engine.dispose()


@pytest.fixture(scope="module")
def tables(fresh_database: FreshDatabase) -> FreshDatabase:
    make_missing_tables(fresh_database.owner_url)
    return fresh_database


@pytest.fixture
def parts(tables: FreshDatabase, clock: FixedClock) -> Iterator[TestParts]:
    ids = RandomIds(clock)
    database = Database(tables.app_url, clock, ids, EventScribe(clock, ids))
    settings = Settings(database_url=tables.app_url, login_attempts_per_login=3, login_attempts_per_address=1000)
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
