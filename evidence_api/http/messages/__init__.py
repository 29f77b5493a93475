"""Sentences for error codes in kk, ru and en. The portal says the same words."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

FALLBACK = "unknown"


@cache
def sentences(language: str) -> Mapping[str, str]:
    """Code → sentence, with `{parameter}` where a number belongs; `kind.…` are the titles of the kinds."""
    text = (files(__name__) / f"{language}.json").read_text(encoding="utf-8")
    loaded: dict[str, str] = json.loads(text)
    return loaded


def sentence(code: str, language: str, params: Mapping[str, str | int | None]) -> str:
    """The sentence of a code; for a code without one, the general sentence that quotes the code."""
    known = sentences(language)
    template = known.get(code)
    if template is None:
        return known[FALLBACK].replace("{code}", code)
    for name, value in params.items():
        template = template.replace("{" + name + "}", str(value))
    return template
