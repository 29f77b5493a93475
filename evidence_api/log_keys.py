"""Where the key of each log is: as the settings say, or as the file that `dalel ledger key` writes says.

The file holds places (paths, labels), never a key or a PIN. It is the sequencer's: keep it with the register.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from custody import signer as keys
from custody.kernel.errors import Conflict, NotFound
from custody.pkcs11 import TokenKeys, TokenPlace
from evidence_api.settings import Settings

FILE, PKCS11 = "file", "pkcs11"


@dataclass(frozen=True)
class KeyPlace:
    """Where one log's key is. `signer` is `file` (`key_file`, `passphrase_file`) or `pkcs11` (the others)."""

    signer: str
    key_file: str = ""
    passphrase_file: str = ""
    module: str = ""
    token: str = ""
    key: str = ""
    pin_file: str = ""

    def open(self, origin: str) -> keys.Signer:
        """The key, as the signer of the log `origin`. Raises what the signers raise."""
        if self.signer == PKCS11:
            return keys.TokenSigner(origin, _token(self._place), self.key)
        return keys.EncryptedFileSigner(origin, Path(self.key_file), Path(self.passphrase_file))

    def create(self) -> None:
        """Make the key. Raises Conflict `key.exists`, and what the token raises."""
        if self.signer == FILE:
            keys.create_key(Path(self.key_file), Path(self.passphrase_file))
            return
        token = TokenKeys(self._place, writing=True)
        try:
            keys.create_token_key(token, self.key)
        finally:
            token.close()

    @property
    def _place(self) -> TokenPlace:
        return TokenPlace(Path(self.module), self.token, Path(self.pin_file))


@cache
def _token(place: TokenPlace) -> TokenKeys:
    """One login per token and process: the module knows no other way."""
    return TokenKeys(place)


def configured(settings: Settings) -> KeyPlace:
    """The place that the settings name, for the log `log_origin`. Raises ValueError when a setting is missing."""
    wanted = {
        FILE: {"key_file": "log_key_file", "passphrase_file": "log_key_passphrase_file"},
        PKCS11: {
            "module": "pkcs11_module",
            "token": "pkcs11_token",
            "key": "signer_key",
            "pin_file": "pkcs11_pin_file",
        },
    }[settings.signer]
    found = {}
    for field, name in wanted.items():
        value = getattr(settings, name)
        if value is None:
            raise ValueError(f"DALEL_{name.upper()} is needed by this process")
        found[field] = str(value)
    return KeyPlace(settings.signer, **found)


@dataclass(frozen=True)
class NotedKey:
    """What the file says of one log: its verifier key, and where the signing key is."""

    vkey: str
    place: KeyPlace


def noted(settings: Settings) -> Mapping[str, NotedKey]:
    """The logs that `dalel ledger key` prepared, by origin."""
    path = settings.log_keys_file
    if path is None or not path.exists():
        return {}
    logs = json.loads(path.read_text())["logs"]
    return {origin: NotedKey(one["vkey"], KeyPlace(**one["place"])) for origin, one in logs.items()}


def note(settings: Settings, origin: str, vkey: str, place: KeyPlace) -> None:
    """Remember where the key of a further log is. Raises Conflict `key.noted` when another is noted for it."""
    path = settings.log_keys_file
    if path is None:
        raise ValueError("DALEL_LOG_KEYS_FILE is needed by this command")
    known, wanted = dict(noted(settings)), NotedKey(vkey, place)
    if known.get(origin, wanted) != wanted or origin == settings.log_origin:
        raise Conflict("key.noted", origin=origin)
    known[origin] = wanted
    text = json.dumps({"v": 1, "logs": {name: asdict(one) for name, one in known.items()}}, indent=1)
    replace(path, text.encode())


def signer(settings: Settings, origin: str) -> keys.Signer:
    """The signer of the log `origin`. Raises NotFound `ledger.no_signer` when no place is known for its key."""
    found = noted(settings).get(origin)
    if found is None and origin != settings.log_origin:
        raise NotFound("ledger.no_signer", origin=origin)
    return (found.place if found else configured(settings)).open(origin)


def replace(path: Path, data: bytes) -> None:
    """Write beside, sync, rename: a crash leaves the old file or the new one."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
