import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transcription.model import Transcript, Word
from transcription.sound import Sound
from transcription.turns import Heard, speaker_names, turns_of
from transcription.windows import Pack, Window

ONE = Pack("ru", (Window(16000, 48000),))  # 1 s to 3 s
TWO = Pack("ru", (Window(16000, 48000), Window(64000, 80000)))  # 1-3 s and 4-5 s


def spoken(pack, *words):
    return turns_of(Heard(pack, words), "?", 10_000)


def test_words_stand_on_the_time_line_of_the_recording():
    (turn,) = spoken(ONE, (" да,", 100, 400, 990_000), (" нет", 500, 900, 500_000))
    assert turn.words == (Word("да,", 1100, 1400, 990_000), Word("нет", 1500, 1900, 500_000))
    assert (turn.language, turn.start_ms, turn.end_ms) == ("ru", 1100, 1900)


def test_pieces_without_a_space_before_them_are_one_word():
    (turn,) = spoken(
        ONE, (" 99", 0, 100, 900_000), (".0", 100, 200, 300_000), (" жума", 300, 400, 1), ("-бай", 400, 500, 2)
    )
    assert turn.words == (Word("99.0", 1000, 1200, 300_000), Word("жума-бай", 1300, 1500, 1))


def test_a_first_piece_without_a_space_is_a_word():
    assert spoken(ONE, ("да", 0, 100, 1))[0].text == "да"


def test_a_word_goes_to_the_stretch_it_is_nearest_to_and_stays_in_it():
    first, second = spoken(TWO, (" раз", 0, 100, 1), (" два", 1900, 3500, 2))
    assert first.text == "раз"
    assert second.words == (Word("два", 4000, 4500, 2),)


def test_nothing_heard_is_no_turn():
    assert spoken(ONE) == []
    assert spoken(ONE, (" \u200b ", 0, 100, 1), ("", 0, 1, 1)) == []


def test_an_endless_word_is_cut_to_what_a_transcript_holds():
    (turn,) = spoken(ONE, (" " + "а" * 500, 0, 100, 1), ("б", 100, 200, 1))
    assert [len(word.text) for word in turn.words] == [200, 1]


def test_names_of_channels():
    silence = np.zeros(10, np.int16)
    assert speaker_names(Sound((silence,), "sha256:0")) == ("?",)
    assert speaker_names(Sound((silence, silence), "sha256:0")) == ("1", "2")


engine_words = st.lists(
    st.tuples(st.text(max_size=5), st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 1_000_000)), max_size=10
)


@given(engine_words)
def test_whatever_an_engine_says_becomes_a_whole_transcript(words):
    turns = turns_of(Heard(TWO, tuple(words)), "?", 4_700)
    Transcript(4_700, tuple(turns))
    assert all(turn.start_ms >= 1000 and turn.end_ms <= 4_700 for turn in turns)
