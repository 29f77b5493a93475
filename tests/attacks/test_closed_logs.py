"""Packages whose chains began in logs that were closed since: what a dishonest rotation cannot do."""

from collections.abc import Callable
from typing import Any

import pytest

from custody.proof import bundle, canonical, note
from custody.proof.bundle import ClosedLog, ProvenLeaf
from custody.proof.refusal import Step
from tests.attacks import forge
from tests.attacks.forge import Log
from tests.attacks.keys import public

FIRST, SECOND = "dalel.example/log-1", "dalel.example/log-2"


def vkey(origin: str, name: str) -> str:
    return note.vkey(origin, public(name))


class Rotated:
    """The story told over three logs: it begins in the first, goes on in the second, and is released in the third.

    `cut` are the numbers of events after which a log closes.
    """

    def __init__(self, cuts: tuple[int, ...] = (7, 15)) -> None:
        self.story = forge.tell()
        self.cuts = cuts
        self.keys = {FIRST: "first log", SECOND: "second log", forge.ORIGIN: "log"}

    def build(self, change: Callable[[int, dict[str, Any]], None] = lambda *_: None) -> dict[str, bytes]:
        """The package's entries. `change(number, event)` may alter the n-th boundary event before it becomes a leaf."""
        origins, names = list(self.keys), list(self.keys.values())
        bodies, starts, begun = [], [0], 0
        made: list[bytes] = []
        for place, cut in enumerate([*self.cuts, len(self.story.events)]):
            bodies += self.story.events[begun:cut]
            begun = cut
            if place == len(self.cuts):
                break
            closed = forge.event("log.closed", "system", next=origins[place + 1], reason="scheduled")
            closed["data"]["next_key"] = vkey(origins[place + 1], names[place + 1])
            change(2 * place, closed)
            bodies.append(closed)
            made = forge.chained(bodies)
            final = Log(made[starts[-1] :], names[place], origins[place], witnesses=())
            starts.append(len(bodies))
            opened = forge.event("log.opened", "system", closed=vkey(origins[place], names[place]))
            opened["data"]["checkpoint"] = final.checkpoint().decode()
            change(2 * place + 1, opened)
            bodies.append(opened)
        self.leaves = forge.chained(bodies)
        ends = [*starts[1:], len(self.leaves)]
        self.logs = [
            Log(self.leaves[start:end], names[place], origins[place])
            for place, (start, end) in enumerate(zip(starts, ends, strict=True))
        ]
        wanted = forge.named_items(self.story)
        shares = [
            [log.proven(index) for index, leaf in enumerate(log.leaves) if canonical.decode(leaf)["item"] in wanted]
            for log in self.logs
        ]
        closed_logs = [
            ClosedLog(log.checkpoint(), share, log.proven(len(log.leaves) - 1), following.proven(0))
            for log, following, share in zip(self.logs, self.logs[1:], shares, strict=False)
        ]
        return forge.entries(self.story, self.logs[-1], shares[-1], closed=closed_logs)


@pytest.fixture(scope="module")
def rotated() -> Rotated:
    return Rotated()


@pytest.fixture(scope="module")
def entries(rotated: Rotated) -> dict[str, bytes]:
    return rotated.build()


def test_chains_go_on_over_closed_logs(entries: dict[str, bytes]) -> None:
    """The reader's policy names the last log alone: the others are vouched for by it."""
    found = forge.checked(forge.zipped(entries))
    assert found.origin == forge.ORIGIN
    assert next(step.values["closed"] for step in found.steps if step.step == Step.CHECKPOINT) == f"{FIRST}, {SECOND}"
    assert not any(entry.startswith("custody/") for entry in found.unsigned)


def test_a_closed_log_without_events_of_the_package_still_links() -> None:
    """Nothing happened to these exhibits while the second log was open."""
    whole = Rotated((7, 7)).build()
    assert forge.checked(forge.zipped(whole)).exhibits == 3
    assert whole[bundle.closed_entries(2)[1]] == b""


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("place", range(4))
def test_a_part_left_out(entries: dict[str, bytes], number: int, place: int) -> None:
    entry = bundle.closed_entries(number)[place]
    left = forge.relisted({name: data for name, data in entries.items() if name != entry})
    forge.refused(left, Step.FILES, "files.missing")


def test_the_last_closed_log_left_out(entries: dict[str, bytes]) -> None:
    """The first one names the second as its next, not the third."""
    gone = bundle.closed_entries(2)
    left = forge.relisted({name: data for name, data in entries.items() if name not in gone})
    forge.refused(left, Step.INCLUSION, "proofs.handover")


def test_the_first_closed_log_left_out(entries: dict[str, bytes]) -> None:
    ours = {name: data for name, data in entries.items() if name not in bundle.closed_entries(2)}
    for old, new in zip(bundle.closed_entries(2), bundle.closed_entries(1), strict=True):
        ours[new] = entries[old]
    forge.refused(forge.relisted(ours), Step.INCLUSION, "proofs.invalid")


@pytest.mark.parametrize(
    "name", ["custody/closed/0/checkpoint", "custody/closed/1/more", "custody/closed/10/proofs.txt"]
)
def test_another_file_beside_them(entries: dict[str, bytes], name: str) -> None:
    forge.refused(forge.relisted({**entries, name: b"x"}), Step.FILES, "files.extra")


def test_a_log_that_was_not_closed_where_the_next_begins(rotated: Rotated, entries: dict[str, bytes]) -> None:
    """The operator opens the next log over an earlier head of the old one, to be rid of the events after it: the
    head was signed and cosigned once, but `log.closed` is not its last leaf.
    """
    head, _, _, proofs = bundle.closed_entries(1)
    first = rotated.logs[0]
    earlier = Log(first.leaves[:-1], first.key_name, first.origin)
    lines = entries[proofs].splitlines(keepends=True)
    shorter = {
        **entries,
        head: earlier.checkpoint(),
        proofs: bundle.proof_line(len(earlier.leaves) - 1, earlier.proven(len(earlier.leaves) - 1).proof).encode()
        + lines[1],
    }
    forge.refused(forge.relisted(shorter), Step.INCLUSION, "proofs.handover")


def remade(entries: dict[str, bytes], number: int, **changes: bytes) -> dict[str, bytes]:
    names = dict(zip(("head", "proofs", "boundary", "boundary_proofs"), bundle.closed_entries(number), strict=True))
    return forge.relisted({**entries, **{names[name]: data for name, data in changes.items()}})


def test_a_closed_head_with_another_tree(rotated: Rotated, entries: dict[str, bytes]) -> None:
    """Rewritten with the old key, stolen or not: the next log's first leaf carries another head."""
    first = rotated.logs[0]
    forged = Log([*first.leaves[:-2], b"forged", first.leaves[-1]], first.key_name, first.origin)
    forge.refused(remade(entries, 1, head=forged.checkpoint()), Step.INCLUSION, "proofs.handover")


def test_the_head_inside_the_opening_is_another() -> None:
    def other(number: int, event: dict[str, Any]) -> None:
        if number == 1:
            event["data"]["checkpoint"] = (
                event["data"]["checkpoint"].replace("\n9\n", "\n8\n").replace("\n8\n", "\n7\n")
            )

    forge.refused(Rotated().build(other), Step.INCLUSION, "proofs.handover")


@pytest.mark.parametrize(
    ("number", "field", "value", "step", "code"),
    [
        (0, "next", FIRST, Step.INCLUSION, "proofs.handover"),
        (0, "next_key", vkey(SECOND, "thief"), Step.CHECKPOINT, "checkpoint.signature"),
        (2, "next_key", vkey(forge.ORIGIN, "thief"), Step.CHECKPOINT, "checkpoint.signature"),
        (
            0,
            "next_key",
            note.vkey(SECOND, public("second log"), note.COSIGNATURE_V1),
            Step.INCLUSION,
            "proofs.handover",
        ),
        (0, "next_key", 7, Step.INCLUSION, "proofs.handover"),
        (1, "closed", vkey(FIRST, "thief"), Step.CHECKPOINT, "checkpoint.signature"),
        (1, "closed", vkey(SECOND, "first log"), Step.INCLUSION, "proofs.handover"),
        (1, "checkpoint", "no note", Step.INCLUSION, "proofs.handover"),
        (1, "checkpoint", True, Step.INCLUSION, "proofs.handover"),
    ],
)
def test_a_boundary_that_says_otherwise(number: int, field: str, value: object, step: Step, code: str) -> None:
    def change(place: int, event: dict[str, Any]) -> None:
        if place == number:
            event["data"][field] = value

    forge.refused(Rotated().build(change), step, code)


def test_boundary_events_of_another_kind_or_place(rotated: Rotated, entries: dict[str, bytes]) -> None:
    boundary = entries[bundle.closed_entries(1)[2]].splitlines(keepends=True)
    other = entries[bundle.closed_entries(2)[2]].splitlines(keepends=True)
    for leaves in ([boundary[1], boundary[0]], [boundary[0], other[1]], [boundary[0]], [*boundary, boundary[0]], []):
        forge.refused(remade(entries, 1, boundary=b"".join(leaves)), Step.INCLUSION, "proofs.handover")


def test_boundary_proofs_of_another_place(rotated: Rotated, entries: dict[str, bytes]) -> None:
    first, second = rotated.logs[:2]
    wrong: list[list[ProvenLeaf]] = [
        [first.proven(0), second.proven(0)],
        [first.proven(len(first.leaves) - 1), second.proven(1)],
        [first.proven(len(first.leaves) - 1), first.proven(0)],
    ]
    for pair in wrong:
        lines = "".join(bundle.proof_line(leaf.index, leaf.proof) for leaf in pair).encode()
        forge.refused(remade(entries, 1, boundary_proofs=lines), Step.INCLUSION, "proofs.handover")


def test_witnesses_did_not_cosign_the_end(rotated: Rotated, entries: dict[str, bytes]) -> None:
    """They refuse a second end of a log they know; without them nobody vouches that this one is the only one."""
    first = rotated.logs[0]
    alone = Log(first.leaves, first.key_name, first.origin, witnesses=("court",))
    package = remade(entries, 1, head=alone.checkpoint())
    forge.refused(package, Step.WITNESSES, "witnesses.quorum")
    forge.checked(forge.zipped(package), forge.policy_text("none"))


def test_the_old_key_alone_opens_nothing(rotated: Rotated, entries: dict[str, bytes]) -> None:
    """A policy that knows only the closed log does not believe what calls itself its successor."""
    old = forge.policy_text().replace(vkey(forge.ORIGIN, "log"), vkey(FIRST, "first log"))
    forge.refused(entries, Step.CHECKPOINT, "checkpoint.signature", old)


def test_a_thief_opens_a_log_of_his_own() -> None:
    """With the first log's key he closes it in favour of his own: the reader's policy does not know his key."""
    thief = Rotated()
    thief.keys[forge.ORIGIN] = "thief"
    forge.refused(thief.build(), Step.CHECKPOINT, "checkpoint.signature")


def test_more_than_nine_closed_logs_are_not_written() -> None:
    part = ClosedLog(b"", [], ProvenLeaf(0, b"", ()), ProvenLeaf(0, b"", ()))
    story = forge.tell()
    with pytest.raises(ValueError, match="more than 9 closed logs"):
        forge.entries(story, closed=[part] * 10)
