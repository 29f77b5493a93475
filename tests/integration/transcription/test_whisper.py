"""Real Whisper on real and synthesized sound."""

import io
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from custody.kernel.clock import SystemClock
from custody.kernel.errors import Invalid
from tests.integration.transcription.recordings import DEMO, recorded, tone
from transcription.draft import make_draft
from transcription.model import digest, encode, parse
from transcription.sound import RATE_HZ, Sound, decode

SHARED = Path(os.environ.get("DALEL_SHARED", Path(__file__).parents[4] / "shared")) / "data" / "speech"
needs_shared = pytest.mark.skipif(
    not (SHARED / "manifest.jsonl").is_file(), reason="the shared speech clips are absent (DALEL_SHARED or ../shared)"
)


def unheard(done_ms, total_ms):
    """Progress nobody listens to."""


def words_of(transcript):
    return re.findall(r"\w+", " ".join(turn.text for turn in transcript.turns).lower().replace("ё", "е"))


def part(sound, start_s, end_s):
    return Sound((sound.channels[0][int(start_s * RATE_HZ) : int(end_s * RATE_HZ)],), "sha256:part")


@pytest.fixture(scope="module")
def drafted(whisper):
    """The demonstration questioning, drafted once for this module, with the progress that was told."""
    told = []
    draft = make_draft(DEMO / "interrogation.flac", whisper, lambda *ms: told.append(ms), SystemClock())
    return draft, told


def test_a_draft_says_how_it_came_about(drafted, whisper):
    draft, _ = drafted
    facts = whisper.facts()
    assert draft.sha256 == digest(draft.content)
    assert draft.audio_sha256 == decode(DEMO / "interrogation.flac").sha256
    assert facts.engine == "faster-whisper"
    assert facts.model_sha256 == "sha256:d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
    assert draft.engine.parameters_sha256 == facts.parameters_sha256
    assert draft.machine_ms > 0
    assert (draft.duration_ms, draft.channels, draft.sound_streams, draft.damaged_packets) == (90_176, 1, 1, 0)


def test_progress_only_grows_and_ends_at_the_end(drafted):
    _, told = drafted
    assert told[0] == (0, 90_176)
    assert told[-1] == (90_176, 90_176)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(told) > 3


def test_what_was_said_is_mostly_read(drafted):
    said = parse(drafted[0].content)
    heard = words_of(said)
    for word in [
        "назовите",
        "идентификационный",
        "алматы",
        "петрова",
        "игоря",
        "николаевича",
        "стекло",
        "сумку",
        "парка",
        "сестра",
        "допрос",
        "окончен",
    ]:
        assert word in heard


def test_each_turn_stands_where_it_was_spoken(drafted):
    said = parse(drafted[0].content)
    truth = json.loads((DEMO / "interrogation.json").read_text(encoding="utf-8"))
    assert len(said.turns) == len(truth)
    for turn, spoken in zip(said.turns, truth, strict=True):
        assert turn.language == spoken["language"]
        assert abs(turn.start_ms - spoken["start_ms"]) < 500
        assert abs(turn.end_ms - spoken["end_ms"]) < 500
        assert turn.speaker == "?"
        assert all(word.probability_ppm is not None for word in turn.words)


def test_a_rerun_gives_the_same_bytes(whisper):
    sound = part(decode(DEMO / "interrogation.flac"), 44, 54)
    assert encode(whisper.transcribe(sound, unheard)) == encode(whisper.transcribe(sound, unheard))


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(10 * RATE_HZ, np.int16),
        np.random.default_rng(1).normal(0, 300, 10 * RATE_HZ).astype(np.int16),
        tone(10, 50, 3000),
    ],
    ids=["silence", "noise", "hum"],
)
def test_nothing_is_invented_where_nobody_speaks(whisper, samples):
    assert whisper.transcribe(Sound((samples,), "sha256:made"), unheard).turns == ()


def test_a_pause_of_ten_seconds_stays_empty(whisper):
    talk = decode(DEMO / "interrogation.flac").channels[0]
    first, second = talk[: 5 * RATE_HZ], talk[40 * RATE_HZ : 45 * RATE_HZ]
    silence = np.zeros(10 * RATE_HZ, np.int16)
    said = whisper.transcribe(Sound((np.concatenate([first, silence, second]),), "sha256:made"), unheard)
    assert said.turns
    assert all(word.end_ms < 5_500 or word.start_ms > 14_500 for turn in said.turns for word in turn.words)
    assert not set(words_of(said)) & {"субтитров", "редактор", "корректор", "субтитры"}


def test_each_channel_of_an_intercept_is_a_speaker(whisper):
    talk = decode(DEMO / "interrogation.flac").channels[0]
    asks, answers = talk[: 5 * RATE_HZ], talk[45 * RATE_HZ : 50 * RATE_HZ]
    left = np.concatenate([asks, np.zeros_like(answers)])
    right = np.concatenate([np.zeros_like(asks), answers])
    said = parse(make_draft(recorded(np.stack([left, right])), whisper, unheard, SystemClock()).content)
    assert said.speakers == ("1", "2")
    assert all((turn.speaker == "1") == (turn.start_ms < 5000) for turn in said.turns)


def test_a_corrupt_recording_has_a_code(whisper):
    with pytest.raises(Invalid, match=r"sound\.unreadable"):
        make_draft(io.BytesIO(b"RIFF" + bytes(2000)), whisper, unheard, SystemClock())


@needs_shared
def test_a_known_speech_is_read_word_for_word(whisper):
    said = whisper.transcribe(decode(SHARED / "en" / "jfk.flac"), unheard)
    assert {turn.language for turn in said.turns} == {"en"}
    assert " ".join(words_of(said)) == (
        "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
    )


@needs_shared
def test_a_real_room_in_which_nobody_speaks(whisper):
    assert whisper.transcribe(decode(SHARED / "noise" / "pisets_silence.flac"), unheard).turns == ()


@needs_shared
@pytest.mark.parametrize(("clip", "language"), [("kk/ksc_ex1", "kk"), ("kk/ksc_ex2", "kk"), ("ru/stierlitz", "ru")])
def test_kazakh_and_russian_are_told_apart(whisper, clip, language):
    assert {turn.language for turn in whisper.transcribe(decode(SHARED / f"{clip}.flac"), unheard).turns} == {language}
