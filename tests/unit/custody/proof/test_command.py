"""The command: exit codes, languages, JSON; and that it carries no database, framework or queue with it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from custody import __main__ as command
from custody.proof import words
from tests.attacks import forge
from tests.attacks import test_timestamps as attacked

ROOT = Path(command.__file__).parents[1]
HONEST = forge.entries(forge.tell())


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "package.zip"
    path.write_bytes(forge.zipped(HONEST))
    (tmp_path / "policy").write_text(forge.policy_text(), encoding="utf-8")
    return path


def run(package: Path, *options: str) -> int:
    return command.main(["verify", str(package), "--policy", str(package.parent / "policy"), *options])


@pytest.fixture(autouse=True)
def _early_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forge's witnesses speak from a fixed day; the reader's clock is later, whatever today is."""
    monkeypatch.setattr(command, "CLOCK_TOLERANCE_S", 10**9)


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_verified(package: Path, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(package, "--lang", language) == 0
    said = capsys.readouterr().out
    for step in range(1, 12):
        assert f"{step}. {words.step_name(step, language)}: " in said
        assert words.expected(step, language) in said
    assert words.said("verified", language, files=4, exhibits=3) in said
    assert "index.html" in said


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_refused(package: Path, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    package.write_bytes(forge.zipped({**HONEST, "index.html": b"<!doctype htm1>"}))
    assert run(package, "--lang", language) == 1
    said = capsys.readouterr().out
    name = words.step_name(2, language)
    assert words.said("refused", language, step=2, name=name) in said
    assert words.does_not_prove(2, language) in said
    assert "index.html" in said
    assert "3. " not in said


def test_json(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(package, "--json", "--lang", "ru") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["verified"] is True
    assert (report["events"], report["checkpoint_size"], report["origin"]) == (22, 30, forge.ORIGIN)
    assert [step["step"] for step in report["steps"]] == list(range(1, 12))
    assert report["files"][0]["path"] == "data/0001/протокол.pdf"
    package.write_bytes(b"x")
    assert run(package, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["verified"], report["step"], report["steps"]) == (False, 1, [])
    assert all(report[key] for key in ("name", "expected", "found", "does_not_prove", "code"))


def test_json_lists_the_steps_that_held(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (package.parent / "policy").write_text(forge.policy_text(log="another"), encoding="utf-8")
    assert run(package, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert [step["step"] for step in report["steps"]] == list(range(1, 9))
    assert report["step"] == 9
    assert run(package, "--lang", "en") == 1
    assert "8. Place in the log: holds" in capsys.readouterr().out


def test_unusable(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(package.parent / "absent.zip") == 2
    assert run(package.parent / "absent.zip", "--json") == 2
    policy = package.parent / "policy"
    policy.write_text("quorum nobody\n", encoding="utf-8")
    assert run(package, "--lang", "kk") == 2
    policy.unlink()
    assert run(package) == 2
    assert "жарамсыз" in capsys.readouterr().out.lower()
    with pytest.raises(SystemExit) as caught:
        command.main(["verify"])
    assert caught.value.code == 2


def test_time_stamps_are_asked_for_with_roots(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roots = package.parent / "roots.pem"
    roots.write_bytes(attacked.ROOT.public_bytes(Encoding.PEM))
    assert run(package, "--tsa-roots", str(roots), "--lang", "en") == 1
    assert words.found("timestamps.missing", {}, "en") in capsys.readouterr().out
    package.write_bytes(forge.zipped(attacked.stamped(attacked.token())))
    assert run(package, "--tsa-roots", str(roots), "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["timestamps"][0]["time_s"] == forge.NOW_S
    assert "DEVELOPMENT" in report["steps"][10]["found"]
    roots.write_text("junk")
    assert run(package, "--tsa-roots", str(roots)) == 2
    assert run(package, "--tsa-roots", str(package.parent / "absent")) == 2


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "kk_KZ.UTF-8"}, "kk"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE", "LC_MESSAGES": "ru_RU"}, "ru"),
        ({"LANG": ""}, "en"),
    ],
)
def test_language(environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert command._options(["verify", "x", "--policy", "y"]).lang == language


def test_carries_only_the_standard_library_and_cryptography(package: Path) -> None:
    """What a defence expert needs: Python and one package."""
    code = (
        "import sys; before = set(sys.modules); from custody.__main__ import main;"
        f"assert main(['verify', {str(package)!r}, '--policy', {str(package.parent / 'policy')!r}]) in (0, 1);"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(tops - sys.stdlib_module_names - {'custody', 'cryptography', '_cffi_backend', '_openssl'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_as_a_module(package: Path) -> None:
    """As a reader runs it, with output that is UTF-8 whatever the terminal claims."""
    broken = package.parent / "broken.zip"
    broken.write_bytes(b"x")
    arguments = [sys.executable, "-m", "custody", "verify", str(broken), "--policy", str(package.parent / "policy")]
    done = subprocess.run(
        [*arguments, "--lang", "kk"], cwd=ROOT, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    assert done.returncode == 1
    assert "ҚАБЫЛДАНБАДЫ" in done.stdout.decode()
