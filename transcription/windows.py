"""Where somebody speaks. Whisper invents text over silence, so it hears nothing but these windows (U5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps  # type: ignore[import-untyped]  # ships no types

from transcription.sound import RATE_HZ, Samples

MAX_WINDOW_MS = 28_000
PACK_PAUSE_MS = 2_000
_BLOCK = 600 * RATE_HZ


@dataclass(frozen=True)
class Speech:
    """How speech is found: Silero VAD's threshold, and lengths in milliseconds."""

    threshold: float = 0.5
    pause_ms: int = 500
    shortest_ms: int = 150
    pad_ms: int = 200
    alone_ms: int = 1_200


@dataclass(frozen=True)
class Window:
    """A stretch of speech, as sample indexes: `start` inclusive, `end` exclusive; at most 28 seconds."""

    start: int
    end: int

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / RATE_HZ


@dataclass(frozen=True)
class Pack:
    """Stretches of one language, heard together: `window` spans them all."""

    language: str
    stretches: tuple[Window, ...]

    @property
    def window(self) -> Window:
        return Window(self.stretches[0].start, self.stretches[-1].end)


def packed(stretches: Sequence[Window], languages: Sequence[str]) -> tuple[Pack, ...]:
    """Neighbours of one language packed together, across pauses of at most `PACK_PAUSE_MS`, up to 28 seconds."""
    packs: list[Pack] = []
    for stretch, language in zip(stretches, languages, strict=True):
        before = packs[-1] if packs else None
        near = before and stretch.start - before.window.end <= PACK_PAUSE_MS * RATE_HZ // 1000
        if before and near and before.language == language and _fits(before.window, stretch):
            packs[-1] = Pack(language, (*before.stretches, stretch))
        else:
            packs.append(Pack(language, (stretch,)))
    return tuple(packs)


def speech_windows(samples: Samples, how: Speech) -> tuple[Window, ...]:
    """Stretches of speech in order, apart by pauses of at least `how.pause_ms`; none for silence and room noise.

    A stretch shorter than `how.alone_ms` is too short to tell its language and joins a neighbour across a pause of less
    than twice `how.pause_ms`. Works on ten minutes at a time; a stretch that is open at the end of a block begins the
    next one. Source: Silero VAD v6 as shipped in faster-whisper 1.2.1.
    """
    found: list[Window] = []
    at = 0
    while at < len(samples):
        stop = min(at + _BLOCK, len(samples))
        windows = _in_block(samples[at:stop], at, how)
        if stop < len(samples) and windows and windows[-1].end == stop and windows[-1].start > at:
            stop = windows.pop().start
        found += windows
        at = stop
    return _joined(_apart(found), how)


def _in_block(samples: Samples, at: int, how: Speech) -> list[Window]:
    options = VadOptions(
        threshold=how.threshold,
        min_silence_duration_ms=how.pause_ms,
        min_speech_duration_ms=how.shortest_ms,
        max_speech_duration_s=MAX_WINDOW_MS / 1000,
        speech_pad_ms=how.pad_ms,
    )
    stretches = get_speech_timestamps(samples.astype(np.float32) / 32768, options)
    return [Window(at + stretch["start"], at + stretch["end"]) for stretch in stretches]


def _apart(windows: list[Window]) -> list[Window]:
    """The windows without overlap (padding at the edge of a block may reach into the window before)."""
    cut = [Window(max(window.start, before.end), window.end) for before, window in pairwise(windows)]
    return [window for window in [*windows[:1], *cut] if window.end > window.start]


def _joined(windows: list[Window], how: Speech) -> tuple[Window, ...]:
    near = 2 * how.pause_ms * RATE_HZ // 1000
    result: list[Window] = []
    for window in windows:
        before = result[-1] if result else None
        short = before and 1000 * min(before.seconds, window.seconds) < how.alone_ms
        if before and short and window.start - before.end < near and _fits(before, window):
            result[-1] = Window(before.start, window.end)
        else:
            result.append(window)
    return tuple(result)


def _fits(first: Window, last: Window) -> bool:
    return last.end - first.start <= MAX_WINDOW_MS * RATE_HZ // 1000
