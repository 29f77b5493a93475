"""Decoding by the real FFmpeg."""

import io
import wave

import numpy as np
import pytest

from custody.kernel.errors import Invalid, TooLarge
from tests.integration.transcription.recordings import DEMO, film, recorded, tone
from transcription.sound import decode

TALK = np.concatenate([tone(1), np.zeros(8000, np.int16), tone(0.5, 300)])


def test_sixteen_kilohertz_are_taken_bit_by_bit():
    sound = decode(recorded(TALK[None]))
    assert np.array_equal(sound.channels[0], TALK)
    assert (sound.duration_ms, sound.streams, sound.damaged_packets) == (2000, 1, 0)


def test_the_same_samples_have_the_same_digest_in_any_container():
    forms = [("wav", "pcm_s16le"), ("flac", "flac"), ("matroska", "flac"), ("mov", "pcm_s16le")]
    assert len({decode(recorded(TALK[None], form, codec)).sha256 for form, codec in forms}) == 1


@pytest.mark.parametrize(
    ("form", "codec"), [("mp4", "aac"), ("ogg", "libopus"), ("mp3", "libmp3lame"), ("webm", "libopus")]
)
def test_what_telephones_and_browsers_record(form, codec):
    sound = decode(recorded(np.repeat(TALK, 3)[None], form, codec, rate_hz=48_000))
    assert abs(sound.duration_ms - 2000) < 80
    # Padding of the codec must not shift the time line: the pause is where it was.
    assert np.abs(sound.channels[0][17_500:22_500]).max() < 600
    assert np.abs(sound.channels[0][4000:12_000]).mean() > 2000


def test_other_rates_keep_the_length():
    assert abs(decode(recorded(TALK[None][:, ::2], rate_hz=8_000)).duration_ms - 2000) <= 1


def test_a_track_that_begins_later_keeps_its_place():
    sound = decode(film(tone(0.5), 1500))
    assert not sound.channels[0][: 16 * 1490].any()
    assert np.array_equal(sound.channels[0][16 * 1500 :], tone(0.5))


def test_an_intercept_keeps_its_two_speakers():
    sound = decode(
        recorded(
            np.stack([np.append(tone(1), np.zeros(16000, np.int16)), np.append(np.zeros(16000, np.int16), tone(1))])
        )
    )
    assert len(sound.channels) == 2


def test_a_film_without_sound_is_said():
    with pytest.raises(Invalid, match=r"sound\.none"):
        decode(film())


def test_a_recording_without_one_sample_is_unreadable():
    with wave.open(made := io.BytesIO(), "wb") as empty:
        empty.setparams((1, 2, 16_000, 0, "NONE", ""))
    with pytest.raises(Invalid, match=r"sound\.unreadable"):
        decode(io.BytesIO(made.getvalue()))


def test_too_long_is_noticed_while_decoding():
    with pytest.raises(TooLarge, match=r"sound\.too_long"):
        decode(recorded(TALK[None]), max_duration_ms=1500)


def test_noise_in_place_of_packets_is_counted_or_refused():
    content = bytearray((DEMO / "interrogation.flac").read_bytes())
    content[100_000:140_000] = bytes(40_000)
    sound = decode(io.BytesIO(bytes(content)))
    whole = decode(DEMO / "interrogation.flac")
    assert sound.sha256 != whole.sha256
    assert sound.damaged_packets > 0


@pytest.mark.parametrize("name", ["protocol.pdf", "scene.jpg", "statement.docx", "interrogation.json"])
def test_other_files_are_no_recordings(name):
    with pytest.raises(Invalid, match=r"sound\.(unreadable|none)"):
        decode(DEMO / name)


def test_a_list_of_files_is_not_followed():
    for text in (
        f"ffconcat version 1.0\nfile '{DEMO / 'interrogation.flac'}'\n",
        f"#EXTM3U\n#EXTINF:9,\nfile://{DEMO / 'interrogation.flac'}\n",
    ):
        with pytest.raises(Invalid, match=r"sound\.unreadable"):
            decode(io.BytesIO(text.encode()))
