"""A system of its own: what the beat proposes here would stand in the chains of other tests' exhibits."""

from collections.abc import Iterator

import pytest

from evidence_api.stack.endpoints import Endpoints
from tests.databases import copy_template, drop
from tests.whole import System, whole


@pytest.fixture(scope="package")
def system(database_template: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    database = copy_template(database_template)
    with whole(database_template, database, tmp_path_factory.mktemp("retention")) as running:
        yield running
    drop(database_template, database)
