"""Who may import whom, and that each contract notices the one thing it is there for."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.architecture.trees import PACKAGES, ROOT, copy_of_sources, tool

CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
}

PLANTED = [
    ("packages", "storage/planted.py", "import evidence_api.use_cases"),
    ("packages", "redaction/planted.py", "import transcription"),
    ("packages", "custody/planted.py", "import storage.blob"),
    ("custody-rooms", "custody/kernel/planted.py", "import custody.tables"),
    ("custody-rooms", "custody/tables.py", "import custody.event"),
    ("application-rooms", "evidence_api/registry/planted.py", "import evidence_api.use_cases"),
    ("application-rooms", "evidence_api/access/planted.py", "import evidence_api.settings"),
    ("application-rooms", "evidence_api/planted.py", "ROOM_NOBODY_NAMED = 1"),
    ("verifier", "custody/proof/planted.py", "import pydantic"),
    ("rules", "redaction/model.py", "import sqlalchemy"),
    ("rules", "evidence_api/access/policy.py", "import httpx"),
    ("hostile-files", "storage/identify/planted.py", "import storage.service"),
    ("hostile-files", "storage/sandbox/planted.py", "import sqlalchemy"),
    ("edge", "evidence_api/use_cases/planted.py", "import fastapi"),
    ("edge", "storage/planted.py", "import celery"),
    ("s3", "storage/planted.py", "import minio"),
    ("s3", "evidence_api/http/planted.py", "import minio"),
    ("portal", "portal/planted.py", "import evidence_api.registry.service"),
    ("portal", "portal/planted.py", "import sqlalchemy"),
]


def broken_contracts(tree: Path) -> set[str]:
    """The ids of the contracts that do not hold in this tree."""
    # Run with the tree first on the path: the project itself is importable in this environment too.
    done = subprocess.run(
        [
            tool("python"),
            "-c",
            "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as run; run()",
            "--no-cache",
            "--no-logo",
        ],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"COLUMNS": "250", "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    said = re.sub(r"\s+", " ", said)
    held = {id_ for id_, name in CONTRACTS.items() if f"{name} KEPT" in said}
    broken = {id_ for id_, name in CONTRACTS.items() if f"{name} BROKEN" in said}
    assert held | broken == set(CONTRACTS), done.stdout + done.stderr
    assert (done.returncode != 0) == bool(broken)
    return broken


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_sources(tmp_path_factory.mktemp("tree"))


def test_every_contract_holds(tree: Path) -> None:
    assert broken_contracts(tree) == set()


def test_every_contract_has_a_planted_violation() -> None:
    assert {contract for contract, _, _ in PLANTED} == set(CONTRACTS)


@pytest.mark.parametrize(("contract", "file", "line"), PLANTED, ids=[f"{c}-{n}" for n, (c, _, _) in enumerate(PLANTED)])
def test_a_planted_violation_breaks_exactly_its_contract(tree: Path, contract: str, file: str, line: str) -> None:
    planted = tree / file
    before = planted.read_text(encoding="utf-8") if planted.exists() else None
    planted.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        assert broken_contracts(tree) == {contract}
    finally:
        if before is None:
            planted.unlink()
        else:
            planted.write_text(before, encoding="utf-8")


def test_every_room_is_under_the_contracts() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert rooms == set(PACKAGES)
