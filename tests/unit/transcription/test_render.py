from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.unit.transcription.samples import transcript, turn
from transcription.edits import SetText, apply
from transcription.model import Word
from transcription.render import Standing, plain, protocol, speaker_label, time_code, web_vtt

SAID = transcript(turn("Где вы живёте?", 0, "1"), turn("В <Алматы> & рядом", 61_000, "Адилет"), turn("да", 70_000))
DRAFT = Standing(1, "sha256:aa", "sha256:bb", "faster-whisper 1.2.1", "whisper-base")
CONFIRMED = replace(
    DRAFT, revision=3, confirmed_by="Ахметова А.", confirmed_at=datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
)


@pytest.mark.parametrize(
    ("language", "says", "who"),
    [
        ("kk", "МАШИНА ЖАСАҒАН ЖОБА", "1-сөйлеуші"),
        ("ru", "МАШИННЫЙ ЧЕРНОВИК", "Говорящий 1"),
        ("en", "MACHINE DRAFT", "Speaker 1"),
    ],
)
def test_a_draft_says_so_to_people_and_machines(language, says, who):
    for shown in (protocol(SAID, DRAFT, language), web_vtt(SAID, DRAFT, language)):
        assert says in shown
        assert "X-Dalel-State: machine-draft" in shown
        assert who in shown


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_a_confirmed_text_says_by_whom(language):
    for shown in (protocol(SAID, CONFIRMED, language), web_vtt(SAID, CONFIRMED, language)):
        assert "Ахметова А., 2026-11-21 09:05 (UTC)" in shown
        assert "X-Dalel-State: confirmed" in shown
        assert "draft" not in shown.lower()


def test_a_protocol_names_what_it_was_made_from():
    shown = protocol(SAID, DRAFT, "ru")
    for part in (
        "sha256:aa",
        "sha256:bb",
        "faster-whisper 1.2.1",
        "whisper-base",
        "[00:01:01.000] Адилет:",
        "00:01:10.180",
    ):
        assert part in shown


def test_doubtful_words_are_marked_in_a_draft_only():
    doubtful = replace(SAID.turns[0], words=(Word("Где", 0, 80, 300_000), Word("вы", 100, 180, 900_000)))
    said = replace(SAID, turns=(doubtful,))
    assert "Где(?) вы\n" in protocol(said, DRAFT, "ru")
    assert "Где вы\n" in protocol(said, CONFIRMED, "ru")
    assert "вы(?)" not in protocol(apply(said, [SetText(0, "Где мы")]), DRAFT, "ru")


def test_silence_is_said_in_words():
    assert "Речи в записи не слышно." in protocol(transcript(), DRAFT, "ru")


def test_subtitles_escape_what_they_would_read_as_markup():
    shown = web_vtt(SAID, CONFIRMED, "en")
    assert shown.startswith("WEBVTT\n\nNOTE X-Dalel-State: confirmed\n")
    assert "2\n00:01:01.000 --> 00:01:01.380\n<v Адилет>В &lt;Алматы&gt; &amp; рядом</v>" in shown


def test_a_cue_ends_after_it_starts():
    brief = replace(SAID.turns[0], words=(Word("а", 0, 0),), end_ms=0)
    assert "00:00:00.000 --> 00:00:00.001" in web_vtt(replace(SAID, turns=(brief,)), CONFIRMED, "en")


def test_a_confirmation_without_a_moment_still_names_the_person():
    assert "Ахметова А., " in protocol(SAID, replace(CONFIRMED, confirmed_at=None), "ru")


def test_plain_words_and_labels():
    assert plain(SAID).splitlines()[0] == "Где вы живёте?"
    assert speaker_label("?", "kk") == "Сөйлеуші белгісіз"
    assert time_code(3_600_000 * 100 + 61_005) == "100:01:01.005"
