"""Two demonstration witnesses, child programs of the system they watch.

They show how witnessing works and prove nothing: real witnesses are run by others, on other machines, with keys that
the operator has never seen. Everything they touch says «demonstration».
"""

import http.client
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from custody import witness

TITLES = ("demonstration court", "demonstration bar")
NOTICE = (
    "the log's witnesses are a demonstration court and a demonstration bar, started by this very program:"
    " they show how it works and are independent of nobody"
)


@dataclass(frozen=True)
class DemonstrationWitness:
    """One of the two: where its files are, which key it has, where it listens."""

    title: str
    directory: Path
    vkey: str
    port: int

    @property
    def name(self) -> str:
        """As the policy calls it."""
        return self.title.replace(" ", "-")

    def command(self, policy_file: Path) -> tuple[str, ...]:
        """How to start it for the logs of this policy: the operator's own, which is one more thing it must not be."""
        files = ("--key", str(self.directory / "key"), "--state", str(self.directory / "state"))
        listen = ("--listen", f"127.0.0.1:{self.port}", "--policy", str(policy_file))
        return (sys.executable, "-m", "custody", "witness", *files, *listen)

    def ready(self) -> bool:
        """Whether it serves, under its own key."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            return answer.status == HTTPStatus.OK and answer.read(1000).decode().strip() == self.vkey
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def made(title: str, data_dir: Path, port: int) -> DemonstrationWitness:
    """The witness with its files, made at the first start; one that lost its state gets a new key."""
    directory = data_dir / "witnesses" / title.replace(" ", "-")
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    key_file, state_file = directory / "key", directory / "state"
    if not key_file.exists() or not state_file.exists():
        for left in (key_file, state_file):
            left.unlink(missing_ok=True)
        witness.create(f"dalel.example/{directory.name}", key_file, state_file)
    return DemonstrationWitness(title, directory, witness.load(key_file).vkey, port)


def policy_lines(court_and_bar: Sequence[DemonstrationWitness]) -> str:
    """The policy's lines about them, in the form «(court or …) and bar»."""
    court, bar = court_and_bar
    lines = ["# Demonstration witnesses: run by the operator itself, so their agreement proves nothing about it."]
    lines += [f"witness {one.name} {one.vkey} http://127.0.0.1:{one.port}" for one in court_and_bar]
    lines += [f"group state any {court.name}", f"group both all state {bar.name}", "quorum both", ""]
    return "\n".join(lines)
