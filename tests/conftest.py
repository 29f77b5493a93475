"""The real servers for tests that ask for them, started once per run and only then.

`stack` (addresses of PostgreSQL, SeaweedFS, Valkey), `owner_url`, `database_template`, `fresh_database` (one per test
module, migrated), `object_store_endpoint`, `broker_url`, `scanner`, `clock`, `system` (all of it, once per run).
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from evidence_api.stack.endpoints import Endpoints, ObjectStoreAddress
from evidence_api.stack.stack import Stack
from tests.clamd import clamd
from tests.clock import FixedClock
from tests.databases import FreshDatabase, copy_template, drop, make_template
from tests.whole import System, whole

# Hypothesis without a stopwatch: a loaded machine is no fault of ours.
settings.register_profile("dalel", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dalel")


@pytest.fixture(scope="session")
def stack() -> Iterator[Endpoints]:
    """The three servers in a directory of their own. Not under pytest's, whose parent is closed to the servers."""
    directory = Path(tempfile.mkdtemp(prefix="dalel-tests-"))
    try:
        with Stack(directory, fast=True) as running:
            yield running.start()
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def owner_url(stack: Endpoints) -> str:
    return stack.owner_url


@pytest.fixture(scope="session")
def object_store_endpoint(stack: Endpoints) -> ObjectStoreAddress:
    return stack.object_store


@pytest.fixture(scope="session")
def broker_url(stack: Endpoints) -> str:
    return stack.broker_url


@pytest.fixture(scope="session")
def database_template(stack: Endpoints) -> Endpoints:
    """The stack, once the template of all test databases is migrated."""
    make_template(stack)
    return stack


@pytest.fixture(scope="module")
def fresh_database(database_template: Endpoints) -> Iterator[FreshDatabase]:
    """A migrated, empty database for this module."""
    database = copy_template(database_template)
    yield database
    drop(database_template, database)


@pytest.fixture(scope="session")
def system(database_template: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system in a database and buckets of its own."""
    database = copy_template(database_template)
    with whole(database_template, database, tmp_path_factory.mktemp("system")) as running:
        yield running
    drop(database_template, database)


@pytest.fixture(scope="session")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real clamd with one signature of our own."""
    with clamd(tmp_path_factory.mktemp("clamd")) as address:
        yield address


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()
