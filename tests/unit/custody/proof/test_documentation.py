"""The pages say what is so: every example runs, every public function has one, every attack named is a test."""

import ast
import doctest
import importlib
import re
from pathlib import Path

import pytest

from custody import proof

PAGES = Path(__file__).parents[4] / "docs"
SPECIFIED = (
    "canonical",
    "checkpoint",
    "cosignature",
    "ed25519",
    "merkle",
    "note",
    "policy",
    "strict",
    "tiles",
    "timestamp",
    "tlog_proof",
)
INSIDE = {
    "check_name",
    "consistency_ranges",
    "fold",
    "inclusion_ranges",
    "parsed",
    "range_hash",
    "signature",
    "spelled",
    "verify_all",
    "algorithm",
}
"""Parts of the functions shown, of use to no outsider."""


def test_every_example_runs() -> None:
    done = doctest.testfile(
        str(PAGES / "custody.md"), module_relative=False, optionflags=doctest.IGNORE_EXCEPTION_DETAIL
    )
    assert done.failed == 0
    assert done.attempted > 50


@pytest.mark.parametrize("module", SPECIFIED)
def test_every_public_function_has_an_example(module: str) -> None:
    examples = "".join(re.findall(r"^    (?:>>>|\.\.\.).*$", (PAGES / "custody.md").read_text(), re.MULTILINE))
    source = Path(proof.__file__ or "").parent / f"{module}.py"
    functions = [node for node in ast.parse(source.read_text()).body if isinstance(node, ast.FunctionDef)]
    public = {node.name for node in functions if not node.name.startswith("_")} - INSIDE
    assert [name for name in sorted(public) if f"{module}.{name}(" not in examples] == []


def test_every_attack_of_the_table_is_a_test() -> None:
    table = (PAGES / "custody-verification.md").read_text().partition("## Attacks")[2]
    rows = [line for line in table.splitlines() if "`test_" in line]
    assert len(rows) > 35
    for row in rows:
        module = ""
        for name in re.findall(r"`(test_\w+(?:::\w+)?)`", row):
            module, _, test = name.rpartition("::") if "::" in name else (module, "", name)
            assert callable(getattr(importlib.import_module(f"tests.attacks.{module}"), test)), name
