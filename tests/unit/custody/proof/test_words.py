"""The verifier's sentences: complete in three languages, with the same values, and safe to print."""

import ast
import string
from pathlib import Path

import pytest

from custody.proof import refusal, words
from custody.proof.refusal import Step, VerificationError
from custody.proof.words import reasons

PROOF = Path(refusal.__file__).parent
KINDS = {"Malformed", "NotCanonical", "ProofInvalid", "SignatureInvalid", "ContainerInvalid", "QuorumNotReached"} | {
    "TokenInvalid",
    "AuthorityUnknown",
}


def called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def literals(names: set[str], position: int) -> set[str]:
    """The literal arguments of calls to these names in the package: codes and reasons are never computed."""
    found = set()
    for path in PROOF.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and called(node) in names:
                argument = node.args[position]
                if isinstance(argument, ast.Constant):
                    found.add(str(argument.value))
                elif isinstance(argument, ast.IfExp):
                    found |= {str(branch.value) for branch in (argument.body, argument.orelse)}  # type: ignore[attr-defined]
    return found


def values(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_reason_is_translated() -> None:
    assert literals(KINDS, 0) == set(reasons.REASONS)
    assert all(all(pair) for pair in reasons.REASONS.values())


def test_every_code_has_its_sentences() -> None:
    codes = literals({"VerificationError", "passed", "_at", "refused_at"}, 1)
    codes |= literals({"_refusal"}, 0)
    codes |= {
        "passed.time_stamps",
        "passed.not_asked",
        "passed.no_witnesses",
        "passed.witnesses",
        "passed.checkpoint",
        "passed.succession",
        "witnesses.signature",
    }
    for language, module in words.LANGUAGES.items():
        assert set(module.FOUND) == codes, language
        assert set(module.STEPS) == set(Step), language
        assert set(module.SAID) == set(words.LANGUAGES["en"].SAID), language


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_values_are_the_same(language: str) -> None:
    for table in ("FOUND", "SAID"):
        ours, english = (getattr(words.LANGUAGES[name], table) for name in (language, "en"))
        for code, template in english.items():
            assert values(ours[code]) == values(template), code


def test_a_refusal_says_its_four_sentences() -> None:
    error = VerificationError(Step.FILES, "files.digest", entry="data/0001/x", expected="aa", found="bb")
    assert (error.name, error.expected) == (words.step_name(2, "en"), words.expected(2, "en"))
    assert "data/0001/x" in error.found
    assert "sealed original" in error.does_not_prove
    assert "step 2" in str(error)
    assert error.said("ru")["name"] == "Файлы и хеши"


def test_reasons_carry_what_they_are_about() -> None:
    values = {"entry": "x", "reason": "a field is not what it must be", "detail": "round"}
    assert words.found("form", values, "en").endswith("a field is not what it must be (round)")
    assert words.found("form", {**values, "detail": ""}, "kk").endswith("өріс тиісті мәнде емес")


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    assert words.printable("a\x1b[2J\u202eb\n") == "a?[2J?b?"
    assert words.printable("{0}") == "{0}"
    assert len(words.printable("x" * 1000)) == 201
