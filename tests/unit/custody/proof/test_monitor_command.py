"""The monitor as a command: exit codes, the state, kept proofs. The network is replaced by a dictionary here."""

import json
from pathlib import Path

import pytest

from custody import __main__ as command
from custody import commands_monitor
from tests.attacks.forge import policy_text
from tests.unit.custody.proof.test_monitor import Site, forked, leaves


class Command:
    """The command beside one site."""

    def __init__(self, folder: Path) -> None:
        self.site = Site()
        self.state = folder / "state"
        self.policy = folder / "policy"
        self.policy.write_text(policy_text())

    def __call__(self, *more: str) -> int:
        options = ["--policy", str(self.policy), "--state", str(self.state), "--lang", "en", *more]
        return command.main(["monitor", "https://log.example/log", *options])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    made = Command(tmp_path)
    monkeypatch.setattr(commands_monitor, "fetch", lambda _, path: made.site.fetch(path))
    return made


def test_follows_and_remembers(run: Command, capsys: pytest.CaptureFixture[str]) -> None:
    run.site.publish(leaves(5))
    assert [run(), run()] == [0, 0]
    grown = run.site.publish(leaves(9), 5)
    assert run() == 0
    assert run.state.read_bytes() == grown
    said = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1].split()[0] for line in said] == ["seen", "unchanged,", "grown"]


def test_a_fork_is_kept_once_and_the_state_stays(run: Command, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run.site.publish(leaves(5))
    run()
    run.site.publish(forked(9, 2))
    assert [run(), run("--every", "0.01")] == [1, 1]
    assert run.state.read_bytes() == seen
    (proof,) = run.state.parent.glob("state.fork-*.json")
    assert json.loads(proof.read_bytes())["kind"] == "fork"
    run.site.publish(forked(9, 3))
    assert run() == 1
    assert len(list(run.state.parent.glob("state.fork-*.json"))) == 2
    capsys.readouterr()
    assert command.main(["monitor", "--policy", str(run.policy), "--confirm", str(proof), "--lang", "ru"]) == 1
    assert capsys.readouterr().out.startswith("ПОДТВЕРЖДЕНО")


def test_nothing_usable_is_two(run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run.site.publish(leaves(5))
    assert command.main(["monitor", "--policy", str(run.policy), "https://log.example"]) == 2
    assert command.main(["monitor", "--policy", str(tmp_path / "none"), "https://log.example"]) == 2
    assert command.main(["monitor", "--policy", str(run.policy), "--confirm", str(run.policy)]) == 2
    run.state.write_bytes(b"nonsense")
    assert run() == 2

    def away(url: str, path: str) -> bytes:
        raise commands_monitor.Unreachable("no route")

    run.state.unlink()
    monkeypatch.setattr(commands_monitor, "fetch", away)
    assert run() == 2
    assert not run.state.exists()
    for never in ("-1", "0", "nan", "inf", "x"):
        with pytest.raises(SystemExit, match="2"):
            run("--every", never)


def test_stopped_it_ends_with_what_it_saw_last(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    run.site.publish(leaves(5))
    monkeypatch.setattr(commands_monitor.time, "sleep", interrupt)
    assert run("--every", "60") == 0


def test_too_few_witnesses_are_said(run: Command, capsys: pytest.CaptureFixture[str]) -> None:
    run.site.publish(leaves(5), witnesses=())
    assert run() == 0
    assert "fewer witnesses" in capsys.readouterr().out


def test_only_web_addresses_are_fetched() -> None:
    with pytest.raises(commands_monitor.Unreachable):
        commands_monitor.fetch("file:///etc", "passwd")
