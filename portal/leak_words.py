"""What a leak check found, in the language of the reader. Reports are kept in English, which is the pattern here."""

import re
from functools import cache

from portal import catalog
from portal.catalog import Language

_PREFIX = "leak_found."


def found(language: Language, detail: str) -> str | None:
    """The sentence of a report's detail; None for one that the catalogue does not know, which is then shown as kept."""
    for key, pattern in _patterns():
        if matched := pattern.fullmatch(detail):
            return catalog.text(language, key, **matched.groupdict())
    return None


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Those without a value first: «found: none» is one of them, and «found: …» would fit it too."""
    said = {key: str(text) for key, text in catalog.entries("en").items() if key.startswith(_PREFIX)}
    ordered = sorted(said.items(), key=lambda one: "{" in one[1])
    return tuple((key, re.compile(re.sub(r"\\\{(\w)\\\}", r"(?P<\1>.+?)", re.escape(text)))) for key, text in ordered)
