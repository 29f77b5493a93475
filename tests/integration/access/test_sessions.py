from datetime import timedelta

from sqlalchemy import text
from starlette.testclient import TestClient

from evidence_api.access import sessions
from evidence_api.http.parts import session_terms
from evidence_api.http.visitor import cookie_name
from evidence_api.use_cases import people
from tests.integration.access.conftest import PASSWORD, EventTypes, MakePerson, TestParts


def test_signing_in_gives_a_token_that_opens_the_api(make_person: MakePerson, client: TestClient) -> None:
    person = make_person("investigator")
    answer = client.get("/api/v1/session", headers=person.headers)
    assert answer.status_code == 200
    assert answer.json()["login"] == person.account.login
    assert answer.headers["cache-control"] == "no-store"


def test_without_a_token_nothing_opens(client: TestClient) -> None:
    answer = client.get("/api/v1/cases")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "session.required"
    assert answer.json()["type"] == "urn:dalel:problem:session.required"


def test_a_wrong_password_and_an_unknown_login_look_the_same_and_are_recorded(
    make_person: MakePerson, client: TestClient, recorded: EventTypes
) -> None:
    person = make_person("investigator")
    wrong = client.post("/api/v1/session", json={"login": person.account.login, "password": "not the password"})
    unknown = client.post("/api/v1/session", json={"login": "nobody-here", "password": "not the password"})
    for answer in (wrong, unknown):
        assert (answer.status_code, answer.json()["code"]) == (401, "session.refused")
    assert wrong.json()["detail"] == unknown.json()["detail"]
    assert recorded()[-2:] == [("session.failed", f"account:{person.account.id}"), ("session.failed", "system")]


def test_no_event_holds_a_login_in_the_clear(make_person: MakePerson, client: TestClient, parts: TestParts) -> None:
    person = make_person("investigator")
    client.post("/api/v1/session", json={"login": person.account.login, "password": "not the password"})
    with parts.database.read() as session:
        bodies = "".join(session.scalars(text("SELECT body FROM event_outbox")))
    assert person.account.login not in bodies
    assert "testclient" not in bodies


def test_the_fourth_wrong_password_waits_and_one_event_says_so(
    make_person: MakePerson, client: TestClient, recorded: EventTypes, parts: TestParts
) -> None:
    person = make_person("investigator")
    form = {"login": person.account.login, "password": "not the password"}
    codes = [client.post("/api/v1/session", json=form).json()["code"] for _ in range(5)]
    assert codes == ["session.refused"] * 3 + ["rate.limited"] * 2
    answer = client.post("/api/v1/session", json={**form, "password": PASSWORD})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 300
    assert [kind for kind, _ in recorded()][-4:] == ["session.failed"] * 4
    parts.clock.advance(seconds=int(answer.headers["retry-after"]))
    assert client.post("/api/v1/session", json={**form, "password": PASSWORD}).status_code == 201


def test_a_session_ends_when_it_is_idle(make_person: MakePerson, client: TestClient, parts: TestParts) -> None:
    person = make_person("investigator")
    parts.clock.advance(seconds=parts.settings.session_idle_seconds - 1)
    assert client.get("/api/v1/session", headers=person.headers).status_code == 200
    parts.clock.advance(seconds=parts.settings.session_idle_seconds - 1)
    assert client.get("/api/v1/session", headers=person.headers).status_code == 200
    parts.clock.advance(seconds=parts.settings.session_idle_seconds)
    answer = client.get("/api/v1/session", headers=person.headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "session.expired")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_session_ends_for_good_however_busy_it_is(
    make_person: MakePerson, client: TestClient, parts: TestParts
) -> None:
    person = make_person("investigator")
    for _ in range(26):
        parts.clock.advance(timedelta(minutes=29))
        answer = client.get("/api/v1/session", headers=person.headers)
    assert answer.json()["code"] == "session.expired"


def test_signing_out_ends_the_session_and_is_recorded(
    make_person: MakePerson, client: TestClient, recorded: EventTypes
) -> None:
    person = make_person("investigator")
    assert client.delete("/api/v1/session", headers=person.headers).status_code == 204
    assert client.get("/api/v1/session", headers=person.headers).json()["code"] == "session.expired"
    assert recorded()[-1] == ("session.closed", f"account:{person.account.id}")


def test_a_new_password_ends_the_other_sessions(make_person: MakePerson, client: TestClient) -> None:
    person = make_person("prosecutor")
    other = client.post("/api/v1/session", json={"login": person.account.login, "password": PASSWORD}).json()["token"]
    form = {"old": PASSWORD, "new": "another long phrase of mine"}
    assert client.post("/api/v1/session/password", json=form, headers=person.headers).status_code == 204
    assert client.get("/api/v1/session", headers=person.headers).status_code == 200
    assert client.get("/api/v1/session", headers={"Authorization": f"Bearer {other}"}).status_code == 401
    wrong = client.post("/api/v1/session/password", json=form, headers=person.headers)
    assert wrong.json()["code"] == "password.wrong"


def test_a_disabled_account_is_out_at_once(make_person: MakePerson, client: TestClient) -> None:
    administrator, person = make_person("administrator"), make_person("investigator")
    path = f"/api/v1/accounts/{person.account.id}/disable"
    assert client.post(path, headers=administrator.headers).status_code == 204
    assert client.get("/api/v1/session", headers=person.headers).status_code == 401
    again = client.post("/api/v1/session", json={"login": person.account.login, "password": PASSWORD})
    assert again.json()["code"] == "session.refused"


def test_a_cookie_needs_its_csrf_token_for_changes(
    make_person: MakePerson, client: TestClient, parts: TestParts, recorded: EventTypes
) -> None:
    person = make_person("investigator")
    cookie = {"Cookie": f"{cookie_name(parts.settings)}={person.token}"}
    form = {"language": "kk"}
    assert client.get("/api/v1/session", headers=cookie).status_code == 200
    missing = client.post("/api/v1/session/language", json=form, headers=cookie)
    assert (missing.status_code, missing.json()["code"]) == (403, "session.csrf")
    assert recorded()[-1] == ("access.denied", f"account:{person.account.id}")
    right = cookie | {"X-CSRF-Token": sessions.csrf_token(person.token)}
    foreign = client.post("/api/v1/session/language", json=form, headers=right | {"Sec-Fetch-Site": "cross-site"})
    assert foreign.json()["code"] == "session.csrf"
    other = cookie | {"X-CSRF-Token": sessions.csrf_token("another session")}
    assert client.post("/api/v1/session/language", json=form, headers=other).status_code == 403
    assert client.post("/api/v1/session/language", json=form, headers=right).status_code == 204


def test_problems_are_in_the_readers_language(make_person: MakePerson, client: TestClient) -> None:
    person = make_person("investigator", language="kk")
    own = client.get("/api/v1/accounts", headers=person.headers)
    assert own.headers["content-language"] == "kk"
    russian = client.get("/api/v1/accounts", headers=person.headers | {"Accept-Language": "ru-KZ,ru;q=0.9"})
    assert russian.headers["content-language"] == "ru"
    assert russian.json()["title"] == "Доступ запрещён"


def test_the_store_of_sessions_holds_no_token(make_person: MakePerson, parts: TestParts) -> None:
    person = make_person("investigator")
    with parts.database.read() as session:
        kept = session.scalars(text("SELECT encode(token_digest, 'escape') || id::text FROM sessions")).all()
        opened = sessions.resolve(session, person.token, parts.clock.now(), session_terms(parts.settings))
    assert not any(person.token in row for row in kept)
    assert opened.account == person.account


def test_sessions_that_ran_out_are_closed_recorded_and_later_forgotten(
    make_person: MakePerson, parts: TestParts, recorded: EventTypes
) -> None:
    person, terms = make_person("investigator"), session_terms(parts.settings)
    people.sweep(parts.database, terms)
    assert recorded()[-1][0] == "session.opened"
    parts.clock.advance(seconds=parts.settings.session_idle_seconds)
    assert people.sweep(parts.database, terms) >= 1
    assert people.sweep(parts.database, terms) == 0
    parts.clock.advance(timedelta(days=8))
    people.sweep(parts.database, terms)
    assert recorded().count(("session.closed", f"account:{person.account.id}")) == 1
    with parts.database.read() as session:
        query = text("SELECT count(*) FROM sessions WHERE account_id = :account")
        assert session.scalar(query, {"account": person.account.id}) == 0
