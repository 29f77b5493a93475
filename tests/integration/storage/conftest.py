"""A real store, a real database with this room's tables, and a key."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from custody.kernel.clock import SystemClock
from custody.kernel.ids import RandomIds
from custody.kernel.orm import Base
from custody.kernel.unit_of_work import Database
from custody.scribe import EventScribe
from evidence_api.stack.endpoints import ObjectStoreAddress
from storage.keys import FileKeyWrapper
from storage.s3 import S3Address, S3Store
from storage.tables import BlobRow, UploadRow, UploadSegmentRow
from tests.databases import FreshDatabase

TABLES = [row.__table__ for row in (UploadRow, UploadSegmentRow, BlobRow)]


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reachable for whom the sandbox's child becomes: pytest's own directories are closed to others."""
    path = tmp_path_factory.mktemp("rooms")
    for parent in (path, path.parent, path.parent.parent):
        parent.chmod(0o711)
    return path


@pytest.fixture(scope="session")
def store_address(object_store_endpoint: ObjectStoreAddress) -> S3Address:
    return S3Address(
        object_store_endpoint.endpoint,
        object_store_endpoint.access_key,
        object_store_endpoint.secret_key,
        secure=object_store_endpoint.secure,
        prefix="storage-test-",
    )


@pytest.fixture(scope="session")
def store(store_address: S3Address) -> Iterator[S3Store]:
    opened = S3Store(store_address)
    opened.ensure_buckets()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def database_url(fresh_database: FreshDatabase) -> str:
    """The application's URL; tables that no migration has made yet are made here."""
    owner = create_engine(fresh_database.owner_url)
    with owner.begin() as connection:
        Base.metadata.create_all(connection, tables=TABLES)
        for table in TABLES:
            connection.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table.name} TO dalel_app"))
    owner.dispose()
    return fresh_database.app_url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    clock = SystemClock()
    ids = RandomIds(clock)
    database = Database(database_url, clock, ids, EventScribe(clock, ids))
    yield database
    database.close()


@pytest.fixture
def keys(tmp_path: Path) -> FileKeyWrapper:
    return FileKeyWrapper.create(tmp_path / "kek")
