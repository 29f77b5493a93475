"""Every error code that the program can raise has a sentence in every language of the portal."""

import ast
import re
from collections.abc import Iterator

import pytest

from custody.kernel import errors
from evidence_api.http import messages
from tests.architecture.trees import ROOT, sources, tree_of

KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.DalelError)}
CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
LANGUAGES = ("kk", "ru", "en")


def constants(tree: ast.Module) -> dict[str, str]:
    """Strings that the module names at its top."""
    return {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def raised() -> Iterator[tuple[str, str | None]]:
    """Every construction of an error kind: where it stands, and its code if it can be read there."""
    for path in sources():
        if path == ROOT / "custody/kernel/errors.py":
            continue
        tree = tree_of(path)
        named = constants(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            kind = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if kind in KINDS:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", code_of(node, named)


def code_of(call: ast.Call, named: dict[str, str]) -> str | None:
    """The first argument: a literal, or a name for one in the same module."""
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Name):
        return named.get(first.id)
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def test_a_code_can_be_read_where_it_is_raised() -> None:
    assert [place for place, code in raised() if code is None or not CODE.fullmatch(code)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_its_sentence(language: str) -> None:
    known = {code for code, sentence in messages.sentences(language).items() if sentence}
    assert sorted({code for _, code in raised() if code} - known) == []
