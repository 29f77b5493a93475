"""The life of a plan in the real database: law 1, two people, races, and what is burned under it."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from custody import event
from custody.kernel.clock import SystemClock
from custody.kernel.errors import Conflict, DalelError, Denied
from custody.kernel.ids import RandomIds
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import Database, UnitOfWork
from custody.scribe import EventScribe
from redaction import queries, service
from redaction.burn.facts import BurnFacts
from redaction.leak.report import LeakReport, check
from redaction.model import Proposal, TimeSpan, WordSpan
from redaction.plan import Addition, Decision
from tests.databases import FreshDatabase

ANNA, BOLAT, CLERK = (uuid4() for _ in range(3))
PROPOSALS = [
    Proposal("PERSON", (WordSpan(0, 1, 0, 900),), "Жумабаев Адилет", 850_000, "slovnet-ru"),
    Proposal("PHONE", (WordSpan(4, 9, 2000, 4000),), "8 709 123 45 67", 950_000, "kz-phone"),
]


@pytest.fixture(scope="module")
def database(fresh_database: FreshDatabase) -> Iterator[Database]:
    clock = SystemClock()
    ids = RandomIds(clock)
    made = Database(fresh_database.app_url, clock, ids, EventScribe(clock, ids))
    yield made
    made.close()


@pytest.fixture
def begun(database: Database) -> tuple[UUID, UUID]:
    """A drafted plan with two suggestions: (plan, exhibit)."""
    plan, exhibit = uuid4(), uuid4()
    with database.begin(Actor(CLERK, "prosecutor", "api")) as work:
        made = service.create_plan(
            work,
            plan_id=plan,
            exhibit_id=exhibit,
            case_id=exhibit,
            source_sha256="sha256:aa",
            text_sha256="sha256:bb",
            rules=("dalel-rules/1", "sha256:cc"),
            proposals=PROPOSALS,
            unread_pages=[3],
            event_id=noted(work, exhibit),
        )
        work.commit()
    assert (made.state, made.version, made.unread_pages) == ("drafted", 1, (3,))
    return plan, exhibit


def noted(work: UnitOfWork, exhibit: UUID) -> UUID:
    return work.record(
        event.draft("exhibit.described", item=f"exhibit:{exhibit}", exhibit=exhibit, metadata_sha256="sha256:00")
    )


def act(database: Database, who: UUID, plan: UUID, change, *args, **kwargs):
    with database.begin(Actor(who, "prosecutor", "api")) as work:
        result = change(work, plan, *args, **kwargs, event_id=noted(work, plan))
        work.commit()
    return result


def decide_all(database: Database, plan: UUID, version: int = 1):
    with database.read() as session:
        name, phone, *_ = queries.suggestions_of(session, plan)
    return act(
        database,
        ANNA,
        plan,
        service.decide,
        version=version,
        by=ANNA,
        decisions=[Decision(name.id, True, "witness_safety", "Лицо № 1"), Decision(phone.id, False)],
        additions=[Addition((TimeSpan(9000, 9500),), "medical", text="диагноз")],
    )


def refused(code: str, database: Database, who: UUID, plan: UUID, change, *args, **kwargs) -> None:
    with pytest.raises(DalelError) as refusal:
        act(database, who, plan, change, *args, **kwargs)
    assert refusal.value.code == code


def test_from_suggestions_to_a_checked_rendition(database: Database, begun: tuple[UUID, UUID]) -> None:
    plan, exhibit = begun
    refused("plan.undecided", database, ANNA, plan, service.submit, version=1, by=ANNA)
    assert decide_all(database, plan).version == 2
    with database.read() as session:
        expected = queries.preview(session, plan)
        assert len(queries.draft_preview(session, plan).regions) == 2
    view, submitted = act(database, ANNA, plan, service.submit, version=2, by=ANNA)
    assert view.plan_sha256 == submitted.sha256 == expected.sha256
    for who in (ANNA, ANNA):
        refused("plan.self_approval", database, who, plan, service.approve, version=3, by=who)
    refused("plan.closed", database, ANNA, plan, service.decide, version=3, by=ANNA, decisions=[])
    facts = BurnFacts("sound", Path("x"), "sha256:dd", 10, "sha256:aa", "tool", "1", {"padding_ms": 310})
    burn = {"rendition_id": uuid4(), "blob_id": None}
    refused("plan.not_approved", database, CLERK, plan, service.record_rendition, facts, **burn)
    assert act(database, BOLAT, plan, service.approve, version=3, by=BOLAT).state == "approved"
    for change in (service.approve, service.submit):
        refused(
            "plan.closed" if change is service.submit else "plan.not_submitted",
            database, BOLAT, plan, change, version=4, by=CLERK,
        )  # fmt: skip
    made = act(database, CLERK, plan, service.record_rendition, facts, **burn)
    again = act(database, CLERK, plan, service.record_rendition, facts, rendition_id=uuid4(), blob_id=None)
    assert again == made
    assert made.plan_sha256 == submitted.sha256
    other = LeakReport("sound", "sha256:ee", submitted.sha256, (check("length", True, ""),))
    refused("rendition.other_file", database, CLERK, made.id, service.record_leak, other)
    report = LeakReport("sound", "sha256:dd", submitted.sha256, (check("length", True, ""),))
    assert act(database, CLERK, made.id, service.record_leak, report).leak_result == "passed"
    refused("rendition.already_checked", database, CLERK, made.id, service.record_leak, report)
    refused("rendition.not_found", database, CLERK, uuid4(), service.record_leak, report)
    with database.read() as session:
        assert queries.get_rendition(session, made.id).leak_sha256 == report.sha256
        assert queries.renditions_of_plan(session, plan) == queries.renditions_of_exhibits(session, [exhibit])
        forbidden = queries.forbidden_terms(session, plan)
    assert forbidden.hits("с Жумабаевым") == 1
    assert forbidden.hits("8 709 123 45 67") == 0


def test_a_returned_plan_is_decided_again_and_an_approver_who_decided_is_refused(
    database: Database, begun: tuple[UUID, UUID]
) -> None:
    plan, exhibit = begun
    decide_all(database, plan)
    refused("plan.not_submitted", database, BOLAT, plan, service.return_plan, version=2, by=BOLAT, reason="x")
    act(database, ANNA, plan, service.submit, version=2, by=ANNA)
    refused("plan.no_words", database, BOLAT, plan, service.return_plan, version=3, by=BOLAT, reason=" ")
    view = act(database, BOLAT, plan, service.return_plan, version=3, by=BOLAT, reason="пропущен адрес")
    assert (view.state, view.return_reason, view.plan_sha256) == ("returned", "пропущен адрес", None)
    more = [Proposal("PERSON", (WordSpan(20, 20, 8000, 8400),), "Жумабаевым", 750_000, "same-name")]
    act(database, ANNA, plan, service.suggest_more, version=4, proposals=more)
    refused("plan.undecided", database, ANNA, plan, service.submit, version=5, by=ANNA)
    with database.read() as session:
        new = queries.suggestions_of(session, plan)[-1]
    act(
        database, BOLAT, plan, service.decide,
        version=5, by=BOLAT, decisions=[Decision(new.id, True, "witness_safety", "Лицо № 1")],
    )  # fmt: skip
    act(database, ANNA, plan, service.submit, version=6, by=ANNA)
    refused("plan.self_approval", database, BOLAT, plan, service.approve, version=7, by=BOLAT)
    assert act(database, CLERK, plan, service.approve, version=7, by=CLERK).approved_by == CLERK
    with database.read() as session:
        assert [view.id for view in queries.plans_of_exhibit(session, exhibit)] == [plan]


def test_of_two_people_deciding_at_once_one_is_told(database: Database, begun: tuple[UUID, UUID]) -> None:
    plan, _ = begun
    decide_all(database, plan)
    with pytest.raises(Conflict, match=r"plan\.stale"):
        decide_all(database, plan)


def test_what_is_not_there(database: Database, begun: tuple[UUID, UUID]) -> None:
    plan, _ = begun
    ghost = Decision(uuid4(), False)
    refused("plan.suggestion_not_found", database, ANNA, plan, service.decide, version=1, by=ANNA, decisions=[ghost])
    refused("plan.not_found", database, ANNA, uuid4(), service.submit, version=1, by=ANNA)
    facts = BurnFacts("pdf", Path("x"), "sha256:dd", 10, "sha256:aa", "tool", "1", {})
    refused(
        "plan.not_found", database, ANNA, uuid4(), service.record_rendition, facts, rendition_id=uuid4(), blob_id=None
    )
    with database.read() as session:
        for read in (queries.get_plan, queries.preview):
            with pytest.raises(DalelError, match=r"plan\.not_found"):
                read(session, uuid4())
        with pytest.raises(DalelError, match=r"rendition\.not_found"):
            queries.get_rendition(session, uuid4())


def test_a_second_creation_with_the_same_id_changes_nothing(database: Database, begun: tuple[UUID, UUID]) -> None:
    plan, exhibit = begun
    decided = decide_all(database, plan)
    with database.begin(Actor(CLERK, "prosecutor", "api")) as work:
        there = service.create_plan(
            work, plan_id=plan, exhibit_id=exhibit, case_id=exhibit, source_sha256="", text_sha256=None,
            rules=("", ""), proposals=PROPOSALS, event_id=noted(work, exhibit),
        )  # fmt: skip
        work.commit()
    assert there == decided
    with database.read() as session:
        assert len(queries.suggestions_of(session, plan)) == 3


def test_one_person_one_pseudonym_in_a_case(database: Database) -> None:
    case = uuid4()

    def assign(*names: str, language: str = "ru"):
        return act(database, ANNA, case, service.assign_pseudonyms, names, language=language)

    first = assign("Жумабаев Адилет Серикович", "Адилет", "Петров Игорь")
    assert first == {"Жумабаев Адилет Серикович": "Лицо № 1", "Адилет": "Лицо № 1", "Петров Игорь": "Лицо № 2"}
    assert assign("Жұмабаевпен", "А. С.", language="kk") == {"Жұмабаевпен": "№ 1 тұлға", "А. С.": None}
    assert assign("Жумабаева Айгуль") == {"Жумабаева Айгуль": "Лицо № 3"}
    assert assign("Жумабаева") == {"Жумабаева": None}
    with database.read() as session:
        assert [person.number for person in queries.persons_of(session, case)] == [1, 2, 3]


def test_the_database_refuses_an_approver_who_submitted(database: Database, begun: tuple[UUID, UUID]) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import IntegrityError

    plan, _ = begun
    decide_all(database, plan)
    act(database, ANNA, plan, service.submit, version=2, by=ANNA)
    with database.begin(Actor(ANNA, "prosecutor", "api")) as work, pytest.raises(IntegrityError, match="two_people"):
        work.session.execute(
            text("UPDATE redaction_plans SET approved_by = :who WHERE id = :id"), {"who": ANNA, "id": plan}
        )


def test_denied_is_a_denial(database: Database, begun: tuple[UUID, UUID]) -> None:
    plan, _ = begun
    decide_all(database, plan)
    act(database, ANNA, plan, service.submit, version=2, by=ANNA)
    with pytest.raises(Denied):
        act(database, ANNA, plan, service.approve, version=3, by=ANNA)
