"""The key-encryption key in a Vault-compatible service (HashiCorp Vault, OpenBao): its transit engine over HTTP.

The key is an AES-256-GCM key of the transit engine with `derived` on: the blob's id goes as `context`, from which the
service derives the key it encrypts with, so a wrap opens for its own blob only. `associated_data` would say the same,
but `rewrap` does not take it (OpenBao 2.7.2: «message authentication failed»), and rotation lives by rewrapping: data
keys do not leave the service for it.

Source: https://openbao.org/api-docs/secret/transit, sections «Encrypt data», «Decrypt data», «Rewrap data»,
«Rotate key», «Update key configuration», «Trim key».
"""

import base64
import http.client
import json
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import UUID

from custody.kernel.errors import Conflict, Corrupt, Unavailable
from storage.keys import WrappedKey

_CONTEXT: Final = b"dalel wrapped key v1\x00"
_WRAP: Final = re.compile(r"vault:v([1-9][0-9]{0,8}):([A-Za-z0-9+/=]+)", re.ASCII)
_FAILED: Final = "message authentication failed"


@dataclass(frozen=True)
class VaultAddress:
    """Where the service is: `url` without `/v1`, the token's file (read at each call, so it may be renewed), the mount
    of the transit engine, the key's name; a CA file when it is not one of the system's, an OpenBao or Vault namespace.
    """

    url: str
    token_file: Path
    mount: str = "transit"
    key: str = "dalel"
    ca_file: Path | None = None
    namespace: str | None = None


class VaultKeyWrapper:
    """`KeyWrapper` over the transit engine. Connections are kept; nothing is asked before the first use.

    Trust: the service knows the key-encryption key and sees data keys when it wraps and unwraps; never evidence.
    """

    def __init__(self, address: VaultAddress, *, timeout_seconds: float = 5) -> None:
        self._address = address
        parts = urlsplit(address.url)
        self._host, self._port, self._secure = parts.hostname or "", parts.port, parts.scheme == "https"
        self._prefix = f"{parts.path.rstrip('/')}/v1/{address.mount}/"
        self._timeout_s = timeout_seconds
        self._tls = ssl.create_default_context(cafile=address.ca_file) if self._secure else None
        self._idle: list[http.client.HTTPConnection] = []

    @property
    def key_id(self) -> str:
        """Names the newest version."""
        return self._named(self._key()["latest_version"])

    def wrap(self, key: bytes, blob_id: UUID) -> WrappedKey:
        """The data key encrypted by the service."""
        said = self._ask("POST", "encrypt", {"plaintext": _b64(key), "context": _context(blob_id)})
        return self._wrapped(said["ciphertext"])

    def unwrap(self, wrapped: bytes, key_id: str, blob_id: UUID) -> bytes:
        """The data key, decrypted by the service."""
        form = {"ciphertext": self._text(wrapped, key_id), "context": _context(blob_id)}
        return base64.b64decode(self._ask("POST", "decrypt", form)["plaintext"])

    def rewrap(self, wrapped: Sequence[tuple[WrappedKey, UUID]]) -> list[WrappedKey]:
        """Rewrapped by the service in one call: no data key comes here."""
        if not wrapped:
            return []
        batch = [
            {"ciphertext": self._text(one.data, one.key_id), "context": _context(blob_id)} for one, blob_id in wrapped
        ]
        results = self._ask("POST", "rewrap", {"batch_input": batch})["batch_results"]
        for result in results:
            if result.get("error"):
                raise _refusal(HTTPStatus.BAD_REQUEST, result["error"])
        return [self._wrapped(result["ciphertext"]) for result in results]

    def ensure(self) -> None:
        """Make the key if the token may, and try it out. Raises Unavailable `keys.refused` for another kind of key."""
        if self._ask("GET", "keys", missing_ok=True) is None:
            self._ask("POST", "keys", {"type": "aes256-gcm96", "derived": True})
        key = self._key()
        if key["type"] != "aes256-gcm96" or not key["derived"]:
            raise Unavailable("keys.refused")
        blob_id = UUID(int=0)
        probe = self.wrap(bytes(32), blob_id)
        self.unwrap(probe.data, probe.key_id, blob_id)

    def rotate(self) -> str:
        """A new version of the key, made by the service."""
        self._ask("POST", "keys", {}, after="/rotate")
        return self.key_id

    def versions(self) -> list[str]:
        """Versions that may still decrypt."""
        key = self._key()
        first = max(key["min_decryption_version"], 1)
        return [self._named(number) for number in range(first, key["latest_version"] + 1)]

    def retire(self, key_id: str) -> None:
        """The service decrypts no more under this version and older ones, and destroys them (`trim`)."""
        number = self._number(key_id)
        key = self._key()
        if number >= key["latest_version"]:
            raise Conflict("keys.in_use", key=key_id)
        if key["min_decryption_version"] <= number:
            form = {"min_decryption_version": number + 1, "min_encryption_version": number + 1}
            self._ask("POST", "keys", form, after="/config")
        if key["min_available_version"] <= number:
            self._ask("POST", "keys", {"min_available_version": number + 1}, after="/trim")

    def _key(self) -> Any:
        return self._ask("GET", "keys")

    def _named(self, number: int) -> str:
        return f"vault:{self._address.key}:{number}"

    def _number(self, key_id: str) -> int:
        prefix = f"vault:{self._address.key}:"
        number = key_id.removeprefix(prefix)
        if not key_id.startswith(prefix) or not (number.isascii() and number.isdigit()):
            raise Unavailable("keys.unknown", key=key_id)
        return int(number)

    def _wrapped(self, ciphertext: str) -> WrappedKey:
        found = _WRAP.fullmatch(ciphertext)
        if found is None:
            raise Corrupt("keys.corrupt")
        return WrappedKey(self._named(int(found[1])), ciphertext.encode())

    def _text(self, wrapped: bytes, key_id: str) -> str:
        """The service's own form, its version being the one that was recorded."""
        number = self._number(key_id)
        text = wrapped.decode("ascii", "replace")
        found = _WRAP.fullmatch(text)
        try:
            base64.b64decode(found[2] if found else "?", validate=True)
        except ValueError as fault:
            raise Corrupt("keys.corrupt") from fault
        if found is None or int(found[1]) != number:
            raise Corrupt("keys.corrupt")
        return text

    def _ask(self, method: str, what: str, form: Any = None, *, after: str = "", missing_ok: bool = False) -> Any:
        """The `data` of an answer."""
        path = f"{self._prefix}{what}/{quote(self._address.key, safe='')}{after}"
        status, said = self._call(method, path, None if form is None else json.dumps(form).encode())
        if missing_ok and status == HTTPStatus.NOT_FOUND:
            return None
        if status >= HTTPStatus.BAD_REQUEST:
            raise _refusal(status, " ".join(map(str, said.get("errors") or [])))
        return said.get("data")

    def _call(self, method: str, path: str, body: bytes | None) -> tuple[int, Any]:
        """One request; a kept connection that was closed meanwhile is opened once more."""
        headers = {"X-Vault-Token": self._token(), "Content-Type": "application/json"}
        if self._address.namespace:
            headers["X-Vault-Namespace"] = self._address.namespace
        for again in (True, False):
            connection, fresh = self._connection()
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                said = json.loads(answer.read() or b"{}")
            except (OSError, http.client.HTTPException, ValueError) as fault:
                connection.close()
                if fresh or not again:
                    raise Unavailable("keys.unavailable") from fault
            else:
                self._idle.append(connection)
                return answer.status, said
        raise AssertionError  # the second turn of the loop returns or raises

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        """One that is idle, or a new one; whether it is new."""
        try:
            return self._idle.pop(), False
        except IndexError:
            pass
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s), True
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=self._tls), True

    def close(self) -> None:
        """Close idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _token(self) -> str:
        try:
            return self._address.token_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as fault:
            raise Unavailable("keys.refused") from fault


def _refusal(status: int, said: str) -> Corrupt | Unavailable:
    """Our error for the service's. Its words are not repeated: they may quote what was sent."""
    if status == HTTPStatus.BAD_REQUEST and _FAILED in said:
        return Corrupt("keys.corrupt")
    if status == HTTPStatus.BAD_REQUEST and ("version" in said or "disallowed by policy" in said):
        return Unavailable("keys.unknown", key="")
    if status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST):
        return Unavailable("keys.refused")
    return Unavailable("keys.unavailable")


def _context(blob_id: UUID) -> str:
    return _b64(_CONTEXT + blob_id.bytes)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
