"""Words on the pages in Kazakh, Russian and English: JSON catalogs, one file per area, flat dotted keys.

A missing key raises: a page never shows a key or another language's sentence. Plural values are objects keyed by the
CLDR category of the count (`one`, `few`, `many`, `other`).
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from babel import Locale

Language = Literal["kk", "ru", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
NATIVE_NAMES: Mapping[Language, str] = {"kk": "Қазақша", "ru": "Русский", "en": "English"}

_FOLDER = Path(__file__).parent / "locale"

Entry = str | Mapping[str, str]


class MissingText(LookupError):
    """A page asked for words that the catalog of its language does not have."""


@cache
def entries(language: Language) -> Mapping[str, Entry]:
    """Every key of one language. Raises MissingText if two files define the same key."""
    merged: dict[str, Entry] = {}
    for file in sorted((_FOLDER / language).glob("*.json")):
        for key, value in json.loads(file.read_text(encoding="utf-8")).items():
            if key in merged:
                raise MissingText(f"{language}: {key} is defined twice")
            merged[key] = value
    return merged


@cache
def _plural(language: Language, count: int) -> str:
    return Locale(language).plural_form(count)


def text(language: Language, key: str, **values: Any) -> str:
    """The sentence of `key` with `{name}` filled in from `values`. Raises MissingText."""
    entry = entries(language).get(key)
    if not isinstance(entry, str):
        raise MissingText(f"{language}: {key}")
    return entry.format(**values) if values else entry


def counted(language: Language, key: str, count: int, **values: Any) -> str:
    """The sentence of `key` in the plural form of `count`, which also fills `{count}`. Raises MissingText."""
    entry = entries(language).get(key)
    if not isinstance(entry, Mapping):
        raise MissingText(f"{language}: {key} (plural)")
    form = entry.get(_plural(language, count)) or entry["other"]
    return form.format(count=grouped(count), **values)


def has(language: Language, key: str) -> bool:
    """Whether the catalog has this key; for codes that come from elsewhere and may be newer than the catalog."""
    return key in entries(language)


def grouped(count: int) -> str:
    """A whole number with groups of three held together by narrow no-break spaces: 12 345."""
    return f"{count:,}".replace(",", "\u202f")
