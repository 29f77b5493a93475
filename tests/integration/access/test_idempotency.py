from datetime import timedelta
from uuid import uuid4

from custody.kernel.outbox import Actor
from evidence_api.http import idempotency
from tests.integration.access.conftest import EventTypes, MakePerson, Person, TestParts

WORKER = Actor(None, "system", "worker")


def form() -> dict[str, str]:
    return {"erdr": f"{uuid4().int % 10**15:015d}", "title": "Test"}


def send(person: Person, key: str, body: dict[str, str]):
    headers = person.headers | {"Idempotency-Key": key}
    return person.client.post("/api/v1/cases", json=body, headers=headers)


def test_the_same_request_again_acts_once_and_gets_the_same_answer(
    make_person: MakePerson, recorded: EventTypes
) -> None:
    person, body, key = make_person("investigator"), form(), str(uuid4())
    first = send(person, key, body)
    events = recorded()
    second = send(person, key, body)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.headers["location"] == second.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert recorded() == events


def test_a_key_is_for_one_request_and_one_person(make_person: MakePerson) -> None:
    person, other, key = make_person("investigator"), make_person("investigator"), str(uuid4())
    assert send(person, key, form()).status_code == 201
    conflict = send(person, key, form())
    assert (conflict.status_code, conflict.json()["code"]) == (409, "idempotency.other_request")
    assert send(other, key, form()).status_code == 201


def test_a_refused_request_frees_its_key(make_person: MakePerson) -> None:
    person, key = make_person("investigator"), str(uuid4())
    assert send(person, key, {"erdr": "1", "title": "Test"}).json()["code"] == "case.number_invalid"
    assert send(person, key, form()).status_code == 201


def test_a_malformed_key_is_refused(make_person: MakePerson) -> None:
    assert send(make_person("investigator"), "two words", form()).json()["code"] == "idempotency.key_invalid"


def test_a_replay_needs_the_right_to_act(make_person: MakePerson, parts: TestParts) -> None:
    owner, prosecutor, key = make_person("investigator"), make_person("prosecutor"), str(uuid4())
    case_id = send(owner, str(uuid4()), form()).json()["id"]
    path = f"/api/v1/cases/{case_id}/grants"
    seat = {"login": prosecutor.account.login, "role": "prosecutor"}
    grant = owner.client.post(path, json=seat, headers=owner.headers).json()["id"]
    more = {"login": make_person("expert").account.login, "role": "expert"}
    headers = prosecutor.headers | {"Idempotency-Key": key}
    assert prosecutor.client.post(path, json=more, headers=headers).status_code == 201
    assert owner.client.delete(f"{path}/{grant}", headers=owner.headers).status_code == 204
    assert prosecutor.client.post(path, json=more, headers=headers).status_code == 404


def test_a_crash_in_between_leaves_a_key_that_says_so(make_person: MakePerson, parts: TestParts) -> None:
    person, key, body = make_person("investigator"), str(uuid4()), form()
    sent = send(person, str(uuid4()), body).request
    digest = idempotency.request_digest("POST", "/api/v1/cases", "", sent.content)
    with parts.database.begin(WORKER) as work:
        assert idempotency.reserve(work, person.account.id, key, digest) is None
        work.commit()
    assert send(person, key, body).json()["code"] == "idempotency.in_progress"
    parts.clock.advance(idempotency.ACT_TIME)
    assert send(person, key, body).json()["code"] == "idempotency.outcome_unknown"
    parts.clock.advance(idempotency.LIFETIME + timedelta(seconds=1))
    with parts.database.begin(WORKER) as work:
        assert idempotency.reserve(work, person.account.id, key, digest) is None
