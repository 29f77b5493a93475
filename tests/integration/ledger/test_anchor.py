"""Time stamps over published heads: by whom answers, later when nobody does, never by a stranger."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from custody import anchor, heads, signer
from custody.anchor import Anchor
from custody.kernel.clock import SystemClock
from custody.kernel.unit_of_work import Database
from custody.proof import note, timestamp
from custody.publisher import Publisher
from custody.register import FileRegister
from evidence_api.stack import authority
from tests.databases import FreshDatabase
from tests.integration.ledger.support import MemoryStore, tamper
from tests.integration.ledger.test_publisher import grow
from tests.whole import until

Answer = Callable[[bytes], tuple[int, bytes]]
URLS = ("http://first.example/tsa", "http://second.example")


class Authorities:
    """Two authorities behind a `post`; a test may put anything in their place."""

    def __init__(self) -> None:
        begins = datetime.now(UTC) - timedelta(days=1)
        made = [authority.issue(begins) for _ in URLS]
        self.roots = [root for root, _ in made]
        self.answers: dict[str, Answer] = {
            url: lambda body, one=one: (200, one.respond(body, datetime.now(UTC)))  # type: ignore[misc]  # bound now
            for url, (_, one) in zip(URLS, made, strict=True)
        }
        self.asked: list[str] = []

    def post(self, url: str, body: bytes, timeout_s: float) -> tuple[int, bytes]:
        assert timeout_s > 0
        self.asked.append(url)
        return self.answers[url](body)


def down(_: bytes) -> tuple[int, bytes]:
    raise ConnectionRefusedError


@pytest.fixture
def outside() -> Authorities:
    return Authorities()


@pytest.fixture
def publisher(sequencer_side: Database, key: signer.EncryptedFileSigner, tmp_path: Path) -> Publisher:
    return Publisher(sequencer_side, MemoryStore(), MemoryStore(), FileRegister(tmp_path / "head"), key)


@pytest.fixture
def anchored(sequencer_side: Database, outside: Authorities, monkeypatch: pytest.MonkeyPatch) -> Anchor:
    monkeypatch.setattr(anchor, "_FIRST_PAUSE_S", 0.01)
    return Anchor(sequencer_side, URLS, outside.roots, interval=timedelta(hours=1), post=outside.post)


def head(app: Database) -> heads.CheckpointView:
    with app.read() as session:
        view = heads.latest_checkpoint(session)
    assert view is not None
    return view


def test_a_head_is_stamped_and_a_reader_can_verify_it(
    app: Database, sequencer_side: Database, publisher: Publisher, anchored: Anchor, outside: Authorities
) -> None:
    assert anchored.want() is None
    grow(app, sequencer_side, 3)
    publisher.publish_once()
    assert (anchored.want(), anchored.work_off()) == (3, 3)
    assert (anchored.want(), anchored.work_off()) == (None, None)
    (stamp,) = head(app).timestamps
    text = note.parse(head(app).note.encode()).text.encode()
    verified = timestamp.verify(stamp.token, text, outside.roots[:1])
    assert (verified.authority, verified.time_s) == (stamp.authority, int(stamp.at.timestamp()))
    assert outside.asked == [URLS[0]]
    with app.read() as session:
        assert heads.latest_timestamp(session) == stamp
        assert heads.latest_witnessed(session, stamped=True) == head(app)


@pytest.mark.parametrize(
    "answer",
    [
        down,
        lambda _: (500, b""),
        lambda _: (200, b"junk"),
        lambda _: (200, authority._REJECTED),
        lambda _: (200, authority.issue(datetime.now(UTC) - timedelta(days=1))[1].respond(_, datetime.now(UTC))),
    ],
    ids=["down", "error", "junk", "rejected", "a stranger"],
)
def test_the_next_authority_is_asked(
    app: Database,
    sequencer_side: Database,
    publisher: Publisher,
    anchored: Anchor,
    outside: Authorities,
    answer: Answer,
) -> None:
    outside.answers[URLS[0]] = answer
    grow(app, sequencer_side, 3)
    publisher.publish_once()
    anchored.want()
    assert anchored.work_off() == 3
    assert outside.asked == list(URLS)
    (stamp,) = head(app).timestamps
    assert timestamp.verify(stamp.token, note.parse(head(app).note.encode()).text.encode(), outside.roots[1:])


def test_a_replayed_answer_is_refused(
    app: Database, sequencer_side: Database, publisher: Publisher, anchored: Anchor, outside: Authorities
) -> None:
    honest, kept = outside.answers[URLS[0]], []

    def replay(body: bytes) -> tuple[int, bytes]:
        kept.append(honest(body))
        return kept[0]

    outside.answers = {URLS[0]: replay, URLS[1]: down}
    grow(app, sequencer_side, 3)
    publisher.publish_once()
    anchored.want()
    replay(timestamp.request(note.parse(head(app).note.encode()).text.encode(), 1))
    assert anchored.work_off() is None
    assert head(app).timestamps == ()


def test_offline_the_queue_waits_and_survives_a_restart(
    app: Database, sequencer_side: Database, publisher: Publisher, outside: Authorities, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchor, "_FIRST_PAUSE_S", 0.01)
    honest = dict(outside.answers)
    outside.answers = dict.fromkeys(URLS, down)

    def made() -> Anchor:
        return Anchor(sequencer_side, URLS, outside.roots, interval=timedelta(0), post=outside.post)

    first = made()
    for size in (2, 4, 6):
        grow(app, sequencer_side, 2)
        publisher.publish_once()
        assert first.want() == size
        assert first.work_off() is None
    outside.answers = honest
    again = made()
    assert [again.work_off() for _ in range(4)] == [6, 4, 2, None]


def test_a_failing_authority_is_left_alone_for_a_while(
    app: Database, sequencer_side: Database, publisher: Publisher, outside: Authorities
) -> None:
    outside.answers[URLS[0]] = down
    anchored = Anchor(sequencer_side, URLS, outside.roots, interval=timedelta(0), post=outside.post)
    for _ in range(2):
        grow(app, sequencer_side, 1)
        publisher.publish_once()
        anchored.want()
        anchored.work_off()
    assert outside.asked == [URLS[0], URLS[1], URLS[1]]


def test_at_intervals_and_at_once_when_a_disclosure_was_released(
    app: Database,
    sequencer_side: Database,
    publisher: Publisher,
    anchored: Anchor,
    ledger_database: FreshDatabase,
) -> None:
    grow(app, sequencer_side, 2)
    publisher.publish_once()
    assert anchored.want() == 2
    grow(app, sequencer_side, 2)
    publisher.publish_once()
    assert anchored.want() is None  # an hour has not passed
    tamper(ledger_database.owner_url, "UPDATE ledger_entries SET type = 'disclosure.released' WHERE seq = 3")
    assert anchored.want() == 4


def test_it_runs_beside_the_publisher_and_survives_what_nobody_foresaw(
    app: Database, sequencer_side: Database, publisher: Publisher, anchored: Anchor, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(app, sequencer_side, 2)
    publisher.publish_once()
    stop, leading = threading.Event(), threading.Event()
    want, failures = anchored.want, []

    def failing() -> int | None:
        if not failures:
            failures.append(1)
            raise ZeroDivisionError
        return want()

    monkeypatch.setattr(anchored, "want", failing)
    thread = threading.Thread(target=anchored.run, args=(stop, leading, 0.02))
    thread.start()
    time.sleep(0.1)
    assert not failures  # not leading: nothing is done
    leading.set()
    until(lambda: head(app).timestamps)
    stop.set()
    thread.join()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The development authority as the embedded run starts it, in a thread."""
    clock = SystemClock()
    server = authority.AuthorityServer(("127.0.0.1", 0), authority.kept(tmp_path / "tsa", clock), clock)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_over_http(app: Database, sequencer_side: Database, publisher: Publisher, served: str, tmp_path: Path) -> None:
    grow(app, sequencer_side, 2)
    publisher.publish_once()
    roots = timestamp.parse_roots((tmp_path / "tsa" / authority.ROOT).read_bytes())
    real = Anchor(sequencer_side, ("http://127.0.0.1:1/closed", served), roots)
    assert (real.want(), real.work_off()) == (2, 2)
    assert authority.ready(int(served.rsplit(":")[-1].strip("/")))
    assert not authority.ready(1)
    (stamp,) = head(app).timestamps
    assert "DEVELOPMENT" in stamp.authority
