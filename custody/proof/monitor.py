"""Following a public log: is each head it shows a continuation of the last one we saw?

A log that shows two histories must sign both. So every misbehaviour found here comes with the log's own signatures, and
anyone who trusts the same key can check it again with `confirm`, without the log and without us.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from custody.proof import canonical, handover, merkle, note, policy, tiles
from custody.proof.checkpoint import Checkpoint
from custody.proof.grammar import Rule, equals, fields
from custody.proof.handover import Handover
from custody.proof.policy import Policy, QuorumNotReached
from custody.proof.strict import Malformed, ProofError, base64_bytes, base64_text

MAX_PROOF_BYTES = 4 * note.MAX_BYTES
TYPE = "dalel-misbehaviour"

Fetch = Callable[[str], bytes | None]
"""Reads a file of the log by its path below the log's address; None when the log says there is none."""


class Kind(StrEnum):
    """What a log was caught at. Only FORK, ROLLBACK and REOPENED are proved by the log's own signatures alone."""

    FORK = "fork"
    REOPENED = "reopened"
    ROLLBACK = "rollback"
    UNPROVED = "unproved"
    UNSIGNED = "unsigned"
    WITNESS = "witness"


@dataclass(frozen=True)
class Followed:
    """A head that continues what was seen. `quorum`: whether the policy's witnesses have cosigned it.

    `old` is None at the first look, when there is nothing yet to compare with.
    """

    note: bytes
    head: Checkpoint
    old: Checkpoint | None
    quorum: bool


class Misbehaviour(Exception):
    """The log does not continue what it signed before. `old` and `new` are the two notes as they were received.

    `prefix_root` is the root that the new tree really has over the old size, and `proof` the consistency proof from it
    to the new root; both are empty where the two notes alone show it, or nothing could be shown. `closed` is the
    handover of a log that went on after its end.
    """

    def __init__(
        self,
        kind: Kind,
        reason: str,
        old: bytes,
        new: bytes,
        prefix_root: bytes = b"",
        proof: tuple[bytes, ...] = (),
        closed: bytes = b"",
    ) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason
        self.old = old
        self.new = new
        self.prefix_root = prefix_root
        self.proof = proof
        self.closed = closed

    def encode(self) -> bytes:
        """The proof as canonical JSON, to be kept and shown."""
        return canonical.encode(
            {
                "v": 1,
                "type": TYPE,
                "kind": self.kind.value,
                "reason": self.reason,
                "old": base64_text(self.old),
                "new": base64_text(self.new),
                "prefix_root": base64_text(self.prefix_root),
                "proof": [base64_text(part) for part in self.proof],
                **({"closed": base64_text(self.closed)} if self.closed else {}),
            }
        )


def follow(fetch: Fetch, trusted: Policy, seen: bytes | None, now_s: int | None = None) -> Followed:
    """The log's present head, held against the last note that was seen.

    Raises Misbehaviour; Malformed when `seen` is not a head of a log of this policy (our own state is not usable); and
    what `fetch` raises when the log cannot be reached.
    """
    old = None if seen is None else _seen(trusted, seen)
    received = fetch("checkpoint") or b""
    try:
        signed = note.parse(received)
        _, head = policy.verify_log(trusted, signed)
    except ProofError as error:
        raise Misbehaviour(Kind.UNSIGNED, error.reason, seen or b"", received) from error
    quorum = _quorum(trusted, signed, seen or b"", received, now_s)
    if old is None:
        _shown(fetch, head, b"", received)
    else:
        _continues(fetch, old, seen or b"", head, received)
    return Followed(received, head, old, quorum)


def closed(fetch: Fetch, kept: bytes | None, found: Followed) -> tuple[Handover, str, bytes] | None:
    """How the log ended, once it is closed: the handover, the next log's address and the bytes to keep; else None.

    `kept` are those bytes from an earlier look: what was closed stays closed, whether the log still says so or not.
    Raises Misbehaviour, and Malformed when `kept` is not usable.
    """
    data = kept or fetch("handover")
    if data is None:
        return None
    try:
        handed, address = handover.decode(data)
        handover.verify_last(handed)
        handover.verify_signature(handed)
        if handed.head.origin != found.head.origin:
            raise Malformed("a handover names a log otherwise than its key")
    except ProofError as error:
        if kept:
            raise
        raise Misbehaviour(Kind.UNPROVED, error.reason, found.note, data) from error
    final = handed.signed.encode()
    if found.head.size > handed.head.size:
        reason = Malformed("the log has grown after it was closed").reason
        raise Misbehaviour(Kind.REOPENED, reason, final, found.note, closed=data)
    if found.head.size < handed.head.size or found.head.root != handed.head.root:
        raise Misbehaviour(Kind.FORK, "two trees of one size have different roots", final, found.note)
    return handed, address, data


def begun(fetch: Fetch, handed: Handover, found: Followed) -> None:
    """That the next log, whose head is `found`, begins where the closed one ended. Raises Misbehaviour."""
    try:
        proof = tiles.inclusion_proof(_reader(fetch, found.head.size), 0, found.head.size)
        handover.verify_begin(handed, proof, found.head)
    except ProofError as error:
        raise Misbehaviour(Kind.UNPROVED, error.reason, handed.signed.encode(), found.note) from error


def confirm(data: bytes, trusted: Policy) -> Kind:
    """What a kept proof shows to whoever trusts this policy, from nothing but the proof: FORK, ROLLBACK or REOPENED.

    A rollback is a claim about the order in which the two heads were received, which only its witness can swear to.
    Raises Malformed when it is not a proof, or proves nothing of the kind.
    """
    value: Any = canonical.decode(data[: MAX_PROOF_BYTES + 1])
    fields(value, _REOPENED if isinstance(value, dict) and "closed" in value else _PROOF)
    if value["kind"] == Kind.REOPENED and "closed" in value:
        return _reopened(trusted, base64_bytes(value["closed"]), base64_bytes(value["new"]))
    if value["kind"] not in (Kind.FORK, Kind.ROLLBACK):
        raise Malformed("the proof shows no fork and no rollback")
    old = _seen(trusted, base64_bytes(value["old"]))
    new = _seen(trusted, base64_bytes(value["new"]))
    if old.origin != new.origin:
        raise Malformed("the proof shows no fork and no rollback")
    if value["kind"] == Kind.ROLLBACK and new.size < old.size:
        return Kind.ROLLBACK
    if old.size == new.size and old.root != new.root:
        return Kind.FORK
    prefix, proof = base64_bytes(value["prefix_root"]), [base64_bytes(part) for part in value["proof"]]
    if prefix == old.root:
        raise Malformed("the proof shows no fork and no rollback")
    merkle.verify_consistency(old.size, new.size, proof, prefix, new.root)
    return Kind.FORK


def _reopened(trusted: Policy, closed: bytes, new: bytes) -> Kind:
    """A head of a log that is larger than the one which ends with `log.closed`."""
    handed, _ = handover.decode(closed)
    handover.verify_last(handed)
    final, later = _seen(trusted, handed.signed.encode()), _seen(trusted, new)
    if later.origin != final.origin or later.size <= final.size:
        raise Malformed("the proof shows no fork and no rollback")
    return Kind.REOPENED


def _seen(trusted: Policy, data: bytes) -> Checkpoint:
    try:
        return policy.verify_log(trusted, note.parse(data))[1]
    except ProofError as error:
        raise Malformed("a head that was seen is not signed by a log of the policy", error.reason) from error


def _quorum(trusted: Policy, signed: note.Note, old: bytes, new: bytes, now_s: int | None) -> bool:
    """Publishing goes on without witnesses, so a missing quorum is said and not held against the log."""
    try:
        policy.verify_witnesses(trusted, signed, now_s)
    except QuorumNotReached:
        return False
    except ProofError as error:
        raise Misbehaviour(Kind.WITNESS, error.reason, old, new) from error
    return True


def _shown(fetch: Fetch, head: Checkpoint, old: bytes, new: bytes) -> None:
    """The log shows tiles, and they lead to the root it signed."""
    try:
        if tiles.tree_root(_reader(fetch, head.size), head.size) != head.root:
            raise Malformed("the tiles lead to another root than the signed one")
    except ProofError as error:
        raise Misbehaviour(Kind.UNPROVED, error.reason, old, new) from error


def _continues(fetch: Fetch, old: Checkpoint, seen: bytes, head: Checkpoint, received: bytes) -> None:
    if head.origin != old.origin:
        raise Misbehaviour(Kind.UNSIGNED, Malformed("the log has another name than before").reason, seen, received)
    if head.size == old.size:
        if head.root != old.root:
            raise Misbehaviour(Kind.FORK, "two trees of one size have different roots", seen, received)
        return
    if head.size < old.size:
        raise Misbehaviour(Kind.ROLLBACK, Malformed("the log is shorter than it was").reason, seen, received)
    try:
        read = _reader(fetch, head.size)
        prefix = tiles.tree_root(read, old.size)
        proof = tiles.consistency_proof(read, old.size, head.size)
        merkle.verify_consistency(old.size, head.size, proof, prefix, head.root)
    except ProofError as error:
        raise Misbehaviour(Kind.UNPROVED, error.reason, seen, received) from error
    if prefix != old.root:
        reason = "the consistency proof leads to another older root"
        raise Misbehaviour(Kind.FORK, reason, seen, received, prefix, tuple(proof))


def _reader(fetch: Fetch, size: int) -> tiles.HashReader:
    """The tiles of a tree of `size`, each fetched once. A partial tile that is gone may be there in full."""
    kept: dict[tuple[int, int], bytes] = {}

    def read(level: int, index: int, width: int) -> bytes:
        if (level, index) not in kept:
            wide = max(width, tiles.width_at(level, index, size))
            data = fetch(tiles.path(level, index, wide))
            if data is None and wide < tiles.WIDTH:
                data = fetch(tiles.path(level, index))
            if data is None:
                raise Malformed("the log does not show a tile", tiles.path(level, index, wide))
            kept[level, index] = data
        return kept[level, index]

    return read


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_PROOF: Mapping[str, Rule] = {
    "v": equals(1),
    "type": equals(TYPE),
    "kind": _is_text,
    "reason": _is_text,
    "old": _is_text,
    "new": _is_text,
    "prefix_root": _is_text,
    "proof": lambda value: isinstance(value, list) and all(isinstance(part, str) for part in value),
}
_REOPENED = {**_PROOF, "closed": _is_text}
