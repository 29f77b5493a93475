"""Pages over the real system: the portal's application, asked by a person of a role."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from portal import app
from tests.whole import BASE_URL, System

Visit = Callable[..., httpx.Response]


@pytest.fixture(scope="session")
def visit(system: System) -> Visit:
    """`visit(role, method, path, …)`: the answer, redirects not followed, in English unless headers say otherwise."""
    client = TestClient(app.build(system.services), base_url=BASE_URL, follow_redirects=False)

    def ask(
        role: str, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, **sent: Any
    ) -> httpx.Response:
        said = {"Authorization": f"Bearer {system.members[role].token}", "Cookie": "language=en"}
        return client.request(method, path, headers=said | dict(headers or {}), **sent)

    return ask
