"""One real Whisper for all tests of this folder."""

from pathlib import Path

import pytest

from transcription.engines import weights
from transcription.engines.whisper import WhisperEngine


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def whisper(model_cache: Path) -> WhisperEngine:
    """Whisper base, joined from its two packages and checked."""
    return WhisperEngine(weights.base(model_cache), "whisper-base", weights.BASE_SHA256)
