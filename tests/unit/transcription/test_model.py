import hashlib
import json

import pytest
from hypothesis import given

from custody.kernel.errors import Corrupt, Invalid
from tests.unit.transcription.samples import transcript, transcripts, turn
from transcription.model import Transcript, Turn, Word, digest, encode, parse

ONE = transcript(turn("Где вы живёте?", speaker="1"))


@given(transcripts())
def test_what_is_written_is_read_back(any_transcript):
    assert parse(encode(any_transcript)) == any_transcript


def test_the_bytes_are_canonical_and_named():
    assert (
        encode(transcript(turn("да", language="kk")))
        == (
            '{"duration_ms":180,"format":"dalel-transcript/1","turns":[{"end_ms":80,"language":"kk","speaker":"?",'
            '"start_ms":0,"words":[["да",0,80,900000]]}]}'
        ).encode()
    )


def test_the_digest_names_its_algorithm():
    assert digest(b"a") == "sha256:" + hashlib.sha256(b"a").hexdigest()


def test_speakers_by_first_appearance():
    assert transcript(turn("а", speaker="2"), turn("б", 200, "1"), turn("в", 400, "2")).speakers == ("2", "1")


@pytest.mark.parametrize("text", ["", "два слова", " да", "да\u200b", "да\u202e", "да\x00", "д" * 201])
def test_a_word_is_one_visible_word(text):
    with pytest.raises(Invalid, match=r"transcript\.malformed"):
        Word(text, 0, 1)


@pytest.mark.parametrize(("start", "end", "ppm"), [(-1, 0, None), (2, 1, None), (0, 1, -1), (0, 1, 1_000_001)])
def test_times_and_confidence_of_a_word_are_bounded(start, end, ppm):
    with pytest.raises(Invalid, match=r"transcript\.malformed"):
        Word("да", start, end, ppm)


WORDS = (Word("а", 100, 200), Word("б", 200, 300))


@pytest.mark.parametrize(
    ("speaker", "language", "words", "start", "end"),
    [
        ("", "ru", WORDS, 0, 300),
        (" 1", "ru", WORDS, 0, 300),
        ("1" * 121, "ru", WORDS, 0, 300),
        ("1\u202e", "ru", WORDS, 0, 300),
        ("1", "RU", WORDS, 0, 300),
        ("1", "русский", WORDS, 0, 300),
        ("1", "ru", (), 0, 300),
        ("1", "ru", WORDS, 101, 300),
        ("1", "ru", WORDS, 0, 299),
        ("1", "ru", WORDS[::-1], 0, 300),
        ("1", "ru", (), -1, 300),
    ],
)
def test_a_turn_holds_ordered_words_of_somebody(speaker, language, words, start, end):
    with pytest.raises(Invalid, match=r"transcript\.malformed"):
        Turn(speaker, language, words, start, end)


def test_turns_start_in_order_and_end_within_the_recording():
    with pytest.raises(Invalid):
        Transcript(1000, (turn("б", 500), turn("а", 0)))
    with pytest.raises(Invalid):
        Transcript(10, (turn("а"),))
    with pytest.raises(Invalid):
        Transcript(-1, ())


def changed(**fields):
    return json.loads(encode(ONE)) | fields


@pytest.mark.parametrize(
    "value",
    [
        changed(format="dalel-transcript/2"),
        changed(duration_ms="280"),
        changed(duration_ms=True),
        changed(turns={}),
        changed(more=1),
        {"format": "dalel-transcript/1"},
        [],
        changed(turns=[1]),
        changed(turns=[{"speaker": "1"}]),
        changed(turns=[{"speaker": "1", "language": "ru", "start_ms": 0, "end_ms": 9, "words": [["а", 0, 9]]}]),
        changed(
            turns=[{"speaker": "1", "language": "ru", "start_ms": 0, "end_ms": 9, "words": [["а", False, 9, None]]}]
        ),
        changed(turns=[{"speaker": "1", "language": "ru", "start_ms": 0, "end_ms": 9, "words": [["а", 0, 9, "1"]]}]),
        changed(turns=[{"speaker": "1", "language": "ru", "start_ms": 0, "end_ms": 9, "words": [["а а", 0, 9, 1]]}]),
    ],
)
def test_other_values_are_refused(value):
    spelled = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    with pytest.raises(Corrupt, match=r"transcript\.damaged"):
        parse(spelled)


@pytest.mark.parametrize("spoil", [lambda b: b + b"\n", lambda b: b" " + b, lambda b: b[:-1], lambda b: b"\xff" + b])
def test_another_spelling_is_refused(spoil):
    with pytest.raises(Corrupt, match=r"transcript\.damaged"):
        parse(spoil(encode(ONE)))
