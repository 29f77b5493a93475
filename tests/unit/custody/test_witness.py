"""The witness's rules, without a network: continues or refuses, never two trees, survives being killed anywhere."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from custody import __main__ as command
from custody import witness
from custody.proof import cosignature, merkle, note
from custody.proof.checkpoint import Checkpoint
from custody.proof.strict import Malformed
from custody.witness import Refused, Unusable, Witness, WitnessKey, WitnessState

ORIGIN = "dalel.example/log"
LOG = Ed25519PrivateKey.generate()
LOG_VERIFIER = note.parse_vkey(note.vkey(ORIGIN, LOG.public_key().public_bytes_raw()))
NOW_S = 1_790_000_000
ROOT = Path(command.__file__).parents[1]


def leaves(count: int, tree: str = "a", fork_at: int = 0) -> list[bytes]:
    return [merkle.leaf_hash(f"{tree if index >= fork_at else 'a'} {index}".encode()) for index in range(count)]


def signed(hashes: list[bytes], origin: str = ORIGIN, key: Ed25519PrivateKey = LOG) -> bytes:
    return note.sign(Checkpoint(origin, len(hashes), merkle.root(hashes)).text(), origin, key)


def submission(old: int, hashes: list[bytes]) -> bytes:
    proof = merkle.consistency_proof(hashes, old) if old else []
    return witness.encode_submission(old, proof, signed(hashes))


def status(asked: Witness, body: bytes) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        asked.add_checkpoint(body)
    return caught.value.status, caught.value.body


@pytest.fixture
def place(tmp_path: Path) -> Path:
    witness.create("court.example", tmp_path / "key", tmp_path / "state")
    return tmp_path


@pytest.fixture
def key(place: Path) -> WitnessKey:
    return witness.load(place / "key")


@pytest.fixture
def state(place: Path, key: WitnessKey) -> Iterator[WitnessState]:
    opened = WitnessState(place / "state", key.vkey)
    yield opened
    opened.close()


@pytest.fixture
def court(key: WitnessKey, state: WitnessState) -> Witness:
    return Witness(key, state, [LOG_VERIFIER], lambda: NOW_S)


def test_cosigns_what_continues(court: Witness, key: WitnessKey) -> None:
    old = 0
    for size in (1, 1, 2, 5, 300, 300):
        hashes = leaves(size)
        line = court.add_checkpoint(submission(old, hashes))
        (cosigned,) = note.parse(signed(hashes) + line.encode()).signatures[1:]
        found = cosignature.verify(note.parse(signed(hashes)).text, cosigned, note.parse_vkey(key.vkey))
        assert (found.time_s, found.verifier.name) == (NOW_S, "court.example")
        old = size


def test_refuses_rollback_and_says_its_size(court: Witness) -> None:
    court.add_checkpoint(submission(0, leaves(9)))
    for old, size in ((0, 5), (0, 9), (5, 12), (0, 12)):
        with pytest.raises(Refused) as caught:
            court.add_checkpoint(submission(old, leaves(size)))
        assert (caught.value.status, caught.value.body) == (409, "9\n")
        assert caught.value.content_type == "text/x.tlog.size"


def test_refuses_a_fork_of_one_size_and_keeps_the_proof(court: Witness, state: WitnessState) -> None:
    court.add_checkpoint(submission(0, leaves(9)))
    fork = signed(leaves(9, "b"))
    for _ in range(2):
        assert status(court, witness.encode_submission(9, [], fork)) == (409, "9\n")
    assert state.forks() == [fork]


def test_forks_kept_are_bounded(court: Witness, state: WitnessState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "_MAX_FORKS", 2)
    court.add_checkpoint(submission(0, leaves(3)))
    for number in range(4):
        status(court, witness.encode_submission(3, [], signed(leaves(3, f"fork {number}"))))
    assert len(state.forks()) == 2


def test_refuses_a_larger_tree_that_does_not_continue(court: Witness) -> None:
    court.add_checkpoint(submission(0, leaves(9)))
    other = leaves(12, "b", fork_at=4)
    bad = witness.encode_submission(9, merkle.consistency_proof(other, 9), signed(other))
    assert status(court, bad)[0] == 422
    right = merkle.consistency_proof(leaves(12), 9)
    for proof in ([], right[:-1], [*right, b"\0" * 32], [b"\0" * 32, *right[1:]]):
        assert status(court, witness.encode_submission(9, proof, signed(leaves(12))))[0] == 422
    assert status(court, witness.encode_submission(9, [b"\0" * 32], signed(leaves(9))))[0] == 422
    court.add_checkpoint(submission(9, leaves(12)))


def test_a_first_submission_has_no_proof(court: Witness) -> None:
    assert status(court, witness.encode_submission(0, [b"\0" * 32], signed(leaves(2))))[0] == 422


def test_old_size_above_the_checkpoints(court: Witness) -> None:
    assert status(court, witness.encode_submission(5, [], signed(leaves(3))))[0] == 400


def test_unknown_log_and_unknown_key(court: Witness) -> None:
    hashes = leaves(2)
    assert status(court, witness.encode_submission(0, [], signed(hashes, "other.example")))[0] == 404
    stranger = signed(hashes, key=Ed25519PrivateKey.generate())
    assert status(court, witness.encode_submission(0, [], stranger))[0] == 403
    broken = signed(hashes)
    text, _, _ = broken.rpartition(b"\n\n")
    forged = note.Note(text.decode() + "\n", (note.Signature(ORIGIN, LOG_VERIFIER.key_id, b"\0" * 64),)).encode()
    assert status(court, witness.encode_submission(0, [], forged))[0] == 403


def test_a_second_signature_of_a_stranger_is_ignored(court: Witness) -> None:
    both = note.parse(signed(leaves(2)))
    extra = note.signature(both.text, "stranger", Ed25519PrivateKey.generate())
    body = witness.encode_submission(0, [], note.Note(both.text, (extra, *both.signatures)).encode())
    assert court.add_checkpoint(body).startswith("\N{EM DASH} court.example ")


GOOD = submission(0, leaves(3))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        GOOD.replace(b"old 0", b"old 00"),
        GOOD.replace(b"old 0", b"old +0"),
        GOOD.replace(b"old 0", b"old  0"),
        GOOD.replace(b"old 0", b"Old 0"),
        GOOD.replace(b"old 0", "old ٠".encode()),
        GOOD.replace(b"old 0\n", b"old 0\r\n"),
        GOOD.replace(b"old 0\n", b"old 0\nAAAA\n"),
        GOOD.replace(b"old 0\n", b"old 0\n" + b"\n".join([b"A" * 43 + b"="] * 64) + b"\n"),
        GOOD[:-1],
        GOOD + b"\n",
        GOOD.replace(b"\n3\n", b"\n03\n"),
    ],
)
def test_malformed(court: Witness, body: bytes) -> None:
    assert status(court, body)[0] == 400


@given(
    st.binary(max_size=300) | st.builds(lambda at, data: GOOD[:at] + data + GOOD[at:], st.integers(0, 300), st.binary())
)
def test_any_bytes_are_a_submission_or_malformed(body: bytes) -> None:
    try:
        parsed = witness.parse_submission(body)
    except Malformed:
        return
    assert witness.encode_submission(parsed.old_size, parsed.proof, parsed.signed.encode()) == body


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.booleans()), max_size=12))
def test_never_two_roots_at_one_size(
    tmp_path_factory: pytest.TempPathFactory, asks: list[tuple[int, int, bool]]
) -> None:
    """Whatever is asked in whatever order: cosigned heads form one growing tree."""
    place = tmp_path_factory.mktemp("witness")
    key = witness.create("w", place / "key", place / "state")
    state = WitnessState(place / "state", key.vkey)
    court = Witness(key, state, [LOG_VERIFIER], lambda: NOW_S)
    roots: dict[int, bytes] = {}
    last = 0
    for old, size, other in asks:
        hashes = leaves(size, "b" if other else "a", fork_at=3)
        proof = merkle.consistency_proof(hashes, old) if 0 < old <= size else []
        try:
            court.add_checkpoint(witness.encode_submission(old, proof, signed(hashes)))
        except Refused:
            continue
        root = merkle.root(hashes)
        assert roots.setdefault(size, root) == root
        assert size >= last
        last = size
        assert all(merkle.root(hashes[:smaller]) == kept for smaller, kept in roots.items())
    state.close()


def test_state_survives_a_restart_and_stands_between_processes(place: Path, key: WitnessKey, court: Witness) -> None:
    court.add_checkpoint(submission(0, leaves(4)))
    again = WitnessState(place / "state", key.vkey)
    second = Witness(key, again, [LOG_VERIFIER], lambda: NOW_S)
    assert status(second, submission(0, leaves(6)))[1] == "4\n"
    second.add_checkpoint(submission(4, leaves(6)))
    assert status(court, submission(4, leaves(5)))[1] == "6\n"
    again.close()


def test_of_many_at_once_one_tree_wins(court: Witness) -> None:
    """Forks of one size from many threads: exactly one is cosigned."""
    cosigned: list[str] = []

    def ask(tree: str) -> None:
        try:
            court.add_checkpoint(submission(0, leaves(3, tree)))
        except Refused:
            return
        cosigned.append(tree)

    threads = [threading.Thread(target=ask, args=(f"tree {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cosigned) == 1


_DOOMED = """
import os, signal, sys
from pathlib import Path
from custody import witness
sys.path.insert(0, os.getcwd())
place, count, body = Path(sys.argv[1]), int(sys.argv[2]), sys.stdin.buffer.read()
from custody.proof import note
key = witness.load(place / "key")
asked = witness.Witness(key, witness.WitnessState(place / "state", key.vkey), [note.parse_vkey(sys.argv[3])], lambda: 1)
left = count
def trace(frame, event, arg):
    global left
    if frame.f_code.co_filename.endswith("custody/witness.py") and event == "line":
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return trace
sys.settrace(trace)
try:
    line = asked.add_checkpoint(body)
except witness.Refused as refused:
    sys.settrace(None)
    print("refused", refused.status)
else:
    sys.settrace(None)
    print("cosigned")
"""


def test_killed_at_any_line_it_never_cosigns_a_second_tree(place: Path, key: WitnessKey) -> None:
    """Tree a is submitted and the witness killed at its n-th line; tree b is cosigned only if a never was durable."""
    first, fork = submission(0, leaves(3)), submission(0, leaves(3, "b"))
    vkey = note.vkey(ORIGIN, LOG.public_key().public_bytes_raw())
    empty = (place / "state").read_bytes()
    outcomes = set()
    for count in (*range(1, 60, 4), 10_000):
        (place / "state").write_bytes(empty)
        command_line = [sys.executable, "-c", _DOOMED, str(place), str(count), vkey]
        done = subprocess.run(command_line, input=first, capture_output=True, cwd=ROOT, check=False, env=os.environ)
        answered = done.stdout == b"cosigned\n"
        assert answered or done.returncode == -signal.SIGKILL, done.stderr
        state = WitnessState(place / "state", key.vkey)
        after = Witness(key, state, [LOG_VERIFIER], lambda: NOW_S)
        try:
            after.add_checkpoint(fork)
            outcomes.add("forgotten")
            assert not answered
        except Refused:
            outcomes.add("kept")
        finally:
            state.close()
    assert outcomes == {"forgotten", "kept"}


def test_a_disk_that_does_not_take_it_is_no_cosignature(court: Witness, state: WitnessState) -> None:
    state._connection.execute("PRAGMA query_only = ON")
    assert status(court, submission(0, leaves(3)))[0] == 503
    state._connection.execute("PRAGMA query_only = OFF")
    assert court.add_checkpoint(submission(0, leaves(3)))


def test_key_and_state_belong_together(place: Path, key: WitnessKey, tmp_path: Path) -> None:
    other = witness.create("bar.example", tmp_path / "key2", tmp_path / "state2")
    with pytest.raises(Unusable, match="another key"):
        WitnessState(place / "state", other.vkey)
    with pytest.raises(Unusable, match="new key"):
        WitnessState(place / "absent", key.vkey)
    (place / "junk").write_bytes(b"x" * 5000)
    with pytest.raises(Unusable, match="not the state"):
        WitnessState(place / "junk", key.vkey)
    sqlite3.connect(place / "empty").close()
    (place / "empty").touch()
    with pytest.raises(Unusable, match="not the state"):
        WitnessState(place / "empty", key.vkey)


def test_key_file(place: Path, key: WitnessKey) -> None:
    text = (place / "key").read_text()
    assert text.startswith("PRIVATE+KEY+court.example+")
    assert note.parse_vkey(key.vkey).key_type == note.COSIGNATURE_V1
    for broken in ("", text.replace("court", "bar"), text.replace("PRIVATE", "PUBLIC"), text[:-3]):
        (place / "key").write_text(broken)
        with pytest.raises(Unusable, match="not the key"):
            witness.load(place / "key")
    (place / "key").write_text(text)
    (place / "key").chmod(0o644)
    with pytest.raises(Unusable, match="others"):
        witness.load(place / "key")
    with pytest.raises(Unusable):
        witness.load(place / "absent")


def test_two_keys_in_one_file_sign_every_head(tmp_path: Path) -> None:
    made = witness.create("court.example", tmp_path / "key", tmp_path / "state", ml_dsa=True)
    key = witness.load(tmp_path / "key")
    assert key.vkeys == made.vkeys
    known = [note.parse_vkey(vkey) for vkey in key.vkeys]
    assert [one.key_type for one in known] == [note.COSIGNATURE_V1, note.COSIGNATURE_ML_DSA]
    text = note.parse(signed(leaves(3))).text
    whole = note.parse(f"{text}\n{key.cosign(text, 7)}".encode())
    assert [cosignature.verify_all(whole, one)[0].time_s for one in known] == [7, 7]
    lines = (tmp_path / "key").read_text().splitlines(keepends=True)
    for broken in (lines[::-1], lines[1:], [*lines, lines[1]], [lines[0], lines[1].replace("court", "bar")]):
        (tmp_path / "key").write_text("".join(broken))
        with pytest.raises(Unusable, match="not the key"):
            witness.load(tmp_path / "key")


def test_nothing_is_replaced(place: Path) -> None:
    with pytest.raises(Unusable, match="exists"):
        witness.create("court.example", place / "another", place / "state")
    with pytest.raises(Unusable):
        witness.create("court.example", place / "key", place / "another-state")
    with pytest.raises(Unusable):
        witness.create("two words", place / "key3", place / "state3")
    with pytest.raises(Unusable, match="nowhere"):
        witness.create("court.example", place / "key3", place / "nowhere" / "state3")
    assert not (place / "key3").exists()
    assert not (place / "another-state.new").exists()


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--key", str(tmp_path / "key"), "--state", str(tmp_path / "state")]
    assert command.main(["witness-key", "court.example", *files]) == 0
    vkey = capsys.readouterr().out.strip()
    assert note.parse_vkey(vkey).name == "court.example"
    assert command.main(["witness-key", "court.example", *files]) == 2
    for arguments in (
        ["--listen", "nowhere"],
        ["--listen", "127.0.0.1:0", "--log", "x"],
        ["--listen", "127.0.0.1:0", "--log", vkey],
        ["--listen", "127.0.0.1:99999"],
    ):
        assert command.main(["witness", *files, *arguments]) == 2
    (tmp_path / "state").unlink()
    assert command.main(["witness", *files, "--listen", "127.0.0.1:0"]) == 2
    assert "new key" in capsys.readouterr().err


def test_the_witness_carries_only_the_standard_library_and_cryptography() -> None:
    code = (
        "import sys; before = set(sys.modules); import custody.witness_server;"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(tops - sys.stdlib_module_names - {'custody', 'cryptography', '_cffi_backend', '_openssl'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
