"""One exhibit's record, checked when it is asked for: is it the same, who touched it, is the record complete.

The steps are those of `python -m custody verify` where the matter is the same, with its words; the stored file is
step 5 of the ledger's check. Everything is computed anew from the canonical bytes, the published tiles, the signed
head and the store. Not proved: what only a reading of every byte shows (the last one is named), and nothing that this
installation, which computes it, would hide from its own page; for that there are package, verifier and witnesses.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from custody import audit, heads
from custody.audit import EntryView
from custody.checking.difference import Differs
from custody.checking.difference import Step as CheckStep
from custody.heads import CheckpointView
from custody.kernel.clock import from_ms, to_ms
from custody.kernel.errors import Corrupt, DalelError, Unavailable
from custody.proof import checkpoint, grammar, handover, merkle, note, policy, timestamp
from custody.proof.policy import Policy, QuorumNotReached
from custody.proof.refusal import Step, Value, VerificationError
from custody.proof.strict import ProofError
from custody.proof.verify import moment
from evidence_api.queries.cases import Thing, names_in, things_in
from evidence_api.registry import reads
from evidence_api.registry.facts import Exhibit
from evidence_api.services import Services
from evidence_api.use_cases import proving
from evidence_api.use_cases.checking import stored_as_said

MAX_EVENTS = 20_000
"""A longer chain is not checked while somebody waits: the check of the whole ledger does that."""
MAX_PROVED = 256
"""So many events, the newest, are followed to the log's head; those before are held by the digest each one carries."""
MAX_FILES = 63
"""So many versions, the newest, are looked for in the store beside the original."""
_STORED = ("exhibit.sealed", "rendition.burned", "rendition.made")
_READ = ("content.viewed", "content.downloaded", "content.copied", "content.printed")
_INTACT = ("intact", "passed")


class State(StrEnum):
    """How a step was found. WAITS: nothing is wrong and it cannot hold yet, or could not be looked at now."""

    HOLDS = "holds"
    FAILS = "fails"
    WAITS = "waits"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Looked:
    """A step and what was found: `code` has its sentence in `custody.proof.words`, in `custody.checking.words` for the
    stored file, or among the refusals of the API.
    """

    step: Step | CheckStep
    state: State
    code: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Toucher:
    """Somebody in the chain (None: the system itself): roles, how many events, how many readings, first and last."""

    account: UUID | None
    roles: tuple[str, ...]
    events: int
    reads: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Sameness:
    """Whether the exhibit is the same as on the first day, as far as can be said without reading it again.

    `verdict`: same; differs (as the store shows it), damaged (as the last reading found it); unsealed, destroyed;
    unreachable (the store), unknown (its record does not hold). `read_at`: when every byte was last read and compared.
    """

    verdict: str
    sealed_at: datetime | None = None
    read_at: datetime | None = None
    destroyed_at: datetime | None = None


@dataclass(frozen=True)
class Record:
    """An exhibit's record. `verdict` on its completeness: complete, waits, broken.

    `covered` of `events` stand under the signed head; `proved` of them were followed to it one by one.
    """

    exhibit: Exhibit
    chain: tuple[EntryView, ...]
    names: Mapping[UUID, str]
    things: Mapping[UUID, Thing]
    steps: tuple[Looked, ...]
    same: Sameness
    people: tuple[Toucher, ...]
    verdict: str
    covered: int
    proved: int
    queued: int
    head: CheckpointView | None


def of_exhibit(services: Services, exhibit_id: UUID) -> Record:
    """The record of an exhibit, checked. Raises NotFound `exhibit.not_found`; what fails is found, not raised."""
    with services.database.read() as session:
        exhibit = reads.get_exhibit(session, exhibit_id)
        item = f"exhibit:{exhibit_id}"
        chain = tuple(audit.chain(session, item, limit=MAX_EVENTS + 1))
        queued = audit.waiting(session, item)
        names, things = names_in(session, chain), things_in(session, exhibit.case_id, chain)
        head = _head(services, session, chain)
    covered = [entry for entry in chain if head is not None and entry.seq < head.size]
    trusted = policy.parse(services.policy.encode()) if services.policy else None
    looks: list[tuple[Step, Callable[[], Looked]]] = [
        (Step.EVENTS, lambda: _events(chain)),
        (Step.CHAINS, lambda: _follows(item, exhibit, chain)),
        (Step.INCLUSION, lambda: _included(services, covered, head)),
        (Step.CHECKPOINT, lambda: _signed(trusted, head)),
        (Step.WITNESSES, lambda: _witnessed(services, trusted, head)),
        (Step.TIME_STAMPS, lambda: _stamped(services, head)),
    ]
    steps = _taken(looks)
    sound = all(one.state is State.HOLDS for one in steps[:2])
    stored = _stored(services, chain) if sound else Looked(CheckStep.OBJECTS, State.SKIPPED)
    return Record(
        exhibit=exhibit,
        chain=chain,
        names=names,
        things=things,
        steps=(*steps[:2], stored, *steps[2:]),
        same=_same(chain, stored),
        people=_people(chain),
        verdict=_verdict(steps, whole=len(covered) == len(chain) and not queued),
        covered=len(covered),
        proved=min(len(covered), MAX_PROVED),
        queued=queued + len(chain) - len(covered),
        head=head,
    )


def _taken(looks: Sequence[tuple[Step, Callable[[], Looked]]]) -> list[Looked]:
    """The steps in their order up to the first that fails; those after it rest on it and are not taken."""
    found: list[Looked] = []
    for step, look in looks:
        if any(one.state is State.FAILS for one in found):
            found.append(Looked(step, State.SKIPPED))
            continue
        try:
            found.append(look())
        except VerificationError as error:
            found.append(Looked(step, State.FAILS, error.code, error.values))
        except Corrupt as error:
            found.append(Looked(step, State.FAILS, error.code, _plain(error)))
        except DalelError as error:
            found.append(Looked(step, State.WAITS, error.code, _plain(error)))
    return found


def _plain(error: DalelError) -> dict[str, Value]:
    return {name: value for name, value in error.params.items() if value is not None}


def _head(services: Services, session: Session, chain: Sequence[EntryView]) -> CheckpointView | None:
    """The head to check against: the last with the witnesses' quorum, one that is stamped where that covers as much."""
    last = chain[-1].seq if chain else -1
    stamped = heads.latest_witnessed(session, stamped=True) if services.tsa_roots else None
    if stamped is not None and stamped.size > last:
        return stamped
    return heads.latest_witnessed(session) or heads.latest_checkpoint(session)


def _events(chain: Sequence[EntryView]) -> Looked:
    if len(chain) > MAX_EVENTS:
        raise Unavailable("record.too_long", limit=MAX_EVENTS)
    for number, entry in enumerate(chain, 1):
        try:
            grammar.parse(entry.canonical)
        except ProofError as error:
            why = {"reason": error.reason, "detail": error.detail}
            raise VerificationError(Step.EVENTS, "events.form", line=number, **why) from error
    return Looked(Step.EVENTS, State.HOLDS, "passed.events", {"events": len(chain)})


def _follows(item: str, exhibit: Exhibit, chain: Sequence[EntryView]) -> Looked:
    """Step 5 for one chain, as `custody.proof.chains` has it for those of a package."""
    prev: bytes | None = None
    seen: set[UUID] = set()
    for place, entry in enumerate(chain):
        if entry.item_seq != place:
            raise VerificationError(Step.CHAINS, "chain.gap", item=item, expected=place, found=entry.item_seq)
        named = "sha256:" + prev.hex() if prev else None
        computed = merkle.leaf_hash(entry.canonical)
        if entry.prev != named or entry.leaf_hash != computed:
            raise VerificationError(Step.CHAINS, "chain.prev", item=item, sequence=place)
        if entry.id in seen:
            raise VerificationError(Step.CHAINS, "chain.twice", item=item, sequence=place)
        of_case = entry.case_id in (None, exhibit.case_id)
        if not of_case or entry.item != item or entry.data.get("exhibit", str(exhibit.id)) != str(exhibit.id):
            raise VerificationError(Step.CHAINS, "chain.moved", item=item, sequence=place)
        seen.add(entry.id)
        prev = computed
    if not chain:
        raise Unavailable("record.no_events")
    return Looked(Step.CHAINS, State.HOLDS, "passed.chains", {"chains": 1})


def _included(services: Services, covered: Sequence[EntryView], head: CheckpointView | None) -> Looked:
    """Step 8, against the roots of published heads: this one, and the final ones of logs that were closed before it.

    The trees are read from the public tiles, not from the database.
    """
    if head is None or not covered:
        raise Unavailable("record.not_published")
    newest = covered[-MAX_PROVED:]
    with services.database.read() as session:
        plan = proving.plan(session, newest, head)
    leaves, closed = proving.proven(services.tiles, plan, newest)
    trees = [checkpoint.parse(checkpoint_text(one.head).decode()) for one in plan.heads]
    for share, tree in zip([*(one.leaves for one in closed), leaves], trees, strict=True):
        for leaf in share:
            with _proof_of(grammar.parse(leaf.leaf).item_seq + 1):
                merkle.verify_inclusion(merkle.leaf_hash(leaf.leaf), leaf.index, tree.size, leaf.proof, tree.root)
    for one, following in zip(closed, trees[1:], strict=True):
        with _proof_of(0):
            passed = handover.parse(one.checkpoint, one.closed.leaf, one.opened.leaf, one.closed.proof)
            handover.verify_last(passed)
            handover.verify_signature(passed)
            handover.verify_begin(passed, one.opened.proof, following)
    return Looked(Step.INCLUSION, State.HOLDS, "passed.inclusion", {"events": len(newest), "size": head.tree_size})


@contextmanager
def _proof_of(number: int) -> Iterator[None]:
    """Whatever does not hold inside is the proof of the event of this number (0: of the step from log to log)."""
    try:
        yield
    except ProofError as error:
        why = {"reason": error.reason, "detail": error.detail}
        raise VerificationError(Step.INCLUSION, "proofs.invalid", line=number, **why) from error


def _signed(trusted: Policy | None, head: CheckpointView | None) -> Looked:
    if head is None:
        raise Unavailable("record.not_published")
    if trusted is None:
        raise Unavailable("log.no_policy")
    try:
        _, signed = policy.verify_log(trusted, note.parse(head.note.encode()))
    except ProofError as error:
        why = {"reason": error.reason, "detail": error.detail}
        raise VerificationError(Step.CHECKPOINT, "checkpoint.signature", **why) from error
    if (signed.origin, signed.size, signed.root) != (head.origin, head.tree_size, head.root):
        raise VerificationError(Step.CHECKPOINT, "form", entry="checkpoint", reason="a field is not what it must be")
    return Looked(Step.CHECKPOINT, State.HOLDS, "passed.checkpoint", {"origin": signed.origin, "size": signed.size})


def _witnessed(services: Services, trusted: Policy | None, head: CheckpointView | None) -> Looked:
    if trusted is None or head is None:
        raise Unavailable("record.not_published")
    now_s = to_ms(services.database.clock.now()) // 1000
    try:
        found = policy.verify_witnesses(trusted, note.parse(head.note.encode()), now_s)
    except QuorumNotReached as error:
        said = {"quorum": trusted.quorum, "names": error.detail}
        return Looked(Step.WITNESSES, State.WAITS, "witnesses.quorum", said)
    except ProofError as error:
        why = {"reason": error.reason, "detail": error.detail}
        raise VerificationError(Step.WITNESSES, "witnesses.signature", **why) from error
    code = "passed.no_witnesses" if trusted.quorum == policy.NONE else "passed.witnesses"
    names = ", ".join(sorted(one.verifier.name for one in found.values()))
    return Looked(Step.WITNESSES, State.HOLDS, code, {"names": names})


def _stamped(services: Services, head: CheckpointView | None) -> Looked:
    if not services.tsa_roots:
        return Looked(Step.TIME_STAMPS, State.HOLDS, "passed.not_asked")
    if head is None or not head.timestamps:
        return Looked(Step.TIME_STAMPS, State.WAITS, "timestamps.missing")
    roots = timestamp.parse_roots(services.tsa_roots)
    text = checkpoint_text(head)
    names = []
    for one in head.timestamps:
        try:
            stamp = timestamp.verify(one.token, text, roots)
        except ProofError as error:
            why = {"entry": one.authority, "reason": error.reason, "detail": error.detail}
            raise VerificationError(Step.TIME_STAMPS, "timestamps.invalid", **why) from error
        names.append(f"{stamp.authority} ({moment(stamp.time_s)})")
    return Looked(Step.TIME_STAMPS, State.HOLDS, "passed.time_stamps", {"names": ", ".join(names)})


def checkpoint_text(head: CheckpointView) -> bytes:
    """The text of a head that witnesses cosign and authorities stamp: the note without its signatures."""
    return note.parse(head.note.encode()).text.encode()


def _stored(services: Services, chain: Sequence[EntryView]) -> Looked:
    """The files that the record names, as the store shows them now: version, size and lock; not their bytes."""
    destroyed = any(entry.type == "disposal.done" for entry in chain)
    files = [entry for entry in chain if entry.type in _STORED and "blob" in entry.data]
    if destroyed or not files:
        return Looked(CheckStep.OBJECTS, State.WAITS, "record.destroyed" if destroyed else "record.nothing_stored")
    try:
        for entry in (*files[:1], *files[1:][-MAX_FILES:]):
            stored_as_said(services, entry, deep=False)
    except Differs as differs:
        found = differs.difference
        values = {"place": found.place, "expected": found.expected, "found": found.found}
        return Looked(CheckStep.OBJECTS, State.FAILS, found.code, values)
    except DalelError as error:
        return Looked(CheckStep.OBJECTS, State.WAITS, error.code, _plain(error))
    return Looked(CheckStep.OBJECTS, State.HOLDS, "record.stored", {"files": min(len(files), 1 + MAX_FILES)})


def _same(chain: Sequence[EntryView], stored: Looked) -> Sameness:
    sealed = next((entry for entry in chain if entry.type == "exhibit.sealed"), None)
    if sealed is None:
        return Sameness("unsealed")
    looked = [entry for entry in chain if entry.type == "fixity.checked" and _of(entry, sealed)]
    whole = [entry for entry in looked if entry.data.get("deep") and entry.data["result"] in _INTACT]
    done = next((entry for entry in chain if entry.type == "disposal.done"), None)
    if stored.state is State.SKIPPED:
        verdict = "unknown"
    elif done is not None:
        verdict = "destroyed"
    elif looked and looked[-1].data["result"] not in _INTACT:
        verdict = "damaged"
    elif stored.state is State.FAILS:
        verdict = "differs"
    else:
        verdict = "same" if stored.state is State.HOLDS else "unreachable"
    return Sameness(
        verdict,
        sealed_at=from_ms(sealed.time_ms),
        read_at=from_ms(whole[-1].time_ms if whole else sealed.time_ms),
        destroyed_at=from_ms(done.time_ms) if done else None,
    )


def _of(entry: EntryView, sealed: EntryView) -> bool:
    """Whether a fixity check was of the original, not of a version made from it."""
    return bool(entry.data["blob"] == sealed.data["blob"])


def _people(chain: Sequence[EntryView]) -> tuple[Toucher, ...]:
    """Everybody in the chain, in the order they came."""
    groups: dict[UUID | None, list[EntryView]] = {}
    for entry in chain:
        groups.setdefault(entry.actor_id, []).append(entry)
    return tuple(
        Toucher(
            account=account,
            roles=tuple(dict.fromkeys(entry.role for entry in entries)),
            events=len(entries),
            reads=sum(entry.type in _READ for entry in entries),
            first_at=from_ms(entries[0].time_ms),
            last_at=from_ms(entries[-1].time_ms),
        )
        for account, entries in groups.items()
    )


def _verdict(steps: Sequence[Looked], *, whole: bool) -> str:
    states = {one.state for one in steps if one.step is not Step.TIME_STAMPS}
    if State.FAILS in {one.state for one in steps}:
        return "broken"
    return "complete" if whole and states == {State.HOLDS} else "waits"
