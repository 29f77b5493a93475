"""The failure table of intake (docs/storage.md): at each step the process is killed, the database goes away or its disk
is full, the broker is gone. After each row: no acknowledged byte lost, one object with one row, the sender told truly.
The rows where the store fails are in `test_faulty_store`, those of a worker killed between its steps in
`test_killed_workers`.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import create_engine, make_url, text

from custody.kernel.errors import Unavailable
from evidence_api.registry.model import ExhibitForm
from evidence_api.workers.dispatcher import Dispatcher
from storage.sweep import sweep
from tests import acts
from tests.failures import strikes
from tests.failures.cable import Cable
from tests.failures.strikes import AFTER, BEFORE, killed_while_sealing, killed_while_sending, struck, struck_database
from tests.failures.truth import AT_ONCE, assert_sealed, goes_on_to_the_seal, held, offset_of

SEGMENT = 8 * 1024 * 1024
each_side = pytest.mark.parametrize("when", [BEFORE, AFTER])


@pytest.fixture(scope="module")
def case_id(system):
    return system.case()


@pytest.fixture(scope="module")
def cable(system) -> Iterator[Cable]:
    url = make_url(system.settings.database_url.get_secret_value())
    line = Cable(url.host, url.port)
    yield line
    line.close()


def form_of(data: bytes, name: str) -> ExhibitForm:
    """What `tests.whole.Api.begin_upload` says."""
    return ExhibitForm(name, "", digest_of(data), len(data), "seizure", "pretrial", 30)


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def begun(system, case_id, data) -> str:
    return system.api("investigator").begin_upload(case_id, data, "row.bin").headers["Location"]


def exhibits_of(system, case_id, data) -> int:
    query = "SELECT count(*) FROM exhibits WHERE case_id = :case AND sha256 = :digest"
    return system.rows(query, case=case_id, digest=digest_of(data))[0][0]


def sending(system, location, data, point, when) -> None:
    """A process that appends all of it is killed."""
    me, upload_id = system.members["investigator"].account_id, location.rpartition("/")[2]
    killed_while_sending(system.settings, point, when, strikes.append, me, upload_id, data)


# --- a process is killed -------------------------------------------------------------------------------------------


@each_side
def test_killed_while_it_is_created(system, case_id, when):
    """Announced again, it is the same upload or the first: never two exhibits."""
    data = os.urandom(4000)
    me = system.members["investigator"].account_id
    killed_while_sending(system.settings, "commit", when, strikes.create, me, case_id, form_of(data, "row.bin"))
    assert exhibits_of(system, case_id, data) == (0 if when == BEFORE else 1)
    location = begun(system, case_id, data)
    assert exhibits_of(system, case_id, data) == 1
    goes_on_to_the_seal(system, location, data, 0)


@each_side
def test_killed_while_a_part_is_put(system, case_id, when):
    """The part in flight is not claimed and is sent again; what a lost multipart upload left is swept."""
    data = os.urandom(SEGMENT + 5000)
    location = begun(system, case_id, data)
    sending(system, location, data, "put_part", when)
    assert offset_of(system, location) == 0
    goes_on_to_the_seal(system, location, data, 0)


@each_side
@pytest.mark.parametrize("point", ["put", "commit"])
def test_killed_while_the_last_byte_is_made_durable(system, case_id, point, when):
    data = os.urandom(5000)
    location = begun(system, case_id, data)
    sending(system, location, data, point, when)
    assert offset_of(system, location) == (len(data) if (point, when) == ("commit", AFTER) else 0)
    goes_on_to_the_seal(system, location, data, 0)


@each_side
@pytest.mark.parametrize("point", ["complete", "lock"])
def test_killed_while_it_is_sealed(system, case_id, point, when):
    """The next worker finds the same version and seals it, once."""
    data = os.urandom(SEGMENT + 5000 if point == "complete" else 5000)
    exhibit_id = system.api("investigator").upload(case_id, data, "row.bin")
    job_id = acts.job_of(system, f"exhibit:{exhibit_id}")
    killed_while_sealing(system.settings, job_id, point, when)
    assert system.runner().run(job_id) == "done"
    assert_sealed(system, exhibit_id, blob_of(system, exhibit_id), data)


def blob_of(system, exhibit_id) -> UUID:
    return system.rows("SELECT blob_id FROM uploads WHERE exhibit_id = :id", id=exhibit_id)[0][0]


# --- the database goes away ----------------------------------------------------------------------------------------


@contextmanager
def line_breaks(system, cable, when):
    """Parts whose line to the database breaks at the first commit with an event: before it, or before its answer."""
    url = make_url(system.settings.database_url.get_secret_value()).set(host="127.0.0.1", port=cable.port)
    strike = cable.cut if when == BEFORE else cable.lose_answer
    database = struck_database(url.render_as_string(hide_password=False), system.services.database, BEFORE, strike)
    with cable.mended():
        yield system.variant(database=database)
    database.close()


@each_side
def test_the_database_is_gone_while_it_is_created(system, case_id, cable, when):
    data = os.urandom(4000)
    with line_breaks(system, cable, when) as parts:
        answer = system.api("investigator", parts).begin_upload(case_id, data, "row.bin")
        assert (answer.status_code, answer.json()["code"]) == (503, "database.unavailable")
    location = begun(system, case_id, data)
    assert exhibits_of(system, case_id, data) == 1
    goes_on_to_the_seal(system, location, data, 0)


@each_side
def test_the_database_is_gone_while_a_part_is_put(system, case_id, cable, when):
    data = os.urandom(SEGMENT + 5000)
    location = begun(system, case_id, data)
    url = make_url(system.settings.database_url.get_secret_value()).set(host="127.0.0.1", port=cable.port)
    database = struck_database(url.render_as_string(hide_password=False), system.services.database, "", cable.cut)
    with cable.mended():
        parts = struck(system.variant(database=database), "put_part", when, cable.cut)
        answer = system.api("investigator", parts).append(location, data)
        assert (answer.status_code, answer.json()["code"]) == (503, "database.unavailable")
    database.close()
    assert offset_of(system, location) == 0
    goes_on_to_the_seal(system, location, data, 0)


@each_side
def test_the_database_is_gone_while_the_last_byte_is_recorded(system, case_id, cable, when):
    data = os.urandom(5000)
    location = begun(system, case_id, data)
    with line_breaks(system, cable, when) as parts:
        answer = system.api("investigator", parts).append(location, data)
        assert (answer.status_code, answer.json()["code"]) == (503, "database.unavailable")
    goes_on_to_the_seal(system, location, data, 0)


@each_side
def test_the_database_is_gone_while_it_is_sealed(system, case_id, cable, when):
    data = os.urandom(5000)
    exhibit_id = system.api("investigator").upload(case_id, data, "row.bin")
    job_id = acts.job_of(system, f"exhibit:{exhibit_id}")
    with line_breaks(system, cable, when) as parts:
        assert system.runner(parts).run(job_id) == "later"
    assert system.runner().run(job_id) == ("done" if when == BEFORE else "over")
    assert_sealed(system, exhibit_id, blob_of(system, exhibit_id), data)


# --- the database's disk is full -----------------------------------------------------------------------------------


@contextmanager
def disk_full(stack, system, table) -> Iterator[None]:
    """PostgreSQL itself answers 53100 to every write of one table."""
    name = make_url(system.settings.database_url.get_secret_value()).database
    owner = create_engine(make_url(stack.owner_url).set(database=name), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(
            text(
                "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$"
            )
        )
        connection.execute(
            text(f"CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION full_disk()")
        )
        try:
            yield
        finally:
            connection.execute(text(f"DROP TRIGGER full_disk ON {table}"))
    owner.dispose()


def test_the_disk_is_full_while_it_is_created(stack, system, case_id):
    data, api, before = os.urandom(4000), system.api("investigator"), held(system)
    with disk_full(stack, system, "event_outbox"):
        answer = api.begin_upload(case_id, data, "row.bin")
        assert (answer.status_code, answer.json()["code"]) == (503, "database.unavailable")
    assert exhibits_of(system, case_id, data) == 0
    assert held(system) == before
    goes_on_to_the_seal(system, begun(system, case_id, data), data, 0)


@pytest.mark.parametrize(("table", "size"), [("upload_segments", SEGMENT + 5000), ("event_outbox", 5000)])
def test_the_disk_is_full_while_bytes_come(stack, system, case_id, table, size):
    """A part that cannot be claimed; a last byte that cannot be recorded."""
    data, api = os.urandom(size), system.api("investigator")
    location = begun(system, case_id, data)
    with disk_full(stack, system, table):
        answer = api.append(location, data)
        assert (answer.status_code, answer.json()["code"]) == (503, "database.unavailable")
        assert offset_of(system, location) == 0
    goes_on_to_the_seal(system, location, data, 0)


def test_the_disk_is_full_while_it_is_sealed(stack, system, case_id):
    data = os.urandom(5000)
    exhibit_id = system.api("investigator").upload(case_id, data, "row.bin")
    job_id = acts.job_of(system, f"exhibit:{exhibit_id}")
    with disk_full(stack, system, "blobs"):
        assert system.runner().run(job_id) == "later"
        assert system.api("prosecutor").get(f"/api/v1/exhibits/{exhibit_id}")["state"] == "checking"
    assert system.runner().run(job_id) == "done"
    assert_sealed(system, exhibit_id, blob_of(system, exhibit_id), data)


# --- the broker is gone --------------------------------------------------------------------------------------------


def test_the_broker_is_gone(system, case_id):
    """Sending needs no broker; the seal waits in its row and is sent when the broker is back."""
    data = os.urandom(5000)
    exhibit_id = system.api("investigator").upload(case_id, data, "row.bin")
    job_id = acts.job_of(system, f"exhibit:{exhibit_id}")

    def gone(_queue, _job):
        raise Unavailable("broker.unreachable")

    with pytest.raises(Unavailable):
        Dispatcher(system.services.database, gone, lambda task: task).dispatch_once()
    sent = []
    Dispatcher(system.services.database, lambda _, job: sent.append(job), lambda task: task).dispatch_once()
    assert job_id in sent
    assert system.runner().run(job_id) == "done"
    assert_sealed(system, exhibit_id, blob_of(system, exhibit_id), data)


# --- a small file in one request ------------------------------------------------------------------------------------


@each_side
@pytest.mark.parametrize("point", ["put", "commit"])
def test_killed_while_a_small_file_comes_whole(system, case_id, point, when):
    """The object is there before its row: killed between them, it is swept; sent again, there is one exhibit."""
    data, before = os.urandom(3000), held(system)
    me, form = system.members["investigator"].account_id, form_of(data, "whole.bin")
    killed_while_sending(system.settings, point, when, strikes.create_whole, me, case_id, form, data)
    if (point, when) != ("commit", AFTER):
        sweep(system.services.database, system.services.store, grace=AT_ONCE)
        assert held(system) == before
        assert exhibits_of(system, case_id, data) == 0
        created = system.api("investigator").create_whole(case_id, data, "whole.bin")
        assert created.status_code == 201
    assert exhibits_of(system, case_id, data) == 1
    query = "SELECT id FROM exhibits WHERE filename = 'whole.bin' AND case_id = :case AND state = 'checking'"
    ((exhibit_id,),) = system.rows(query, case=case_id)
    assert system.work_off(f"exhibit:{exhibit_id}") == ["done"]
    assert_sealed(system, str(exhibit_id), blob_of(system, exhibit_id), data)


@each_side
@pytest.mark.parametrize("point", ["put", "commit"])
def test_killed_while_many_small_files_come(system, case_id, point, when):
    """All of them are registered or none; what lies in the store without a row is swept."""
    datas, before = [os.urandom(500) for _ in range(6)], held(system)
    forms = [form_of(data, f"many-{number}.bin") for number, data in enumerate(datas)]
    me = system.members["investigator"].account_id
    killed_while_sending(system.settings, point, when, strikes.create_many, me, case_id, forms, datas)
    there = 1 if (point, when) == ("commit", AFTER) else 0
    assert [exhibits_of(system, case_id, data) for data in datas] == [there] * 6
    if not there:
        sweep(system.services.database, system.services.store, grace=AT_ONCE)
        assert held(system) == before
        for form, data in zip(forms, datas, strict=True):
            assert system.api("investigator").create_whole(case_id, data, form.filename).status_code == 201
    for data in datas:
        query = "SELECT id FROM exhibits WHERE case_id = :case AND sha256 = :digest"
        ((exhibit_id,),) = system.rows(query, case=case_id, digest=digest_of(data))
        assert system.work_off(f"exhibit:{exhibit_id}") == ["done"]
        assert_sealed(system, str(exhibit_id), blob_of(system, exhibit_id), data)
