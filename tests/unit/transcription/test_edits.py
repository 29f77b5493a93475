import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.kernel.errors import Invalid
from tests.unit.transcription.samples import speakers, transcript, transcripts, turn, word_texts
from transcription.edits import Join, RenameSpeaker, SetLanguage, SetSpeaker, SetText, Split, apply, clean
from transcription.model import Transcript, Turn, Word, encode, parse

TALK = transcript(turn("назовите вашу фамилию", 0, "1"), turn("моя фамилия жмодов", 1000), turn("так", 2000, "1"))


def only(changed: Transcript) -> list[str]:
    return [turn.text for turn in changed.turns]


def test_a_corrected_word_keeps_the_time_and_loses_the_machines_confidence():
    changed = apply(TALK, [SetText(1, "моя фамилия Жумабаев")])
    assert changed.turns[1].words[:2] == TALK.turns[1].words[:2]
    assert changed.turns[1].words[2] == Word("Жумабаев", 1200, 1280, None)


def test_one_word_for_two_shares_their_span():
    changed = apply(transcript(turn("жума боевая гуль")), [SetText(0, "Жумабаева гуль")])
    assert changed.turns[0].words[0] == Word("Жумабаева", 0, 180)
    assert changed.turns[0].words[1].probability_ppm == 900_000


def test_two_words_for_one_are_shared_out_by_length():
    changed = apply(transcript(turn("один тридва пять")), [SetText(0, "один три двадва пять")])
    assert [(word.start_ms, word.end_ms) for word in changed.turns[0].words[1:3]] == [(100, 126), (126, 180)]


def test_inserted_words_lie_between_their_neighbours():
    changed = apply(transcript(turn("да нет")), [SetText(0, "ну да или нет вот")])
    words = {word.text: (word.start_ms, word.end_ms) for word in changed.turns[0].words}
    assert words["ну"] == (0, 0)
    assert words["или"] == (80, 100)
    assert words["вот"] == (180, 180)


def test_empty_text_removes_the_turn():
    assert only(apply(TALK, [SetText(1, " \u200b ")])) == ["назовите вашу фамилию", "так"]


def test_what_nobody_sees_is_taken_out():
    assert clean(" Да\u200b,\x00 нет\n\u202eи\u0306 ") == "Да, нет й"


def test_a_speaker_is_named_in_one_turn_or_everywhere():
    assert apply(TALK, [SetSpeaker(1, " Адилет ")]).speakers == ("1", "Адилет")
    assert apply(TALK, [RenameSpeaker("1", "Динара")]).speakers == ("Динара", "?")


def test_the_language_of_a_turn():
    assert apply(TALK, [SetLanguage(1, "kk")]).turns[1].language == "kk"


def test_a_turn_is_cut_and_joined_again():
    cut = apply(TALK, [Split(0, 2)])
    assert only(cut) == ["назовите вашу", "фамилию", "моя фамилия жмодов", "так"]
    assert (cut.turns[0].end_ms, cut.turns[1].start_ms) == (180, 200)
    assert only(apply(cut, [Join(0)])) == only(TALK)


def test_joining_voices_that_overlap_keeps_every_word():
    together = transcript(turn("а б в", 0, "1"), turn("г", 50, "2"))
    joined = apply(together, [Join(0)]).turns[0]
    assert joined.text == "а б в г"
    assert joined.words[-1].start_ms == joined.words[-2].end_ms


def test_edits_follow_one_another():
    assert only(apply(TALK, [SetText(0, ""), SetText(1, "Так.")])) == ["моя фамилия жмодов", "Так."]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (SetText(3, "а"), "transcript.no_such_turn"),
        (SetText(-1, "а"), "transcript.no_such_turn"),
        (Join(2), "transcript.no_such_turn"),
        (Split(2, 1), "transcript.no_such_word"),
        (Split(2, 0), "transcript.no_such_word"),
        (RenameSpeaker("9", "Динара"), "transcript.no_such_speaker"),
        (RenameSpeaker("1", " "), "transcript.malformed"),
        (SetSpeaker(0, ""), "transcript.malformed"),
        (SetLanguage(0, "Russian"), "transcript.malformed"),
        (SetText(0, "а" * 300), "transcript.malformed"),
    ],
)
def test_edits_that_cannot_be(edit, code):
    with pytest.raises(Invalid) as refused:
        apply(TALK, [edit])
    assert refused.value.code == code


places = st.integers(0, 5)
edits = st.one_of(
    st.builds(SetText, places, st.lists(word_texts, max_size=8).map(" ".join)),
    st.builds(SetSpeaker, places, speakers),
    st.builds(RenameSpeaker, speakers, speakers),
    st.builds(Split, places, places),
    st.builds(Join, places),
)


@given(transcripts(), st.lists(edits, max_size=6))
def test_any_edit_gives_a_whole_transcript_or_a_refusal(said, wanted):
    try:
        changed = apply(said, wanted)
    except Invalid:
        return
    assert parse(encode(changed)) == changed
    assert changed.duration_ms == said.duration_ms


@given(transcripts(), st.lists(word_texts, min_size=1, max_size=8))
def test_text_becomes_what_was_written(said, words):
    for place, before in enumerate(said.turns):
        after = apply(said, [SetText(place, " ".join(words))]).turns[place]
        assert after.text == clean(" ".join(words))
        assert (after.start_ms, after.end_ms, after.speaker) == (before.start_ms, before.end_ms, before.speaker)


def test_a_turn_text_set_to_itself_changes_nothing():
    assert apply(TALK, [SetText(0, TALK.turns[0].text)]) == TALK


def test_the_second_half_takes_its_place_among_overlapping_turns():
    overlapping = Transcript(
        900, (Turn("1", "ru", (Word("а", 0, 10), Word("б", 500, 600)), 0, 600), turn("в", 100, "2"))
    )
    assert only(apply(overlapping, [Split(0, 1)])) == ["а", "в", "б"]
