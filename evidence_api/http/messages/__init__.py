"""Sentences for error codes in kk, ru and en. The portal says the same words."""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

FALLBACK = "unknown"
_UNFILLED = re.compile(r"\{[a-z_]+\}")
"""A number that is not known where the sentence is said again, such as on an exhibit refused last week."""


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
    return _UNFILLED.sub("…", template)
