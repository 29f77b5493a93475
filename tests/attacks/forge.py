"""A whole, valid package made in memory with real keys, and the tools an attacker would have to remake its parts.

Each attack changes one thing and remakes whatever comes after it, so that only the step under attack can catch it.
"""

import io
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from custody.proof import bundle, canonical, cosignature, merkle, note, policy, verify
from custody.proof.bundle import ClosedLog, FileDigest, ProvenLeaf
from custody.proof.checkpoint import Checkpoint
from custody.proof.note import Note
from custody.proof.refusal import Step, VerificationError
from tests.attacks.keys import digest, identity, key, public, witness_vkey

ORIGIN = "dalel.example/log"
Roots = Sequence[Certificate]
TOP = "dalel-disclosure-1"
NOW_S = 1_795_000_000
WITNESS_NAMES = ("court", "bar", "university")
JUDGES: list[Callable[[bytes, bytes, bytes, verify.Verified | VerificationError], None]] = []
"""Other verifiers that must come to the same outcome over a package, a policy, roots (PEM or none): the browser's."""

CASE, DISCLOSURE = identity("case"), identity("disclosure")
INVESTIGATOR, PROSECUTOR, SUPERVISOR = map(identity, ("investigator", "prosecutor", "supervisor"))
DOCUMENT, PICTURE, INTERROGATION = map(identity, ("document", "picture", "interrogation"))
PLAN, SOUND, TRANSCRIPT = map(identity, ("plan", "sound", "transcript"))
PLAN_SHA256 = digest(b"plan")


@dataclass
class Story:
    """What happened and what is handed over: files by path, the manifest, events in the order of the log."""

    files: dict[str, bytes]
    manifest: dict[str, Any]
    events: list[dict[str, Any]]

    def rebind(self) -> "Story":
        """The disclosure's events name the manifest as it is now."""
        for event in self.events:
            if event["type"] in ("exhibit.disclosed", "disclosure.released"):
                event["data"]["manifest_sha256"] = digest(canonical.encode(self.manifest))
        return self

    def chain(self, item: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["item"] == item]

    def find(self, type: str, item: str | None = None) -> dict[str, Any]:
        return next(event for event in self.events if event["type"] == type and item in (None, event["item"]))


@dataclass
class Log:
    """All leaves of the log and what signs it."""

    leaves: list[bytes]
    key_name: str = "log"
    origin: str = ORIGIN
    witnesses: tuple[str, ...] = WITNESS_NAMES
    witness_time_s: int = NOW_S - 60
    hashes: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.hashes = [merkle.leaf_hash(leaf) for leaf in self.leaves]

    def head(self) -> Checkpoint:
        return Checkpoint(self.origin, len(self.leaves), merkle.root(self.hashes))

    def checkpoint(self, text: str | None = None) -> bytes:
        return self.signed(text or self.head().text()).encode()

    def signed(self, text: str) -> Note:
        lines = [note.signature(text, self.origin, key(self.key_name))]
        lines += [cosignature.sign(text, f"{name}.example", key(name), self.witness_time_s) for name in self.witnesses]
        return Note(text, tuple(lines))

    def proven(self, index: int) -> ProvenLeaf:
        return ProvenLeaf(index, self.leaves[index], tuple(merkle.inclusion_proof(self.hashes, index)))


def event(type: str, item: str, actor: str | None = None, role: str = "system", **data: Any) -> dict[str, Any]:
    return {
        "v": 1,
        "type": type,
        "item": item,
        "case": CASE,
        "actor": {"id": actor, "role": role, "means": "browser" if actor else "worker"},
        "personal": {},
        "data": data,
    }


def chained(events: Iterable[dict[str, Any]]) -> list[bytes]:
    """The leaves of events in the order of the log: what is missing of id, time, nonce and place is filled in."""
    last: dict[str, tuple[int, str]] = {}
    leaves = []
    for index, body in enumerate(events):
        sequence, prev = last.get(body["item"], (-1, None))
        whole = {
            "id": identity(f"event {index}"),
            "time_ms": 1_790_000_000_000 + index,
            "nonce": sha256(str(index).encode()).hexdigest()[:32],
            "item_seq": sequence + 1,
            "prev": prev,
            **body,
        }
        leaf = canonical.encode(whole)
        last[body["item"]] = (whole["item_seq"], "sha256:" + merkle.leaf_hash(leaf).hex())
        leaves.append(leaf)
    return leaves


def tell() -> Story:
    """Three exhibits (a document handed over as it is, a picture too, an interrogation redacted), one disclosure."""
    files = {
        "data/0001/протокол.pdf": b"%PDF-1.7 protocol",
        "data/0002/photo.jpg": b"\xff\xd8 picture",
        "data/0003/сұрақ-жауап.txt": b"transcript with [withheld]",
        "data/0003/sound.opus": b"OggS burned",
    }
    original = b"RIFF original interrogation"

    def file(path: str, exhibit: str, number: int, kind: str, source: bytes, rendition: str | None) -> dict[str, Any]:
        data = files[path]
        return {
            "path": path,
            "exhibit": exhibit,
            "number": number,
            "kind": kind,
            "sha256": digest(data),
            "size_bytes": len(data),
            "source_sha256": digest(source),
            "rendition": rendition,
        }

    document, picture, transcript, sound = files
    manifest = {
        "v": 1,
        "type": "dalel-disclosure",
        "disclosure": DISCLOSURE,
        "case": CASE,
        "erdr": "260000000000001",
        "round": 1,
        "recipient": "Айгүл Сейітқызы, advocate",
        "released_ms": 1_790_000_100_000,
        "files": [
            file(document, DOCUMENT, 1, "original", files[document], None),
            file(picture, PICTURE, 2, "original", files[picture], None),
            file(transcript, INTERROGATION, 3, "transcript", b"revision", TRANSCRIPT),
            file(sound, INTERROGATION, 3, "sound", original, SOUND),
        ],
        "withheld": [{"exhibit": identity("secret"), "number": 4, "ground": "state secret"}],
        "previous": None,
        "exhibits_total": 5,
    }
    sealed = {DOCUMENT: files[document], PICTURE: files[picture], INTERROGATION: original}
    events: list[dict[str, Any]] = [_noise(0)]
    for step in range(3):  # the exhibits come in side by side, as they do
        for number, (exhibit, data) in enumerate(sealed.items(), 1):
            events.append(_intake(exhibit, number, data)[step])
        events.append(_noise(step + 1))
    events += _redaction(files[transcript], files[sound], original)
    events += [_noise(5), *_release(sealed), _noise(6), _noise(7)]
    return Story(files, manifest, events).rebind()


def _noise(number: int) -> dict[str, Any]:
    return event("session.opened", f"account:{identity(f'account {number}')}", account=identity(f"account {number}"))


def _intake(exhibit: str, number: int, data: bytes) -> list[dict[str, Any]]:
    item = f"exhibit:{exhibit}"
    registered = event(
        "exhibit.registered",
        item,
        INVESTIGATOR,
        "investigator",
        exhibit=exhibit,
        number=number,
        sha256=digest(data),
        size_bytes=len(data),
        basis="search",
        purpose="evidence",
        retain_days=3650,
    )
    registered["personal"] = {"filename": digest(b"salted name")}
    upload = identity(f"upload {exhibit}")
    return [
        registered,
        event("upload.finished", item, exhibit=exhibit, upload=upload, size_bytes=len(data)),
        event(
            "exhibit.sealed",
            item,
            exhibit=exhibit,
            blob=identity(f"blob {exhibit}"),
            sha256=digest(data),
            size_bytes=len(data),
            ciphertext_sha256=digest(data[::-1]),
            ciphertext_bytes=len(data) + 16,
            retain_until_ms=2_000_000_000_000,
            media_type="application/octet-stream",
        ),
    ]


def burned(rendition: str, kind: str, data: bytes, source: bytes) -> dict[str, Any]:
    return event(
        "rendition.burned",
        f"exhibit:{INTERROGATION}",
        exhibit=INTERROGATION,
        plan=PLAN,
        plan_sha256=PLAN_SHA256,
        rendition=rendition,
        kind=kind,
        sha256=digest(data),
        size_bytes=len(data),
        source_sha256=digest(source),
        tool="dalel",
        tool_version="0.1.0",
        parameters_sha256=digest(b"parameters"),
    )


def leak_checked(rendition: str, data: bytes, result: str = "passed") -> dict[str, Any]:
    return event(
        "rendition.leak_checked",
        f"exhibit:{INTERROGATION}",
        exhibit=INTERROGATION,
        rendition=rendition,
        sha256=digest(data),
        result=result,
        report_sha256=digest(b"report"),
        checks=7,
    )


def _redaction(transcript: bytes, sound: bytes, original: bytes) -> list[dict[str, Any]]:
    item, identities = f"exhibit:{INTERROGATION}", {"exhibit": INTERROGATION, "transcript": identity("transcription")}
    revision = {"revision": identity("revision"), "sha256": digest(b"revision")}
    plan = {"exhibit": INTERROGATION, "plan": PLAN, "plan_sha256": PLAN_SHA256}
    return [
        event("transcript.requested", item, INVESTIGATOR, "investigator", **identities),
        event("transcript.confirmed", item, PROSECUTOR, "prosecutor", **identities, **revision),
        event("plan.submitted", item, PROSECUTOR, "prosecutor", **plan),
        event("plan.approved", item, SUPERVISOR, "supervising_prosecutor", **plan, submitted_by=PROSECUTOR),
        _noise(4),
        burned(TRANSCRIPT, "transcript", transcript, b"revision"),
        burned(SOUND, "sound", sound, original),
        leak_checked(TRANSCRIPT, transcript),
        leak_checked(SOUND, sound),
    ]


def _release(exhibits: Iterable[str]) -> list[dict[str, Any]]:
    facts = {"disclosure": DISCLOSURE, "round": 1}
    recipient = {"recipient": identity("advocate")}
    events = [
        event(
            "disclosure.drafted",
            f"disclosure:{DISCLOSURE}",
            PROSECUTOR,
            "prosecutor",
            disclosure=DISCLOSURE,
            **recipient,
        ),
        event(
            "disclosure.released",
            f"disclosure:{DISCLOSURE}",
            SUPERVISOR,
            "supervising_prosecutor",
            **facts,
            **recipient,
            manifest_sha256="",
            disclosed=3,
            withheld=1,
        ),
    ]
    for exhibit in exhibits:
        item = f"exhibit:{exhibit}"
        events.append(
            event(
                "exhibit.disclosed",
                item,
                SUPERVISOR,
                "supervising_prosecutor",
                **facts,
                exhibit=exhibit,
                manifest_sha256="",
                files=1,
            )
        )
    return events


def policy_text(quorum: str = "witnesses", log: str = "log", ml_dsa: Collection[str] = ()) -> str:
    lines = [f"log {note.vkey(ORIGIN, public(log))}"]
    for name in WITNESS_NAMES:
        lines.append(f"witness {name} {witness_vkey(name, ml_dsa=name in ml_dsa)}")
    return "\n".join([*lines, "group witnesses 2 court bar university", f"quorum {quorum}", ""])


def named_items(story: Story) -> set[str]:
    """The chains of the package."""
    return {f"disclosure:{DISCLOSURE}", *(f"exhibit:{file['exhibit']}" for file in story.manifest["files"])}


def entries(
    story: Story,
    log: Log | None = None,
    leaves: list[ProvenLeaf] | None = None,
    timestamps: Iterable[bytes] = (),
    closed: Sequence[ClosedLog] = (),
) -> dict[str, bytes]:
    """Every entry of the package, tag files first. `leaves` if they are not those that belong into it."""
    log, wanted = log or Log(chained(story.events)), named_items(story)
    if leaves is None:
        leaves = [log.proven(index) for index, body in enumerate(story.events) if body["item"] in wanted]
    files = [FileDigest(path, sha256(data).hexdigest(), len(data)) for path, data in story.files.items()]
    tags = bundle.write(
        canonical.encode(story.manifest),
        leaves,
        log.checkpoint(),
        files,
        {"index.html": b"<!doctype html>"},
        {"External-Identifier": DISCLOSURE},
        list(timestamps),
        closed,
    )
    return {**tags, **story.files}


def relisted(entries: Mapping[str, bytes]) -> dict[str, bytes]:
    """The entries with the bag's lists made anew, as an attacker with ten minutes would."""
    made = dict(entries)
    data = {path: content for path, content in made.items() if path.startswith("data/")}
    files = [FileDigest(path, sha256(content).hexdigest(), len(content)) for path, content in data.items()]
    made[bundle.BAG_INFO] = f"Payload-Oxum: {bundle.payload_oxum(files)}\n".encode()
    made[bundle.PAYLOAD_MANIFEST] = bundle.digest_lines({file.path: file.sha256_hex for file in files})
    tags = {path: content for path, content in made.items() if path not in data and path != bundle.TAG_MANIFEST}
    made[bundle.TAG_MANIFEST] = bundle.digest_lines({path: sha256(tag).hexdigest() for path, tag in tags.items()})
    return made


def replaced(entries: Mapping[str, bytes], entry: str, change: Callable[[bytes], bytes]) -> dict[str, bytes]:
    """One entry changed, the lists made anew."""
    changed = change(entries[entry])
    assert changed != entries[entry], "the attack changed nothing"
    return relisted(entries | {entry: changed})


def zipped(entries: Mapping[str, bytes], top: str = TOP) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for entry, data in entries.items():
            archive.writestr(f"{top}/{entry}", data)
    return target.getvalue()


def checked(package: bytes, policy_bytes: str | None = None, tsa_roots: Roots = ()) -> verify.Verified:
    """Verifies the ZIP bytes as the command would; every judge in JUDGES hears the outcome."""
    policy_used = (policy_bytes or policy_text()).encode()
    trusted = policy.parse(policy_used)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "package.zip"
        path.write_bytes(package)
        try:
            outcome: verify.Verified | VerificationError = verify.verify_path(
                path, trusted, now_s=NOW_S, tsa_roots=tsa_roots
            )
        except VerificationError as refusal:
            outcome = refusal
    for judge in JUDGES:
        judge(package, policy_used, b"".join(root.public_bytes(Encoding.PEM) for root in tsa_roots), outcome)
    if isinstance(outcome, VerificationError):
        raise outcome
    return outcome


def refused(
    package: Mapping[str, bytes] | bytes, step: Step, code: str, policy_bytes: str | None = None, tsa_roots: Roots = ()
) -> VerificationError:
    """Asserts that exactly this step refuses the package, with this code."""
    with pytest.raises(VerificationError) as caught:
        checked(package if isinstance(package, bytes) else zipped(package), policy_bytes, tsa_roots)
    refusal = caught.value
    assert (refusal.step, refusal.code) == (step, code), str(refusal)
    for language in ("kk", "ru", "en"):
        assert all(refusal.said(language).values())
    return refusal
