"""Transcripts for tests: written by hand, and any at all."""

from hypothesis import strategies as st

from transcription.model import Transcript, Turn, Word


def turn(text: str, at: int = 0, speaker: str = "?", language: str = "ru") -> Turn:
    """One word per 100 ms from `at`, each surely heard."""
    words = tuple(Word(word, at + n * 100, at + n * 100 + 80, 900_000) for n, word in enumerate(text.split()))
    return Turn(speaker, language, words, at, words[-1].end_ms)


def transcript(*turns: Turn) -> Transcript:
    return Transcript(max((turn.end_ms for turn in turns), default=0) + 100, turns)


letters = st.characters(categories=["L", "N", "P", "S", "M"])
word_texts = st.text(letters, min_size=1, max_size=8).filter(lambda text: text.split() == [text])
speakers = st.sampled_from(["?", "1", "2", "Динара", "Жұмабаев А."])


@st.composite
def turns(draw, begin: int = 0) -> Turn:
    texts = draw(st.lists(word_texts, min_size=1, max_size=6))
    at, words = begin, []
    for text in texts:
        start = at + draw(st.integers(0, 500))
        at = start + draw(st.integers(0, 900))
        words.append(Word(text, start, at, draw(st.none() | st.integers(0, 1_000_000))))
    return Turn(draw(speakers), draw(st.sampled_from(["kk", "ru", "en"])), tuple(words), begin, at)


@st.composite
def transcripts(draw) -> Transcript:
    made, at = [], 0
    for _ in range(draw(st.integers(0, 5))):
        made.append(draw(turns(at)))
        at = draw(st.integers(made[-1].start_ms, made[-1].end_ms + 2000))
    end = max((turn.end_ms for turn in made), default=0)
    return Transcript(end + draw(st.integers(0, 1000)), tuple(made))
