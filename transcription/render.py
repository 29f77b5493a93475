"""A transcript as people take it away: plain text, a protocol, subtitles. Pure.

Every form says in words and for machines whether a machine or a person stands behind it (R16). Text is only what the
transcript holds; nothing here makes it safe to disclose: that is redaction's work.
"""

from dataclasses import dataclass
from datetime import datetime

from transcription.model import UNKNOWN_SPEAKER, Transcript, Turn

LANGUAGES = ("kk", "ru", "en")
DRAFT_MARK = "X-Dalel-State: machine-draft"
CONFIRMED_MARK = "X-Dalel-State: confirmed"
DOUBTFUL_PPM = 700_000

_LABELS = {
    "kk": {
        "title": "Жазбаның стенограммасы",
        "draft": "МАШИНА ЖАСАҒАН ЖОБА. Адам растамаған, хаттама ретінде пайдалануға болмайды.",
        "confirmed": "Растаған: {name}, {date} (UTC), {revision}-редакция.",
        "speaker": "{n}-сөйлеуші",
        "unknown": "Сөйлеуші белгісіз",
        "source": "Жазба: {digest}",
        "text": "Мәтін: {digest}",
        "engine": "Танып жазған: {engine}, модель {model}",
        "length": "Ұзақтығы: {length}",
        "doubtful": "«(?)» белгісі: машина сенімсіз естіген сөз.",
        "empty": "Жазбада сөз естілмеді.",
    },
    "ru": {
        "title": "Стенограмма записи",
        "draft": "МАШИННЫЙ ЧЕРНОВИК. Человеком не подтверждён, протоколом не является.",
        "confirmed": "Подтверждено: {name}, {date} (UTC), редакция {revision}.",
        "speaker": "Говорящий {n}",
        "unknown": "Говорящий неизвестен",
        "source": "Запись: {digest}",
        "text": "Текст: {digest}",
        "engine": "Распознано: {engine}, модель {model}",
        "length": "Длительность: {length}",
        "doubtful": "Знак «(?)»: слово, в котором машина не уверена.",
        "empty": "Речи в записи не слышно.",
    },
    "en": {
        "title": "Transcript of a recording",
        "draft": "MACHINE DRAFT. Not confirmed by a person; not a protocol.",
        "confirmed": "Confirmed by {name}, {date} (UTC), revision {revision}.",
        "speaker": "Speaker {n}",
        "unknown": "Speaker unknown",
        "source": "Recording: {digest}",
        "text": "Text: {digest}",
        "engine": "Recognized by {engine}, model {model}",
        "length": "Length: {length}",
        "doubtful": "“(?)” marks a word the machine is not sure of.",
        "empty": "No speech is heard in the recording.",
    },
}


@dataclass(frozen=True)
class Standing:
    """What stands behind a text: its revision and digests, the engine, and who confirmed it (None: nobody)."""

    revision: int
    text_sha256: str
    audio_sha256: str
    engine: str
    model: str
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None


def speaker_label(speaker: str, language: str) -> str:
    """How a speaker is called: a name as given, a number or the unknown in the reader's language."""
    labels = _LABELS[language]
    if speaker == UNKNOWN_SPEAKER:
        return labels["unknown"]
    return labels["speaker"].format(n=speaker) if speaker.isdecimal() else speaker


def time_code(at_ms: int) -> str:
    """`hh:mm:ss.mmm`; hours as many digits as needed."""
    seconds, ms = divmod(at_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"


def plain(transcript: Transcript) -> str:
    """The words alone, one turn per line: for search and comparison, never for handing out."""
    return "".join(f"{turn.text}\n" for turn in transcript.turns)


def protocol(transcript: Transcript, standing: Standing, language: str) -> str:
    """A readable text: what it is, who stands behind it, then every turn with its time and speaker.

    Raises KeyError for a language other than kk, ru, en.
    """
    labels = _LABELS[language]
    head = [
        labels["title"],
        _mark(standing),
        _standing_line(standing, language),
        labels["length"].format(length=time_code(transcript.duration_ms)),
        labels["source"].format(digest=standing.audio_sha256),
        labels["text"].format(digest=standing.text_sha256),
        labels["engine"].format(engine=standing.engine, model=standing.model),
    ]
    if standing.confirmed_by is None:
        head.append(labels["doubtful"])
    body = [
        f"[{time_code(turn.start_ms)}] {speaker_label(turn.speaker, language)}:\n{_text(turn, standing)}\n"
        for turn in transcript.turns
    ]
    return "\n".join([*head, "", *(body or [labels["empty"], ""])])


def web_vtt(transcript: Transcript, standing: Standing, language: str) -> str:
    """Subtitles (W3C WebVTT, section 4): one cue per turn with its speaker as voice; the mark is a NOTE block.

    The first cue of a draft says so on screen. Raises KeyError for a language other than kk, ru, en.
    """
    line = _standing_line(standing, language)
    blocks = ["WEBVTT", f"NOTE {_mark(standing)}\n{_escaped(line)}"]
    for number, turn in enumerate(transcript.turns, 1):
        voice = _escaped(speaker_label(turn.speaker, language))
        shown = f"{_escaped(line)}\n" if number == 1 and standing.confirmed_by is None else ""
        # A cue must end after it starts; a turn of no length is shown for a moment.
        end_ms = max(turn.end_ms, turn.start_ms + 1)
        blocks.append(
            f"{number}\n{time_code(turn.start_ms)} --> {time_code(end_ms)}\n"
            f"{shown}<v {voice}>{_escaped(_text(turn, standing))}</v>"
        )
    return "\n\n".join(blocks) + "\n"


def _text(turn: Turn, standing: Standing) -> str:
    if standing.confirmed_by is not None:
        return turn.text
    return " ".join(
        f"{word.text}(?)" if word.probability_ppm is not None and word.probability_ppm < DOUBTFUL_PPM else word.text
        for word in turn.words
    )


def _mark(standing: Standing) -> str:
    return DRAFT_MARK if standing.confirmed_by is None else CONFIRMED_MARK


def _standing_line(standing: Standing, language: str) -> str:
    labels = _LABELS[language]
    if standing.confirmed_by is None:
        return labels["draft"]
    date = standing.confirmed_at.strftime("%Y-%m-%d %H:%M") if standing.confirmed_at else ""
    return labels["confirmed"].format(name=standing.confirmed_by, date=date, revision=standing.revision)


def _escaped(text: str) -> str:
    """Text that WebVTT reads as text: no tags, no entities, no arrow (W3C WebVTT, section 4.2.2)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
