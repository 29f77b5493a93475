"""Our pipeline beside bare faster-whisper on the same sound, the same weights, the same cores, in one run.

The peer is `WhisperModel.transcribe` with its own VAD filter and word times: what a careful user of the library would
write. Rounds are taken in turn, so that other load hits both alike, and the best of each counts; processor time is for
a machine that is busy with other things. Errors are over the Russian lines, whose text the demonstration knows.
"""

import json
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faster_whisper import WhisperModel

import evidence_api.demo
from bench import report
from transcription.engines import weights
from transcription.engines.whisper import WhisperEngine
from transcription.sound import Sound, decode

FILES = Path(evidence_api.demo.__file__).parent / "files"
PEER = "bare faster-whisper, VAD, beam 5"
THREADS = 2
ROUNDS = 2


@dataclass
class Run:
    """The best of the rounds, in seconds, and the words of the last as (text, middle in ms)."""

    wall_s: float = float("inf")
    cpu_s: float = float("inf")
    words: list[tuple[str, int]] | None = None

    def take(self, hear: Callable[[], list[tuple[str, int]]]) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        self.words = hear()
        self.wall_s = min(self.wall_s, time.perf_counter() - wall)
        self.cpu_s = min(self.cpu_s, time.process_time() - cpu)


def ours(engine: WhisperEngine, sound: Sound) -> list[tuple[str, int]]:
    said = engine.transcribe(sound, lambda done_ms, total_ms: None)
    return [(word.text, (word.start_ms + word.end_ms) // 2) for turn in said.turns for word in turn.words]


def bare(model: WhisperModel, sound: Sound) -> list[tuple[str, int]]:
    audio = sound.channels[0].astype("float32") / 32768
    segments, _ = model.transcribe(audio, beam_size=5, vad_filter=True, word_timestamps=True, temperature=0.0)
    return [(word.word, round(500 * (word.start + word.end))) for segment in segments for word in segment.words or ()]


def word_errors(words: list[tuple[str, int]]) -> float:
    """Percent of the Russian words that differ (dictated digits count word by word, which is hard on both)."""
    truth = [line for line in json.loads((FILES / "interrogation.json").read_text("utf-8")) if line["language"] == "ru"]
    heard = [text for text, at in words if any(line["start_ms"] - 300 <= at <= line["end_ms"] + 300 for line in truth)]
    wanted, got = _normal(" ".join(line["text"] for line in truth)), _normal(" ".join(heard))
    distances = list(range(len(got) + 1))
    for number, word in enumerate(wanted, 1):
        before, distances[0] = distances[0], number
        for place, other in enumerate(got, 1):
            best = min(distances[place] + 1, distances[place - 1] + 1, before + (word != other))
            before, distances[place] = distances[place], best
    return 100 * distances[-1] / len(wanted)


def _normal(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower().replace("ё", "е"))


def measure(cache: Path) -> list[report.Row]:
    directory = weights.base(cache)
    engine = WhisperEngine(directory, "whisper-base", weights.BASE_SHA256, threads=THREADS)
    model = WhisperModel(str(directory), device="cpu", compute_type="int8", cpu_threads=THREADS)
    sound = decode(FILES / "interrogation.flac")
    short = Sound((sound.channels[0][:160_000],), "sha256:warm-up")
    ours(engine, short)
    bare(model, short)
    we, they = Run(), Run()
    for _ in range(ROUNDS):
        we.take(lambda: ours(engine, sound))
        they.take(lambda: bare(model, sound))
    seconds = sound.duration_ms / 1000
    return [
        report.Row("speech to text", seconds / we.wall_s, "s of sound/s", peer=PEER, peer_value=seconds / they.wall_s),
        report.Row(
            "speech to text, processor",
            seconds / we.cpu_s,
            "s of sound/CPU s",
            peer=PEER,
            peer_value=seconds / they.cpu_s,
        ),
        report.Row(
            "Russian words that differ",
            word_errors(we.words or []),
            "%",
            higher_is_better=False,
            peer=PEER,
            peer_value=word_errors(they.words or []),
        ),
    ]


def rows() -> list[report.Row]:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="dalel-bench-") as cache:
        return measure(Path(cache))
