"""One suggester for all tests: it takes seconds to make."""

import pytest

from redaction.suggest.engine import Suggester


@pytest.fixture(scope="session")
def suggester() -> Suggester:
    return Suggester()
