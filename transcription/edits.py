"""Edits of a transcript, as people make them: on text, speakers and the bounds of turns. Pure.

Edits apply one after another; a turn's index is its place at that moment. What a person writes carries no machine
confidence (None) and keeps the times of the words it replaces.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from custody.kernel.errors import Invalid
from transcription.model import Transcript, Turn, Word


@dataclass(frozen=True)
class SetText:
    """Replace a turn's text. Unchanged words keep their times and confidence; empty text removes the turn."""

    turn: int
    text: str


@dataclass(frozen=True)
class SetSpeaker:
    """Say who speaks in one turn."""

    turn: int
    speaker: str


@dataclass(frozen=True)
class RenameSpeaker:
    """Name a speaker everywhere. Two speakers renamed alike become one."""

    speaker: str
    name: str


@dataclass(frozen=True)
class SetLanguage:
    """Say in which language one turn is spoken (ISO 639, two or three letters)."""

    turn: int
    language: str


@dataclass(frozen=True)
class Split:
    """Cut a turn in two before its word with index `word`."""

    turn: int
    word: int


@dataclass(frozen=True)
class Join:
    """Join a turn with the next one; speaker and language of the first stay."""

    turn: int


Edit = SetText | SetSpeaker | RenameSpeaker | SetLanguage | Split | Join


def apply(transcript: Transcript, edits: Iterable[Edit]) -> Transcript:
    """The transcript after all edits.

    Raises Invalid `transcript.no_such_turn`, `transcript.no_such_word`, `transcript.no_such_speaker`, and
    `transcript.malformed` for a speaker, language or word that a transcript cannot hold.
    """
    turns = list(transcript.turns)
    for edit in edits:
        turns = _applied(turns, edit)
    return Transcript(transcript.duration_ms, tuple(turns))


def _applied(turns: list[Turn], edit: Edit) -> list[Turn]:
    if isinstance(edit, RenameSpeaker):
        name = clean(edit.name)
        if all(turn.speaker != edit.speaker for turn in turns):
            raise Invalid("transcript.no_such_speaker")
        return [replace(turn, speaker=name) if turn.speaker == edit.speaker else turn for turn in turns]
    if not 0 <= edit.turn < len(turns):
        raise Invalid("transcript.no_such_turn", turn=edit.turn)
    before, turn, after = turns[: edit.turn], turns[edit.turn], turns[edit.turn + 1 :]
    match edit:
        case SetText():
            words = retimed(turn, clean(edit.text).split())
            return [*before, *([replace(turn, words=words)] if words else []), *after]
        case SetSpeaker():
            return [*before, replace(turn, speaker=clean(edit.speaker)), *after]
        case SetLanguage():
            return [*before, replace(turn, language=edit.language), *after]
        case Split():
            if not 0 < edit.word < len(turn.words):
                raise Invalid("transcript.no_such_word", word=edit.word)
            first, second = turn.words[: edit.word], turn.words[edit.word :]
            return [
                *before,
                replace(turn, words=first, end_ms=first[-1].end_ms),
                *_in_order(replace(turn, words=second, start_ms=second[0].start_ms), after),
            ]
    if not after:
        raise Invalid("transcript.no_such_turn", turn=edit.turn + 1)
    return [*before, _joined(turn, after[0]), *after[1:]]


def _in_order(turn: Turn, after: Sequence[Turn]) -> list[Turn]:
    """The second half of a cut turn at its place among the later turns, which may overlap it."""
    return sorted([turn, *after], key=lambda later: later.start_ms)


def _joined(first: Turn, second: Turn) -> Turn:
    """One turn with the words of both; overlapping words (two channels) are put one after another."""
    words = list(first.words)
    for word in second.words:
        start = max(word.start_ms, words[-1].end_ms)
        words.append(replace(word, start_ms=start, end_ms=max(word.end_ms, start)))
    end = max(first.end_ms, second.end_ms, words[-1].end_ms)
    return replace(first, words=tuple(words), end_ms=end)


def clean(text: str) -> str:
    """Text as people see it: NFC, no invisible characters, single spaces."""
    seen = "".join(
        char if char.isspace() else "" if unicodedata.category(char) in ("Cc", "Cf", "Cs") else char
        for char in unicodedata.normalize("NFC", text)
    )
    return " ".join(seen.split())


def retimed(turn: Turn, texts: Sequence[str]) -> tuple[Word, ...]:
    """Words for `texts` on the times of the turn's words.

    A word that stayed keeps its time and confidence. As many words as they replace take the times one by one; otherwise
    the replaced span is shared out by length. Inserted words lie between their neighbours, where there may be no room:
    then their start is their end. Not guaranteed: that the new word was said exactly there.
    """
    old = turn.words
    result: list[Word] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, [word.text for word in old], texts, autojunk=False).get_opcodes():
        if tag == "equal":
            result += old[i1:i2]
        elif i2 - i1 == j2 - j1:
            result += [
                Word(text, word.start_ms, word.end_ms) for text, word in zip(texts[j1:j2], old[i1:i2], strict=True)
            ]
        else:
            start = old[i1].start_ms if i1 < i2 else old[i1 - 1].end_ms if i1 else turn.start_ms
            end = old[i2 - 1].end_ms if i1 < i2 else old[i2].start_ms if i2 < len(old) else turn.end_ms
            result += _shared(texts[j1:j2], start, end)
    return tuple(result)


def _shared(texts: Sequence[str], start_ms: int, end_ms: int) -> list[Word]:
    total = sum(len(text) for text in texts)
    words, passed = [], 0
    for text in texts:
        begin = start_ms + (end_ms - start_ms) * passed // total
        passed += len(text)
        words.append(Word(text, begin, start_ms + (end_ms - start_ms) * passed // total))
    return words
