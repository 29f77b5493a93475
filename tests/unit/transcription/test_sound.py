import io

import numpy as np
import pytest

from custody.kernel.errors import Invalid
from transcription.sound import RATE_HZ, Sound, decode, speaker_channels

SECOND = np.arange(RATE_HZ)
TONE = (6000 * np.sin(SECOND / 8)).astype(np.int16)
QUIET = np.zeros(RATE_HZ, np.int16)


def channels(*parts):
    return np.stack([np.concatenate(row) for row in zip(*parts, strict=True)])


def test_one_channel_stays_one():
    assert len(speaker_channels(TONE[None])) == 1


def test_an_intercept_has_two_speakers():
    left, right = speaker_channels(channels((TONE, QUIET), (QUIET, TONE), (QUIET, QUIET)))
    assert left[:RATE_HZ].any()
    assert not right[:RATE_HZ].any()


def test_one_room_in_stereo_is_one_channel():
    (joined,) = speaker_channels(channels((TONE, TONE // 2), (TONE // 2, TONE)))
    assert joined[100] == (int(TONE[100]) + int(TONE[100] // 2)) // 2


@pytest.mark.parametrize("place", [0, 1])
def test_a_dead_channel_is_left_out(place):
    pair = (TONE, QUIET) if place == 0 else (QUIET, TONE)
    (kept,) = speaker_channels(channels(pair, pair))
    assert np.array_equal(kept, np.concatenate([TONE, TONE]))


def test_one_who_is_always_louder_is_not_a_second_speaker():
    assert len(speaker_channels(channels((TONE, TONE // 20)))) == 1


def test_silence_in_both_is_one_channel():
    assert len(speaker_channels(channels((QUIET, QUIET)))) == 1


def test_the_length_is_rounded_up():
    assert Sound((np.zeros(RATE_HZ + 1, np.int16),), "sha256:0").duration_ms == 1001


@pytest.mark.parametrize("content", [b"", b"RIFF", bytes(range(256)) * 20, b"#EXTM3U\nfile:///etc/hostname\n"])
def test_what_is_no_recording_is_refused(content):
    with pytest.raises(Invalid, match=r"sound\.unreadable"):
        decode(io.BytesIO(content))
