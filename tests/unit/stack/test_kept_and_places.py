"""What is chosen once and kept, and who can reach what."""

import json
import os
from pathlib import Path

import pytest

from evidence_api.stack import kept as kept_module
from evidence_api.stack.child import tail
from evidence_api.stack.endpoints import Endpoints, External, ObjectStoreAddress
from evidence_api.stack.kept import GRPC_OFFSET, Kept, write_private
from evidence_api.stack.places import DataDirectory, ServerUser, can_traverse
from evidence_api.stack.stack import with_database, with_role
from evidence_api.stack.words import StackError, say_nothing

STRANGER = ServerUser("stranger", 65_533, 65_533, switch=True)
OURSELVES = ServerUser("ourselves", os.geteuid(), os.getegid(), switch=False)


def test_a_name_gives_the_same_port_and_secret_for_ever(tmp_path: Path) -> None:
    first = Kept(tmp_path)
    chosen = first.port("database"), first.port("store", with_grpc=True), first.secret("password")
    again = Kept(tmp_path)
    assert (again.port("database"), again.port("store"), again.secret("password")) == chosen
    assert len(chosen[2]) == 43
    assert chosen[0] != chosen[1]


def test_a_wanted_port_is_kept_for_the_next_start(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.port("portal")
    assert kept.port("portal", wanted=18_080) == 18_080
    assert Kept(tmp_path).port("portal") == 18_080


def test_ports_stay_below_the_range_of_outgoing_connections(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    ports = [kept.port(f"server-{number}", with_grpc=True) for number in range(20)]
    assert len(set(ports)) == 20
    assert all(port > 1024 and port + GRPC_OFFSET < 32_768 for port in ports)


def test_no_free_port_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_module, "port_is_free", lambda _: False)
    with pytest.raises(StackError, match="no free port"):
        Kept(tmp_path).port("database")


def test_a_port_in_use_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(tmp_path)
    port = kept.port("database")
    kept.require_free("PostgreSQL", [port])
    monkeypatch.setattr(kept_module, "port_is_free", lambda _: False)
    with pytest.raises(StackError, match=f"PostgreSQL listens on port {port} .*another program is using it"):
        kept.require_free("PostgreSQL", [port])


def test_a_damaged_file_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"password": "abc', encoding="utf-8")
    with pytest.raises(StackError, match=r"secrets\.json is damaged"):
        Kept(tmp_path)


def test_a_private_file_is_whole_and_ours_alone(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", b"one")
    write_private(tmp_path / "secret", b"two")
    assert (tmp_path / "secret").read_bytes() == b"two"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_closed_parent_stops_a_stranger_and_not_us(tmp_path: Path) -> None:
    inside = tmp_path / "closed" / "inside"
    inside.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not can_traverse(inside, STRANGER)
    assert can_traverse(inside, OURSELVES)


def test_a_binary_that_a_stranger_cannot_read_is_copied_once(tmp_path: Path) -> None:
    tree = tmp_path / "closed" / "server"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin/run").write_text("#!/bin/sh\n", encoding="utf-8")
    (tree / "bin/run").chmod(0o700)
    (tmp_path / "closed").chmod(0o700)
    lines: list[str] = []
    data = DataDirectory(tmp_path / "data", STRANGER, lines.append, system_state=tmp_path / "state")
    copy = data.reachable_binary(tree / "bin/run", tree)
    assert copy.read_text(encoding="utf-8") == "#!/bin/sh\n"
    assert copy.stat().st_mode & 0o055 == 0o055
    assert copy.is_relative_to(tmp_path / "state")
    assert data.reachable_binary(tree / "bin/run", tree) == copy
    assert len(lines) == 1
    ours = DataDirectory(tmp_path / "data", OURSELVES, say_nothing)
    assert ours.reachable_binary(tree / "bin/run", tree) == tree / "bin/run"


def test_one_directory_has_one_parent(tmp_path: Path) -> None:
    first = DataDirectory(tmp_path / "data", OURSELVES, say_nothing)
    first.open()
    with pytest.raises(StackError, match=f"in use by another Dälel .process {os.getpid()}"):
        DataDirectory(tmp_path / "data", OURSELVES, say_nothing).open()
    first.release()
    second = DataDirectory(tmp_path / "data", OURSELVES, say_nothing)
    second.open()
    second.release()


def test_addresses_do_not_show_their_secrets(tmp_path: Path) -> None:
    url = "postgresql+psycopg://owner:SECRET@127.0.0.1:5432/dalel"
    store = ObjectStoreAddress("127.0.0.1:8333", "SECRET-key", "SECRET")
    endpoints = Endpoints(tmp_path, url, url, url, "SECRET", "SECRET", store, "redis://:SECRET@127.0.0.1:6379/0")
    assert "SECRET" not in repr(endpoints)
    assert "SECRET" not in repr(External(url, store, "redis://:SECRET@127.0.0.1:6379/0"))


def test_the_same_database_as_another_role_and_another_database_of_the_same_server() -> None:
    url = "postgresql+psycopg://owner:secret@db.example:5432/dalel?sslmode=require"
    assert (
        with_role(url, "dalel_app", "pw") == "postgresql+psycopg://dalel_app:pw@db.example:5432/dalel?sslmode=require"
    )
    assert with_database(url, "other") == "postgresql+psycopg://owner:secret@db.example:5432/other?sslmode=require"


def test_the_tail_of_a_log_is_its_last_lines_indented(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log) == ""
    log.write_text("".join(f"line {number}\n" for number in range(1000)), encoding="utf-8")
    assert tail(log, 2) == "    line 998\n    line 999"
    assert json.dumps(tail(log)).count("line") == 12
