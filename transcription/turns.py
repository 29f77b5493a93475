"""From what an engine heard to turns of a transcript. Pure."""

from dataclasses import dataclass, replace

from transcription.edits import clean
from transcription.model import MAX_WORD_CHARS, UNKNOWN_SPEAKER, Turn, Word
from transcription.sound import RATE_HZ, Sound
from transcription.windows import Pack


@dataclass(frozen=True)
class Heard:
    """What an engine heard in one pack: (text, start_ms, end_ms, probability_ppm), times from the pack's start.

    A text that begins without a space belongs to the word before it.
    """

    pack: Pack
    words: tuple[tuple[str, int, int, int], ...]


def speaker_names(sound: Sound) -> tuple[str, ...]:
    """A name per channel: "1" and "2" of a two-channel recording, "?" where voices share a channel.

    Voices within a channel are not told apart: a wrong name under a statement is worse than none.
    """
    return (UNKNOWN_SPEAKER,) if len(sound.channels) == 1 else tuple(str(n + 1) for n in range(len(sound.channels)))


def turns_of(heard: Heard, speaker: str, duration_ms: int) -> list[Turn]:
    """A turn for each stretch of the pack in which a word was heard.

    A word belongs to the stretch nearest to its middle and is kept within it: Whisper lets the first word after a pause
    begin in the pause.
    """
    bounds = [(_ms(stretch.start), min(_ms(stretch.end), duration_ms)) for stretch in heard.pack.stretches]
    spoken: list[list[Word]] = [[] for _ in bounds]
    place = 0
    for word in _whole_words(heard):
        middle = (word.start_ms + word.end_ms) // 2
        place = max(place, min(range(len(bounds)), key=lambda index: _distance(middle, *bounds[index])))
        begin, limit = bounds[place]
        begin = max(begin, spoken[place][-1].end_ms if spoken[place] else begin)
        start = min(max(word.start_ms, begin), limit)
        spoken[place].append(replace(word, start_ms=start, end_ms=min(max(word.end_ms, start), limit)))
    return [
        Turn(speaker, heard.pack.language, tuple(words), words[0].start_ms, words[-1].end_ms)
        for words in spoken
        if words
    ]


def _whole_words(heard: Heard) -> list[Word]:
    """Words on the recording's time line, pieces put together ("99", ".0" or "жума", "-бай" are one word)."""
    offset = _ms(heard.pack.window.start)
    words: list[Word] = []
    for text, start_ms, end_ms, probability_ppm in heard.words:
        start, end = offset + start_ms, offset + max(start_ms, end_ms)
        pieces = clean(text).split()
        if words and pieces and not text[0].isspace() and len(words[-1].text + pieces[0]) <= MAX_WORD_CHARS:
            last = words[-1]
            probability = min(last.probability_ppm or 0, probability_ppm)
            words[-1] = Word(last.text + pieces.pop(0), last.start_ms, max(last.end_ms, end), probability)
        words += [Word(piece[:MAX_WORD_CHARS], start, end, probability_ppm) for piece in pieces]
    return words


def _distance(at_ms: int, start_ms: int, end_ms: int) -> int:
    return max(start_ms - at_ms, at_ms - end_ms, 0)


def _ms(sample: int) -> int:
    return sample * 1000 // RATE_HZ
