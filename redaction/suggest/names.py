"""Persons and places: natasha's slovnet model for Russian, and rules for the way Kazakh names are built.

Kazakh sentences are read by the model in `kazakh.py`. Figures are in docs/redaction.md.
"""

import importlib.util
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from navec import Navec  # type: ignore[import-untyped]  # ships no types
from slovnet import NER  # type: ignore[import-untyped]  # ships no types

from custody.kernel.errors import Unavailable
from redaction.folding import russify
from redaction.model import Finding
from redaction.suggest.kazakh import KazakhNames
from redaction.suggest.lines import KAZAKH_LETTER, is_kazakh, pieces

_BATCH = 32
_ENTITIES = {"PER": "PERSON", "LOC": "LOCATION"}
_CAP = "[А-ЯЁӘҒҚҢӨҰҮҺІA-Z]"
_LOW = "[а-яёәғқңөұүһіa-z]"
_WORD = rf"{_CAP}{_LOW}+(?:-{_CAP}{_LOW}+)?"
_PATRONYMIC = (
    rf"{_CAP}{_LOW}+(?:ұлы|улы|қызы|кызы|ович|евич|овна|евна|ична){_LOW}{{0,6}}"
    rf"|{_CAP}{_LOW}+ (?:ұлы|улы|оглы|қызы|кызы){_LOW}{{0,6}}"
)
_SURNAME = rf"{_CAP}{_LOW}{{2,}}(?:ов|ев|ин|ова|ева|ина|ский|ская|баев|баева|беков|бекова)"
_INITIALS = rf"{_CAP}\. ?(?:{_CAP}\. ?)?"
_RULES: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(rf"(?<!\w)(?:{_WORD} ){{0,2}}(?:{_PATRONYMIC})(?!\w)(?: {_SURNAME}\w{{0,4}}(?!\w))?"), 900_000),
    (re.compile(rf"(?<!\w)(?:{_INITIALS}{_WORD}|{_WORD} {_INITIALS}(?!\w))"), 800_000),
    (re.compile(rf"(?<!\w){_SURNAME}(?:а|у|ым|ой|ых|е|тың|тің|ға|ге|қа|ке|ты|ті|пен|мен|тан|тен)?(?!\w)"), 450_000),
    (re.compile(rf"(?i:меня зовут|моё имя|мое имя|есімім|атым|my name is)[ ,:-]+((?:{_WORD} ?){{1,3}})"), 850_000),
    (re.compile(rf"(?<!\w)(?:Mrs|Mr|Ms|Dr)\.? ((?:{_WORD} ?){{1,3}})"), 800_000),
)


def by_rules(text: str) -> Iterator[Finding]:
    """Patronymics, initials with surnames, surname endings, «my name is …»."""
    for form, score in _RULES:
        for match in form.finditer(text):
            start, end = match.span(match.lastindex or 0)
            end = start + len(text[start:end].rstrip())
            yield Finding("PERSON", start, end, score, "kz-name-forms")


def _natasha_data() -> Path:
    """Where the natasha wheel keeps its weights. The package itself is not imported: it pulls in pkg_resources."""
    spec = importlib.util.find_spec("natasha")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("suggest.model_missing")
    return Path(spec.submodule_search_locations[0]) / "data"


class NameModel(Protocol):
    """A trained recognizer of names."""

    name: str
    version: str
    languages: tuple[str, ...]

    def find(self, text: str) -> Iterable[Finding]:
        """Persons and places in a text, in any order."""
        ...


class RussianNames:
    """slovnet NER over navec embeddings, weights from the natasha wheel; 0.6 s to load, 27 MB."""

    name = "slovnet-ru"
    version = "news-v1"
    languages: tuple[str, ...] = ("kk", "ru", "en")

    def __init__(self) -> None:
        data = _natasha_data()
        self._ner: Any = NER.load(str(data / "model" / "slovnet_ner_news_v1.tar"), batch_size=_BATCH)
        self._ner.navec(Navec.load(str(data / "emb" / "navec_news_v1_1B_250K_300d_100q.tar")))

    def find(self, text: str) -> Iterator[Finding]:
        """Persons and places, except in Kazakh sentences, where the model is mostly wrong and another one reads.

        Kazakh letters in a Russian sentence are folded before the model sees them; positions stay.
        """
        russian = [(offset, piece) for offset, piece in pieces(text) if not is_kazakh(piece)]
        # sentences of about equal length share a batch, for the shorter ones are padded
        russian.sort(key=lambda one: len(one[1]))
        read = self._ner.map([russify(piece) for _, piece in russian])
        for (offset, piece), markup in zip(russian, read, strict=True):
            score = 600_000 if KAZAKH_LETTER.search(piece) else 850_000
            for span in markup.spans:
                if span.type in _ENTITIES:
                    yield Finding(_ENTITIES[span.type], offset + span.start, offset + span.stop, score, "slovnet-ru")


def default_models() -> tuple[NameModel, ...]:
    """The models that come with the program."""
    return (RussianNames(), KazakhNames())
