"""Nothing in the tree belongs to one machine: no registry, no mirror, no absolute path, no secret."""

import re

from tests.architecture.trees import ROOT, tracked

_TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".yml",
    ".yaml",
    ".json",
    ".cfg",
    ".ini",
    ".sh",
    ".mjs",
    ".js",
    ".scss",
    ".css",
    ".html",
}
_NAMED = {"Makefile", "Dockerfile", ".npmrc", ".env.example", "run", "find-python", "system-packages", ".gitignore"}
# Put together here so that this file does not find itself.
_HOSTS = re.compile(
    r"registry\.npm" + r"js|files\.pythonhosted|pypi\.org/simple|--(?:extra-)?index-" + r"url|--find-" + r"links", re.I
)
_MACHINE = re.compile(r"(?<![\w.~-])/(?:work|home/[a-z]|root/|Users/|mnt/|opt/)" + r"[\w./-]*")
_KEYS = re.compile(r"^\s*-----BEGIN (?:[A-Z]+ )*PRIVATE " + r"KEY-----\s*$|AKIA[0-9A-Z]{16}")


def offending(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in tracked():
        if path.suffix not in _TEXT and path.name not in _NAMED:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = pattern.search(line)
            if match:
                found.append(f"{path.relative_to(ROOT)}:{number}: {match.group()}")
    return found


def test_no_package_registry_is_named() -> None:
    assert offending(_HOSTS) == []


def test_no_path_of_a_machine() -> None:
    assert offending(_MACHINE) == []


def test_no_private_key() -> None:
    assert offending(_KEYS) == []


def test_requirements_are_pinned_with_hashes() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith((" ", "#"))]
        assert lines
        assert [line for line in lines if "==" not in line or not line.endswith("\\")] == []


def test_what_is_installed_or_built_is_not_committed() -> None:
    names = {str(path.relative_to(ROOT)) for path in tracked()}
    assert not [
        name for name in names if "node_modules/" in name or name.startswith(("portal/static/build/", ".venv/"))
    ]
    assert "uv.lock" not in names
    assert "tests/__init__.py" in names
