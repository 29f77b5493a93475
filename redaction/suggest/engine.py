"""Presidio's analyzer assembled for Kazakhstan: our recognizers only, no spaCy model, no network.

Presidio as shipped finds nothing here and its e-mail recognizer reaches for the network; so the registry holds only
what this room brings, behind Presidio's interface, and more recognizers can be added by an installation.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts, NoOpNlpEngine

from custody.kernel.errors import Invalid
from custody.proof import canonical
from redaction.model import ENTITIES, MILLION, Finding
from redaction.suggest import names, patterns
from redaction.suggest.merging import merge

LANGUAGES = ("kk", "ru", "en")
RULES_VERSION = "dalel-rules/1"


class _Recognizer(EntityRecognizer):
    """One of our detectors behind Presidio's interface."""

    def __init__(self, name: str, version: str, language: str, find: Callable[[str], Iterable[Finding]]) -> None:
        super().__init__(
            supported_entities=list(ENTITIES), name=name, supported_language=language, version=version, context=[]
        )
        self._find = find

    def load(self) -> None:
        """Nothing: the detector comes loaded."""

    def analyze(
        self, text: str, entities: Sequence[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """The detector's findings of the wanted entities."""
        return [
            RecognizerResult(
                found.entity,
                found.start,
                found.end,
                found.score_ppm / MILLION,
                recognition_metadata={
                    RecognizerResult.RECOGNIZER_NAME_KEY: found.recognizer,
                    RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
                },
            )
            for found in self._find(text)
            if found.entity in entities and found.start < found.end
        ]


@dataclass(frozen=True)
class Rules:
    """Which recognizers made the suggestions: recorded with every plan, so that a rerun can be compared."""

    version: str
    recognizers: tuple[tuple[str, str], ...]

    @property
    def sha256(self) -> str:
        """`sha256:<hex>` over the version and every recognizer's name and version."""
        told = {"version": self.version, "recognizers": [list(one) for one in self.recognizers]}
        return "sha256:" + hashlib.sha256(canonical.encode(told)).hexdigest()


class Suggester:
    """Finds what may have to be hidden. Slow to make (about 4 s with imports): make one and share it.

    Calls are serialized by a lock, for slovnet keeps state while it works.
    """

    def __init__(self, name_models: Sequence[names.NameModel] | None = None) -> None:
        """`name_models` default to all that come with the program."""
        models = names.default_models() if name_models is None else tuple(name_models)
        registry = RecognizerRegistry(recognizers=[], supported_languages=list(LANGUAGES))
        detectors: list[tuple[str, str, tuple[str, ...], Callable[[str], Iterable[Finding]]]] = [
            (name, version, LANGUAGES, find) for name, version, find in patterns.DETECTORS
        ]
        detectors.append(("kz-name-forms", "1", LANGUAGES, names.by_rules))
        detectors += [(model.name, model.version, model.languages, model.find) for model in models]
        for name, version, languages, find in detectors:
            for language in languages:
                registry.add_recognizer(_Recognizer(name, version, language, find))
        engine = NoOpNlpEngine([{"lang_code": language, "model_name": "none"} for language in LANGUAGES])
        self._analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=list(LANGUAGES))
        self._lock = threading.Lock()
        self.rules = Rules(RULES_VERSION, tuple(sorted((name, version) for name, version, _, _ in detectors)))

    def suggest(self, text: str, language: str) -> list[Finding]:
        """Findings in the order of the text; none overlaps another. Raises Invalid `suggest.language`.

        Not guaranteed to be complete: a person reads the whole text.
        """
        if language not in LANGUAGES:
            raise Invalid("suggest.language")
        with self._lock:
            results = self._analyzer.analyze(text, language)
        return merge(text, [_finding(result) for result in results])


def _finding(result: RecognizerResult) -> Finding:
    metadata = result.recognition_metadata or {}
    name = str(metadata.get(RecognizerResult.RECOGNIZER_NAME_KEY, "unnamed"))
    return Finding(result.entity_type, result.start, result.end, round(result.score * MILLION), name)
