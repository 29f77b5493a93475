"""Transcripts in a real PostgreSQL, as the application reaches it."""

import threading
from uuid import UUID, uuid4

import psycopg
import pytest

from custody import event
from custody.kernel.clock import SystemClock
from custody.kernel.errors import Conflict, Corrupt, Invalid, NotFound
from custody.kernel.ids import RandomIds
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import Database
from custody.scribe import EventScribe
from tests.databases import conninfo
from tests.unit.transcription.samples import transcript, turn
from transcription import service
from transcription.draft import DraftFacts
from transcription.edits import SetText
from transcription.engine import EngineFacts
from transcription.model import digest, encode
from transcription.revision import State

PERSON = UUID(int=7)
CLERK = Actor(PERSON, "prosecutor", "api")
MACHINE = Actor(None, "system", "worker")
SAID = transcript(turn("моя фамилия жмодов"), turn("да", 1000))
ENGINE = EngineFacts("faster-whisper", "1.2.1", "whisper-base", "sha256:dd", {"beam": 5})
DRAFT = DraftFacts(encode(SAID), digest(encode(SAID)), "sha256:aa", 1180, 1, 1, 0, 500, ENGINE)


@pytest.fixture(scope="module")
def database(fresh_database):
    clock = SystemClock()
    ids = RandomIds(clock)
    database = Database(fresh_database.app_url, clock, ids, EventScribe(clock, ids))
    yield database
    database.close()


def record(work, kind, exhibit, **data):
    return work.record(event.draft(kind, item=f"exhibit:{exhibit}", exhibit=exhibit, **data))


def requested(database):
    exhibit, made = uuid4(), uuid4()
    with database.begin(CLERK) as work:
        service.start(work, made, exhibit, record(work, "transcript.requested", exhibit, transcript=made))
        work.commit()
    return exhibit, made


def drafted(database):
    exhibit, made = requested(database)
    with database.begin(MACHINE) as work:
        service.record_draft(work, made, DRAFT, drafted_event(work, exhibit, made))
        work.commit()
    return exhibit, made


def drafted_event(work, exhibit, made):
    return record(
        work,
        "transcript.drafted",
        exhibit,
        transcript=made,
        revision=1,
        sha256=DRAFT.sha256,
        audio_sha256="sha256:aa",
        engine="faster-whisper 1.2.1",
        model="whisper-base",
        model_sha256="sha256:dd",
        parameters_sha256=ENGINE.parameters_sha256,
        duration_ms=1180,
        machine_ms=500,
    )


def corrected(database, exhibit, made, parent, text):
    with database.begin(CLERK) as work:
        wanted = service.reserve_correction(work, made, parent, [SetText(0, text)], PERSON)
        told = record(
            work,
            "transcript.corrected",
            exhibit,
            transcript=made,
            revision=wanted.number,
            parent=wanted.parent,
            sha256=wanted.sha256,
        )
        revision = service.write_correction(work, made, wanted, told)
        work.commit()
    return revision


def confirmed(database, exhibit, made, number, sha256):
    with database.begin(CLERK) as work:
        told = record(work, "transcript.confirmed", exhibit, transcript=made, revision=number, sha256=sha256)
        revision = service.confirm(work, made, number, sha256, PERSON, told)
        work.commit()
    return revision


def test_from_request_to_confirmation(database):
    exhibit, made = drafted(database)
    second = corrected(database, exhibit, made, 1, "моя фамилия Жумабаев")
    confirmed(database, exhibit, made, 2, second.sha256)
    with database.read() as session:
        facts = service.current(session, exhibit)
        past = service.history(session, made)
        protocol = service.confirmed(session, exhibit)
        draft = service.read(session, made, 1)
    assert (facts.state, facts.latest_revision, facts.machine_ms, facts.parameters) == ("drafted", 2, 500, {"beam": 5})
    assert [(one.number, one.parent, one.state, one.author_id) for one in past] == [
        (1, None, State.DRAFT, None),
        (2, 1, State.CONFIRMED, PERSON),
    ]
    assert protocol.said.turns[0].text == "моя фамилия Жумабаев"
    assert protocol.revision.confirmed_by == PERSON
    assert digest(protocol.content) == protocol.revision.sha256
    assert draft.content == DRAFT.content


def test_a_correction_after_confirmation_leaves_the_protocol_as_it_was(database):
    exhibit, made = drafted(database)
    confirmed(database, exhibit, made, 1, DRAFT.sha256)
    corrected(database, exhibit, made, 1, "моя фамилия Жумабаев")
    with database.read() as session:
        assert service.confirmed(session, exhibit).revision.number == 1
        assert service.read(session, made).revision.state is State.CORRECTED


def test_an_exhibit_has_one_transcript_unless_it_failed(database):
    exhibit, made = requested(database)
    again = uuid4()
    with database.begin(CLERK) as work, pytest.raises(Conflict, match=r"transcript\.exists"):
        service.start(work, again, exhibit, record(work, "transcript.requested", exhibit, transcript=again))
    with database.begin(MACHINE) as work:
        told = record(work, "transcript.failed", exhibit, transcript=made, reason="sound.none")
        service.record_failure(work, made, "sound.none", told)
        work.commit()
    with database.read() as session:
        assert service.current(session, exhibit).failure_code == "sound.none"
    with database.begin(CLERK) as work:
        service.start(work, again, exhibit, record(work, "transcript.requested", exhibit, transcript=again))
        work.commit()
    with database.read() as session:
        assert service.current(session, exhibit).id == again


def test_a_draft_is_written_once(database):
    exhibit, made = drafted(database)
    with database.begin(MACHINE) as work, pytest.raises(Conflict, match=r"transcript\.not_requested"):
        service.record_draft(work, made, DRAFT, drafted_event(work, exhibit, made))


def test_of_two_people_at_once_one_is_told(database):
    exhibit, made = drafted(database)
    results = []
    together = threading.Barrier(2)

    def act(text):
        together.wait()
        try:
            results.append(corrected(database, exhibit, made, 1, text).number)
        except Conflict as stale:
            results.append(stale.code)

    people = [threading.Thread(target=act, args=(text,)) for text in ("один", "два")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(map(str, results)) == ["2", "transcript.stale"]


def test_what_was_not_seen_is_not_confirmed(database):
    exhibit, made = drafted(database)
    corrected(database, exhibit, made, 1, "другое")
    for number, sha256 in ((1, DRAFT.sha256), (2, DRAFT.sha256)):
        with pytest.raises(Conflict, match=r"transcript\.stale"):
            confirmed(database, exhibit, made, number, sha256)


def test_a_stale_page_hears_that_it_is_stale(database):
    exhibit, made = drafted(database)
    corrected(database, exhibit, made, 1, "")
    with database.begin(CLERK) as work, pytest.raises(Conflict, match=r"transcript\.stale"):
        service.reserve_correction(work, made, 1, [SetText(1, "нет")], PERSON)
    with database.begin(CLERK) as work, pytest.raises(Invalid, match=r"transcript\.unchanged"):
        service.reserve_correction(work, made, 2, [], PERSON)


def test_a_correction_belongs_to_its_unit_of_work(database):
    exhibit, made = drafted(database)
    with database.begin(CLERK) as work:
        kept = service.reserve_correction(work, made, 1, [SetText(0, "поздно")], PERSON)
    corrected(database, exhibit, made, 1, "раньше")
    with database.begin(CLERK) as work, pytest.raises(Conflict, match=r"transcript\.stale"):
        service.write_correction(work, made, kept, uuid4())


def test_what_is_not_there(database):
    _, made = requested(database)
    with database.read() as session:
        assert service.current(session, uuid4()) is None
        assert service.confirmed(session, uuid4()) is None
        assert service.history(session, uuid4()) == ()
        assert service.get(session, made).state == "requested"
        with pytest.raises(NotFound, match=r"transcript\.not_found"):
            service.read(session, uuid4())
        with pytest.raises(NotFound, match=r"transcript\.no_such_revision"):
            service.read(session, made)
    with database.begin(CLERK) as work, pytest.raises(NotFound, match=r"transcript\.not_found"):
        service.reserve_correction(work, uuid4(), 1, [], PERSON)


def test_a_change_without_its_event_is_refused(database):
    exhibit, made = uuid4(), uuid4()
    with database.begin(CLERK) as work:
        service.start(work, made, exhibit, uuid4())
        with pytest.raises(Conflict, match=r"law\.no_event"):
            work.commit()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE revisions SET content = '{}' WHERE transcript_id = %s",
        "UPDATE revisions SET sha256 = 'sha256:0' WHERE transcript_id = %s",
        "UPDATE revisions SET state = 'corrected', confirmed_by = NULL WHERE transcript_id = %s",
        "UPDATE revisions SET confirmed_at = now() WHERE transcript_id = %s",
        "DELETE FROM revisions WHERE transcript_id = %s",
    ],
)
def test_a_confirmed_revision_stands_even_against_the_owner(database, fresh_database, statement):
    exhibit, made = drafted(database)
    confirmed(database, exhibit, made, 1, DRAFT.sha256)
    with (
        psycopg.connect(conninfo(fresh_database.owner_url)) as owner,
        pytest.raises(psycopg.Error, match="never change"),
    ):
        owner.execute(statement, [made])


def test_the_text_of_a_draft_stands_too(database, fresh_database):
    _, made = drafted(database)
    with psycopg.connect(conninfo(fresh_database.owner_url)) as owner:
        with pytest.raises(psycopg.Error, match="never change"):
            owner.execute("UPDATE revisions SET content = '{}' WHERE transcript_id = %s", [made])
        owner.rollback()
        with pytest.raises(psycopg.Error, match="never change"):
            owner.execute("TRUNCATE revisions")


def test_text_changed_behind_our_back_is_not_shown(database, fresh_database):
    exhibit, made = drafted(database)
    with psycopg.connect(conninfo(fresh_database.owner_url)) as owner:
        owner.execute("ALTER TABLE revisions DISABLE TRIGGER USER")
        owner.execute(
            "UPDATE revisions SET content = replace(content, 'жмодов', 'другой') WHERE transcript_id = %s", [made]
        )
        owner.execute("ALTER TABLE revisions ENABLE TRIGGER USER")
    with database.read() as session, pytest.raises(Corrupt, match=r"transcript\.damaged"):
        service.read(session, made)
    with pytest.raises(Corrupt, match=r"transcript\.damaged"):
        confirmed(database, exhibit, made, 1, DRAFT.sha256)
