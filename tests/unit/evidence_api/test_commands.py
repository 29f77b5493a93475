"""How a command ends that could not do its work: with a sentence and its code, never as if it had found something."""

import click
import pytest
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError

from custody.kernel.errors import Unavailable
from custody.proof.strict import Malformed
from evidence_api import commands
from evidence_api.cli import main
from tests.commands import leaves


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OperationalError("SELECT secret", None, Exception("secret host")), "database.unavailable"),
        (Unavailable("store.unreachable"), "store.unreachable"),
        (FileNotFoundError(2, "No such file", "policy"), "FileNotFoundError"),
        (Malformed("the policy has no quorum line"), "Malformed"),
    ],
)
def test_what_does_not_answer_is_said_and_is_no_finding(error: Exception, code: str) -> None:
    @click.group(cls=commands.Answering)
    def outer() -> None:
        pass

    @outer.group()
    def inner() -> None:
        pass

    @inner.command()
    def fails() -> None:
        raise error

    ended = CliRunner().invoke(outer, ["inner", "fails"])
    assert ended.exit_code == commands.UNUSABLE
    assert f"[{code}" in ended.stderr
    assert "secret" not in ended.output


def test_a_directory_that_no_system_runs_in_is_refused(tmp_path: object) -> None:
    ended = CliRunner().invoke(main, ["ledger", "--data", str(tmp_path), "fsck"])
    assert (ended.exit_code, "is not the data directory" in ended.output) == (2, True)


@pytest.mark.parametrize("path", [pytest.param(path, id=" ".join(path)) for path, _ in leaves()])
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    told = CliRunner().invoke(main, [*path, "--help"])
    assert told.exit_code == 0
    assert "Usage:" in told.output
