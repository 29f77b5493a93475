"""Where the servers' files lie and as whom the servers run."""

import fcntl
import hashlib
import os
import pwd
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from evidence_api.stack.words import Say, StackError

SYSTEM_STATE = Path("/var/lib/dalel")
"""As root only: where servers' data and binaries go when the unprivileged user cannot reach the data directory."""
_CANDIDATES = ("dalel", "nobody")


@dataclass(frozen=True)
class ServerUser:
    """The account that the servers run as; `switch` is False when that is the account we already are."""

    name: str
    uid: int
    gid: int
    switch: bool


def server_user(wanted: str | None = None) -> ServerUser:
    """The account for the servers: ourselves, or as root `wanted`, else the first of dalel and nobody that exists.

    Raises StackError when PostgreSQL would refuse the account (root, or a number without a passwd entry).
    """
    if os.geteuid() != 0:
        try:
            me = pwd.getpwuid(os.geteuid())
        except KeyError:
            raise StackError(
                f"user number {os.geteuid()} has no entry in /etc/passwd, which PostgreSQL needs; "
                "run as an ordinary account, or point DALEL_OWNER_DATABASE_URL to a PostgreSQL server"
            ) from None
        return ServerUser(me.pw_name, me.pw_uid, me.pw_gid, switch=False)
    for name in (wanted,) if wanted else _CANDIDATES:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            if entry.pw_uid == 0:
                raise StackError(f"the servers may not run as {name}: PostgreSQL refuses root")
            return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)
    raise StackError(f"no unprivileged account ({wanted or ' or '.join(_CANDIDATES)}) to run the servers as")


def can_traverse(path: Path, user: ServerUser) -> bool:
    """Whether `user` may pass through every directory above `path` (and into it). Access lists are not considered."""
    if not user.switch:
        return True
    resolved = path.resolve()
    for directory in (resolved, *resolved.parents):
        if not directory.is_dir():
            continue
        status = directory.stat()
        if status.st_uid == user.uid:
            bit = 0o100
        elif status.st_gid == user.gid:
            bit = 0o010
        else:
            bit = 0o001
        if not status.st_mode & bit:
            return False
    return True


class DataDirectory:
    """One instance's directory: `servers/` (owned by the servers' account), `log/`, `run/`, and what is kept.

    One parent at a time: the lock is held until `release()` or the end of the process, however it ends. As root with
    a directory that the servers' account cannot reach, `servers` is a link into /var/lib/dalel.
    """

    def __init__(self, path: Path, user: ServerUser, say: Say, *, system_state: Path = SYSTEM_STATE) -> None:
        self.path = path.resolve()
        self._system_state = system_state
        self.user = user
        self._say = say
        self._lock: int | None = None
        self.log = self.path / "log"
        self.servers = self.path / "servers"

    def open(self) -> None:
        """Make the directory and take the lock; raises StackError when another parent holds it."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o711 if self.user.switch else 0o700)
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._lock, 32).decode(errors="replace").strip()
            self.release()
            raise StackError(f"{self.path} is in use by another Dälel (process {holder or 'unknown'})") from None
        os.ftruncate(self._lock, 0)
        os.write(self._lock, f"{os.getpid()}\n".encode())
        self.log.mkdir(mode=0o700, exist_ok=True)
        self._place_servers()

    def release(self) -> None:
        """Let the next parent in."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def server(self, name: str) -> Path:
        """The directory of one server, mode 0700, owned by the servers' account."""
        directory = self.servers.resolve() / name
        directory.mkdir(mode=0o700, exist_ok=True)
        if self.user.switch:
            os.chown(directory, self.user.uid, self.user.gid)
        directory.chmod(0o700)
        return directory

    def reachable_binary(self, binary: Path, tree: Path | None = None) -> Path:
        """The binary itself, or a copy that the servers' account can reach (with its whole `tree`, if one is given).

        As root with a virtual environment below a closed home, files are copied once into /var/lib/dalel.
        """
        root = tree or binary
        readable = can_traverse(binary.parent, self.user) and binary.stat().st_mode & 0o005 == 0o005
        if readable or not self.user.switch:
            return binary
        status = root.stat()
        mark = hashlib.sha256(f"{root}:{status.st_size}:{status.st_mtime_ns}".encode()).hexdigest()[:12]
        copy = self._system_state / "bin" / f"{root.name}-{mark}"
        if not copy.exists():
            self._say(f"copying {root.name} to {copy}, because {self.user.name} cannot read {root.parent}")
            copy.parent.mkdir(parents=True, mode=0o755, exist_ok=True)
            partial = copy.with_name(f".{copy.name}.{os.getpid()}")
            if root.is_dir():
                shutil.copytree(root, partial, symlinks=True)
            else:
                shutil.copy2(root, partial)
            for path in (partial, *partial.rglob("*")):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.stat().st_mode & 0o100 else 0o044))
            partial.rename(copy)
        return copy / binary.relative_to(root) if root.is_dir() else copy

    def _place_servers(self) -> None:
        if self.servers.is_symlink() or self.servers.is_dir():
            target = self.servers.resolve()
            if not target.is_dir():
                raise StackError(f"{self.servers} points to {target}, which is gone")
            if can_traverse(target, self.user):
                return
            raise StackError(
                f"the servers' account {self.user.name} cannot reach {target}; open its parents to it (o+x)"
            )
        if can_traverse(self.path, self.user):
            self.servers.mkdir(mode=0o711)
            return
        outside = self._system_state / f"{self.path.name.lstrip('.')}-{os.urandom(4).hex()}"
        outside.mkdir(parents=True, mode=0o711)
        self._say(f"server data goes to {outside}, because {self.user.name} cannot reach {self.path}")
        self.servers.symlink_to(outside)
