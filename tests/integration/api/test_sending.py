"""`dalel upload` against a real server: everything accounted for, killed and gone on with, lists, watching."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from evidence_api.sending import command
from evidence_api.sending.command import ALL_SEALED, SOME_FAILED, UNUSABLE, Asked
from tests.cable import cable_to
from tests.whole import PASSWORD, until

MIB = 1 << 20
LARGE = 40 * MIB
PATIENCE_S = 240
LOST = MIB
"""What a cut may cost: what the server's process had read and not taken yet."""


@contextmanager
def worker(system):
    """Seals what arrives, beside the test."""
    stop = threading.Event()

    def work():
        runner = system.runner()
        while not stop.wait(0.05):
            for (job,) in system.rows("SELECT id FROM jobs WHERE task = 'exhibit.seal' AND state = 'queued'"):
                runner.run(job)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture(scope="module")
def sealing(system):
    with worker(system):
        yield


@pytest.fixture
def asked(system, server, sealing, tmp_path):
    """A folder of its own, to a case of its own, by login and password."""
    login = tmp_path / "login"
    login.touch(mode=0o600)
    login.write_text(f"{system.members['investigator'].login}\n{PASSWORD}\n")
    (tmp_path / "Тінту").mkdir()
    return Asked(
        folder=tmp_path / "Тінту",
        case=system.case(),
        url=server,
        login=login,
        said={"basis": "seizure", "purpose": "pretrial", "retain_days": "30"},
        receipts=tmp_path / "receipts",
        memory=tmp_path / "state.jsonl",
        language="en",
        patience_s=PATIENCE_S,
    )


def send(asked):
    """Exit code and what was said."""
    said = []
    return command.run(asked, said.append), "\n".join(said)


def receipt(asked):
    """The newest receipt; its PDF has the digest that it names."""
    newest = max(asked.receipts.glob("*.json"), key=lambda one: one.stat().st_mtime_ns)
    told = json.loads(newest.read_text())
    assert told["sha256"] == "sha256:" + hashlib.sha256(newest.with_suffix(".pdf").read_bytes()).hexdigest()
    return told["says"]


def received(system, asked):
    """The durable bytes of the case's only upload. A request that broke off stores its last ones a moment later."""
    return system.rows("SELECT offset_bytes FROM uploads WHERE case_id = :id", id=asked.case)[0][0]


def receipted(asked):
    """Names on all receipts; a copy stands there as its exhibit, so its own name is told by the state file."""
    lines = [json.loads(line) for line in asked.memory.read_text().splitlines()]
    return {line["path"].rpartition("/")[2] for line in lines if line["receipted"]}


def shell(asked):
    """The same as a process."""
    said = {"--basis": "seizure", "--purpose": "pretrial", "--retain-days": "30"}
    named = said | {
        "--case": asked.case,
        "--url": asked.url,
        "--login": str(asked.login),
        "--state": str(asked.memory),
        "--receipts": str(asked.receipts),
        "--patience": str(asked.patience_s),
    }
    options = [part for pair in named.items() for part in pair]
    return [sys.executable, "-m", "evidence_api.cli", "upload", str(asked.folder), *options]


def test_everything_is_sealed_or_has_its_reason(system, asked):
    inner = asked.folder / "Диск" / "ішкі"
    inner.mkdir(parents=True)
    files = {"Диск/ішкі/қолхат 📷.txt": b"one", "a.bin": os.urandom(100_000), "copy.bin": b"one"}
    for path, content in files.items():
        (asked.folder / path).write_bytes(content)
    (asked.folder / "empty").touch()
    (asked.folder / "link").symlink_to("/etc/hostname")
    code, said = send(asked)
    assert code == SOME_FAILED
    assert "chosen 5 = sealed 2 + already in the case 1 + failed 2" in said
    says = receipt(asked)
    told = {f"{one['folder']}/{one['name']}" for one in says["files"]}
    assert told in ({"Тінту/Диск/ішкі/қолхат 📷.txt", "Тінту/a.bin"}, {"Тінту/copy.bin", "Тінту/a.bin"})
    failed = {one["path"]: one["code"] for one in says["failed"]}
    assert failed == {"Тінту/empty": "exhibit.empty", "Тінту/link": "upload.not_a_file"}
    (asked.folder / "empty").unlink()
    (asked.folder / "link").unlink()
    again, said = send(asked)
    assert again == ALL_SEALED
    assert "chosen 3 = sealed 2 + already in the case 1 + failed 0" in said
    assert system.rows("SELECT count(*) FROM exhibits WHERE case_id = :id", id=asked.case) == [(2,)]


def test_killed_it_goes_on_at_the_byte(system, asked):
    (asked.folder / "large.bin").write_bytes(os.urandom(LARGE))
    with cable_to(asked.url) as (cable, url):
        cable.cut_at(LARGE // 2)
        process = subprocess.Popen(shell(replace(asked, url=url)), stderr=subprocess.PIPE)
        try:
            until(lambda: cable.is_cut, PATIENCE_S)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        until(lambda: received(system, asked) > LARGE // 2 - LOST)
        cable.mend()
        code, said = send(replace(asked, url=url))
        assert (code, cable.cuts) == (ALL_SEALED, 1), said
        assert cable.sent_bytes < LARGE + LOST, "what was durable was sent again"
    assert system.rows("SELECT count(*) FROM exhibits WHERE case_id = :id", id=asked.case) == [(1,)]


def test_a_lost_memory_costs_nothing_but_time(system, asked):
    """Another machine, or a state file that is gone: the server still knows the upload of the same person."""
    (asked.folder / "large.bin").write_bytes(os.urandom(LARGE))
    with cable_to(asked.url) as (cable, url):
        cable.cut_at(LARGE // 2)
        code, said = send(replace(asked, url=url, patience_s=0.1))
        assert (code, "upload.offline" in said) == (SOME_FAILED, True), said
        until(lambda: received(system, asked) > LARGE // 2 - LOST)
        asked.memory.unlink()
        cable.mend()
        code, said = send(replace(asked, url=url))
        assert (code, cable.cuts) == (ALL_SEALED, 1), said
        assert cable.sent_bytes < LARGE + LOST, "what was durable was sent again"
    assert system.rows("SELECT count(*) FROM exhibits WHERE case_id = :id", id=asked.case) == [(1,)]


def test_a_bag_is_held_against_its_manifest(asked):
    (asked.folder / "data").mkdir()
    (asked.folder / "data" / "a.txt").write_bytes(b"aaa")
    (asked.folder / "data" / "b.txt").write_bytes(b"other")
    listed = {"data/a.txt": b"aaa", "data/b.txt": b"bbb", "data/c.txt": b"ccc"}
    lines = [f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in listed.items()]
    (asked.folder / "manifest-sha256.txt").write_text("".join(lines))
    (asked.folder / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    code, said = send(asked)
    assert code == SOME_FAILED
    assert "3 listed, 1 matching\ndiffering: data/b.txt\nmissing: data/c.txt" in said
    assert receipt(asked)["list"]["missing"] == ["data/c.txt"]


def test_a_list_from_elsewhere(asked, tmp_path):
    (asked.folder / "a.txt").write_bytes(b"aaa")
    given = tmp_path / "list.csv"
    given.write_text(f"path,sha256\na.txt,{hashlib.sha256(b'aaa').hexdigest()}\n")
    code, said = send(replace(asked, hash_list=given))
    assert code == ALL_SEALED
    assert "1 listed, 1 matching" in said
    given.write_text("path,md5\na.txt,0\n")
    code, said = send(replace(asked, hash_list=given))
    assert code == UNUSABLE
    assert "hashlist.bad_line" in said


def test_what_cannot_be_begun(system, asked, tmp_path):
    (asked.folder / "a.txt").write_bytes(b"a")
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("nobody\nnothing\n")
    open_to_all = tmp_path / "open"
    open_to_all.write_text("token\n")
    open_to_all.chmod(0o644)
    for change, what in (
        ({"login": wrong}, "session.refused"),
        ({"login": open_to_all}, "chmod 600"),
        ({"case": "000000000000000"}, "case.not_found"),
        ({"folder": tmp_path / "none"}, "no folder"),
        ({"url": "http://example.org"}, "not encrypted"),
        ({"url": "nonsense"}, "no address"),
        ({"url": "http://127.0.0.1:9", "patience_s": 0.1}, "upload.offline"),
    ):
        code, said = send(replace(asked, **change))
        assert (code, what in said) == (UNUSABLE, True), said
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text(system.members["investigator"].token + "\n")
    assert send(replace(asked, login=token))[0] == ALL_SEALED


def test_a_watched_folder_is_sent_when_it_rests(system, asked):
    (asked.folder / "first.bin").write_bytes(b"first")
    process = subprocess.Popen([*shell(asked), "--watch", "--settle", "2"], stdout=subprocess.PIPE, text=True)
    try:
        sealed = "SELECT count(*) FROM exhibits WHERE case_id = :id AND state = 'sealed'"
        until(lambda: system.rows(sealed, id=asked.case) == [(1,)], PATIENCE_S)
        growing = asked.folder / "growing.bin"
        shutil.copy(asked.folder / "first.bin", asked.folder / "copy.bin")
        for _ in range(8):
            with growing.open("ab") as file:
                file.write(b"x" * 1000)
            time.sleep(0.2)
        until(lambda: system.rows(sealed, id=asked.case) == [(2,)], PATIENCE_S)
        until(lambda: receipted(asked) == {"first.bin", "copy.bin", "growing.bin"}, PATIENCE_S)
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == ALL_SEALED, out
    assert system.rows("SELECT max(size_bytes), count(*) FROM exhibits WHERE case_id = :id", id=asked.case) == [
        (8000, 2)
    ]
    assert sorted(one.name for one in asked.folder.iterdir()) == ["copy.bin", "first.bin", "growing.bin"]


def test_two_at_once_do_not_send_the_same_folder(asked):
    (asked.folder / "a.txt").write_bytes(b"a")
    first = command.Memory(asked.memory)
    code, said = send(asked)
    first.close()
    assert (code, said) == (UNUSABLE, "another process is sending this folder to this case")


@pytest.fixture
def device(system, asked):
    """A device that may send to the case, its credential on its disk and asked to be used."""
    ((erdr,),) = system.rows("SELECT erdr FROM cases WHERE id = :id", id=asked.case)
    made = system.api("administrator").post("/api/v1/devices", name="Док-станция 7", days=30, cases=[erdr])
    place = asked.folder.parent / "credential"
    place.touch(mode=0o600)
    place.write_text(made["credential"] + "\n")
    return made | {"asked": replace(asked, case=erdr, login=None, credential_file=place)}


def test_a_device_sends_by_itself_until_it_is_revoked(system, device, monkeypatch):
    """Small files together, a large one by tus, the receipt in its name; every step is its own event."""
    asked = device["asked"]
    (asked.folder / "small.txt").write_bytes(b"small")
    (asked.folder / "other.txt").write_bytes(b"other")
    (asked.folder / "large.bin").write_bytes(os.urandom(MIB))
    code, said = send(asked)
    assert (code, "sealed 3" in said) == (ALL_SEALED, True), said
    assert receipt(asked)["officer"] == "Док-станция 7"
    case = f"case:{asked_id(system, asked)}"
    assert [one["actor"]["id"] for one in system.events(case, "receipt.issued")] == [device["id"]]
    for (exhibit,) in system.rows("SELECT id FROM exhibits WHERE registered_by = :id", id=device["id"]):
        registered = system.events(f"exhibit:{exhibit}")[0]["actor"]
        assert (registered["id"], registered["role"]) == (device["id"], "device")
        login, _, secret = device["credential"].partition(":")
        token = system.api(None).post("/api/v1/session", login=login, password=secret)["token"]
        for path in (f"exhibits/{exhibit}", f"exhibits/{exhibit}/content", f"cases/{asked_id(system, asked)}/exhibits"):
            answer = system.api(None)("GET", f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code in (403, 404), path
    credential = asked.credential_file.read_text()
    monkeypatch.setenv("DALEL_CREDENTIAL", credential)
    assert send(replace(asked, credential_file=None))[0] == ALL_SEALED
    asked.credential_file.chmod(0o644)
    code, said = send(asked)
    assert (code, "chmod 600" in said) == (UNUSABLE, True)
    system.api("administrator")("POST", f"/api/v1/devices/{device['id']}/revoke")
    (asked.folder / "more.txt").write_bytes(b"more")
    code, said = send(replace(asked, credential_file=None))
    assert (code, "session.refused" in said) == (UNUSABLE, True), said


def test_a_device_hears_of_nothing_that_others_sent(system, device):
    officer = system.api("investigator")
    others = officer.upload(asked_id(system, device["asked"]), b"an officer's own", "officer.txt")
    until(lambda: officer.get(f"/api/v1/exhibits/{others}")["state"] == "sealed")  # by the worker beside the tests
    login, _, secret = device["credential"].partition(":")
    token = system.api(None).post("/api/v1/session", login=login, password=secret)["token"]
    path = f"/api/v1/cases/{asked_id(system, device['asked'])}/states"
    headers = {"Authorization": f"Bearer {token}"}
    answer = system.api(None)("POST", path, json={"exhibits": [others]}, headers=headers)
    assert answer.json() == {"items": []}
    (device["asked"].folder / "same.txt").write_bytes(b"an officer's own")
    code, said = send(device["asked"])
    assert (code, "already in the case 1" in said) == (ALL_SEALED, True), said


def asked_id(system, asked):
    ((case_id,),) = system.rows("SELECT id FROM cases WHERE erdr = :erdr", erdr=asked.case)
    return str(case_id)
