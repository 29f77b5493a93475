"""Databases of the ledger's tests, by role."""

from collections.abc import Iterator

import pytest

from custody.kernel.unit_of_work import Database
from tests.databases import FreshDatabase, copy_template, drop
from tests.integration.ledger import support


@pytest.fixture
def ledger_database(database_template: object) -> Iterator[FreshDatabase]:
    """A migrated, empty database for one test: ledgers only grow."""
    fresh = copy_template(database_template)
    yield fresh
    drop(database_template, fresh)


@pytest.fixture
def app(ledger_database: FreshDatabase) -> Iterator[Database]:
    """The database as the application reaches it."""
    database = support.database(ledger_database.app_url)
    yield database
    database.close()


@pytest.fixture
def sequencer_side(ledger_database: FreshDatabase) -> Iterator[Database]:
    """The database as the sequencer reaches it."""
    database = support.database(ledger_database.sequencer_url)
    yield database
    database.close()
