"""Trust policies (C2SP tlog-policy): which logs and witnesses the verifier believes, and how many must agree.

The policy is the verifier's own: it never comes from the package that is being checked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from custody.proof import checkpoint, cosignature, note
from custody.proof.checkpoint import Checkpoint
from custody.proof.cosignature import Cosignature
from custody.proof.ed25519 import SignatureInvalid
from custody.proof.note import Note, Verifier
from custody.proof.strict import Malformed, ProofError, decimal

NONE = "none"
MAX_BYTES = 100_000
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_GAP = re.compile(r"[ \t]+")


class QuorumNotReached(ProofError):
    """Fewer witnesses have cosigned than the policy asks for; `detail` names those that have."""


@dataclass(frozen=True)
class Group:
    """Members (witnesses or groups by name) of which `threshold` must have cosigned."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """A parsed policy. `quorum` names a witness, a group, or `none`; `urls` are the addresses of witnesses that have
    one, which verification never uses.
    """

    logs: tuple[Verifier, ...]
    witnesses: Mapping[str, Verifier]
    groups: Mapping[str, Group]
    quorum: str
    urls: Mapping[str, str] = field(default_factory=dict)

    def reached(self, cosigners: frozenset[str]) -> bool:
        """Whether these witnesses (by their names in the policy) satisfy the quorum."""
        return self.quorum == NONE or self._agrees(self.quorum, cosigners)

    def _agrees(self, name: str, cosigners: frozenset[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in cosigners
        return sum(self._agrees(member, cosigners) for member in group.members) >= group.threshold


@dataclass
class _Draft:
    logs: list[Verifier] = field(default_factory=list)
    witnesses: dict[str, Verifier] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    urls: dict[str, str] = field(default_factory=dict)
    quorum: str | None = None

    def name(self, name: str) -> str:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise Malformed("a name in the policy is defined twice or reserved")
        return name

    def known(self, name: str) -> str:
        if name not in self.witnesses and name not in self.groups:
            raise Malformed("the policy refers to a name it has not defined before")
        return name


def parse(data: bytes) -> Policy:
    """A policy from its bytes (C2SP tlog-policy, «Policy file syntax and structure»). Raises Malformed.

    Refused beyond the letter of the specification: more than 100 kB.
    """
    if len(data) > MAX_BYTES:
        raise Malformed("the policy is larger than 100 kB")
    if _CONTROL.search(data):
        raise Malformed("the policy has a control character")
    if not data.endswith(b"\n"):
        raise Malformed("the policy does not end in a newline")
    draft = _Draft()
    # Octets above ASCII are opaque to the specification; surrogateescape keeps each as it is, valid UTF-8 or not.
    for line in data[:-1].decode("utf-8", "surrogateescape").split("\n"):
        stripped = line.strip(" \t")
        if stripped and not stripped.startswith("#"):
            _statement(draft, _GAP.split(stripped))
    if draft.quorum is None:
        raise Malformed("the policy has no quorum line")
    return Policy(tuple(draft.logs), draft.witnesses, draft.groups, draft.quorum, draft.urls)


def _statement(draft: _Draft, words: list[str]) -> None:
    match words:
        case ["log", key] | ["log", key, _]:
            draft.logs.append(_key(key, (note.ED25519,), draft.logs))
        case ["witness", name, key, *url] if len(url) <= 1:
            verifier = _key(key, note.COSIGNATURES, list(draft.witnesses.values()))
            draft.witnesses[draft.name(name)] = verifier
            draft.urls.update(zip([name], url, strict=False))
        case ["group", name, threshold, *members] if members:
            draft.groups[draft.name(name)] = _group(draft, threshold, members)
        case ["quorum", name] if draft.quorum is None:
            draft.quorum = name if name == NONE else draft.known(name)
        case _:
            raise Malformed("the policy has a line that is none of log, witness, group and one quorum")


def _key(text: str, key_types: tuple[int, ...], others: list[Verifier]) -> Verifier:
    verifier = note.parse_vkey(text)
    if verifier.key_type not in key_types:
        raise Malformed("the policy has a key of another kind than its line asks for")
    if any(other.public_key == verifier.public_key for other in others):
        raise Malformed("the policy has one key twice")
    return verifier


def _group(draft: _Draft, threshold_text: str, members: list[str]) -> Group:
    for member in members:
        if draft.known(member) in draft.used:
            raise Malformed("the policy has one name as a member twice")
        draft.used.add(member)
    match threshold_text:
        case "all":
            threshold = len(members)
        case "any":
            threshold = 1
        case _:
            threshold = decimal(threshold_text)
    if not 1 <= threshold <= len(members):
        raise Malformed("the policy has a group whose threshold is not 1 to its number of members")
    return Group(threshold, tuple(members))


def verify_log(policy: Policy, signed: Note) -> tuple[Verifier, Checkpoint]:
    """The log's key and the checkpoint it signed. The key's name must be the checkpoint's origin.

    Raises SignatureInvalid if no log of the policy has signed, Malformed if the text is no checkpoint.
    """
    signers = note.verify(signed, policy.logs)
    head = checkpoint.parse(signed.text)
    for signer in signers:
        if signer.name == head.origin:
            return signer, head
    raise SignatureInvalid("the checkpoint's origin is not the name of the key that signed it")


def verify_witnesses(policy: Policy, signed: Note, now_s: int | None = None) -> dict[str, Cosignature]:
    """The cosignatures of the policy's witnesses by their names in it; each witness counts once, at its latest time.

    A line of a witness's own name that does not verify, or says a time after `now_s`, refuses the note. Lines of others
    are passed over. Raises SignatureInvalid, or QuorumNotReached.
    """
    found = {}
    for name, verifier in policy.witnesses.items():
        lines = cosignature.verify_all(signed, verifier)
        if not lines:
            continue
        latest = max(lines, key=lambda line: line.time_s)
        if now_s is not None and latest.time_s > now_s:
            raise SignatureInvalid("a cosignature is from the future", verifier.name)
        found[name] = latest
    if not policy.reached(frozenset(found)):
        raise QuorumNotReached("the quorum of the policy is not reached", ", ".join(found))
    return found
