"""Commands whose database or store is away: a sentence, its code, exit 2; never a traceback, never as if it had found
something. Every command of the command line is asked: one that is added tomorrow is asked tomorrow.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from evidence_api import commands, prepare
from evidence_api import settings as configuration
from evidence_api.cli import main
from tests.commands import ALONE, NOWHERE, STARTING, WAITING, leaves, line, prepared
from tests.databases import copy_template, drop
from tests.whole import settings_for

SECRET = "sekret"
DATABASE = f"postgresql+psycopg://nobody:{SECRET}@{NOWHERE}/none"
AWAY = {
    "database": dict.fromkeys(("database_url", "sequencer_database_url", "owner_database_url"), DATABASE),
    "store": {"s3_endpoint": NOWHERE},
}
EMPTY = {
    ("account",),
    ("device", "issue"),
    ("device", "list"),
    ("keys", "status"),
    ("keys", "rotate"),
    ("keys", "recover"),
    ("ledger", "fsck"),
}
WITHOUT = {"database": ALONE, "store": ALONE | EMPTY}
"""Commands that do their work without it; the store is not asked for by those of `EMPTY` where nothing is stored."""
ASKED = [
    pytest.param(path, line(path, command), id=" ".join(path))
    for path, command in leaves()
    if path[0] not in WAITING | STARTING
]


@pytest.fixture(scope="module")
def settings(database_template, tmp_path_factory) -> Iterator[configuration.Settings]:
    """An installation with its keys, in a database of its own."""
    database = copy_template(database_template)
    found = settings_for(database_template, database, tmp_path_factory.mktemp("commands"))
    following = {"s3_next_name": "x", "s3_next_endpoint": NOWHERE}
    servers = {"owner_database_url": database.owner_url}
    servers |= {role: getattr(database_template, role) for role in ("app_password", "sequencer_password")}
    yield configuration.load(**found.model_dump(exclude_unset=True) | servers | following)
    drop(database_template, database)


@pytest.mark.parametrize("away", sorted(AWAY))
@pytest.mark.parametrize(("path", "words"), ASKED)
def test_what_is_away_is_said(
    settings: configuration.Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    away: str,
    path: tuple[str, ...],
    words: list[str],
) -> None:
    given = settings.model_dump(exclude_unset=True) | AWAY[away]
    for name, value in configuration.as_environment(given).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    prepared(tmp_path)
    prepare.keys(configuration.load())
    ended = CliRunner().invoke(main, words, input="correct horse battery\n")
    assert isinstance(ended.exception, SystemExit | None), ended.exception
    assert "Traceback" not in ended.output
    assert SECRET not in ended.output
    if path not in WITHOUT[away]:
        assert ended.exit_code == commands.UNUSABLE, ended.output
        assert ended.output.strip()
