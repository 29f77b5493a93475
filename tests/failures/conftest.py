"""The system behind a store that does one wrong thing, and what must be true after every fault."""

from collections.abc import Iterator

import pytest

from evidence_api.services import Services
from storage.s3 import S3Address
from tests.failures.faulty_store import FaultyStore, store_behind
from tests.whole import System


@pytest.fixture(scope="module")
def faulty(system: System) -> Iterator[FaultyStore]:
    proxy = FaultyStore(system.settings.s3_endpoint)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def behind(system: System, faulty: FaultyStore) -> Iterator[Services]:
    """The system's parts, whose store is reached through the proxy."""
    settings = system.settings
    address = S3Address(
        settings.s3_endpoint,
        settings.s3_access_key.get_secret_value(),
        settings.s3_secret_key.get_secret_value(),
        secure=settings.s3_secure,
        prefix=f"{settings.s3_bucket_prefix}-",
    )
    store = store_behind(faulty, address)
    yield system.variant(store=store)
    store.close()
