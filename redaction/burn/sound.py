"""Sound burned: withheld stretches become a quiet tone, the rest is kept sample by sample, nothing else survives.

Decoded, patched and encoded anew as FLAC, which keeps every sample and the exact length. No metadata, cover picture,
chapter or second track is carried over; a picture track of a video is not carried over either. The tone hides words,
not the speaker: a voice that must not be known is not protected by this.
"""

from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from custody.kernel.errors import Corrupt, Invalid
from redaction.burn.facts import BurnFacts, check_source, facts_of, file_sha256
from redaction.model import TimeSpan, WordSpan
from redaction.plan import Plan

PADDING_MS = 310
"""Word times of Whisper base are early and uncertain: this much on both sides covers 99 % of words (DATA.md)."""
TONE_HZ = 1000
TONE_PEAK = 3000
VERSION = f"sound/1 av/{version('av')}"
_BLOCK = 4096
Samples = NDArray[np.int16]


def spans_of(plan: Plan) -> list[TimeSpan]:
    """The time spans of a plan's words and times, unpadded, in order."""
    spans = []
    for part in plan.regions:
        if not isinstance(part.region, (WordSpan, TimeSpan)):
            raise Invalid("plan.bad_region")
        spans.append(TimeSpan(part.region.start_ms, part.region.end_ms))
    return sorted(spans)


def sample_spans(spans: Iterable[TimeSpan], rate: int, padding_ms: int = PADDING_MS) -> list[tuple[int, int]]:
    """Padded spans in samples (first, one past the last), overlapping ones joined. May reach past the end."""
    joined: list[tuple[int, int]] = []
    for span in sorted(spans):
        first = max(0, (span.start_ms - padding_ms) * rate // 1000)
        end = -(-(span.end_ms + padding_ms) * rate // 1000)
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((first, end))
    return joined


def tone(first: int, end: int, rate: int) -> Samples:
    """The tone over samples `first`..`end`, its phase counted from the beginning of the recording."""
    # a tone above half the rate cannot be told: telephone sound of 1 kHz rate does not exist, but files do
    hertz = min(TONE_HZ, rate // 4)
    places = np.arange(first, end, dtype=np.float64)
    return np.round(TONE_PEAK * np.sin(2 * np.pi * hertz * places / rate)).astype(np.int16)


def decode(path: Path) -> Iterator[tuple[int, int, Samples]]:
    """(rate, place of the first sample, samples as (count, channels) of 16 bits) of the first sound track, in order.

    Places count decoded samples, as speech recognition does; gaps in a container's time stamps are not filled.
    Raises Corrupt `source.unreadable` for what cannot be decoded from beginning to end, or holds no sound.
    """
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise Corrupt("source.unreadable")
            stream = container.streams.audio[0]
            layout = "mono" if stream.channels == 1 else "stereo"
            resampler = av.AudioResampler(format="s16", layout=layout, rate=stream.rate)
            place = 0
            for samples in _resampled(container, stream, resampler):
                shaped = samples.reshape(-1, 1 if layout == "mono" else 2)
                yield stream.rate, place, shaped
                place += len(shaped)
    except av.FFmpegError as wrong:
        raise Corrupt("source.unreadable") from wrong


def _resampled(container: Any, stream: Any, resampler: Any) -> Iterator[Samples]:
    for frame in container.decode(stream):
        for out in resampler.resample(frame):
            yield out.to_ndarray()
    for out in resampler.resample(None):
        yield out.to_ndarray()


def cover(samples: Samples, place: int, hidden: Sequence[tuple[int, int]], rate: int) -> Samples:
    """The samples, that begin at `place` of the recording, with the tone over what is hidden."""
    covered = samples.copy()
    for first, end in hidden:
        start, stop = max(first, place), min(end, place + len(samples))
        if start < stop:
            covered[start - place : stop - place] = tone(start, stop, rate)[:, None]
    return covered


def burn_sound(source: Path, target: Path, plan: Plan, padding_ms: int = PADDING_MS) -> BurnFacts:
    """Burn the word and time spans of a plan into the first sound track of a recording; writes FLAC.

    Raises Corrupt `source.unreadable`, Invalid `burn.other_source`, `plan.bad_region` (also for a span that begins
    after the end).
    """
    source_sha256 = check_source(file_sha256(source), plan.source_sha256)
    spans = spans_of(plan)
    hidden: list[tuple[int, int]] = []
    total = rate = 0
    with av.open(str(target), "w", format="flac", options={"fflags": "+bitexact"}) as output:
        stream: Any = None
        for rate, place, samples in decode(source):
            if stream is None:
                hidden = sample_spans(spans, rate, padding_ms)
                stream = output.add_stream("flac", rate=rate, layout="mono" if samples.shape[1] == 1 else "stereo")
                stream.codec_context.format = "s16"
                stream.codec_context.flags |= 1 << 23  # AV_CODEC_FLAG_BITEXACT: no library version in the file
            for packet in stream.encode(_frame(cover(samples, place, hidden, rate), place, rate)):
                output.mux(packet)
            total = place + len(samples)
        if stream is None:
            raise Corrupt("source.unreadable")
        for packet in stream.encode(None):
            output.mux(packet)
    if spans and spans[-1].start_ms * rate // 1000 >= total:
        raise Invalid("plan.bad_region")
    parameters = {
        "plan_sha256": plan.sha256,
        "padding_ms": padding_ms,
        "tone_hz": min(TONE_HZ, rate // 4),
        "rate_hz": rate,
        "samples": total,
        "spans": len(hidden),
    }
    return facts_of("sound", source_sha256, target, VERSION, parameters)


def _frame(samples: Samples, place: int, rate: int) -> AudioFrame:
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate = rate
    frame.pts = place
    return frame
