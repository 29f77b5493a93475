"""Asking witnesses: within the deadline, only what verifies, and again later."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from custody import cosigning, witness
from custody.cosigning import Cosigned, Witnesses
from custody.proof import cosignature, merkle, note, policy
from custody.proof.checkpoint import Checkpoint
from custody.witness import Refused, Witness, WitnessKey, WitnessState
from tests.unit.custody.test_witness import LOG_VERIFIER, NOW_S, ORIGIN, leaves, signed

FOREVER_S = 3600.0
Answer = Callable[[bytes], tuple[int, bytes]]


class Outside:
    """Witnesses in this process behind a `post`; a test may put anything in their place."""

    def __init__(self, directory: Path) -> None:
        self.keys: dict[str, WitnessKey] = {}
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        for name in ("court", "ministry", "bar"):
            files = (directory / f"{name}.key", directory / f"{name}.state")
            key = witness.create(f"{name}.example", *files, ml_dsa=name == "bar")
            self.keys[name] = key
            state = WitnessState(directory / f"{name}.state", key.vkey)
            self.answers[name] = self._honest(Witness(key, state, [LOG_VERIFIER], lambda: NOW_S))

    def _honest(self, asked: Witness) -> Answer:
        def answer(body: bytes) -> tuple[int, bytes]:
            try:
                return 200, asked.add_checkpoint(body).encode()
            except Refused as refused:
                return refused.status, refused.body.encode()

        return answer

    def post(self, url: str, body: bytes, timeout_s: float) -> tuple[int, bytes]:
        name = url.removeprefix("https://").partition(".")[0]
        assert url == f"https://{name}.example/dalel/add-checkpoint"
        assert 0 < timeout_s <= FOREVER_S
        self.asked.append(name)
        return self.answers[name](body)

    def policy(self) -> policy.Policy:
        lines = [f"witness {name} {key.vkey} https://{name}.example/dalel/" for name, key in self.keys.items()]
        lines += ["group state any court ministry", "group all all state bar", "quorum all", ""]
        return policy.parse("\n".join(lines).encode())

    def witnesses(self, deadline_s: float = FOREVER_S) -> Witnesses:
        return Witnesses(self.policy(), lambda: NOW_S, deadline_s=deadline_s, post=self.post)


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(tmp_path)


def ask(witnesses: Witnesses, size: int, tree: str = "a") -> list[Cosigned]:
    hashes = leaves(size, tree)
    head = Checkpoint(ORIGIN, size, merkle.root(hashes))
    return witnesses.ask(signed(hashes), head, lambda old: merkle.consistency_proof(hashes, old))


def names(found: list[Cosigned]) -> set[str]:
    return {one.witness for one in found}


def test_all_cosign_and_a_reader_finds_the_quorum(outside: Outside) -> None:
    witnesses = outside.witnesses()
    for size in (1, 2, 7, 300):
        found = ask(witnesses, size)
        assert {"bar"} < names(found)
        whole = note.parse(signed(leaves(size)) + "".join(one.line for one in found).encode())
        assert len(policy.verify_witnesses(outside.policy(), whole, NOW_S)) == len(found)


def test_a_program_that_starts_anew_learns_their_sizes(outside: Outside) -> None:
    ask(outside.witnesses(), 5)
    assert names(ask(outside.witnesses(), 5)) >= {"bar"}
    assert names(ask(outside.witnesses(), 9)) >= {"bar"}


def test_one_that_hangs_does_not_hold_up_a_quorum(outside: Outside) -> None:
    released = threading.Event()
    honest = outside.answers["ministry"]

    def hang(body: bytes) -> tuple[int, bytes]:
        released.wait(20)
        return honest(body)

    outside.answers["ministry"] = hang
    witnesses = outside.witnesses()  # whoever waited for the deadline would wait for the ministry, and have its line
    assert names(ask(witnesses, 4)) == {"court", "bar"}
    asked = outside.asked.count("ministry")
    assert names(ask(witnesses, 5)) == {"court", "bar"}
    assert outside.asked.count("ministry") == asked  # still at it: not asked a second time
    released.set()
    end = time.monotonic() + 60
    late: list[Cosigned] = []
    while not late:
        assert time.monotonic() < end
        late = [one for one in ask(witnesses, 5) if one.witness == "ministry"]
    assert late[0].size in (4, 5)


def test_both_kinds_of_key_of_one_witness_are_taken_each_for_itself(outside: Outside) -> None:
    old, new = outside.keys["bar"].vkeys
    lines = [f"witness {name} {vkey} https://bar.example/dalel/" for name, vkey in (("old", old), ("new", new))]
    both = policy.parse("\n".join([*lines, "group bar all old new", "quorum bar", ""]).encode())
    found = ask(Witnesses(both, lambda: NOW_S, deadline_s=FOREVER_S, post=outside.post), 4)
    assert {one.witness: one.name for one in found} == {"old": "bar.example", "new": "bar.example (ML-DSA-44)"}
    whole = note.parse(signed(leaves(4)) + "".join(one.line for one in found).encode())
    assert len(policy.verify_witnesses(both, whole, NOW_S)) == 2


def test_without_quorum_the_deadline_ends_it(outside: Outside) -> None:
    released, over = threading.Event(), threading.Event()

    def hang(_: bytes) -> tuple[int, bytes]:
        released.wait(60)
        over.set()
        return 500, b"error"

    outside.answers["bar"] = hang
    assert names(ask(outside.witnesses(deadline_s=0.3), 4)) <= {"court", "ministry"}
    assert not over.is_set()
    released.set()


def forged(outside: Outside, text: str, time_s: int = NOW_S, name: str = "bar") -> bytes:
    key = outside.keys[name]
    return cosignature.sign(text, key.name, key.key, time_s).line().encode()


TEXT = note.parse(signed(leaves(4))).text


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: (200, b""),
        lambda _: (200, b"\xff"),
        lambda _: (500, b"error"),
        lambda _: (404, b"unknown log\n"),
        lambda _: (409, b"4\n"),
        lambda _: (409, b"999\n"),
        lambda _: (409, b"+1\n"),
        lambda _: (409, b"\n"),
        lambda outside: (200, forged(outside, TEXT.replace("\n4\n", "\n5\n"))),
        lambda outside: (200, forged(outside, TEXT, NOW_S + 3600)),
        lambda outside: (200, forged(outside, TEXT, name="court")),
        lambda outside: (200, b"\nmore\n\n" + forged(outside, TEXT + "\nmore\n")),
    ],
)
def test_what_is_no_cosignature_is_not_attached(
    outside: Outside, answer: Callable[[Outside], tuple[int, bytes]]
) -> None:
    outside.answers["bar"] = lambda _: answer(outside)
    witnesses = outside.witnesses()
    assert names(ask(witnesses, 4)) == {"court", "ministry"}
    asked = outside.asked.count("bar")
    ask(witnesses, 5)
    assert outside.asked.count("bar") == asked  # left alone for a while


def test_a_fork_is_not_cosigned(outside: Outside) -> None:
    witnesses = outside.witnesses()
    ask(witnesses, 4)
    assert ask(outside.witnesses(), 4, "b") == []
    assert ask(outside.witnesses(), 6, "b") == []
    assert ask(outside.witnesses(), 3) == []


def test_asked_again_after_a_pause(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cosigning, "_FIRST_PAUSE_S", 0.01)
    honest = outside.answers["bar"]

    def down(_: bytes) -> tuple[int, bytes]:
        raise ConnectionRefusedError

    outside.answers["bar"] = down
    witnesses = outside.witnesses()
    assert names(ask(witnesses, 4)) == {"court", "ministry"}
    outside.answers["bar"] = honest
    end = time.monotonic() + 60
    while not (found := ask(witnesses, 4)):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert names(found) == {"bar"}  # the others have cosigned this very head and are not troubled again


def test_a_policy_without_addresses_asks_nobody(outside: Outside) -> None:
    silent = policy.Policy((), outside.policy().witnesses, {}, "court")
    assert ask(Witnesses(silent, lambda: NOW_S, post=outside.post), 3) == []
