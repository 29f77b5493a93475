"""Everything a leak check can say is said in each language: the checks' own texts are read from their source."""

import ast
from pathlib import Path

import pytest

from portal import catalog, leak_words

LEAK = Path(__file__).parents[3] / "redaction" / "leak"


def texts(node: ast.expr) -> list[str]:
    """The texts that an expression can give, with a number in the place of every value."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)]
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    if isinstance(node, ast.BinOp):
        return [left + "7" for left in texts(node.left)]
    return []


CALLS = [
    node
    for file in LEAK.glob("*.py")
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("check", "Check")
]
SAID = sorted({text for call in CALLS for text in texts(call.args[2])} | {"found: none"})


@pytest.mark.parametrize("detail", SAID)
def test_a_detail_has_its_sentence(detail: str) -> None:
    assert leak_words.found("en", detail) == detail
    for language in ("kk", "ru"):
        told = leak_words.found(language, detail)
        assert told is not None
        assert told.count("7") == detail.count("7")


def test_every_check_has_its_name() -> None:
    names = {call.args[0].value for call in CALLS if isinstance(call.args[0], ast.Constant)}
    assert len(names) > 10
    assert [name for name in names if not catalog.has("en", f"leak.{name}")] == []


def test_what_nobody_foresaw_is_shown_as_it_was_kept() -> None:
    assert leak_words.found("ru", "something new") is None
