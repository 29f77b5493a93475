import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from custody.kernel import errors
from evidence_api.http.messages import sentence, sentences
from evidence_api.http.problem import _TITLES, STATUS

ROOT = Path(__file__).parents[4]
ROOMS = ("custody", "storage", "transcription", "redaction", "evidence_api", "portal")
KINDS = {kind.__name__ for kind in STATUS}


def codes_raised_in(folder: Path) -> Iterator[tuple[str, str]]:
    """Every literal code given to an error kind below a folder, and where."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            if getattr(node.func, "attr", getattr(node.func, "id", "")) in KINDS:
                yield str(node.args[0].value), str(path.relative_to(ROOT))


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
@pytest.mark.parametrize("room", ROOMS)
def test_every_code_has_its_sentence(room: str, language: str) -> None:
    known = sentences(language)
    missing = {code: path for code, path in codes_raised_in(ROOT / room) if code not in known}
    assert missing == {}


def test_the_languages_say_the_same() -> None:
    kk, ru, en = (sentences(language) for language in ("kk", "ru", "en"))
    assert kk.keys() == ru.keys() == en.keys()
    for code in en:
        assert placeholders(kk[code]) == placeholders(ru[code]) == placeholders(en[code]), code
        assert len({kk[code], ru[code], en[code]}) == 3, code


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{([a-z_]+)\}", text))


def test_every_kind_has_a_status_and_a_title() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DalelError)}
    assert kinds - {errors.DalelError} == STATUS.keys()
    assert set(STATUS.values()) <= _TITLES.keys()
    assert set(_TITLES.values()) <= sentences("en").keys()


def test_a_code_without_a_sentence_is_quoted() -> None:
    assert "new.code" in sentence("new.code", "ru", {})
    assert sentence("exhibit.duplicate", "en", {"number": 7}) == "This file is already in the case: exhibit 7."
