"""A device's credential: least privilege, shown once, ended at once. On a clock that is moved."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from custody.kernel.errors import Unauthenticated
from custody.kernel.outbox import Actor
from evidence_api.access import limits
from evidence_api.access.upload_tokens import issue as issue_token
from evidence_api.http.parts import sign_in_rules
from evidence_api.use_cases import people
from tests.integration.access.conftest import PASSWORD, EventTypes, MakePerson, Person, TestParts

DAYS = 30


@pytest.fixture
def administrator(make_person: MakePerson) -> Person:
    return make_person("administrator")


@pytest.fixture
def case(make_person: MakePerson) -> dict[str, Any]:
    owner = make_person("investigator")
    form = {"erdr": f"{uuid4().int % 10**15:015d}", "title": "Test"}
    return dict(owner.client.post("/api/v1/cases", json=form, headers=owner.headers).json())


@pytest.fixture
def device(administrator: Person, case: dict[str, Any]) -> dict[str, Any]:
    form = {"name": "Dock station 7", "days": DAYS, "cases": [case["erdr"]]}
    answer = administrator.client.post("/api/v1/devices", json=form, headers=administrator.headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def sign_in(client: TestClient, device: dict[str, Any]) -> Any:
    login, _, secret = device["credential"].partition(":")
    return client.post("/api/v1/session", json={"login": login, "password": secret})


def bearer(client: TestClient, device: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {sign_in(client, device).json()['token']}"}


def test_it_is_told_once_and_only_its_hash_is_kept(
    parts: TestParts, administrator: Person, device: dict[str, Any], case: dict[str, Any], recorded: EventTypes
) -> None:
    kinds = [kind for kind, _ in recorded()][-2:]
    assert kinds == ["account.created", "access.granted"]
    secret = device["credential"].partition(":")[2]
    with parts.database.read() as session:
        kept = session.execute(text("SELECT * FROM accounts WHERE id = :id"), {"id": device["id"]}).one()
        told = session.scalars(text("SELECT body FROM event_outbox")).all()
    assert kept.password_hash.startswith("$argon2id$")
    assert secret not in str(kept)
    assert all(secret not in body for body in told)
    pages = [administrator.client.get("/api/v1/devices?limit=100", headers=administrator.headers).json()]
    while pages[-1]["next"]:
        cursor = pages[-1]["next"]
        answer = administrator.client.get(f"/api/v1/devices?limit=100&cursor={cursor}", headers=administrator.headers)
        pages.append(answer.json())
    (mine,) = [one for page in pages for one in page["items"] if one["id"] == device["id"]]
    assert (mine["name"], mine["cases"], mine["revoked"]) == ("Dock station 7", [case["erdr"]], False)
    assert "credential" not in mine


def test_it_finds_its_case_and_reads_nothing(
    client: TestClient, device: dict[str, Any], case: dict[str, Any], recorded: EventTypes
) -> None:
    mine = bearer(client, device)
    assert recorded()[-1] == ("session.opened", f"account:{device['id']}")
    listed = client.get("/api/v1/cases", headers=mine).json()
    assert [one["id"] for one in listed["items"]] == [case["id"]]
    assert client.get(f"/api/v1/cases/{case['id']}", headers=mine).status_code == 403
    assert client.get(f"/api/v1/cases/{case['id']}/grants", headers=mine).status_code == 403
    assert client.get("/api/v1/accounts", headers=mine).status_code == 403
    passwords = {"old": "x", "new": PASSWORD + " more"}
    assert client.post("/api/v1/session/password", json=passwords, headers=mine).status_code == 403
    assert recorded()[-1] == ("access.denied", f"account:{device['id']}")


@pytest.fixture
def later(parts: TestParts) -> Iterator[None]:
    """The clock is every test's own, the counts of sign-ins by address are not."""
    yield
    with parts.database.begin(Actor(None, "system", "worker")) as work:
        limits.give_back(work, limits.bucket("address", "testclient"))
        work.commit()


@pytest.mark.usefixtures("later")
def test_its_term_ends_everything_at_once(parts: TestParts, client: TestClient, device: dict[str, Any]) -> None:
    parts.clock.advance(timedelta(days=DAYS, seconds=-60))
    mine = bearer(client, device)
    assert client.get("/api/v1/cases", headers=mine).status_code == 200
    parts.clock.advance(seconds=60)
    assert client.get("/api/v1/cases", headers=mine).json()["code"] == "session.expired"
    assert sign_in(client, device).json()["code"] == "session.refused"
    with parts.database.read() as session:
        told = session.scalars(text("SELECT body FROM event_outbox ORDER BY position")).all()
    assert '"expired"' in told[-1]


def test_revoked_it_opens_nothing_any_more_not_even_what_it_is_sending(
    parts: TestParts, client: TestClient, administrator: Person, device: dict[str, Any], recorded: EventTypes
) -> None:
    mine = bearer(client, device)
    with parts.database.begin(Actor(UUID(device["id"]), "device", "api")) as work:
        token = issue_token(work, uuid4(), expires_at=parts.clock.now() + timedelta(days=1))
        work.commit()
    path = f"/api/v1/devices/{device['id']}/revoke"
    assert administrator.client.post(path, headers=administrator.headers).status_code == 204
    assert recorded()[-1] == ("account.changed", f"account:{device['id']}")
    assert client.get("/api/v1/cases", headers=mine).json()["code"] == "session.expired"
    uploading = client.get("/api/v1/session", headers={"Authorization": f"Upload {token}"})
    assert uploading.json()["code"] == "upload.token_expired"
    assert sign_in(client, device).json()["code"] == "session.refused"
    again = administrator.client.post(path, headers=administrator.headers)
    assert again.json()["code"] == "account.disabled"


def test_guessing_its_secret_is_limited_as_a_persons_password(client: TestClient, device: dict[str, Any]) -> None:
    wrong = {**device, "credential": device["login"] + ":guess"}
    assert [sign_in(client, wrong).status_code for _ in range(4)] == [401, 401, 401, 429]


def test_it_is_no_person(parts: TestParts, administrator: Person, device: dict[str, Any]) -> None:
    login, _, secret = device["credential"].partition(":")
    with pytest.raises(Unauthenticated, match=r"session\.refused"):
        people.sign_in(
            parts.database,
            parts.passwords,
            sign_in_rules(parts.settings),
            login=login,
            password=secret,
            means="browser",
            address=None,
        )
    ask, said = administrator.client.post, administrator.headers
    chosen = ask(f"/api/v1/accounts/{device['id']}/password", json={"new": PASSWORD + " 2"}, headers=said)
    assert chosen.json()["code"] == "account.device"
    form = {"login": "device-x", "display_name": "X", "role": "device", "password": PASSWORD}
    assert ask("/api/v1/accounts", json=form, headers=said).json()["code"] == "account.device"
    person = ask(f"/api/v1/devices/{administrator.account.id}/revoke", headers=said)
    assert person.json()["code"] == "account.not_found"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"days": 0}, "device.bad_term"),
        ({"days": 367}, "device.bad_term"),
        ({"name": " "}, "account.name_invalid"),
        ({"cases": ["000000000000000"]}, "case.not_found"),
    ],
)
def test_what_is_refused_makes_no_device(
    administrator: Person, recorded: EventTypes, change: dict[str, Any], code: str
) -> None:
    form = {"name": "Dock", "days": 5, **change}
    before = recorded()
    answer = administrator.client.post("/api/v1/devices", json=form, headers=administrator.headers)
    assert answer.json()["code"] == code
    assert "account.created" not in [kind for kind, _ in recorded()[len(before) :]]


def test_only_an_administrator_issues(make_person: MakePerson) -> None:
    for role in ("investigator", "auditor"):
        person = make_person(role)
        form = {"name": "Dock", "days": 5}
        assert person.client.post("/api/v1/devices", json=form, headers=person.headers).status_code == 403
        assert person.client.get("/api/v1/devices", headers=person.headers).status_code == 403
