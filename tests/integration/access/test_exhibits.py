from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from custody import event
from custody.kernel.errors import Conflict, NotFound
from custody.kernel.outbox import Actor
from evidence_api.registry import reads, service
from evidence_api.registry.facts import Exhibit
from evidence_api.registry.model import ExhibitForm, ExhibitState
from evidence_api.registry.service import NewExhibit
from evidence_api.use_cases import cases
from tests.integration.access.conftest import MakePerson, TestParts


def form(sha256: str | None = None) -> ExhibitForm:
    digest = sha256 or f"sha256:{uuid4().hex}{uuid4().hex}"
    return ExhibitForm("жазба.flac", "", digest, 10, "seizure", "pretrial", 30).check(1000)


def record(work, case_id: UUID, exhibit_id: UUID) -> UUID:
    drafted = event.draft(
        "exhibit.discarded", item=f"exhibit:{exhibit_id}", case_id=case_id, exhibit=exhibit_id, reason="test"
    )
    return work.record(drafted)


def register(parts: TestParts, actor: Actor, case_id: UUID, given: ExhibitForm) -> Exhibit:
    with parts.database.begin(actor) as work:
        number = service.reserve_number(work, case_id, given.sha256)
        exhibit_id = work.ids.new()
        registered = event.draft(
            "exhibit.registered",
            item=f"exhibit:{exhibit_id}",
            case_id=case_id,
            personal={"filename": given.filename},
            exhibit=exhibit_id,
            number=number,
            sha256=given.sha256,
            size_bytes=given.size_bytes,
            basis=given.basis,
            purpose=given.purpose,
            retain_days=given.retain_days,
        )
        new = NewExhibit(exhibit_id, number, given, work.record(registered))
        (exhibit,) = service.register_exhibits(work, case_id, [new])
        work.commit()
    return exhibit


@pytest.fixture
def actor(make_person: MakePerson) -> Actor:
    return Actor(make_person("investigator").account.id, "investigator", "api")


@pytest.fixture
def case_id(parts: TestParts, actor: Actor) -> UUID:
    number = f"{uuid4().int % 10**15:015d}"
    return cases.open_case(parts.database, actor, erdr=number, title="Test", pattern="[0-9]{15}").id


def test_eight_at_once_are_numbered_without_a_gap(parts: TestParts, actor: Actor, case_id: UUID) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: [register(parts, actor, case_id, form()) for _ in range(5)], range(8)))
    assert sorted(exhibit.number for batch in made for exhibit in batch) == list(range(1, 41))


def test_a_unit_that_rolls_back_uses_no_number(parts: TestParts, actor: Actor, case_id: UUID) -> None:
    register(parts, actor, case_id, form())
    with parts.database.begin(actor) as work:
        assert service.reserve_number(work, case_id, form().sha256) == 2
    assert register(parts, actor, case_id, form()).number == 2


def test_the_same_bytes_are_found_in_the_same_case_only(parts: TestParts, actor: Actor, case_id: UUID) -> None:
    first = register(parts, actor, case_id, form())
    with pytest.raises(Conflict) as refused:
        register(parts, actor, case_id, form(first.sha256))
    assert (refused.value.code, refused.value.params) == ("exhibit.duplicate", {"number": first.number})
    other = cases.open_case(
        parts.database, actor, erdr=f"{uuid4().int % 10**15:015d}", title="Other", pattern="[0-9]{15}"
    )
    assert register(parts, actor, other.id, form(first.sha256)).number == 1
    with parts.database.read() as session:
        twins = reads.find_duplicates(session, case_id, [first.sha256, "sha256:" + "0" * 64])
        assert {sha256: twin.number for sha256, twin in twins.items()} == {first.sha256: 1}


def test_of_eight_at_once_with_the_same_bytes_one_is_kept(parts: TestParts, actor: Actor, case_id: UUID) -> None:
    same = form()

    def attempt(_: int) -> str:
        try:
            return str(register(parts, actor, case_id, same).number)
        except Conflict as refusal:
            return refusal.code

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(8)))
    assert sorted(outcomes) == ["1"] + ["exhibit.duplicate"] * 7


def test_the_way_to_the_seal_and_no_step_after_it(parts: TestParts, actor: Actor, case_id: UUID) -> None:
    exhibit = register(parts, actor, case_id, form())
    upload_id, blob_id = uuid4(), uuid4()
    until = parts.clock.now() + timedelta(days=30)
    with parts.database.begin(actor) as work:
        event_id = record(work, case_id, exhibit.id)
        assert service.start_receiving(work, exhibit.id, upload_id, event_id).state is ExhibitState.RECEIVING
        assert service.back_to_draft(work, exhibit.id, event_id).upload_id is None
        service.start_receiving(work, exhibit.id, upload_id, event_id)
        service.start_checking(work, exhibit.id, event_id)
        service.describe_exhibit(work, exhibit.id, {"duration_ms": 5}, event_id)
        service.seal_exhibit(
            work, exhibit.id, blob_id=blob_id, media_type="audio/flac", retain_until=until, event_id=event_id
        )
        work.commit()
    with parts.database.read() as session:
        sealed = reads.get_exhibit(session, exhibit.id)
        assert reads.find_by_upload(session, upload_id) == sealed
        assert reads.count_exhibits(session, case_id) == {ExhibitState.SEALED: 1}
    assert (sealed.state, sealed.blob_id, sealed.metadata) == (ExhibitState.SEALED, blob_id, {"duration_ms": 5})
    assert sealed.sealed_at is not None
    assert sealed.retain_until == until
    with parts.database.begin(actor) as work, pytest.raises(Conflict, match=r"exhibit\.wrong_state"):
        service.discard_exhibit(work, exhibit.id, "mistake", record(work, case_id, exhibit.id))


def test_a_refused_one_may_be_sent_again_under_a_new_number(parts: TestParts, actor: Actor, case_id: UUID) -> None:
    exhibit = register(parts, actor, case_id, form())
    with parts.database.begin(actor) as work:
        event_id = record(work, case_id, exhibit.id)
        service.start_receiving(work, exhibit.id, uuid4(), event_id)
        refused = service.refuse_exhibit(work, exhibit.id, "upload.digest_mismatch", event_id)
        work.commit()
    assert refused.reason == "upload.digest_mismatch"
    assert register(parts, actor, case_id, form(exhibit.sha256)).number == 2


def test_a_row_without_its_event_is_refused(parts: TestParts, actor: Actor, case_id: UUID) -> None:
    exhibit = register(parts, actor, case_id, form())
    with parts.database.begin(actor) as work:
        service.discard_exhibit(work, exhibit.id, "mistake", uuid4())
        with pytest.raises(Conflict, match=r"law\.no_event"):
            work.commit()


def test_lists_and_what_is_not_there(parts: TestParts, actor: Actor, case_id: UUID) -> None:
    made = [register(parts, actor, case_id, form()) for _ in range(3)]
    with parts.database.read() as session:
        first = reads.list_exhibits(session, case_id, limit=2)
        rest = reads.list_exhibits(session, case_id, after=first.after, limit=2)
        none = reads.list_exhibits(session, case_id, states=frozenset({ExhibitState.SEALED}))
        with pytest.raises(NotFound, match=r"exhibit\.not_found"):
            reads.get_exhibit(session, uuid4())
        with pytest.raises(NotFound, match=r"upload\.not_found"):
            reads.find_by_upload(session, uuid4())
        assert reads.names_of(session, [made[0].registered_by])[made[0].registered_by] == "Test investigator"
    assert [*first.items, *rest.items] == made
    assert (first.after, rest.after, none.items) == ((2,), None, ())
    with parts.database.begin(actor) as work, pytest.raises(NotFound, match=r"case\.not_found"):
        service.reserve_number(work, uuid4(), made[0].sha256)
