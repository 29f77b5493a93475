"""Every error code that the program can raise has a sentence in every language of the portal."""

import ast
import json
import re
from collections.abc import Iterator

import pytest

from custody.kernel import errors
from tests.architecture.trees import ROOT, sources, tree_of

KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.DalelError)}
CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
LANGUAGES = ("kk", "ru", "en")


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Every construction of an error kind, with the place it stands."""
    for path in sources():
        if path == ROOT / "custody/kernel/errors.py":
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in KINDS:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def codes() -> set[str]:
    return {node.args[0].value for _, node in raised() if node.args and isinstance(node.args[0], ast.Constant)}


def test_a_code_is_a_literal_in_dotted_form() -> None:
    wrong = [
        place
        for place, node in raised()
        if not (
            node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
            and CODE.fullmatch(node.args[0].value)
        )
    ]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_its_sentence(language: str) -> None:
    content = json.loads((ROOT / f"portal/locale/{language}/errors.json").read_text(encoding="utf-8"))
    known = {key.removeprefix("error.") for key, sentence in content.items() if sentence}
    assert sorted(codes() - known) == []
