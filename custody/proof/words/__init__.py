"""The verifier's sentences in Kazakh, Russian and English. Tests hold the three sets equal and complete."""

from collections.abc import Mapping
from types import ModuleType

from custody.proof.words import en, kk, reasons, ru

LANGUAGES: Mapping[str, ModuleType] = {"kk": kk, "ru": ru, "en": en}
_MAX_SHOWN = 200


def step_name(step: int, language: str) -> str:
    """The name of a step."""
    return str(LANGUAGES[language].STEPS[step][0])


def expected(step: int, language: str) -> str:
    """What must hold at a step."""
    return str(LANGUAGES[language].STEPS[step][1])


def does_not_prove(step: int, language: str) -> str:
    """What a failure at a step does not prove."""
    return str(LANGUAGES[language].STEPS[step][2])


def found(code: str, values: Mapping[str, str | int], language: str) -> str:
    """What was found, for a code of a refusal or of a step that passed.

    Values come from the package: they are cut to 200 characters and whatever a terminal would obey is shown as `?`.
    """
    shown = {name: printable(value) for name, value in values.items()}
    if "reason" in values:
        shown["reason"] = because(str(values["reason"]), language)
    if shown.get("detail"):
        shown["reason"] += f" ({shown['detail']})"
    return str(LANGUAGES[language].FOUND[code]).format_map(shown)


def because(reason: str, language: str) -> str:
    """The reason of a ProofError in a language; the English phrase is its own key."""
    return reason if language == "en" else reasons.REASONS[reason][("kk", "ru").index(language)]


def said(key: str, language: str, **values: str | int) -> str:
    """A sentence of the command itself."""
    shown = {name: printable(value) for name, value in values.items()}
    return str(LANGUAGES[language].SAID[key]).format_map(shown)


def printable(value: str | int) -> str:
    """A value as it may be printed."""
    text = "".join(character if character.isprintable() else "?" for character in str(value)[: _MAX_SHOWN + 1])
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"
