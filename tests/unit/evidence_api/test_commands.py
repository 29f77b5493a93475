"""How a command ends that could not do its work: never as if it had found something."""

import pytest
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError

from custody.kernel.errors import Unavailable
from custody.proof.strict import Malformed
from evidence_api import commands
from evidence_api.cli import main


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT secret", None, Exception("host")),
        Unavailable("store.unavailable"),
        FileNotFoundError(2, "No such file", "policy"),
        Malformed("the policy has no quorum line"),
    ],
)
def test_what_does_not_answer_is_said_and_is_no_finding(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr(commands.configuration, "load", lambda: None)
    with pytest.raises(SystemExit) as ended:
        commands.end(fail)
    assert ended.value.code == commands.UNUSABLE
    said = capsys.readouterr().err
    assert said
    assert "secret" not in said
    with pytest.raises(SystemExit) as ended:
        commands.end(lambda _: 1)
    assert ended.value.code == 1


def test_a_directory_that_no_system_runs_in_is_refused(tmp_path: object) -> None:
    ended = CliRunner().invoke(main, ["ledger", "--data", str(tmp_path), "fsck"])
    assert (ended.exit_code, "is not the data directory" in ended.output) == (2, True)


@pytest.mark.parametrize("name", ["fsck", "rebuild", "rotate", "key", "key-destroyed", "erase"])
def test_every_command_of_the_ledger_explains_itself(name: str) -> None:
    told = CliRunner().invoke(main, ["ledger", name, "--help"])
    assert told.exit_code == 0
    assert "Usage:" in told.output
