"""The monitor at the end of a log: it stays closed, and the next begins where it ended."""

import json
from pathlib import Path

import pytest

from custody import __main__ as command
from custody import commands_monitor
from custody.proof import handover, monitor, policy
from custody.proof.monitor import Kind
from custody.proof.strict import Malformed
from tests.attacks import forge
from tests.attacks.forge import Log
from tests.attacks.test_closed_logs import FIRST, SECOND, Rotated, vkey
from tests.unit.custody.proof.test_monitor import Site

BASE = "https://log.example/log"
WITH_ALL = (
    f"log {vkey(FIRST, 'first log')}\nlog {vkey(SECOND, 'second log')}\n"
    + forge.policy_text()  # whose own log is the third
)


class Sites:
    """Three logs, the first two closed, as their public addresses show them."""

    def __init__(self) -> None:
        rotated = Rotated()
        rotated.build()
        self.logs = rotated.logs
        self.sites = {BASE: Site(), f"{BASE}/2": Site(), f"{BASE}/3": Site()}
        for site, log in zip(self.sites.values(), self.logs, strict=True):
            site.publish(log.leaves, key_name=log.key_name, origin=log.origin)
        for place, (url, address) in enumerate(((BASE, "2"), (f"{BASE}/2", "../3"))):
            self.sites[url].files["handover"] = self.handover(place, address)

    def handover(self, place: int, address: str) -> bytes:
        log, following = self.logs[place : place + 2]
        last = log.proven(len(log.leaves) - 1)
        parsed = handover.parse(log.checkpoint(), last.leaf, following.leaves[0], last.proof)
        return handover.encode(parsed, address)

    def fetch(self, url: str, path: str) -> bytes | None:
        return self.sites[url.rstrip("/")].fetch(path)


class Command:
    def __init__(self, folder: Path) -> None:
        self.sites = Sites()
        self.state = folder / "state"
        self.policy = folder / "policy"
        self.policy.write_text(WITH_ALL)

    def __call__(self) -> int:
        options = ["--policy", str(self.policy), "--state", str(self.state), "--lang", "en"]
        return command.main(["monitor", BASE, *options])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    made = Command(tmp_path)
    monkeypatch.setattr(commands_monitor, "fetch", made.sites.fetch)
    return made


def test_it_follows_from_log_to_log(run: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert [run(), run()] == [0, 0]
    said = capsys.readouterr().out.splitlines()[:5]
    assert said[1] == f"{FIRST}: closed; it goes on as {SECOND}."
    assert [line.split(":")[0] for line in said] == [FIRST, FIRST, SECOND, SECOND, forge.ORIGIN]
    assert sorted(path.name for path in run.state.parent.glob("state*")) == [
        "state",
        "state.closed",
        "state.next",
        "state.next.closed",
        "state.next.next",
    ]


def test_a_policy_without_the_next_key_is_not_enough(run: Command, capsys: pytest.CaptureFixture[str]) -> None:
    run.policy.write_text(WITH_ALL.replace(f"log {vkey(SECOND, 'second log')}\n", ""))
    assert run() == 2
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"The key of {SECOND} is not in your policy")


def test_a_log_that_opened_a_moment_ago_has_no_head_yet(run: Command, capsys: pytest.CaptureFixture[str]) -> None:
    del run.sites.sites[f"{BASE}/3"].files["checkpoint"]
    assert run() == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{forge.ORIGIN}: opened a moment ago, nothing published yet."


@pytest.mark.parametrize("hidden", [False, True])
def test_a_closed_log_that_grows_is_caught(run: Command, hidden: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever still has the old key, the operator or a thief, adds to a log that has ended; hiding the end again does
    not help where it was seen once.
    """
    assert run() == 0
    first, site = run.sites.logs[0], run.sites.sites[BASE]
    grown = [*first.leaves, b"one more"]
    site.publish(grown, len(first.leaves), key_name=first.key_name, origin=first.origin)
    if hidden:
        del site.files["handover"]
    assert run() == 1
    assert "THE CLOSED LOG HAS GROWN" in capsys.readouterr().out
    (proof,) = run.state.parent.glob("state.reopened-*.json")
    options = ["monitor", "--policy", str(run.policy), "--confirm", str(proof), "--lang", "en"]
    assert command.main(options) == 1
    assert capsys.readouterr().out.startswith("CONFIRMED: the log has signed a head after its own end")
    for change in ({"closed": ""}, {"new": json.loads(proof.read_text())["old"]}):
        altered = {**json.loads(proof.read_text()), **change}
        with pytest.raises(Malformed):
            monitor.confirm(forge.canonical.encode(altered), policy.parse(WITH_ALL.encode()))


def test_an_end_that_is_not_the_logs(run: Command) -> None:
    """Another closed log's handover, a broken one, an end of another tree."""
    site = run.sites.sites[BASE]
    good = site.files["handover"]
    for false in (run.sites.sites[f"{BASE}/2"].files["handover"], good[:-1], good.replace(b'"2"', b"2")):
        site.files["handover"] = false
        assert run() == 1
    assert list(run.state.parent.glob("state.unproved-1.json"))


def test_a_shorter_log_than_its_end_is_a_fork(run: Command) -> None:
    first, site = run.sites.logs[0], run.sites.sites[BASE]
    shorter = Log(first.leaves[:-1], first.key_name, first.origin)
    site.publish(shorter.leaves, key_name=first.key_name, origin=first.origin)
    assert run() == 1
    assert [path.name for path in run.state.parent.glob("state.fork*")] == ["state.fork-1.json"]


def test_a_next_log_that_begins_elsewhere(run: Command) -> None:
    """The key is the one that was named, the first leaf is not the one that was handed over."""
    second, site = run.sites.logs[1], run.sites.sites[f"{BASE}/2"]
    site.files = {}
    site.publish([b"another", *second.leaves[1:]], key_name=second.key_name, origin=second.origin)
    assert run() == 1
    assert [path.name for path in run.state.parent.glob("state.next.unproved*")] == ["state.next.unproved-1.json"]
    assert Kind.UNPROVED == "unproved"


def test_a_kept_end_that_cannot_be_read_is_no_verdict(run: Command) -> None:
    assert run() == 0
    (run.state.parent / "state.closed").write_bytes(b"{}")
    assert run() == 2
