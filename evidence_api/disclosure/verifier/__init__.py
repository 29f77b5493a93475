"""The browser's verifier: the steps and the words of `python -m custody verify`, in one file without a network.

`page()` is the `verify.html` that lies in every package; `script()` is the same program for a page of the portal. The
words, the closed set of events and the folding of letters are put in from `custody.proof`, so they cannot differ from
the command's. The program itself mirrors it function by function; tests/browser hold both against the same attacks.
"""

import base64
import json
import sys
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from custody.proof import disclosure, grammar
from custody.proof.shapes import SHAPES
from custody.proof.words import LANGUAGES, reasons
from evidence_api.disclosure.verifier.words import INTERFACE

_PARTS = (
    "strict.js",
    "container.js",
    "forms.js",
    "notes.js",
    "der.js",
    "timestamps.js",
    "earlier.js",
    "steps.js",
    "page.js",
)
_ORDER = ("kk", "ru", "en")


@cache
def script() -> bytes:
    """The program with its words, ready to run beside an element `#verifier`. The same bytes at every call."""
    data = json.dumps(_data(), ensure_ascii=False, separators=(",", ":"))
    # In a page, `</` and `<!--` would end or hide the script.
    data = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    source = "\n".join(_read(name) for name in _PARTS)
    return f'"use strict";\n(() => {{\nconst DATA = {data};\n{source}\n}})();\n'.encode()


@cache
def page() -> bytes:
    """`verify.html` as UTF-8: one file, nothing loaded from anywhere, its own script the only one that may run."""
    program, style = script().decode(), _read("style.css")
    policy = (
        f"default-src 'none'; script-src '{_source(program)}'; style-src '{_source(style)}'; base-uri 'none';"
        " form-action 'none'"
    )
    without = " ".join(str(INTERFACE[language]["no_script"]) for language in _ORDER)
    return (
        '<!DOCTYPE html>\n<html lang="kk"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{INTERFACE['kk']['title']}</title><style>{style}</style></head>\n"
        '<body><header><div class="page"><b>Dälel</b></div></header>\n'
        f'<main class="page" id="verifier"><p>{without}</p></main>\n'
        f"<script>{program}</script></body></html>\n"
    ).encode()


def _data() -> dict[str, Any]:
    return {
        "shapes": {
            type: [sorted(shape.required), sorted(shape.optional), sorted(shape.personal)]
            for type, shape in SHAPES.items()
        },
        "ids": sorted(grammar.IDS),
        "spoken": sorted(disclosure.SPOKEN),
        "folding": _folding(),
        "codePage": bytes(range(128, 256)).decode("cp437"),
        "words": {language: _words(language) for language in _ORDER},
    }


def _words(language: str) -> dict[str, Any]:
    said = LANGUAGES[language]
    translated = (
        {}
        if language == "en"
        else {english: pair[("kk", "ru").index(language)] for english, pair in reasons.REASONS.items()}
    )
    return {
        "steps": {str(int(step)): list(sentences) for step, sentences in said.STEPS.items()},
        "found": dict(said.FOUND),
        "said": dict(said.SAID),
        "reasons": translated,
        "ui": INTERFACE[language],
    }


def _folding() -> dict[str, str]:
    """Where Python's case folding of a character is not its lower case: browsers have only the latter."""
    characters = (chr(point) for point in range(sys.maxunicode + 1))
    return {one: one.casefold() for one in characters if one.casefold() != one.lower()}


def _source(text: str) -> str:
    """What a content security policy calls an inline script or style by (CSP Level 3, section 2.3.1)."""
    return "sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode()


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
