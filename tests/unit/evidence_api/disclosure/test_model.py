"""The rules of a round: each condition alone keeps it back."""

from dataclasses import replace
from uuid import UUID

import pytest

from custody.kernel.errors import Conflict, DalelError, Invalid
from custody.proof.disclosure import DisclosedFile, Withheld
from evidence_api.disclosure.model import (
    FILE_NAMES,
    SPOKEN_KINDS,
    WITHHOLD_GROUNDS,
    Candidate,
    check_candidate,
    check_grounds,
    check_release,
    ordered,
    path_of,
)

FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))


def file(exhibit=FIRST, number=1, kind="pdf", rendition="r1") -> DisclosedFile:
    return DisclosedFile(
        path=path_of(number, kind),
        exhibit=str(exhibit),
        number=number,
        kind=kind,
        sha256="sha256:aa",
        size_bytes=1,
        source_sha256="sha256:bb",
        rendition=rendition,
    )


def fit(**other) -> Candidate:
    """A rendition that may leave, but for what is said."""
    given = {"file": file(), "plan_approved": True, "leak_result": "passed", "transcript_confirmed": True}
    return Candidate(**given | other)


def kept(exhibit=SECOND, number=2, ground="minor") -> Withheld:
    return Withheld(str(exhibit), number, ground)


def code_of(error: type[DalelError], act) -> tuple[str, dict]:
    with pytest.raises(error) as caught:
        act()
    return caught.value.code, caught.value.params


@pytest.mark.parametrize(("kind", "name"), FILE_NAMES.items())
def test_a_path_says_number_and_kind_and_nothing_of_the_original(kind, name):
    assert path_of(7, kind) == f"data/0007/0007-{name}"
    assert path_of(12345, kind) == f"data/12345/12345-{name}"


def test_an_unknown_kind_has_no_path():
    assert code_of(Invalid, lambda: path_of(1, "hologram")) == ("disclosure.unknown_kind", {"kind": "hologram"})


def test_a_complete_round_passes():
    check_release([fit()], [kept()], [FIRST, SECOND])
    check_release([fit(), fit(file=file(kind="text"))], [], [FIRST])


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"plan_approved": False}, "disclosure.plan_unapproved"),
        ({"leak_result": None}, "disclosure.rendition_unchecked"),
        ({"leak_result": "failed"}, "disclosure.rendition_leaks"),
        ({"leak_result": "Passed"}, "disclosure.rendition_leaks"),
        ({"leak_result": ""}, "disclosure.rendition_leaks"),
    ],
)
def test_one_rendition_keeps_the_whole_round_back(wrong, code):
    assert code_of(Conflict, lambda: check_release([fit(), fit(**wrong)], [], [FIRST])) == (code, {"number": 1})


@pytest.mark.parametrize("kind", FILE_NAMES)
def test_only_what_was_said_needs_a_confirmed_transcript(kind):
    candidate = fit(file=file(kind=kind), transcript_confirmed=False)
    if kind in SPOKEN_KINDS:
        refused = code_of(Conflict, lambda: check_candidate(candidate))
        assert refused == ("disclosure.transcript_unconfirmed", {"number": 1})
    else:
        check_candidate(candidate)


@pytest.mark.parametrize(
    ("candidates", "withheld", "exhibits", "code", "params"),
    [
        ([], [kept(FIRST, 1)], [FIRST], "disclosure.empty", {}),
        ([fit()], [], [FIRST, SECOND, THIRD], "disclosure.incomplete", {"missing": 2}),
        ([fit()], [kept(), kept()], [FIRST, SECOND], "disclosure.twice", {}),
        ([fit()], [kept(FIRST, 1)], [FIRST], "disclosure.twice", {}),
        ([fit()], [kept(THIRD, 3)], [FIRST], "disclosure.foreign_exhibit", {}),
        ([fit(), fit(file=file(THIRD, 3))], [], [FIRST], "disclosure.foreign_exhibit", {}),
        ([fit()], [kept(ground="because")], [FIRST, SECOND], "disclosure.unknown_ground", {"number": 2}),
    ],
)
def test_a_round_that_does_not_balance(candidates, withheld, exhibits, code, params):
    assert code_of(Invalid, lambda: check_release(candidates, withheld, exhibits)) == (code, params)


@pytest.mark.parametrize("ground", WITHHOLD_GROUNDS)
def test_every_ground_of_the_list_is_one(ground):
    check_grounds([kept(ground=ground)])


def test_files_are_ordered_by_number_then_path_and_never_share_one():
    again = [file(rendition=name) for name in ("r3", "r1", "r2")]
    found = ordered([file(SECOND, 2, "sound"), file(kind="text"), *again])
    assert [(one.number, one.path, one.rendition) for one in found] == [
        (1, "data/0001/0001-document.pdf", "r1"),
        (1, "data/0001/0001-document-2.pdf", "r2"),
        (1, "data/0001/0001-document-3.pdf", "r3"),
        (1, "data/0001/0001-transcript.txt", "r1"),
        (2, "data/0002/0002-sound.flac", "r1"),
    ]
    assert ordered(list(reversed(again))) == ordered(again)
    assert ordered([replace(file(), rendition=None)])[0].rendition is None
