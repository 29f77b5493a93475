"""Databases of the ledger's tests, by role."""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from custody import signer
from custody.kernel.unit_of_work import Database
from tests.databases import FreshDatabase, conninfo, copy_template, drop
from tests.integration.ledger import support


@pytest.fixture
def ledger_database(database_template: object) -> Iterator[FreshDatabase]:
    """A migrated, empty database for one test: ledgers only grow."""
    fresh = copy_template(database_template)
    yield fresh
    _wait_until_alone(fresh)
    drop(database_template, fresh)


def _wait_until_alone(fresh: FreshDatabase) -> None:
    """The server notices a killed client a little later, and the owner may not end another role's session."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    deadline = time.monotonic() + 60
    with psycopg.connect(conninfo(fresh.owner_url), autocommit=True) as owner:
        while owner.execute(query).fetchone() != (0,) and time.monotonic() < deadline:
            time.sleep(0.02)


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


@pytest.fixture
def key(tmp_path: Path) -> signer.EncryptedFileSigner:
    """A log's key of this test's own."""
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("not a secret\n")
    signer.create_key(tmp_path / "key.pem", passphrase)
    return signer.EncryptedFileSigner(support.ORIGIN, tmp_path / "key.pem", passphrase)
