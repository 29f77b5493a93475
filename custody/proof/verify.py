"""The verification of a package, in numbered steps.

`verify` returns what was verified or raises VerificationError at the first step that does not hold; there is no third
outcome. Nothing in the package is believed before the steps up to 10 have passed: the policy is the reader's own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

from cryptography.x509 import Certificate

from custody.proof import bundle, chains, disclosure, earlier, grammar, merkle, note, package, timestamp, vouching
from custody.proof import checkpoint as checkpoints
from custody.proof import policy as policies
from custody.proof.bundle import CHECKPOINT, DATA, DISCLOSURE, EVENTS, PROOFS
from custody.proof.checkpoint import Checkpoint
from custody.proof.disclosure import DisclosedFile, Manifest
from custody.proof.grammar import Event
from custody.proof.note import Note
from custody.proof.package import Digest, Package
from custody.proof.policy import Policy, QuorumNotReached
from custody.proof.refusal import Step, Value, VerificationError
from custody.proof.refusal import refused_at as _at
from custody.proof.strict import ProofError
from custody.proof.timestamp import AuthorityUnknown, Timestamp

MAX_SMALL_BYTES = 64_000_000
MAX_EVENTS_BYTES = 512_000_000
EARLY_S = 300
"""How far an authority's clock may be behind the clock of the last event."""
LATE_S = 7 * 86_400
"""How long after the witnesses (or, without them, after the last event) a head may still be stamped."""


@dataclass(frozen=True)
class Passed:
    """A step that held: `code` and `values` say what was found, in words of `custody.proof.words`."""

    step: Step
    code: str
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Witnessed:
    """A witness's cosignature: the key's label, and the time it claims in seconds since 1970."""

    name: str
    time_s: int


@dataclass(frozen=True)
class Verified:
    """What has been verified. `root_hex` and `checkpoint_size` are the log's head that everything leads to.

    `unsigned` names entries that the list of digests covers and nothing signed does (the bag's own files, the reader):
    they may be wrong without any step noticing.
    """

    package: str
    manifest: Manifest
    manifest_sha256: str
    files: tuple[DisclosedFile, ...]
    exhibits: int
    events: int
    origin: str
    log_key_id: str
    checkpoint_size: int
    root_hex: str
    witnesses: tuple[Witnessed, ...]
    timestamps: tuple[Timestamp, ...]
    unsigned: tuple[str, ...]
    steps: tuple[Passed, ...]


@dataclass
class _Run:
    report: Callable[[Passed], None]
    steps: list[Passed] = field(default_factory=list)

    def passed(self, step: Step, code: str, **values: Value) -> None:
        self.steps.append(Passed(step, code, values))
        self.report(self.steps[-1])


def verify_path(
    path: Path,
    policy: Policy,
    *,
    now_s: int | None = None,
    tsa_roots: Sequence[Certificate] = (),
    report: Callable[[Passed], None] = lambda _: None,
) -> Verified:
    """`verify` of the ZIP file or folder at `path`. Raises VerificationError, or OSError if it cannot be opened."""
    with _at(Step.CONTAINER, "container.invalid"), package.opened(path) as opened:
        return verify(opened, policy, now_s=now_s, tsa_roots=tsa_roots, report=report)


def verify(
    opened: Package,
    policy: Policy,
    *,
    now_s: int | None = None,
    tsa_roots: Sequence[Certificate] = (),
    report: Callable[[Passed], None] = lambda _: None,
) -> Verified:
    """What an opened package proves under this policy. Raises VerificationError.

    A time stamp by an authority under one of `tsa_roots` is asked for if there are any. `report` hears each step as it
    passes. Cosignatures that claim a time after `now_s` (seconds since 1970) are refused if it is given. Not proved:
    that the events tell the truth, only that nobody has changed them since they were logged.
    """
    run = _Run(report)
    run.passed(Step.CONTAINER, "passed.container", entries=len(opened.sizes))
    digests = _files(opened)
    run.passed(Step.FILES, "passed.files", files=len(digests), size_bytes=sum(d.size_bytes for d in digests.values()))
    manifest_bytes = _read(opened, DISCLOSURE, Step.MANIFEST)
    manifest_sha256 = "sha256:" + sha256(manifest_bytes).hexdigest()
    manifest = _manifest(manifest_bytes, digests)
    run.passed(Step.MANIFEST, "passed.manifest", files=len(manifest.files), withheld=len(manifest.withheld))
    events = _events(_read(opened, EVENTS, Step.EVENTS, MAX_EVENTS_BYTES))
    run.passed(Step.EVENTS, "passed.events", events=len(events))
    by_item = chains.complete(events, manifest)
    run.passed(Step.CHAINS, "passed.chains", chains=len(by_item))
    chains.bound(by_item, manifest, manifest_sha256)
    run.passed(Step.BINDING, "passed.binding", digest=manifest_sha256)
    histories = {exhibit: vouching.told(by_item[chains.exhibit_item(exhibit)]) for exhibit in manifest.exhibits}
    for file in manifest.files:
        vouching.vouched(file, histories[file.exhibit])
    run.passed(Step.VOUCHING, "passed.vouching", files=len(manifest.files))
    signed, head = _checkpoint(_read(opened, CHECKPOINT, Step.CHECKPOINT, note.MAX_BYTES))
    closed = _places(run, opened, events, head)
    log, witnesses = _cosigned(run, policy, signed, head, closed, now_s)
    stamped = _time_stamps(opened, signed, tsa_roots, _span(events, witnesses, now_s)) if tsa_roots else ()
    stamps = ", ".join(f"{stamp.authority} ({moment(stamp.time_s)})" for stamp in stamped)
    run.passed(Step.TIME_STAMPS, "passed.time_stamps" if tsa_roots else "passed.not_asked", names=stamps)
    return Verified(
        package=opened.name,
        manifest=manifest,
        manifest_sha256=manifest_sha256,
        files=manifest.files,
        exhibits=len(manifest.exhibits),
        events=len(events),
        origin=head.origin,
        log_key_id=log.key_id.hex(),
        checkpoint_size=head.size,
        root_hex=head.root.hex(),
        witnesses=witnesses,
        timestamps=stamped,
        unsigned=tuple(sorted(_unsigned(opened, stamped=bool(tsa_roots)))),
        steps=tuple(run.steps),
    )


def _cosigned(
    run: _Run, policy: Policy, signed: Note, head: Checkpoint, closed: Sequence[earlier.EarlierLog], now_s: int | None
) -> tuple[note.Verifier, tuple[Witnessed, ...]]:
    """Steps 9 and 10: who signed the head, and the heads of the logs before it, and who witnessed them."""
    with _at(Step.CHECKPOINT, "checkpoint.signature"):
        log, _ = policies.verify_log(policy, signed)
        earlier.check_keys(closed, log)
    before = ", ".join(one.handover.head.origin for one in closed)
    code = "passed.succession" if closed else "passed.checkpoint"
    run.passed(Step.CHECKPOINT, code, origin=head.origin, size=head.size, closed=before)
    for one in closed:
        _witnesses(policy, one.handover.signed, now_s)
    witnesses = _witnesses(policy, signed, now_s)
    code = "passed.no_witnesses" if policy.quorum == policies.NONE else "passed.witnesses"
    run.passed(Step.WITNESSES, code, names=", ".join(sorted(witness.name for witness in witnesses)))
    return log, witnesses


def _read(opened: Package, entry: str, step: Step, max_bytes: int = MAX_SMALL_BYTES) -> bytes:
    with _at(step, "form", entry=entry):
        return package.read(opened, entry, max_bytes)


def _unsigned(opened: Package, *, stamped: bool) -> set[str]:
    loose = {entry for entry in opened.sizes if not entry.startswith((DATA, "custody/"))}
    return loose if stamped else loose | set(filter(bundle.is_timestamp, opened.sizes))


def _files(opened: Package) -> dict[str, Digest]:
    """Step 2: exactly the listed files, each with its digest. Returns the data files' digests."""
    for entry in (*bundle.REQUIRED, *earlier.required(opened)):
        if entry not in opened.sizes:
            raise VerificationError(Step.FILES, "files.missing", entry=entry)
    if _read(opened, bundle.BAGIT, Step.FILES) != bundle.DECLARATION:
        raise VerificationError(Step.FILES, "files.bag", entry=bundle.BAGIT)
    tags = _listed(opened, bundle.TAG_MANIFEST)
    payload = _listed(opened, bundle.PAYLOAD_MANIFEST)
    for entry in tags:
        if entry.startswith(DATA) or entry == bundle.TAG_MANIFEST:
            raise VerificationError(Step.FILES, "files.bag", entry=bundle.TAG_MANIFEST)
    for entry in payload:
        if not entry.startswith(DATA):
            raise VerificationError(Step.FILES, "files.bag", entry=bundle.PAYLOAD_MANIFEST)
    for entry in opened.sizes:
        if entry != bundle.TAG_MANIFEST and entry not in (payload if entry.startswith(DATA) else tags):
            raise VerificationError(Step.FILES, "files.extra", entry=entry)
        if not entry.startswith(DATA) and entry not in bundle.REQUIRED and not _may_be(entry):
            raise VerificationError(Step.FILES, "files.extra", entry=entry)
    _matches(opened, tags)
    digests = _matches(opened, payload)
    _info(opened, digests)
    return digests


def _may_be(entry: str) -> bool:
    return bundle.is_extra(entry) or bundle.is_timestamp(entry) or bundle.closed_number(entry) > 0


def _listed(opened: Package, entry: str) -> dict[str, str]:
    data = _read(opened, entry, Step.FILES)
    with _at(Step.FILES, "form", entry=entry):
        return bundle.parse_digest_lines(data)


def _matches(opened: Package, listed: Mapping[str, str]) -> dict[str, Digest]:
    digests = {}
    for entry, expected in listed.items():
        if entry not in opened.sizes:
            raise VerificationError(Step.FILES, "files.missing", entry=entry)
        with _at(Step.FILES, "form", entry=entry):
            digests[entry] = package.digest(opened, entry)
        if digests[entry].sha256_hex != expected:
            raise VerificationError(
                Step.FILES, "files.digest", entry=entry, expected=expected, found=digests[entry].sha256_hex
            )
    return digests


def _info(opened: Package, digests: Mapping[str, Digest]) -> None:
    data = _read(opened, bundle.BAG_INFO, Step.FILES)
    with _at(Step.FILES, "form", entry=bundle.BAG_INFO):
        info = bundle.parse_info(data)
    files = [bundle.FileDigest(path, found.sha256_hex, found.size_bytes) for path, found in digests.items()]
    if info.get("Payload-Oxum") != bundle.payload_oxum(files):
        raise VerificationError(Step.FILES, "files.bag", entry=bundle.BAG_INFO)


def _manifest(data: bytes, digests: Mapping[str, Digest]) -> Manifest:
    """Step 3: the manifest in its one form, naming exactly the files that are here."""
    with _at(Step.MANIFEST, "form", entry=DISCLOSURE):
        manifest = disclosure.parse(data)
    named = {file.path: file for file in manifest.files}
    for path in named.keys() ^ digests.keys():
        raise VerificationError(Step.MANIFEST, "manifest.files", entry=path)
    for path, file in named.items():
        if (file.sha256, file.size_bytes) != ("sha256:" + digests[path].sha256_hex, digests[path].size_bytes):
            raise VerificationError(
                Step.MANIFEST, "manifest.digest", entry=path, expected=file.sha256, found=digests[path].sha256_hex
            )
    return manifest


def _events(data: bytes) -> list[Event]:
    """Step 4."""
    with _at(Step.EVENTS, "form", entry=EVENTS):
        lines = bundle.event_lines(data)
    events: list[Event] = []
    try:
        for line in lines:
            events.append(grammar.parse(line))
    except ProofError as error:
        why = {"reason": error.reason, "detail": error.detail}
        raise VerificationError(Step.EVENTS, "events.form", line=len(events) + 1, **why) from error
    return events


def _checkpoint(data: bytes) -> tuple[Note, Checkpoint]:
    """The checkpoint in its form only: steps 9 and 10 say whether it may be believed."""
    with _at(Step.CHECKPOINT, "form", entry=CHECKPOINT):
        signed = note.parse(data)
        head = checkpoints.parse(signed.text)
    if head.extensions:
        raise VerificationError(Step.CHECKPOINT, "checkpoint.extension")
    return signed, head


def _inclusion(events: Sequence[Event], begin: int, data: bytes, head: Checkpoint, end: int | None = None) -> None:
    """Step 8: every event from `begin` to `end` stands in the log of `head` at its index, in the order of the log."""
    events = events[begin:end]
    with _at(Step.INCLUSION, "form", entry=PROOFS):
        lines = bundle.proof_lines(data)
    if len(lines) != len(events):
        raise VerificationError(Step.INCLUSION, "proofs.count", expected=len(events), found=len(lines))
    passed: list[int] = []
    proofs, tree = bundle.ProofLines(), merkle.Inclusions(head.size, head.root)
    try:
        for line, event in zip(lines, events, strict=True):
            index, proof = proofs.parse(line)
            if passed and index <= passed[-1]:
                raise merkle.ProofInvalid("the index is not above the one before")
            tree.verify(event.hash, index, proof)
            passed.append(index)
    except ProofError as error:
        why = {"reason": error.reason, "detail": error.detail}
        raise VerificationError(Step.INCLUSION, "proofs.invalid", line=len(passed) + 1, **why) from error


def _witnesses(policy: Policy, signed: Note, now_s: int | None) -> tuple[Witnessed, ...]:
    """Step 10."""
    try:
        found = policies.verify_witnesses(policy, signed, now_s)
    except QuorumNotReached as error:
        names = error.detail
        raise VerificationError(Step.WITNESSES, "witnesses.quorum", names=names, quorum=policy.quorum) from error
    except ProofError as error:
        code = "witnesses.signature"
        raise VerificationError(Step.WITNESSES, code, reason=error.reason, detail=error.detail) from error
    return tuple(Witnessed(cosigned.verifier.label, cosigned.time_s) for cosigned in found.values())


def _places(run: _Run, opened: Package, events: Sequence[Event], head: Checkpoint) -> list[earlier.EarlierLog]:
    """Step 8. The closed logs that hold some of the events."""
    closed = earlier.logs(opened, partial(_read, opened), partial(_inclusion, events), head)
    rest = sum(log.events for log in closed)
    _inclusion(events, rest, _read(opened, PROOFS, Step.INCLUSION, MAX_EVENTS_BYTES), head)
    total = head.size + sum(log.handover.head.size for log in closed)
    run.passed(Step.INCLUSION, "passed.inclusion", events=len(events), size=total)
    return closed


@dataclass(frozen=True)
class _Span:
    """When a time stamp over the checkpoint can have been made, in seconds since 1970."""

    first_s: int
    last_s: int
    now_s: int | None


def _span(events: Sequence[Event], witnesses: Sequence[Witnessed], now_s: int | None) -> _Span:
    last_event_s = max(event.time_ms for event in events) // 1000
    seen_s = min((witness.time_s for witness in witnesses), default=last_event_s)
    return _Span(last_event_s - EARLY_S, max(seen_s, last_event_s) + LATE_S, now_s)


def _time_stamps(opened: Package, signed: Note, roots: Sequence[Certificate], span: _Span) -> tuple[Timestamp, ...]:
    """Step 11: at least one time stamp over this checkpoint's text by an authority of the reader; none that is false.

    Authorities that the reader does not know are passed over.
    """
    found = []
    for entry in sorted(filter(bundle.is_timestamp, opened.sizes)):
        token = _read(opened, entry, Step.TIME_STAMPS, timestamp.MAX_TOKEN_BYTES)
        with _at(Step.TIME_STAMPS, "timestamps.invalid", entry=entry):
            try:
                stamp = timestamp.verify(token, signed.text.encode(), roots)
            except AuthorityUnknown:
                continue
        if stamp.time_s < span.first_s:
            raise VerificationError(Step.TIME_STAMPS, "timestamps.early", entry=entry, time=moment(stamp.time_s))
        if stamp.time_s > span.last_s or (span.now_s is not None and stamp.time_s > span.now_s):
            raise VerificationError(Step.TIME_STAMPS, "timestamps.late", entry=entry, time=moment(stamp.time_s))
        found.append(stamp)
    if not found:
        raise VerificationError(Step.TIME_STAMPS, "timestamps.missing")
    return tuple(found)


def moment(time_s: int) -> str:
    """A time as it is printed: UTC."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
