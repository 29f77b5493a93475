"""Witnesses as their operators run them: programs of their own, behind HTTP."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from custody import __main__ as command
from custody import witness
from evidence_api.stack.kept import port_is_free

ROOT = Path(command.__file__).parents[1]


class RunningWitness:
    """One witness process; `kill` and `start` as often as a test likes."""

    def __init__(self, name: str, directory: Path, log_vkey: str | None, policy_file: Path | None = None) -> None:
        directory.mkdir(exist_ok=True)
        self.name = name
        self.vkey = witness.create(name, directory / "key", directory / "state").vkey
        self.port = next(port for port in range(23_000 + hash(name) % 5000, 32_000) if port_is_free(port))
        self.url = f"http://127.0.0.1:{self.port}"
        files = ["--key", str(directory / "key"), "--state", str(directory / "state")]
        listen = ["--listen", f"127.0.0.1:{self.port}"]
        known = [*(["--log", log_vkey] if log_vkey else []), *(["--policy", str(policy_file)] if policy_file else [])]
        self._command = [sys.executable, "-m", "custody", "witness", *files, *listen, *known]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=ROOT, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while True:
            try:
                assert self.ask("GET", "/")[1].decode().strip() == self.vkey
                return
            except ConnectionError:
                assert time.monotonic() < end
                assert self._process.poll() is None
                time.sleep(0.03)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers.get("Content-Type", "")
        finally:
            connection.close()


@contextmanager
def running(
    name: str, directory: Path, log_vkey: str | None, policy_file: Path | None = None
) -> Iterator[RunningWitness]:
    """A witness that serves this log, and those of the policy file, until the end of the block."""
    made = RunningWitness(name, directory, log_vkey, policy_file)
    made.start()
    try:
        yield made
    finally:
        made.kill()
