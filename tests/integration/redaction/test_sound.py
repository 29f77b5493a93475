"""Sound burned with its length and everything outside kept; and leaks put into it."""

from pathlib import Path

import numpy as np
import pytest

from custody.kernel.errors import Corrupt, DalelError
from redaction.burn.sound import burn_sound, decode, sample_spans, tone
from redaction.leak.report import failures
from redaction.leak.sound import attack_sound
from redaction.model import PageBox, TimeSpan, WordSpan
from tests.integration.redaction import sources

RATE = 16_000
REGIONS = (WordSpan(0, 1, 1000, 1500), TimeSpan(1900, 2000), TimeSpan(3900, 4000))


def samples_of(path: Path) -> np.ndarray:
    return np.concatenate([samples for _, _, samples in decode(path)])[:, 0]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.flac"
    sources.write_sound(path, title=sources.NAME)
    return path


def test_the_tone_lies_over_the_words_and_nowhere_else(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "exhibit-0001.flac"
    plan, forbidden = sources.hide(source, *REGIONS)
    facts = burn_sound(source, target, plan)
    assert burn_sound(source, target, plan).sha256 == facts.sha256
    before, after = samples_of(source), samples_of(target)
    assert len(before) == len(after) == 4 * RATE
    spans = sample_spans([TimeSpan(1000, 1500), TimeSpan(1900, 2000), TimeSpan(3900, 4000)], RATE)
    assert spans == [(690 * 16, 2310 * 16), (3590 * 16, 4310 * 16)]
    hidden = np.zeros(len(before), dtype=bool)
    for first, end in spans:
        hidden[first:end] = True
        assert (after[first:end] == tone(first, min(end, len(after)), RATE)).all()
    assert (after[~hidden] == before[~hidden]).all()
    assert abs(np.corrcoef(before[hidden], after[hidden])[0, 1]) < 0.02
    report = attack_sound(target, source, plan, forbidden)
    assert report.result == "passed", report.checks
    assert {"tone_only", "metadata", "strings"} <= set(failures(attack_sound(source, source, plan, forbidden).checks))


def test_stereo_and_low_rates_are_kept(tmp_path: Path) -> None:
    import av

    source, target = tmp_path / "two.mka", tmp_path / "exhibit-0001.flac"
    noise = np.random.default_rng(3).integers(-5000, 5000, (2, 8000)).astype(np.int16)
    with av.open(str(source), "w", format="matroska") as output:
        stream = output.add_stream("pcm_s16le", rate=8000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(noise.T.reshape(1, -1).copy(), format="s16", layout="stereo")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    plan, forbidden = sources.hide(source, TimeSpan(100, 200))
    assert burn_sound(source, target, plan).parameters["rate_hz"] == 8000
    assert attack_sound(target, source, plan, forbidden).result == "passed"


@pytest.mark.parametrize(
    ("leak", "caught"),
    [
        (lambda path, good, before: sources.write_samples(path, good, title="x"), "metadata"),
        (lambda path, good, before: sources.write_samples(path, good, title=sources.NAME), "strings"),
        (lambda path, good, before: sources.write_samples(path.with_suffix(".mka"), good, tracks=2), "tracks"),
        (lambda path, good, before: sources.write_samples(path, good[:-1]), "length"),
        (lambda path, good, before: sources.write_samples(path, good, rate=8000), "length"),
        (lambda path, good, before: sources.write_samples(path, good + (before // 100).astype(np.int16)), "tone_only"),
        (
            lambda path, good, before: sources.write_samples(path, np.where(np.arange(len(good)) == 9, 0, good)),
            "outside_kept",
        ),
        (lambda path, good, before: path.with_suffix(".mka").write_bytes(b"rubbish"), "readable"),
    ],
)
def test_a_leak_put_into_burned_sound_is_caught(source: Path, tmp_path: Path, leak, caught: str) -> None:
    clean, path = tmp_path / "clean.flac", tmp_path / "exhibit-0001.flac"
    plan, forbidden = sources.hide(source, *REGIONS)
    burn_sound(source, clean, plan)
    leak(path, samples_of(clean), samples_of(source))
    (leaking,) = tmp_path.glob("exhibit-0001.*")
    assert caught in failures(attack_sound(leaking, source, plan, forbidden).checks)


def test_sources_that_cannot_be_burned(source: Path, tmp_path: Path) -> None:
    def refused(path: Path, *regions) -> str:
        plan, _ = sources.hide(path, *regions)
        with pytest.raises(DalelError) as refusal:
            burn_sound(path, tmp_path / "out.flac", plan)
        return refusal.value.code

    rubbish, mute = tmp_path / "rubbish.mp3", tmp_path / "mute.png"
    rubbish.write_bytes(b"ID3 and nothing")
    sources.write_picture(mute)
    assert refused(rubbish, TimeSpan(0, 1)) == "source.unreadable"
    assert refused(mute, TimeSpan(0, 1)) == "source.unreadable"
    assert refused(source, PageBox(0, 0, 0, 1, 1)) == "plan.bad_region"
    assert refused(source, TimeSpan(4000, 4001)) == "plan.bad_region"
    with pytest.raises(Corrupt):
        list(decode(rubbish))
