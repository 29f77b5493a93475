"""A token in software (SoftHSM2) in a directory of its own: what stands for the HSM in tests."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism

from custody.pkcs11 import TokenPlace

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN, SO_PIN = "sekret-4711", "sekret-0815"
P256 = bytes.fromhex("06082a8648ce3d030107")


class SoftToken:
    """A token `label` with the user PIN in a private file. Unplugging hides its files from the module."""

    def __init__(self, directory: Path, label: str) -> None:
        self._tokens = directory / "tokens"
        self._tokens.mkdir()
        self.configuration = directory / "softhsm2.conf"
        self.configuration.write_text(f"directories.tokendir = {self._tokens}\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(self.configuration)
        self.pin_file = directory / "pin"
        self.pin_file.touch(mode=0o600)
        self.pin_file.write_text(PIN + "\n")
        self.place = TokenPlace(MODULE, label, self.pin_file)
        self.initialize(label)

    def initialize(self, label: str) -> None:
        """Make a token of this label."""
        made = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", SO_PIN]
        subprocess.run(made, check=True, capture_output=True)

    def unplug(self) -> None:
        self._tokens.rename(self._tokens.with_name("away"))
        self._tokens.mkdir()

    def plug(self) -> None:
        self._tokens.rmdir()
        self._tokens.with_name("away").rename(self._tokens)

    def p256(self, label: str) -> None:
        """A key pair of another kind in the token."""
        module = pkcs11.lib(str(MODULE))
        module.reinitialize()
        with module.get_token(token_label=self.place.token).open(rw=True, user_pin=PIN) as session:
            curve = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: P256}, local=True)
            curve.generate_keypair(mechanism=Mechanism.EC_KEY_PAIR_GEN, label=label, store=True)


@contextmanager
def soft_token(directory: Path, label: str = "dalel") -> Iterator[SoftToken]:
    """A token of one's own; the module is shut at the end, so that the next one begins with another directory."""
    before = os.environ.get("SOFTHSM2_CONF")
    made = SoftToken(directory, label)
    module = pkcs11.lib(str(MODULE))
    module.finalize()  # it reads its configuration when it begins
    try:
        yield made
    finally:
        module.finalize()
        if before is None:
            os.environ.pop("SOFTHSM2_CONF", None)
        else:
            os.environ["SOFTHSM2_CONF"] = before
