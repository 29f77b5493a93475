"""Checking evidence: places in a log of 10^9 entries from canonical bytes, and whole packages by the command.

A log of that size is not built: ours are the real leaves, and each subtree without one has a made-up hash, which is all
that a proof ever sees. Processor time of one core, so that other load stretches it least. Peers, over the same proofs:
pymerkle and sigstore's verifier. They are no dependencies of ours (pymerkle is under the GPL, sigstore brings thirty
packages): the first run installs them into a virtual environment of their own, build/bench-peers.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

from bench import report
from custody.proof import cosignature, merkle, note, policy, verify
from custody.proof.bundle import ProvenLeaf
from custody.proof.checkpoint import Checkpoint
from custody.proof.note import Note
from custody.proof.tlog_proof import TlogProof
from tests.attacks import forge

SIZE = 10**9
FIRST = 123_456_789  # far from the end, where proofs are longest
ALONE = 5_000
TOGETHER = 5_000
APART = 100
PACKAGE = 1_000
PEERS = ("pymerkle==7.0.0", "sigstore==4.5.1")
_ROUNDS = 5


def rows() -> list[report.Row]:
    """All rows; nothing is started but the command and the peers."""
    with tempfile.TemporaryDirectory(prefix="dalel-bench-") as folder:
        proven, head = _log(_leaves(ALONE), APART)
        alone = _best(lambda: _each(proven, head)) / ALONE
        peers, note_on_peers = _peers(Path(folder), proven, head)
        sentence = f"verification: {len(proven[0].proof)} hashes a proof; {note_on_peers}"
        return [
            report.Row(
                f"leaf and place among 10^9 verified from canonical bytes{against}",
                1 / alone,
                "1/s",
                True,
                50_000,
                peer,
                peers.get(peer),
                sentence,
            )
            for against, peer in (("", "pymerkle"), (", again", "sigstore"))
        ] + [
            *(_whole(Path(folder), apart) for apart in (1, APART)),
            report.Row(f"package of {PACKAGE} events, the whole command", _command(Path(folder)), "s", False, 1),
            report.Row(
                "proof of one event at 10^9, two witnesses", _proof_bytes(proven[0], head), "bytes", False, 1900
            ),
        ]


def _whole(folder: Path, apart: int) -> report.Row:
    path = _package(folder, TOGETHER, apart)
    name = f"events of a package of {TOGETHER}, {apart} apart, every step"
    return report.Row(name, TOGETHER / _best(lambda: _verified(path)), "1/s", True, 50_000)


def _leaves(count: int) -> list[bytes]:
    """The leaves of a disclosure in whose chain something was looked at `count` times."""
    return [leaf for leaf, body in zip(*_story(count), strict=True) if body["item"] in _items()]


def _items() -> set[str]:
    return forge.named_items(forge.tell())


def _story(count: int) -> tuple[list[bytes], list[dict[str, object]]]:
    told = _told(count)
    return forge.chained(told.events), told.events


def _told(count: int) -> forge.Story:
    told, item = forge.tell(), f"exhibit:{forge.DOCUMENT}"
    looks = [
        forge.event(
            "content.viewed", item, forge.SUPERVISOR, "supervising_prosecutor", subject=forge.DOCUMENT, sha256="x"
        )
        for _ in range(count)
    ]
    at = told.events.index(told.find("exhibit.disclosed", item))
    told.events[at:at] = looks
    return told


def _log(leaves: Sequence[bytes], apart: int) -> tuple[list[ProvenLeaf], Checkpoint]:
    """These leaves in a log of SIZE, so many entries apart, with their proofs and the log's head."""
    places = [FIRST + number * apart for number in range(len(leaves))]
    own = dict(zip(places, map(merkle.leaf_hash, leaves), strict=True))

    @cache
    def node(start: int, end: int) -> bytes:
        first = bisect_left(places, start)
        if first == len(places) or places[first] >= end:
            return sha256(b"%d %d" % (start, end)).digest()
        if end - start == 1:
            return own[start]
        middle = start + merkle._split(end - start)
        return merkle.node_hash(node(start, middle), node(middle, end))

    proofs = [tuple(node(*ends) for ends in merkle.inclusion_ranges(place, SIZE)) for place in places]
    head = Checkpoint(forge.ORIGIN, SIZE, node(0, SIZE))
    return [ProvenLeaf(*one) for one in zip(places, leaves, proofs, strict=True)], head


def _each(proven: Sequence[ProvenLeaf], head: Checkpoint) -> None:
    for one in proven[:ALONE]:
        merkle.verify_inclusion(merkle.leaf_hash(one.leaf), one.index, head.size, one.proof, head.root)


def _package(folder: Path, count: int, apart: int) -> Path:
    told = _told(count)
    proven, head = _log(_leaves(count), apart)
    log = forge.Log([])
    log.head = lambda: head
    path = folder / f"{count}-{apart}.zip"
    path.write_bytes(forge.zipped(forge.entries(told, log, proven)))
    return path


def _verified(path: Path) -> None:
    trusted = policy.parse(forge.policy_text().encode())
    assert verify.verify_path(path, trusted, now_s=forge.NOW_S).events > TOGETHER


def _command(folder: Path) -> float:
    """Seconds of processor time, the interpreter's start included: what a person waits on an idle machine."""
    package, trust = _package(folder, PACKAGE, APART), folder / "policy"
    trust.write_text(forge.policy_text())
    command = [sys.executable, "-m", "custody", "verify", str(package), "--policy", str(trust), "--json"]

    def run() -> float:
        began = _children_s()
        done = subprocess.run(command, cwd=report.ROOT, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["verified"]
        return _children_s() - began

    return min(run() for _ in range(_ROUNDS))


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _proof_bytes(one: ProvenLeaf, head: Checkpoint) -> float:
    text = head.text()
    lines = [note.signature(text, forge.ORIGIN, forge.key("log"))]
    lines += [cosignature.sign(text, f"{name}.example", forge.key(name), forge.NOW_S) for name in ("court", "bar")]
    return float(len(TlogProof(one.index, one.proof, Note(text, tuple(lines))).encode()))


def _best(act: Callable[[], object]) -> float:
    """Seconds of processor time, the least of several rounds: other load can only add to it."""
    found = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        act()
        found.append(time.process_time() - began)
    return min(found)


def _peers(folder: Path, proven: Sequence[ProvenLeaf], head: Checkpoint) -> tuple[dict[str, float], str]:
    """What the peers do per second, and a sentence on it; nothing where they cannot be installed."""
    home = report.ROOT / "build" / "bench-peers"
    python = home / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, capture_output=True)
        install = [str(python), "-m", "pip", "install", "--quiet", *PEERS]
        subprocess.run(install, check=True, capture_output=True, timeout=600)
        given = folder / "proofs.json"
        items = [
            {"leaf": one.leaf.hex(), "index": one.index, "proof": [part.hex() for part in one.proof]} for one in proven
        ]
        given.write_text(json.dumps({"size": head.size, "root": head.root.hex(), "items": items[:ALONE]}))
        script = str(report.ROOT / "bench" / "verification_peers.py")
        done = subprocess.run([str(python), script, str(given)], check=True, capture_output=True, text=True)
        return json.loads(done.stdout), f"peers: {', '.join(PEERS)}"
    except (OSError, subprocess.SubprocessError) as error:
        return {}, f"the peers could not be installed ({type(error).__name__})"
