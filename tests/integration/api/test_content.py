"""Content over HTTP: ranges, HEAD, sessions that ended, and law 2: no byte before its event is durable."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from custody.kernel.ids import RandomIds
from custody.kernel.unit_of_work import Database, Unit
from custody.scribe import EventScribe
from evidence_api.http.middleware import StreamBroken
from tests.integration.api.refusals import refused
from tests.whole import MovedClock

DATA = bytes(range(256)) * 8


@pytest.fixture(scope="module")
def exhibit_id(system):
    return system.sealed(system.case(), DATA, "content.bin")


@pytest.fixture
def path(exhibit_id):
    return f"/api/v1/exhibits/{exhibit_id}/content"


def reads(system, exhibit_id):
    return [
        (one["type"], one["data"]["range"])
        for one in system.events(f"exhibit:{exhibit_id}")
        if one["type"].startswith("content.")
    ]


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=2000-", 2000, 2048),
        ("bytes=-48", 2000, 2048),
        ("bytes=-99999", 0, 2048),
        ("bytes=1-99999999", 1, 2048),
    ],
)
def test_a_range(system, exhibit_id, path, wanted, start, end):
    before = reads(system, exhibit_id)
    answer = system.api("prosecutor")("GET", path, headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (206, DATA[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/2048"
    assert reads(system, exhibit_id) == [*before, ("content.downloaded", f"{start}-{end - 1}")]


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "bytes=9-3", "lines=1-2", "bytes=a-b", "bytes=-", "bytes=+1-2"])
def test_what_is_not_one_range_gives_the_whole(system, path, wanted):
    answer = system.api("prosecutor")("GET", path, headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (200, DATA)


@pytest.mark.parametrize("wanted", ["bytes=2048-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_after_the_end(system, exhibit_id, path, wanted):
    before, api = reads(system, exhibit_id), system.api("prosecutor")
    refused(lambda said: api("GET", path, headers=said | {"Range": wanted}), 416, "range.not_satisfiable")
    assert api("GET", path, headers={"Range": wanted}).headers["content-range"] == "bytes */2048"
    assert reads(system, exhibit_id) == before


def test_if_range(system, path):
    """The tag it was begun with: the rest; another tag: all of it anew."""
    api = system.api("prosecutor")
    tag = api("HEAD", path).headers["etag"]
    assert api("GET", path, headers={"Range": "bytes=5-", "If-Range": tag}).status_code == 206
    for other in ('"sha256:00"', "W/" + tag, "Sat, 21 Nov 2026 09:00:00 GMT"):
        answer = api("GET", path, headers={"Range": "bytes=5-", "If-Range": other})
        assert (answer.status_code, answer.content) == (200, DATA)


def test_head_tells_all_and_reads_nothing(system, exhibit_id, path):
    before = reads(system, exhibit_id)
    answer = system.api("prosecutor")("HEAD", path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer.headers["content-length"], answer.headers["accept-ranges"]) == ("2048", "bytes")
    assert reads(system, exhibit_id) == before


def test_an_ended_session(system, path):
    """By idleness, by age, by signing out, and a token that never was."""
    terms = system.settings
    for seconds in (terms.session_idle_seconds, terms.session_absolute_seconds):
        api = system.api("prosecutor", system.variant(moved=timedelta(seconds=seconds + 60)))
        refused(lambda said, api=api: api("GET", path, headers=said), 401, "session.expired")
    nobody = system.api(None)
    made_up = {"Authorization": "Bearer " + "x" * 43}
    refused(lambda said: nobody("GET", path, headers=said | made_up), 401, "session.expired")
    refused(lambda said: nobody("GET", path, headers=said), 401, "session.required")
    assert nobody("GET", path).headers["www-authenticate"] == 'Bearer realm="dalel"'
    system.add_member("leaving", "prosecutor")
    leaving = system.api("leaving")
    assert leaving("DELETE", "/api/v1/session").status_code == 204
    refused(lambda said: leaving("GET", path, headers=said), 401, "session.expired")


class Unwritable(Database):
    """A database that fails just when a read event is to become durable."""

    @contextmanager
    def begin(self, actor) -> Iterator:
        with super().begin(actor) as work:
            kinds: list[str] = []
            record_all = work.record_all

            def remember(drafts):
                kinds.extend(draft.type for draft in drafts)
                return record_all(drafts)

            def commit():
                if any(kind.startswith("content.") for kind in kinds):
                    raise OperationalError("COMMIT", {}, Exception("the disk is full"))
                Unit.commit(work)

            work.record_all, work.commit = remember, commit
            yield work


class Watched:
    """The store, which says before every read what the record says by then."""

    def __init__(self, store, look) -> None:
        self._store = store
        self._look = look
        self.seen: list = []

    def get(self, *where):
        self.seen.append(self._look())
        return self._store.get(*where)

    def __getattr__(self, name):
        return getattr(self._store, name)


@pytest.mark.parametrize("wanted", [{}, {"Range": "bytes=10-19"}])
def test_no_byte_without_a_durable_event(system, exhibit_id, path, wanted):
    clock = MovedClock()
    ids = RandomIds(clock)
    url = system.settings.database_url.get_secret_value()
    database = Unwritable(url, clock, ids, EventScribe(clock, ids), pool_size=2)
    store = Watched(system.services.store, lambda: None)
    before = reads(system, exhibit_id)
    api = system.api("prosecutor", system.variant(database=database, store=store))
    refused(lambda said: api("GET", path, headers=said | wanted), 503, "database.unavailable")
    assert (store.seen, reads(system, exhibit_id)) == ([], before)
    database.close()


def test_the_event_is_there_before_the_store_is_read(system, exhibit_id, path):
    before = len(reads(system, exhibit_id))
    store = Watched(system.services.store, lambda: len(reads(system, exhibit_id)))
    answer = system.api("prosecutor", system.variant(store=store))("GET", path)
    assert answer.content == DATA
    assert store.seen
    assert set(store.seen) == {before + 1}


def test_damaged_bytes_never_pass_for_whole(system, exhibit_id, path):
    """The store gives other bytes than it was given: the answer breaks off, and none of them is shown."""

    class Flipping(Watched):
        def get(self, *where):
            for piece in self._store.get(*where):
                yield piece[:-1] + bytes([piece[-1] ^ 1])

    api = system.api("prosecutor", system.variant(store=Flipping(system.services.store, None)))
    before = len(reads(system, exhibit_id))
    with pytest.raises(StreamBroken):
        api("GET", path)
    assert len(reads(system, exhibit_id)) == before + 1
