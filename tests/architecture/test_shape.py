"""Sizes, names and docstrings of the program's source."""

import ast
import sys
from collections.abc import Iterator

import pytest

from tests.architecture.trees import ROOT, module_of, sources, tracked, tree_of

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
NAMES_THAT_SAY_NOTHING = {"common", "utils", "util", "helpers", "helper", "misc"}
RULES = (
    "custody.event",
    "custody.proof",
    "storage.blob",
    "storage.upload",
    "storage.retention",
    "storage.crypto",
    "transcription.model",
    "transcription.revision",
    "transcription.edits",
    "transcription.turns",
    "redaction.model",
    "redaction.plan",
    "redaction.pseudonyms",
    "redaction.suggest",
    "redaction.reasons",
    "redaction.leak",
    "evidence_api.registry.model",
    "evidence_api.access.policy",
    "evidence_api.disclosure.model",
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def public_definitions(tree: ast.Module) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Public functions and classes of a module."""
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node


def test_files_are_short() -> None:
    everything = [*sources(), *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "bench").rglob("*.py"))]
    long = {
        str(path.relative_to(ROOT)): count
        for path in everything
        if (count := line_count(path.read_text())) > LONGEST_FILE
    }
    assert long == {}


def line_count(text: str) -> int:
    return len(text.splitlines())


def test_functions_are_short() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": length
        for path in sources()
        if path.parent.name != "versions"  # a migration is a list of tables, read from top to bottom
        for node in functions(tree_of(path))
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert long == {}


def test_no_room_has_a_name_that_says_nothing() -> None:
    named = [
        str(path.relative_to(ROOT))
        for path in sources()
        if {path.stem, *path.relative_to(ROOT).parts} & NAMES_THAT_SAY_NOTHING
    ]
    assert named == []


def test_every_module_says_what_it_is() -> None:
    assert [str(path.relative_to(ROOT)) for path in sources() if not ast.get_docstring(tree_of(path))] == []


@pytest.mark.parametrize("room", RULES)
def test_public_rules_say_what_they_promise(room: str) -> None:
    silent = [
        f"{module_of(path)}.{name}"
        for path in sources(room.split(".")[0])
        if module_of(path) == room or module_of(path).startswith(f"{room}.")
        for name, node in public_definitions(tree_of(path))
        if not ast.get_docstring(node)
    ]
    assert silent == []


def imported(tree: ast.Module) -> Iterator[str]:
    """Full names of what a module imports; `from a import b` names both `a` and `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide where things come from"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_verifier_reaches_the_standard_library_and_cryptography_only() -> None:
    """Also through what it imports of ours: the whole of it runs on a machine that has nothing else."""
    modules = {module_of(path): path for path in sources()}
    allowed = set(sys.stdlib_module_names) | {"cryptography"}
    waiting = [name for name in modules if name == "custody.__main__" or name.startswith("custody.proof")]
    seen: set[str] = set()
    foreign = set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        parents = [name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)]
        for wanted in [*imported(tree_of(modules[name])), *parents]:
            if wanted in modules:
                waiting += [wanted] if wanted not in seen else []
            elif wanted.split(".")[0] not in allowed and wanted.rsplit(".", 1)[0] not in modules:
                foreign.add(f"{name} imports {wanted}")
    assert "custody.proof.merkle" in seen
    assert foreign == set()


def test_nothing_is_muted_or_left_for_later() -> None:
    """The words are put together here so that this file does not find itself."""
    words = ["TO" + "DO", "FIX" + "ME", "pragma: no " + "cover", "pytest.mark." + "xfail", "NotImplemented" + "Error"]
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in tracked()
        if path.suffix == ".py"
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []
