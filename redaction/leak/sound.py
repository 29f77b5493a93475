"""Attacks on burned sound: is the original under the tone, is anything but sound in the file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from custody.kernel.errors import DalelError
from redaction.burn.facts import file_sha256
from redaction.burn.sound import PADDING_MS, TONE_HZ, Samples, decode, sample_spans, spans_of
from redaction.leak.forbidden import Forbidden
from redaction.leak.report import Check, LeakReport, check
from redaction.leak.texts import check_name
from redaction.plan import Plan

_BLOCK_MS = 100
_FEWEST = 16
_RESIDUE_RMS = 4.0  # of 32768: rounding of the tone leaves 0.3
_ALLOWED_TAGS = frozenset(("encoder",))
_ALLOWED_ENCODERS = ("Lavf", "Lavc")


@dataclass
class _Measured:
    same_rate: bool = True
    original: int = 0
    burned: int = 0
    changed_outside: int = 0
    residue: float = 0.0


def _paired(original: Path, burned: Path) -> Iterator[tuple[int, int, int, Samples, Samples]]:
    """(rate, rate, place, samples, samples) of both files in pieces of equal places; the rest of the longer alone."""
    left, right = decode(original), decode(burned)
    kept_left = kept_right = np.zeros((0, 1), dtype=np.int16)
    place = rate_left = rate_right = 0
    while True:
        if not len(kept_left):
            rate_left, _, kept_left = next(left, (rate_left, 0, kept_left))
        if not len(kept_right):
            rate_right, _, kept_right = next(right, (rate_right, 0, kept_right))
        if not len(kept_left) and not len(kept_right):
            return
        count = min(len(kept_left), len(kept_right)) or max(len(kept_left), len(kept_right))
        yield rate_left, rate_right, place, kept_left[:count], kept_right[:count]
        kept_left, kept_right = kept_left[count:], kept_right[count:]
        place += count


def _residue(samples: Samples, place: int, rate: int) -> float:
    """What is left of a piece when the best fitting tone is taken away, as root mean square."""
    hertz = min(TONE_HZ, rate // 4)
    phase = 2 * np.pi * hertz * np.arange(place, place + len(samples)) / rate
    basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    wave = samples.astype(np.float64)
    fit, *_ = np.linalg.lstsq(basis, wave, rcond=None)
    return float(np.sqrt(np.mean((wave - basis @ fit) ** 2)))


def _measure(original: Path, burned: Path, plan: Plan, padding_ms: int) -> _Measured:
    """Both files walked through once, piece by piece."""
    seen = _Measured()
    spans = spans_of(plan)
    for rate_left, rate_right, place, left, right in _paired(original, burned):
        seen.same_rate &= rate_left == rate_right
        seen.original += len(left)
        seen.burned += len(right)
        if len(left) != len(right) or left.shape != right.shape or rate_left != rate_right:
            seen.changed_outside += 1
            continue
        hidden = np.zeros(len(left), dtype=bool)
        for first, end in sample_spans(spans, rate_left, padding_ms):
            hidden[max(0, first - place) : max(0, end - place)] = True
        seen.changed_outside += int((left[~hidden] != right[~hidden]).any(axis=1).sum())
        for first, end in _stretches(hidden, max(_FEWEST, rate_left * _BLOCK_MS // 1000)):
            seen.residue = max(seen.residue, _residue(right[first:end], place + first, rate_left))
    return seen


def _stretches(hidden: NDArray[np.bool_], step: int) -> Iterator[tuple[int, int]]:
    """Hidden stretches without a gap, at most `step` long; those under 16 samples (a millisecond) say nothing."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], hidden, [False])).astype(np.int8)))
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        for start in range(first, end, step):
            stop = min(start + step, end)
            if stop - start >= _FEWEST:
                yield start, stop


def _container_checks(burned: Path) -> list[Check]:
    with av.open(str(burned)) as container:
        tags = dict(container.metadata)
        streams = list(container.streams)
        for stream in streams:
            tags |= dict(stream.metadata)
        kinds = [stream.type for stream in streams]  # a stream may not be asked anything once its container is closed
        chapters = len(container.chapters())
    foreign = {name for name in tags if name.lower() not in _ALLOWED_TAGS}
    foreign |= {name for name, value in tags.items() if name not in foreign and not value.startswith(_ALLOWED_ENCODERS)}
    only_sound = kinds == ["audio"] and not chapters
    return [
        check("metadata", not foreign, f"{len(foreign)} metadata fields"),
        check("tracks", only_sound, f"{len(kinds)} tracks, {chapters} chapters"),
    ]


def attack_sound(
    burned: Path, original: Path, plan: Plan, forbidden: Forbidden, padding_ms: int = PADDING_MS
) -> LeakReport:
    """Length, tone, sound outside untouched, tracks, metadata, raw strings, file name.

    Guaranteed when passed: under every span of the plan lies a pure tone and no trace of the original's samples.
    Not guaranteed: that the plan's spans cover the words, nor that the speaker's voice is not known.
    """
    checks: list[Check] = []
    try:
        seen = _measure(original, burned, plan, padding_ms)
        length = seen.original == seen.burned and seen.same_rate
        checks += [
            check("length", length, f"{seen.burned} samples, the original has {seen.original}"),
            check("tone_only", seen.residue <= _RESIDUE_RMS, f"residue {seen.residue:.2f} of 32768 under the spans"),
            check("outside_kept", seen.changed_outside == 0, f"{seen.changed_outside} samples differ outside"),
            *_container_checks(burned),
        ]
    except (DalelError, av.FFmpegError):
        checks.append(check("readable", False, "the sound cannot be decoded"))
    hits = forbidden.raw_hits(burned.read_bytes()[: 1 << 20])
    checks.append(check("strings", hits == 0, f"{hits} forbidden strings in the first MiB of raw bytes"))
    checks.append(check_name(burned, forbidden))
    return LeakReport("sound", file_sha256(burned), plan.sha256, tuple(checks))
