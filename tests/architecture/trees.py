"""The program's source as the architecture tests read it: every file, and copies in which to plant a fault."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("custody", "storage", "transcription", "redaction", "evidence_api", "portal")
_NOT_SOURCE = ("node_modules", "static", "__pycache__")


def sources(*packages: str) -> list[Path]:
    """Every Python file of these packages (all of them by default)."""
    found = [path for package in packages or PACKAGES for path in (ROOT / package).rglob("*.py")]
    return sorted(path for path in found if not set(path.parts) & set(_NOT_SOURCE))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tracked() -> list[Path]:
    """Every file that git would commit, without those deleted in the working tree."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def copy_of_sources(target: Path) -> Path:
    """The packages' Python files and the configuration of the checks, and nothing else."""
    for path in [*sources(), ROOT / "pyproject.toml", ROOT / "sgconfig.yml", *(ROOT / ".ci/rules").iterdir()]:
        copy = target / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return target


def tool(name: str) -> str:
    """A command line tool of the running environment."""
    return str(Path(sys.executable).with_name(name))
