import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription import windows
from transcription.sound import RATE_HZ
from transcription.windows import Pack, Speech, Window, packed, speech_windows

HOW = Speech()


def seconds(start: float, end: float) -> Window:
    return Window(int(start * RATE_HZ), int(end * RATE_HZ))


def finding(monkeypatch, *stretches):
    """Speech found where we say."""
    found = [{"start": start, "end": end} for start, end in stretches]
    monkeypatch.setattr(windows, "get_speech_timestamps", lambda samples, options: found)


def test_silence_and_no_sound_have_no_speech():
    assert speech_windows(np.zeros(RATE_HZ * 3, np.int16), HOW) == ()
    assert speech_windows(np.zeros(0, np.int16), HOW) == ()


def test_a_short_stretch_joins_a_near_neighbour(monkeypatch):
    finding(monkeypatch, (0, 16000 * 3), (16000 * 3 + 9600, 16000 * 4), (16000 * 6, 16000 * 7), (16000 * 9, 16000 * 10))
    found = speech_windows(np.zeros(16000 * 11, np.int16), HOW)
    assert found == (seconds(0, 4), seconds(6, 7), seconds(9, 10))


def test_nothing_joined_is_longer_than_whisper_hears(monkeypatch):
    finding(monkeypatch, (0, 16000 * 28 - 100), (16000 * 28, 16000 * 29))
    found = speech_windows(np.zeros(16000 * 30, np.int16), HOW)
    assert len(found) == 2


def test_a_stretch_open_at_the_end_of_a_block_begins_the_next(monkeypatch):
    monkeypatch.setattr(windows, "_BLOCK", 10 * RATE_HZ)
    asked = []

    def found(samples, options):
        asked.append(len(samples))
        # seconds 2-3, and 8-13 which the first block cuts at 10
        if len(asked) == 1:
            return [{"start": 32000, "end": 48000}, {"start": 128000, "end": 160000}]
        return [{"start": 0, "end": 80000}] if len(asked) == 2 else []

    monkeypatch.setattr(windows, "get_speech_timestamps", found)
    assert speech_windows(np.zeros(20 * RATE_HZ, np.int16), HOW) == (seconds(2, 3), seconds(8, 13))
    assert asked == [160000, 160000, 32000]


def test_padding_over_the_edge_of_a_block_is_heard_once(monkeypatch):
    monkeypatch.setattr(windows, "_in_block", lambda samples, at, how: [Window(0, 64000), Window(48000, 112000)])
    assert speech_windows(np.zeros(120000, np.int16), HOW) == (Window(0, 64000), Window(64000, 112000))


def test_one_language_is_packed_up_to_a_pause():
    stretches = [seconds(0, 5), seconds(6, 9), seconds(9.5, 12), seconds(15, 16)]
    assert packed(stretches, ["ru", "ru", "kk", "kk"]) == (
        Pack("ru", (stretches[0], stretches[1])),
        Pack("kk", (stretches[2],)),
        Pack("kk", (stretches[3],)),
    )


def test_no_pack_without_speech():
    assert packed([], []) == ()


gaps = st.tuples(st.integers(0, 5 * RATE_HZ), st.integers(1, 28 * RATE_HZ), st.sampled_from(["kk", "ru"]))


@given(st.lists(gaps, max_size=12))
def test_packs_hold_every_stretch_once_and_fit(drawn):
    stretches, languages, at = [], [], 0
    for gap, length, language in drawn:
        stretches.append(Window(at + gap, at + gap + length))
        languages.append(language)
        at += gap + length
    packs = packed(stretches, languages)
    assert [(stretch, pack.language) for pack in packs for stretch in pack.stretches] == list(
        zip(stretches, languages, strict=True)
    )
    assert all(pack.window.seconds <= 28 for pack in packs)


@pytest.mark.parametrize("end", [16000, 24000])
def test_length_in_seconds(end):
    assert Window(8000, end).seconds == (end - 8000) / 16000
