from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.integration.access.conftest import EventTypes, MakePerson, Person, TestParts


def erdr(parts: TestParts) -> str:
    return f"{uuid4().int % 10**15:015d}"


def open_case(person: Person, number: str) -> str:
    answer = person.client.post("/api/v1/cases", json={"erdr": number, "title": "Test"}, headers=person.headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_whoever_opens_a_case_stands_on_it_and_both_are_recorded(
    make_person: MakePerson, parts: TestParts, recorded: EventTypes
) -> None:
    person = make_person("investigator")
    case_id = open_case(person, erdr(parts))
    assert recorded()[-2:] == [("case.opened", f"case:{case_id}"), ("access.granted", f"case:{case_id}")]
    listed = person.client.get("/api/v1/cases", headers=person.headers).json()
    assert [case["id"] for case in listed["items"]] == [case_id]


def test_a_number_opens_one_case_only(make_person: MakePerson, parts: TestParts) -> None:
    person, number = make_person("investigator"), erdr(parts)
    open_case(person, number)
    again = person.client.post("/api/v1/cases", json={"erdr": number, "title": "Test"}, headers=person.headers)
    assert (again.status_code, again.json()["code"]) == (409, "case.exists")


@pytest.mark.parametrize("number", ["", "12345678901234", "1234567890123456", "12345678901234x", "١٢٣٤٥٦٧٨٩٠١٢٣٤٥"])
def test_a_malformed_number_is_refused(make_person: MakePerson, number: str) -> None:
    person = make_person("investigator")
    answer = person.client.post("/api/v1/cases", json={"erdr": number, "title": "Test"}, headers=person.headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "case.number_invalid")


def test_anothers_case_does_not_exist_and_the_asking_is_recorded(
    make_person: MakePerson, parts: TestParts, recorded: EventTypes
) -> None:
    owner, stranger = make_person("investigator"), make_person("prosecutor")
    case_id = open_case(owner, erdr(parts))
    foreign = stranger.client.get(f"/api/v1/cases/{case_id}", headers=stranger.headers)
    assert recorded()[-1] == ("access.denied", f"case:{case_id}")
    missing = stranger.client.get(f"/api/v1/cases/{uuid4()}", headers=stranger.headers)
    strange = stranger.client.get("/api/v1/cases/not-an-id", headers=stranger.headers)
    assert foreign.status_code == missing.status_code == strange.status_code == 404
    told = [{**answer.json(), "request": None} for answer in (foreign, missing, strange)]
    assert told[0] == told[1] == told[2]


def test_a_grant_opens_the_case_until_it_ends(make_person: MakePerson, parts: TestParts, recorded: EventTypes) -> None:
    owner, prosecutor = make_person("investigator"), make_person("prosecutor")
    case_id = open_case(owner, erdr(parts))
    path = f"/api/v1/cases/{case_id}"
    until = (parts.clock.now() + timedelta(minutes=5)).isoformat()
    form = {"login": prosecutor.account.login, "role": "prosecutor", "until": until}
    given = owner.client.post(f"{path}/grants", json=form, headers=owner.headers)
    assert given.status_code == 201, given.text
    assert recorded()[-1] == ("access.granted", f"case:{case_id}")
    assert prosecutor.client.get(path, headers=prosecutor.headers).status_code == 200
    twice = owner.client.post(f"{path}/grants", json=form, headers=owner.headers)
    assert twice.json()["code"] == "grant.exists"
    parts.clock.advance(timedelta(minutes=5))
    assert prosecutor.client.get(path, headers=prosecutor.headers).status_code == 404
    renewed = owner.client.post(f"{path}/grants", json={**form, "until": None}, headers=owner.headers)
    assert renewed.status_code == 201
    revoked = owner.client.delete(f"{path}/grants/{renewed.json()['id']}", headers=owner.headers)
    assert revoked.status_code == 204
    assert prosecutor.client.get(path, headers=prosecutor.headers).status_code == 404
    assert recorded()[-2][0] == "access.revoked"


def test_a_role_that_is_not_the_accounts_cannot_be_granted(make_person: MakePerson, parts: TestParts) -> None:
    owner, defence = make_person("investigator"), make_person("defence")
    path = f"/api/v1/cases/{open_case(owner, erdr(parts))}/grants"
    form = {"login": defence.account.login, "role": "prosecutor"}
    answer = owner.client.post(path, json=form, headers=owner.headers)
    assert answer.json()["code"] == "grant.role_not_allowed"
    past = {"login": defence.account.login, "role": "defence", "until": "2020-01-01T00:00:00Z"}
    assert owner.client.post(path, json=past, headers=owner.headers).json()["code"] == "grant.until_past"
    nobody = {"login": "nobody-here", "role": "defence"}
    assert owner.client.post(path, json=nobody, headers=owner.headers).json()["code"] == "account.not_found"


def test_a_grant_of_another_case_cannot_be_revoked_through_this_one(make_person: MakePerson, parts: TestParts) -> None:
    owner = make_person("investigator")
    mine, other = open_case(owner, erdr(parts)), open_case(make_person("investigator"), erdr(parts))
    with parts.database.read() as session:
        grant_id = session.scalar(text("SELECT id FROM grants WHERE case_id = :case"), {"case": other})
    answer = owner.client.delete(f"/api/v1/cases/{mine}/grants/{grant_id}", headers=owner.headers)
    assert answer.json()["code"] == "grant.not_found"


def test_the_defence_on_a_case_sees_no_case(make_person: MakePerson, parts: TestParts) -> None:
    owner, defence = make_person("investigator"), make_person("defence")
    case_id = open_case(owner, erdr(parts))
    form = {"login": defence.account.login, "role": "defence"}
    assert owner.client.post(f"/api/v1/cases/{case_id}/grants", json=form, headers=owner.headers).status_code == 201
    assert defence.client.get(f"/api/v1/cases/{case_id}", headers=defence.headers).status_code == 404
    assert defence.client.get("/api/v1/cases", headers=defence.headers).status_code == 403


def test_lists_go_on_where_the_page_ended(make_person: MakePerson, parts: TestParts) -> None:
    person = make_person("investigator")
    made = {open_case(person, erdr(parts)) for _ in range(5)}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = person.client.get("/api/v1/cases", params=query, headers=person.headers).json()
        seen += [case["id"] for case in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == 5
    assert set(seen) == made
    wrong = person.client.get("/api/v1/cases", params={"cursor": "AAAA"}, headers=person.headers)
    assert wrong.json()["code"] == "paging.cursor_invalid"


def test_the_auditor_lists_every_case_and_the_administrator_none(make_person: MakePerson, parts: TestParts) -> None:
    case_id = open_case(make_person("investigator"), erdr(parts))
    auditor, administrator = make_person("auditor"), make_person("administrator")
    page = auditor.client.get("/api/v1/cases", params={"limit": 200}, headers=auditor.headers).json()
    assert case_id in [case["id"] for case in page["items"]]
    assert administrator.client.get("/api/v1/cases", headers=administrator.headers).status_code == 403
    denied = administrator.client.get(f"/api/v1/cases/{case_id}", headers=administrator.headers)
    assert (denied.status_code, denied.json()["code"]) == (403, "access.denied")


def test_accounts_are_an_administrators_work(make_person: MakePerson, recorded: EventTypes) -> None:
    administrator, person = make_person("administrator"), make_person("investigator")
    form = {
        "login": f"New-{person.account.login[-8:]}",
        "display_name": "Жаңа",
        "role": "expert",
        "password": "тоғыз өлең 99",
    }
    made = administrator.client.post("/api/v1/accounts", json=form, headers=administrator.headers)
    assert made.status_code == 201, made.text
    assert recorded()[-1] == ("account.created", f"account:{made.json()['id']}")
    assert "password" not in made.json()
    taken = administrator.client.post("/api/v1/accounts", json=form, headers=administrator.headers)
    assert taken.json()["code"] == "account.login_taken"
    assert person.client.post("/api/v1/accounts", json=form, headers=person.headers).status_code == 403
    weak = {**form, "login": "somebody-else", "password": "password12345"}
    answer = administrator.client.post("/api/v1/accounts", json=weak, headers=administrator.headers)
    assert answer.json()["code"] == "password.too_common"
    path = f"/api/v1/accounts/{made.json()['id']}"
    assert person.client.get(path, headers=person.headers).status_code == 403
    assert administrator.client.get(path, headers=administrator.headers).json()["display_name"] == "Жаңа"
    reset = {"new": "another long phrase"}
    assert administrator.client.post(f"{path}/password", json=reset, headers=administrator.headers).status_code == 204
    listed = administrator.client.get("/api/v1/accounts", params={"limit": 200}, headers=administrator.headers).json()
    assert made.json()["login"] in [account["login"] for account in listed["items"]]


def test_a_refused_body_is_not_repeated(client: TestClient) -> None:
    answer = client.post("/api/v1/session", json={"login": 5, "password": {"secret": "hunter2"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")
    assert "hunter2" not in answer.text
    assert {one["pointer"] for one in answer.json()["errors"]} == {"/body/login", "/body/password"}
    broken = client.post("/api/v1/session", content=b"{", headers={"Content-Type": "application/json"})
    assert broken.json()["code"] == "request.invalid"
