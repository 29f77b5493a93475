"""Our pipeline beside bare faster-whisper on the same sound, the same weights, the same cores, in one run.

Run: `python -m bench.transcription [CACHE]`. The peer is `WhisperModel.transcribe` with its own VAD filter and word times:
what a careful user of the library would write. Best of the rounds, taken in turn so that other load hits both alike.
"""

import sys
import tempfile
import time
from pathlib import Path

from faster_whisper import WhisperModel

import evidence_api.demo
from transcription.engines import weights
from transcription.engines.whisper import WhisperEngine
from transcription.model import Transcript
from transcription.sound import Sound, decode

RECORDING = Path(evidence_api.demo.__file__).parent / "files" / "interrogation.flac"
THREADS = 2
ROUNDS = 2


def ours(engine: WhisperEngine, sound: Sound) -> Transcript:
    return engine.transcribe(sound, lambda done_ms, total_ms: None)


def bare(model: WhisperModel, sound: Sound) -> int:
    audio = sound.channels[0].astype("float32") / 32768
    segments, _ = model.transcribe(audio, beam_size=5, vad_filter=True, word_timestamps=True, temperature=0.0)
    return sum(len(segment.words or ()) for segment in segments)


def measure(cache: Path) -> dict[str, float]:
    """Seconds of sound per second of wall clock, and words found."""
    directory = weights.base(cache)
    engine = WhisperEngine(directory, "whisper-base", weights.BASE_SHA256, threads=THREADS)
    model = WhisperModel(str(directory), device="cpu", compute_type="int8", cpu_threads=THREADS)
    sound = decode(RECORDING)
    short = Sound((sound.channels[0][:160_000],), "sha256:warm-up")
    ours(engine, short), bare(model, short)
    best = {"ours": float("inf"), "bare": float("inf")}
    words = {}
    for _ in range(ROUNDS):
        began = time.perf_counter()
        words["ours"] = sum(len(turn.words) for turn in ours(engine, sound).turns)
        middle = time.perf_counter()
        words["bare"] = bare(model, sound)
        best["ours"] = min(best["ours"], middle - began)
        best["bare"] = min(best["bare"], time.perf_counter() - middle)
    seconds = sound.duration_ms / 1000
    return {
        "ours": seconds / best["ours"],
        "bare": seconds / best["bare"],
        "words_ours": words["ours"],
        "words_bare": words["bare"],
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        found = measure(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(made))
    print(found)


if __name__ == "__main__":
    main()
