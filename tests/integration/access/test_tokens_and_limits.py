from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Annotated
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from starlette.requests import Request
from starlette.testclient import TestClient

from custody.kernel.errors import TooMany, Unauthenticated
from custody.kernel.outbox import Actor
from evidence_api.access import limits, upload_tokens
from evidence_api.access.limits import Limit
from evidence_api.access.passwords import Passwords
from evidence_api.access.policy import Resource
from evidence_api.http.app import create_app
from evidence_api.http.guard import Access, guard
from evidence_api.http.parts import sign_in_rules
from evidence_api.http.route import router
from evidence_api.http.visitor import address_of
from evidence_api.use_cases import cases, people
from tests.integration.access.conftest import PASSWORD, EventTypes, MakePerson, Person, TestParts

WORKER = Actor(None, "system", "worker")


def take(parts: TestParts, name: bytes, limit: Limit) -> bool:
    with parts.database.begin(WORKER) as work:
        try:
            limits.take(work, name, limit)
        except TooMany:
            return False
        work.commit()
    return True


def test_a_bucket_lets_its_burst_through_and_refills_evenly(parts: TestParts) -> None:
    limit, name = Limit(4, timedelta(seconds=40)), limits.bucket("test", str(uuid4()))
    assert [take(parts, name, limit) for _ in range(6)] == [True] * 4 + [False] * 2
    parts.clock.advance(seconds=9)
    assert not take(parts, name, limit)
    parts.clock.advance(seconds=1)
    assert [take(parts, name, limit) for _ in range(2)] == [True, False]
    parts.clock.advance(seconds=1000)
    assert [take(parts, name, limit) for _ in range(5)] == [True] * 4 + [False]


def test_eight_at_once_get_no_more_than_the_burst(parts: TestParts) -> None:
    limit, name = Limit(10, timedelta(seconds=100)), limits.bucket("test", str(uuid4()))
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: take(parts, name, limit), range(40)))
    assert sum(outcomes) == 10


def test_empty_buckets_are_swept(parts: TestParts) -> None:
    limit, name = Limit(2, timedelta(seconds=2)), limits.bucket("test", str(uuid4()))
    take(parts, name, limit)
    parts.clock.advance(seconds=60)
    with parts.database.begin(WORKER) as work:
        limits.forget_empty(work)
        work.commit()
    with parts.database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM rate_limits WHERE bucket = :name"), {"name": name}) == 0


def test_a_session_that_asks_too_often_waits(parts: TestParts, make_person: MakePerson) -> None:
    person = make_person("investigator")
    parts.settings = parts.settings.model_copy(update={"requests_per_minute": 3})
    client = TestClient(create_app(parts))
    codes = [client.get("/api/v1/session", headers=person.headers).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]


@pytest.fixture
def case_id(parts: TestParts, uploader: Person) -> UUID:
    actor = Actor(uploader.account.id, "investigator", "api")
    number = f"{uuid4().int % 10**15:015d}"
    return cases.open_case(parts.database, actor, erdr=number, title="Test", pattern="[0-9]{15}").id


@pytest.fixture
def uploader(make_person: MakePerson) -> Person:
    return make_person("investigator")


def issue(parts: TestParts, person: Person, upload_id: UUID) -> str:
    with parts.database.begin(Actor(person.account.id, "investigator", "api")) as work:
        token = upload_tokens.issue(work, upload_id, expires_at=parts.clock.now() + timedelta(days=1))
        work.commit()
    return token


def test_an_upload_token_goes_on_after_the_session_and_opens_nothing_else(
    parts: TestParts, uploader: Person, case_id: UUID
) -> None:
    routes = router("/uploads")

    @routes.patch("/{upload_id}", status_code=204)
    def append(
        access: Annotated[
            Access,
            guard(
                "upload.append",
                lambda _, request: Resource(
                    case_id=case_id, owner=uploader.account.id, upload_id=UUID(request.path_params["upload_id"])
                ),
            ),
        ],
    ) -> None: ...

    client = TestClient(create_app(parts, [routes]))
    upload_id = uuid4()
    token = {"Authorization": f"Upload {issue(parts, uploader, upload_id)}"}
    parts.clock.advance(seconds=parts.settings.session_idle_seconds)
    mine, other = f"/api/v1/uploads/{upload_id}", f"/api/v1/uploads/{uuid4()}"
    assert client.patch(mine, headers=uploader.headers).json()["code"] == "session.expired"
    assert client.patch(mine, headers=token).status_code == 204
    assert client.patch(other, headers=token).json()["code"] == "access.denied"
    assert client.get("/api/v1/cases", headers=token).status_code == 403
    assert client.patch(mine, headers={"Authorization": "Upload nonsense"}).json()["code"] == "upload.token_expired"
    with parts.database.begin(WORKER) as work:
        upload_tokens.revoke(work, upload_id)
        work.commit()
    assert client.patch(mine, headers=token).json()["code"] == "upload.token_expired"


def test_an_upload_token_ends_with_its_time_and_with_its_account(parts: TestParts, uploader: Person) -> None:
    token = issue(parts, uploader, uuid4())
    client = TestClient(create_app(parts))
    people.disable_account(parts.database, Actor(None, "system", "cli"), uploader.account.id)
    answer = client.get("/api/v1/session", headers={"Authorization": f"Upload {token}"})
    assert answer.json()["code"] == "upload.token_expired"
    parts.clock.advance(timedelta(days=1))
    with parts.database.read() as session, pytest.raises(Unauthenticated, match=r"upload\.token_expired"):
        upload_tokens.resolve(session, token, parts.clock.now())
    with parts.database.begin(WORKER) as work:
        assert upload_tokens.forget_ended(work, parts.clock.now() + timedelta(seconds=1)) >= 1


def test_signing_in_again_from_the_same_browser_replaces_the_session(
    parts: TestParts, uploader: Person, recorded: EventTypes
) -> None:
    signed = people.sign_in(
        parts.database,
        parts.passwords,
        sign_in_rules(parts.settings),
        login=uploader.account.login.upper(),
        password=PASSWORD,
        means="browser",
        address="192.0.2.1",
        previous_token=uploader.token,
    )
    assert signed.token != uploader.token
    assert [kind for kind, _ in recorded()][-2:] == ["session.closed", "session.opened"]
    client = TestClient(create_app(parts))
    assert client.get("/api/v1/session", headers=uploader.headers).status_code == 401


def test_an_outdated_hash_is_made_anew_at_sign_in(parts: TestParts, uploader: Person, recorded: EventTypes) -> None:
    stronger = Passwords(passes=2, memory_kib=8, lanes=1)
    form = {"login": uploader.account.login, "password": PASSWORD, "means": "api", "address": None}
    people.sign_in(parts.database, stronger, sign_in_rules(parts.settings), **form)
    assert [kind for kind, _ in recorded()][-2:] == ["session.opened", "account.changed"]
    people.sign_in(parts.database, stronger, sign_in_rules(parts.settings), **form)
    assert recorded()[-1][0] == "session.opened"


def test_a_password_typed_as_login_is_not_kept(parts: TestParts, client: TestClient) -> None:
    client.post("/api/v1/session", json={"login": "Құпия сөзім осы!", "password": "x"})
    with parts.database.read() as session:
        assert "Құпия сөзім осы!" not in session.scalars(text("SELECT value FROM event_openings")).all()


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.1"),
    ],
)
def test_only_our_own_proxies_are_believed(peer: str, forwarded: str, address: str) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())]
    request = Request({"type": "http", "client": (peer, 5), "headers": headers})
    assert address_of(request, ("10.0.0.1", "10.0.0.2")) == address
