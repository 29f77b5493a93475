"""The machine's part of a transcript's life, without a database: from a file to everything a draft is recorded with."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from custody.kernel.clock import Clock
from transcription.engine import Engine, EngineFacts, Progress
from transcription.model import digest, encode
from transcription.sound import MAX_DURATION_MS, decode


@dataclass(frozen=True)
class DraftFacts:
    """A finished draft and how it came about (R15). Digests are `sha256:<hex>`; `machine_ms` is wall-clock time (R20).

    `content` is the transcript's canonical bytes. `sound_streams` above 1 and `damaged_packets` above 0 say that a
    person must know: other sound tracks were not transcribed, some sound could not be read.
    """

    content: bytes
    sha256: str
    audio_sha256: str
    duration_ms: int
    channels: int
    sound_streams: int
    damaged_packets: int
    machine_ms: int
    engine: EngineFacts


def make_draft(
    source: Path | BinaryIO,
    engine: Engine,
    progress: Progress,
    clock: Clock,
    *,
    max_duration_ms: int = MAX_DURATION_MS,
) -> DraftFacts:
    """Decode and transcribe. Touches nothing but the engine's model files, so it may be repeated at will.

    Raises what `sound.decode` and the engine raise: `sound.unreadable`, `sound.none`, `sound.too_long`,
    `speech.model_missing`, `speech.model_damaged`.
    """
    began = clock.now()
    sound = decode(source, max_duration_ms=max_duration_ms)
    content = encode(engine.transcribe(sound, progress))
    return DraftFacts(
        content=content,
        sha256=digest(content),
        audio_sha256=sound.sha256,
        duration_ms=sound.duration_ms,
        channels=len(sound.channels),
        sound_streams=sound.streams,
        damaged_packets=sound.damaged_packets,
        machine_ms=max(0, round((clock.now() - began).total_seconds() * 1000)),
        engine=engine.facts(),
    )
