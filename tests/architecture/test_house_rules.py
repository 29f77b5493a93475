"""One commit, one clock: the rules hold, and each catches exactly what it is for."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.architecture.trees import ROOT, copy_of_sources, tool

CAUGHT = [
    ("one-commit", "storage/planted.py", "session.commit()"),
    ("one-commit", "evidence_api/use_cases/planted.py", "connection.commit()"),
    ("one-commit", "custody/planted.py", 'session.execute(text("COMMIT"))'),
    ("one-clock", "custody/planted.py", "moment = datetime.now(UTC)"),
    ("one-clock", "portal/planted.py", "moment = datetime.datetime.utcnow()"),
    ("one-clock", "evidence_api/workers/planted.py", "since = time.time()"),
    ("one-clock", "redaction/planted.py", "today = date.today()"),
]
ALLOWED = [
    ("evidence_api/use_cases/planted.py", "work.commit()"),
    ("evidence_api/workers/planted.py", "deadline = time.monotonic() + 5"),
    ("storage/planted.py", "moment = clock.now()"),
    ("custody/kernel/clock.py", "moment = datetime.now(UTC)"),
]


def findings(tree: Path) -> list[tuple[str, str]]:
    """(rule, file) of everything the rules object to."""
    done = subprocess.run(
        [tool("ast-grep"), "scan", "--config", "sgconfig.yml", "--json=compact"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return [(found["ruleId"], found["file"]) for found in json.loads(done.stdout)]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return copy_of_sources(tmp_path)


def plant(tree: Path, file: str, line: str) -> None:
    with (tree / file).open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")


def test_the_program_keeps_the_rules() -> None:
    assert findings(ROOT) == []


@pytest.mark.parametrize(("rule", "file", "line"), CAUGHT)
def test_a_breach_is_caught(tree: Path, rule: str, file: str, line: str) -> None:
    plant(tree, file, line)
    assert findings(tree) == [(rule, file)]


@pytest.mark.parametrize(("file", "line"), ALLOWED)
def test_what_is_allowed_passes(tree: Path, file: str, line: str) -> None:
    plant(tree, file, line)
    assert findings(tree) == []


def test_the_unit_of_work_commits_once() -> None:
    text = (ROOT / "custody/kernel/unit_of_work.py").read_text(encoding="utf-8")
    assert text.count(".commit()") == 1
