"""Directories for stacks of their own, and parents in processes of their own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from evidence_api.stack.endpoints import External, ObjectStoreAddress


@pytest.fixture
def directory() -> Iterator[Path]:
    """An open directory, as the servers' account must be able to pass through it."""
    made = Path(tempfile.mkdtemp(prefix="dalel-stack-"))
    made.chmod(0o711)
    yield made / "data"
    shutil.rmtree(made)


@dataclass
class Holder:
    """A parent process and what it said."""

    process: subprocess.Popen[str]
    pids: dict[str, int]
    owner_url: str


def start_holder(directory: Path, *, prefix: tuple[str, ...] = (), python: str = sys.executable, **env: str) -> Holder:
    process = subprocess.Popen(
        [*prefix, python, "-m", "tests.integration.stack.holder", str(directory)],
        cwd=env.pop("CWD", str(Path(__file__).parents[3])),
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    line = process.stdout.readline()
    assert line, f"the parent ended with code {process.wait()}"
    said = json.loads(line)
    return Holder(process, said["pids"], said["owner_url"])


def elsewhere() -> External:
    """Servers that somebody else runs, far away."""
    return External(
        owner_url="postgresql+psycopg://somebody:secret@db.example:5432/dalel",
        object_store=ObjectStoreAddress("s3.example", "key", "secret", secure=True),
        broker_url="redis://broker.example/0",
    )
