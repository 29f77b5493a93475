"""The app's frame without a database: envelope, problems, health, guards in front of every route."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Body
from sqlalchemy.exc import OperationalError
from starlette.responses import Response, StreamingResponse
from starlette.testclient import TestClient

from custody.kernel.errors import Corrupt, Gone, Unavailable
from custody.kernel.ids import RandomIds
from custody.kernel.unit_of_work import Database
from custody.scribe import EventScribe
from evidence_api.access.passwords import Passwords
from evidence_api.access.policy import ROUTES
from evidence_api.http import main
from evidence_api.http.app import create_app
from evidence_api.http.guard import Access, guard
from evidence_api.http.middleware import StreamBroken
from evidence_api.http.route import check_guarded, router
from evidence_api.settings import Settings
from tests.clock import FixedClock

URL = "postgresql+psycopg://nobody@127.0.0.1:1/none"
Anyone = Annotated[Access, guard("health")]


@dataclass
class Parts:
    settings: Settings
    database: Database
    passwords: Passwords
    ready_checks: dict[str, Any] = field(default_factory=dict)


def parts(**changes: Any) -> Parts:
    clock = FixedClock()
    ids = RandomIds(clock)
    database = Database(URL, clock, ids, EventScribe(clock, ids))
    settings = Settings(database_url=URL, request_body_limit_bytes=1024, **changes)
    return Parts(settings, database, Passwords(passes=1, memory_kib=8, lanes=1))


def client(routes: APIRouter, **changes: Any) -> TestClient:
    return TestClient(create_app(parts(**changes), [routes]), raise_server_exceptions=False)


def test_every_route_of_the_program_stands_behind_one_predicate() -> None:
    app = create_app(parts(), main.ROUTERS, main.ROOT_ROUTERS)
    guarded: dict[str, str] = {}
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        assert inner is not None, f"{route} is not in a router that was checked"
        guarded |= check_guarded(inner)
    assert set(guarded.values()) <= ROUTES.keys()
    assert len(guarded) > 15


def test_a_route_without_a_guard_stops_the_start() -> None:
    routes = router()

    @routes.get("/open")
    def unguarded() -> None: ...

    with pytest.raises(ValueError, match="/open has no single guard"):
        create_app(parts(), [routes])


def test_a_route_with_two_guards_or_an_unlisted_one_stops_the_start() -> None:
    twice, unlisted, nested, mounted = router(), router(), router(), router()

    @twice.get("/twice")
    def two(a: Anyone, b: Annotated[Access, guard("case.list")]) -> None: ...

    @unlisted.get("/unlisted")
    def one(a: Annotated[Access, guard("evidence.delete")]) -> None: ...

    nested.include_router(unlisted, prefix="/inner")
    mounted.mount("/files", Response())
    for routes in (twice, unlisted, nested, mounted):
        with pytest.raises(ValueError, match="has no single guard"):
            check_guarded(routes)


def test_alive_asks_nobody_and_ready_tells_the_truth() -> None:
    app_parts = parts()
    with TestClient(create_app(app_parts)) as http:
        assert http.get("/healthz").json() == {"status": "alive"}
        assert http.get("/readyz").json() == {"ready": True, "parts": {}}

        def broken() -> None:
            raise RuntimeError("secret detail")

        def away() -> None:
            raise Unavailable("store.unreachable")

        app_parts.ready_checks |= {"database": lambda: None, "broker": broken, "object-store": away}
        answer = http.get("/readyz")
    assert answer.status_code == 503
    states = {"database": "ok", "broker": "RuntimeError", "object-store": "store.unreachable"}
    assert answer.json() == {"ready": False, "parts": states}
    assert "secret" not in answer.text


def test_the_description_is_openapi_3_1_and_open_to_all() -> None:
    answer = client(router()).get("/api/v1/openapi.json")
    assert answer.json()["openapi"].startswith("3.1")
    assert "/api/v1/cases/{case_id}" in answer.json()["paths"]
    problem = answer.json()["paths"]["/api/v1/cases"]["get"]["responses"]["default"]
    assert "application/problem+json" in problem["content"]


def test_every_answer_is_safe_by_default() -> None:
    answer = client(router()).get("/healthz")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers
    assert answer.headers["x-request-id"] != client(router()).get("/healthz").headers["x-request-id"]


def test_over_tls_browsers_are_told_to_stay_there() -> None:
    answer = client(router(), public_base_url="https://dalel.example").get("/healthz")
    assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_what_is_not_there_is_a_problem_too() -> None:
    missing = client(router()).get("/nothing", headers={"Accept-Language": "en"})
    assert (missing.status_code, missing.json()["code"]) == (404, "request.no_such_route")
    wrong = client(router()).put("/healthz")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "request.method_not_allowed")
    assert wrong.headers["allow"] == "GET"
    assert missing.json()["request"] == missing.headers["x-request-id"]


def raising(error: Exception) -> APIRouter:
    routes = router()

    @routes.get("/raise")
    def fail(access: Anyone) -> None:
        raise error

    return routes


def test_a_fault_says_nothing_but_its_incident(caplog: pytest.LogCaptureFixture) -> None:
    http = client(raising(RuntimeError("Иванов Иван, ИИН 900101300017")))
    with caplog.at_level(logging.INFO):
        answer = http.get("/api/v1/raise", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json()["code"]) == (500, "request.failed")
    incident = answer.json()["params"]["incident"]
    assert incident == answer.headers["x-request-id"]
    assert "900101300017" not in answer.text + caplog.text
    assert incident in caplog.text
    assert "RuntimeError" in caplog.text


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Gone("upload.expired"), 410, "upload.expired"),
        (Corrupt("store.corrupt", what="tag"), 500, "store.corrupt"),
        (Unavailable("store.unreachable"), 503, "store.unreachable"),
        (OperationalError("SELECT 'secret'", {}, Exception("secret")), 503, "database.unavailable"),
    ],
)
def test_each_kind_has_its_status(error: Exception, status: int, code: str) -> None:
    answer = client(raising(error)).get("/api/v1/raise")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "secret" not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


def test_an_answer_that_breaks_off_is_cut_not_closed() -> None:
    routes = router()

    @routes.get("/broken")
    def broken(access: Anyone) -> Response:
        def pieces() -> Iterator[bytes]:
            yield b"half"
            raise RuntimeError("secret")

        return StreamingResponse(pieces(), headers={"Content-Length": "8"})

    http = TestClient(create_app(parts(), [routes]))
    with pytest.raises(StreamBroken) as cut:
        http.get("/api/v1/broken")
    assert "secret" not in str(cut.value)
    assert cut.value.__cause__ is None


def echo() -> APIRouter:
    routes = router()

    @routes.post("/echo")
    def answer(access: Anyone, text: Annotated[str, Body()]) -> int:
        return len(text)

    return routes


def test_a_body_beyond_the_limit_is_refused_announced_or_not() -> None:
    http = client(echo())
    assert http.post("/api/v1/echo", json="x" * 900).json() == 900
    announced = http.post("/api/v1/echo", json="x" * 1100)
    assert (announced.status_code, announced.json()["code"]) == (413, "request.too_large")

    def pieces() -> Iterator[bytes]:
        yield b'"'
        for _ in range(20):
            yield b"x" * 100

    headers = {"Content-Type": "application/json"}
    streamed = http.post("/api/v1/echo", content=pieces(), headers=headers)
    assert (streamed.status_code, streamed.json()["code"]) == (413, "request.too_large")


def test_the_access_log_names_the_route_and_nobody(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="dalel.access"):
        client(router()).get("/api/v1/cases/Иванов?name=secret")
    line = next(record.getMessage() for record in caplog.records if record.name == "dalel.access")
    assert line.startswith("GET /cases/{case_id} 401 ")
    assert "secret" not in line


def test_nobody_signed_in_gets_no_further_than_the_door() -> None:
    """No database answers here: had a guard looked for the case, this would be another refusal."""
    answer = client(router()).get("/api/v1/cases/0190a0a0-0000-7000-8000-000000000000")
    assert (answer.status_code, answer.json()["code"]) == (401, "session.required")
