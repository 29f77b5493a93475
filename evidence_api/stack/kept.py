"""What is chosen once and kept: the instance's name, its ports, its secrets."""

import json
import os
import secrets
import socket
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from evidence_api.stack.words import StackError

_LOWEST_PORT, _HIGHEST_PORT = 11_000, 20_999
"""Port + 10000 (SeaweedFS's gRPC) is outside this range, and below the kernel's for outgoing connections."""
GRPC_OFFSET = 10_000


def write_private(path: Path, content: bytes, *, owner: tuple[int, int] | None = None) -> None:
    """Put a file in place at once and whole, readable by its owner only (mode 0600)."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if owner is not None:
        os.chown(beside, *owner)
    beside.replace(path)


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now. Somebody may take it a moment later."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Kept:
    """Two small files in the data directory: `ports.json` and `secrets.json` (mode 0600).

    A name that was asked for once gives the same answer for ever; deleting `ports.json` while nothing runs chooses
    new ports, deleting `secrets.json` locks the door to the data.
    """

    def __init__(self, directory: Path) -> None:
        self._ports_path = directory / "ports.json"
        self._secrets_path = directory / "secrets.json"
        self._ports: dict[str, int] = _load(self._ports_path)
        self._secrets: dict[str, str] = _load(self._secrets_path)

    def port(self, name: str, *, with_grpc: bool = False, wanted: int | None = None) -> int:
        """The loopback port of `name`; with gRPC, the port 10000 above it was free as well when it was chosen.

        `wanted` is kept in place of what was kept before. Raises StackError when no free port was found in 200 tries.
        """
        if name not in self._ports or wanted not in (None, self._ports[name]):
            self._ports[name] = wanted or self._choose(with_grpc=with_grpc)
            write_private(self._ports_path, json.dumps(self._ports, indent=1).encode())
        return self._ports[name]

    def secret(self, name: str) -> str:
        """A secret of 256 bits, URL-safe text of 43 characters."""
        if name not in self._secrets:
            self._secrets[name] = secrets.token_urlsafe(32)
            write_private(self._secrets_path, json.dumps(self._secrets, indent=1).encode())
        return self._secrets[name]

    def require_free(self, who: str, ports: Iterable[int]) -> None:
        """Refuse to start `who` beside somebody who sits on its ports; raises StackError naming the port."""
        for port in ports:
            if not port_is_free(port):
                raise StackError(
                    f"{who} listens on port {port} (kept in {self._ports_path}), and another program is using it. "
                    "Stop that program, or delete the file to choose new ports; no data is lost by that."
                )

    def _choose(self, *, with_grpc: bool) -> int:
        for _ in range(200):
            port = _LOWEST_PORT + secrets.randbelow(_HIGHEST_PORT - _LOWEST_PORT + 1)
            if port in self._ports.values() or not port_is_free(port):
                continue
            if with_grpc and not port_is_free(port + GRPC_OFFSET):
                continue
            return port
        raise StackError(f"no free port between {_LOWEST_PORT} and {_HIGHEST_PORT} on 127.0.0.1")


def _load(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise StackError(
            f"{path} is damaged ({error}); restore it from a copy, or start with a new directory"
        ) from error
    return content
