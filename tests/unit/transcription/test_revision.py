from uuid import UUID

import pytest
from hypothesis import given

from custody.kernel.errors import Conflict, Invalid
from tests.unit.transcription.samples import transcript, transcripts, turn
from transcription.edits import RenameSpeaker, SetLanguage, SetText, Split, apply
from transcription.model import digest, encode
from transcription.revision import Change, Head, State, check_confirm, correct, diff

PERSON = UUID(int=7)
SAID = transcript(turn("моя фамилия жмодов"), turn("да да", 1000, "1"))
DRAFT = Head(1, State.DRAFT, digest(encode(SAID)))
BETTER = apply(SAID, [SetText(0, "моя фамилия Жумабаев")])


def test_a_correction_is_the_next_revision_with_its_parent_and_author():
    made = correct(DRAFT, 1, BETTER, PERSON)
    assert (made.number, made.parent, made.author) == (2, 1, PERSON)
    assert made.content == encode(BETTER)
    assert made.sha256 == digest(made.content)


def test_only_the_latest_can_be_corrected():
    with pytest.raises(Conflict) as stale:
        correct(Head(3, State.CORRECTED, DRAFT.sha256), 2, BETTER, PERSON)
    assert (stale.value.code, stale.value.params) == ("transcript.stale", {"latest": 3})


def test_a_correction_has_an_author_and_changes_something():
    with pytest.raises(Invalid, match=r"transcript\.unnamed"):
        correct(DRAFT, 1, BETTER, None)
    with pytest.raises(Invalid, match=r"transcript\.unchanged"):
        correct(DRAFT, 1, SAID, PERSON)


def test_after_confirmation_a_correction_is_a_new_revision():
    assert correct(Head(4, State.CONFIRMED, DRAFT.sha256), 4, BETTER, PERSON).number == 5


def test_undo_is_a_new_revision_with_the_old_text():
    second = correct(DRAFT, 1, BETTER, PERSON)
    third = correct(Head(2, State.CORRECTED, second.sha256), 2, SAID, PERSON)
    assert (third.number, third.sha256) == (3, DRAFT.sha256)


def test_a_named_person_confirms_the_bytes_seen():
    check_confirm(DRAFT, 1, DRAFT.sha256, PERSON)
    check_confirm(Head(2, State.CORRECTED, "sha256:b"), 2, "sha256:b", PERSON)


@pytest.mark.parametrize(
    ("head", "number", "sha256", "person", "kind", "code"),
    [
        (DRAFT, 2, DRAFT.sha256, PERSON, Conflict, "transcript.stale"),
        (DRAFT, 1, "sha256:other", PERSON, Conflict, "transcript.stale"),
        (DRAFT, 1, DRAFT.sha256, None, Invalid, "transcript.unnamed"),
        (Head(1, State.CONFIRMED, "sha256:a"), 1, "sha256:a", PERSON, Conflict, "transcript.already_confirmed"),
    ],
)
def test_confirmations_that_are_refused(head, number, sha256, person, kind, code):
    with pytest.raises(kind) as refused:
        check_confirm(head, number, sha256, person)
    assert refused.value.code == code


def test_the_difference_is_told_word_by_word():
    assert diff(SAID, BETTER) == (Change("text", 200, 280, "жмодов", "Жумабаев"),)


def test_what_was_added_stands_where_it_was_added():
    assert diff(SAID, apply(SAID, [SetText(1, "да вот да")])) == (Change("text", 1080, 1100, "", "вот"),)


def test_a_removed_turn_is_a_difference():
    assert diff(SAID, apply(SAID, [SetText(1, "")])) == (Change("text", 1000, 1180, "да да", ""),)


def test_speakers_and_languages_are_differences_and_cuts_are_not():
    assert diff(SAID, apply(SAID, [RenameSpeaker("1", "Адилет")])) == (Change("speaker", 1000, 1180, "1", "Адилет"),)
    assert diff(SAID, apply(SAID, [SetLanguage(0, "kk")])) == (Change("language", 0, 280, "ru", "kk"),)
    assert diff(SAID, apply(SAID, [Split(0, 1)])) == ()


def test_neighbours_with_different_changes_are_told_apart():
    named = apply(SAID, [RenameSpeaker("?", "Адилет"), RenameSpeaker("1", "Динара")])
    assert diff(SAID, named) == (
        Change("speaker", 0, 280, "?", "Адилет"),
        Change("speaker", 1000, 1180, "1", "Динара"),
    )


@given(transcripts(), transcripts())
def test_no_difference_means_the_same_words_by_the_same_speakers(old, new):
    def words(said):
        return [(word.text, turn.speaker, turn.language) for turn in said.turns for word in turn.words]

    assert (diff(old, new) == ()) == (words(old) == words(new))
