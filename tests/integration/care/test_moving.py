"""Everything stored moves to another store (buckets of their own at a real one) while people read and send."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from custody.kernel.errors import Invalid, NotFound, Unavailable
from evidence_api import container, prepare, stored_care
from evidence_api.jobs import Job
from evidence_api.use_cases import fixity, moving, recovering
from storage import key_records
from storage import moving as objects
from storage import service as storage
from storage.ports import BUNDLES, EVIDENCE, KEYS, LOG
from storage.routed import RoutedStore, elsewhere
from storage.sweep import sweep
from tests import acts
from tests.databases import copy_template, drop
from tests.failures.killing import killed
from tests.failures.test_lying_store import Flipping, Forgetful
from tests.whole import System, until, whole

NEXT = "archive"
RATE = 1 << 40
MIB = 1 << 20
quiet = lambda _: None  # noqa: E731  nothing is said


@pytest.fixture(scope="module")
def moved(database_template, tmp_path_factory) -> Iterator[System]:
    """A system of its own that was told of a next store. The switch, the last test of this module, is its end."""
    database = copy_template(database_template)
    with whole(database_template, database, tmp_path_factory.mktemp("moved")) as running:
        given = running.settings
        running.settings = given.model_copy(
            update={
                "s3_next_name": NEXT,
                "s3_next_endpoint": given.s3_endpoint,
                "s3_next_access_key": given.s3_access_key,
                "s3_next_secret_key": given.s3_secret_key,
                "s3_next_bucket_prefix": f"{given.s3_bucket_prefix}-n",
            }
        )
        before = running.services
        container.next_store(running.settings).ensure_buckets()
        running.services = container.services(running.settings)
        yield running
        before.database.close()
    drop(database_template, database)


def run(system: System, services=None) -> moving.Moved:
    return moving.migrate(services or system.services, prepare.OPERATOR, NEXT, quiet, rate=RATE)


def content(system: System, exhibit_id: str, services=None) -> bytes:
    answer = system.api("prosecutor", services)("GET", f"/api/v1/exhibits/{exhibit_id}/content")
    assert answer.status_code == 200, answer.text
    return answer.content


def place(system: System, exhibit_id: str):
    ((blob_id,),) = system.rows("SELECT blob_id FROM exhibits WHERE id = :id", id=exhibit_id)
    with system.services.database.read() as session:
        return storage.blob_facts(session, blob_id)


def after_the_switch(system: System) -> System:
    """The next store has become the present one; the old one is not even known."""
    given = system.settings
    settings = given.model_copy(
        update={
            "s3_name": NEXT,
            "s3_bucket_prefix": given.s3_next_bucket_prefix,
            "s3_next_name": None,
            "s3_next_endpoint": None,
        }
    )
    return replace(system, settings=settings, services=container.services(settings))


def _killed_at(settings, step: str) -> None:
    where, name = {"copied": (objects, "copy"), "recorded": (key_records, "keep"), "sent": (objects, "_send")}[step]
    act = getattr(where, name)

    def and_die(*given, **named):
        act(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(where, name, and_die)
    moving.migrate(container.services(settings), prepare.OPERATOR, NEXT, quiet, rate=RATE)


@pytest.mark.parametrize("step", ["sent", "copied", "recorded"])
def test_killed_anywhere_the_next_run_goes_on(moved, step: str) -> None:
    data = os.urandom(9 * MIB if step == "sent" else 900)
    exhibit_id = moved.sealed(moved.case(), data, f"{step}.bin")
    killed(_killed_at, moved.settings, step)
    assert content(moved, exhibit_id) == data
    assert run(moved).complete
    facts = place(moved, exhibit_id)
    assert content(moved, exhibit_id) == data
    # it was not sent twice
    assert [one.version_id for one in moved.services.store.list(facts.bucket, facts.key)] == [facts.version_id]
    assert len(moved.events(f"exhibit:{exhibit_id}", "exhibit.moved")) == 1


def _with(system: System, *, present=None, beyond=None):
    store = system.services.store
    there, _ = store.at(elsewhere(NEXT, EVIDENCE))
    here, _ = store.at(EVIDENCE)
    return system.variant(
        store=RoutedStore("main", (present or (lambda s: s))(here), {NEXT: (beyond or (lambda s: s))(there)})
    )


class Rotting(Flipping):
    """Gives evidence changed, and canaries as they are."""

    def get(self, bucket, key, version, offset, length) -> Iterator[bytes]:
        told = self.store if "canary" in key else super()
        yield from told.get(bucket, key, version, offset, length)


class Lost(Flipping):
    """Has lost the objects."""

    def get(self, *where) -> Iterator[bytes]:
        raise NotFound("store.missing")


def test_what_cannot_be_verified_is_not_pointed_to(moved) -> None:
    exhibit_id = moved.sealed(moved.case(), data := os.urandom(5000), "kept.bin")
    # the source no longer is what was recorded
    found = run(moved, _with(moved, present=Flipping))
    assert [why for _, why in found.damaged] == ["store.corrupt source"]
    found = run(moved, _with(moved, present=Lost))
    assert [why for _, why in found.damaged] == ["store.missing"]
    # the copy is not what was sent
    found = run(moved, _with(moved, beyond=Rotting))
    assert [why for _, why in found.damaged] == ["store.corrupt ciphertext"]
    assert not found.complete
    # the next store does not hold its locks: nothing is sent at all
    with pytest.raises(Unavailable, match=r"store\.worm_broken"):
        run(moved, _with(moved, beyond=Forgetful))
    assert place(moved, exhibit_id).bucket == EVIDENCE
    assert moved.events(f"exhibit:{exhibit_id}", "exhibit.moved") == []
    assert content(moved, exhibit_id) == data
    with pytest.raises(Invalid, match=r"store\.no_next"):
        moving.migrate(moved.services, prepare.OPERATOR, "elsewhere", quiet, rate=RATE)


def hold(system: System, exhibit_id: str) -> None:
    system.api("prosecutor").post(f"/api/v1/exhibits/{exhibit_id}/holds", ground="appeal")


def held_there(system: System, exhibit_id: str) -> bool:
    """Whether it lies in the next store, and that holds it."""
    facts = place(system, exhibit_id)
    at = (facts.bucket, facts.key, facts.version_id)
    return facts.bucket == elsewhere(NEXT, EVIDENCE) and system.services.store.is_held(*at)


def test_a_hold_that_comes_between_copy_and_commit_is_on_the_copy(moved, monkeypatch) -> None:
    exhibit_id = moved.sealed(moved.case(), os.urandom(700), "held.bin")
    mine, copied = place(moved, exhibit_id).blob_id, []

    def copy(store, expected, *more):
        there = act(store, expected, *more)
        if expected.facts.blob_id == mine:
            copied.append(there)
            if len(copied) == 1:
                hold(moved, exhibit_id)
                assert moved.work_off(f"exhibit:{exhibit_id}") == ["done"]
        return there

    act = objects.copy
    monkeypatch.setattr(objects, "copy", copy)
    run(moved)
    assert len(copied) == 2
    assert held_there(moved, exhibit_id)


def test_a_hold_whose_object_moves_meanwhile_follows_it(moved) -> None:
    exhibit_id = moved.sealed(moved.case(), os.urandom(700), "followed.bin")
    hold(moved, exhibit_id)

    class Moving(Job):
        def step(self, name: str) -> None:
            if name == "read":
                run(moved)

    (job_id,) = moved.open_jobs(f"exhibit:{exhibit_id}")
    assert moved.runner(make_job=Moving).run(job_id) == "done"
    assert not held_there(moved, exhibit_id)
    assert moved.work_off(f"exhibit:{exhibit_id}") == ["done"]
    assert held_there(moved, exhibit_id)


def test_an_upload_under_way_is_said_and_moves_later(moved) -> None:
    case_id, data = moved.case(), os.urandom(40_000)
    begun = moved.api("investigator").begin_upload(case_id, data, "half.bin")
    location = begun.headers["Location"]
    moved.api("investigator").append(location, data[:20_000])
    said: list[str] = []
    assert stored_care.migrate(moved.settings, said.append, target=NEXT, rate=RATE) == stored_care.INCOMPLETE
    assert said[-1].endswith("1 uploads under way")
    assert moved.api("investigator").append(location, data[20_000:], 20_000).status_code == 204
    exhibit_id = begun.headers["Dalel-Exhibit"]
    assert moved.work_off(f"exhibit:{exhibit_id}") == ["done"]
    said.clear()
    assert stored_care.migrate(moved.settings, said.append, target=NEXT, rate=RATE) == stored_care.DONE
    assert content(moved, exhibit_id) == data
    # the record of its key lies in both stores; in both it is replaced and destroyed
    blob_id, store = place(moved, exhibit_id).blob_id, moved.services.store
    name = key_records.name_of(blob_id)
    assert store.read(KEYS, name) == store.read(elsewhere(NEXT, KEYS), name)
    key_records.drop(store, blob_id)
    assert [*store.list(KEYS, name), *store.list(elsewhere(NEXT, KEYS), name)] == []


def test_everything_moves_and_the_old_store_is_no_longer_needed(moved) -> None:
    system, case_id = moved, moved.case()
    sent = {
        system.sealed(case_id, data, name): data
        for name, data in (("large.bin", os.urandom(9 * MIB)), ("small.bin", b"small"))
    }
    another = system.case()
    picture = system.sealed(another, data := acts.picture(31), "scene.png")
    sent[picture] = data
    disclosure_id = acts.ready(system, another, acts.burned(system, picture))
    before = {exhibit_id: place(system, exhibit_id) for exhibit_id in sent}
    ((count,),) = system.rows("SELECT count(*) FROM blobs WHERE moved_to IS NULL")
    assert count >= len(sent) + 2
    found = run(system)
    assert (found.objects, found.damaged, found.log_differs, found.left.objects) == (count, (), (), 0)
    assert found.complete
    for exhibit_id, data in sent.items():
        facts, old = place(system, exhibit_id), before[exhibit_id]
        moves = system.events(f"exhibit:{exhibit_id}", "exhibit.moved")  # of a rendition as well, whichever came first
        (said,) = [one for one in moves if one["data"]["blob"] == str(facts.blob_id)]
        assert said["data"] == {
            "blob": str(facts.blob_id),
            "ciphertext_sha256": facts.ciphertext_sha256,
            "destination": NEXT,
            "exhibit": exhibit_id,
            "version": facts.version_id,
        }
        assert facts.bucket == elsewhere(NEXT, EVIDENCE)
        assert system.services.store.head(facts.bucket, facts.key, facts.version_id).locked_until == facts.retain_until
        # the source is as it was
        assert system.services.store.head(EVIDENCE, old.key, old.version_id).locked_until == old.retain_until
        assert content(system, exhibit_id) == data
    assert system.events(f"disclosure:{disclosure_id}", "exhibit.moved")
    # again: nothing to do but to send what the ledger has published meanwhile
    files = names(system, "main")
    again = run(system)
    assert (again.objects, again.complete) == (0, True)
    half = os.urandom(9 * MIB)
    location = system.api("investigator").begin_upload(case_id, half, "half.bin").headers["Location"]
    assert system.api("investigator").append(location, half[: 8 * MIB + 9]).status_code == 204
    # the ledger says what the rows say
    until(lambda: not system.rows("SELECT 1 FROM event_outbox"))
    later = after_the_switch(system)
    for exhibit_id, data in sent.items():
        assert content(later, exhibit_id) == data
        fixity.request(later.services, prepare.OPERATOR, UUID(exhibit_id), deep=True)
        assert later.work_off(fixity.subject(UUID(exhibit_id))) == ["done"]
        assert later.events(f"exhibit:{exhibit_id}", "fixity.checked")[-1]["data"]["result"] == "intact"
    # an upload that was not let end has lost its parts: refused with a code, given up, and sent anew
    answer = later.api("investigator").append(location, half[8 * MIB + 9 :], 8 * MIB + 9)
    assert (answer.status_code, answer.json()["code"]) == (404, "store.missing")
    assert later.api("investigator")("DELETE", location, headers={"Tus-Resumable": "1.0.0"}).status_code == 204
    assert content(later, later.sealed(case_id, half, "half.bin")) == half
    # what is new lies beside it, and the sweep takes neither for left behind
    new = later.sealed(case_id, b"after the switch", "new.bin")
    assert content(later, new) == b"after the switch"
    swept = sweep(later.services.database, later.services.store, grace=-fixity.SLICE)
    assert [key for key in swept.locked if "canary" not in key] == []
    assert recovering.recover(later.services, prepare.OPERATOR, dry_run=True).unbelieved == ()
    assert files <= names(system, NEXT)
    later.services.database.close()


def names(system: System, store: str) -> set[str]:
    """The ledger's files in a store."""
    return {
        f"{name}/{one.key}" for name in (LOG, BUNDLES) for one in system.services.store.list(elsewhere(store, name), "")
    }
