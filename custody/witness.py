"""A witness (C2SP tlog-witness): cosigns the head of a log it knows, if it continues the last one it cosigned.

Whoever runs one, a court, a bar, a ministry, promises one thing: never two different trees of one log. The promise is
kept by a small database, written and synced before anything is signed. Standard library and `cryptography` only.
"""

import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from custody.proof import checkpoint, cosignature, merkle, note
from custody.proof.checkpoint import Checkpoint
from custody.proof.ed25519 import SignatureInvalid
from custody.proof.note import COSIGNATURE_ML_DSA, COSIGNATURE_V1, Note, Verifier
from custody.proof.strict import Malformed, base64_bytes, base64_text, decimal

MAX_BODY_BYTES = 64 * 1024
MAX_PROOF = 63
SIZE_TYPE = "text/x.tlog.size"
_PLAIN = "text/plain; charset=utf-8"
_OLD = "old "
_KEY_PREFIX = "PRIVATE+KEY"
_MAX_FORKS = 100
_BUSY_S = 5.0

_TABLES = (
    "CREATE TABLE witness (vkey TEXT NOT NULL)",
    "CREATE TABLE heads (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL)",
    "CREATE TABLE forks (origin TEXT, size INTEGER, root BLOB, note BLOB, PRIMARY KEY (origin, size, root))",
)


PrivateKey = Ed25519PrivateKey | MLDSA44PrivateKey


class Unusable(Exception):
    """The key or the state cannot be used; the text says why, for the person who starts the witness."""


class Refused(Exception):
    """A submission that is not cosigned: the HTTP status, and the body to answer with."""

    def __init__(self, status: int, body: str, content_type: str = _PLAIN) -> None:
        super().__init__(body.strip())
        self.status = status
        self.body = body
        self.content_type = content_type


@dataclass(frozen=True)
class Submission:
    """A parsed `add-checkpoint` request. Nothing has been verified."""

    old_size: int
    proof: tuple[bytes, ...]
    signed: Note
    head: Checkpoint


@dataclass(frozen=True)
class WitnessKey:
    """A witness's name and private keys: an Ed25519 key, which its state belongs to, and perhaps an ML-DSA-44 key."""

    name: str
    key: Ed25519PrivateKey
    ml_dsa: MLDSA44PrivateKey | None = None

    @property
    def keys(self) -> tuple[PrivateKey, ...]:
        """Every key, the Ed25519 key first."""
        return (self.key,) if self.ml_dsa is None else (self.key, self.ml_dsa)

    @property
    def vkey(self) -> str:
        """The verifier key as policies write it: C2SP signed-note, type 0x04 (cosignature/v1)."""
        return self.vkeys[0]

    @property
    def vkeys(self) -> tuple[str, ...]:
        """The verifier key of each: types 0x04 and 0x06."""
        found = [cosignature.witness_key(self.name, key) for key in self.keys]
        return tuple(note.vkey(one.name, one.public_key, one.key_type) for one in found)

    def cosign(self, text: str, time_s: int) -> str:
        """A line by each key for a checkpoint's text."""
        return "".join(cosignature.sign(text, self.name, key, time_s).line() for key in self.keys)


def encode_submission(old_size: int, proof: Sequence[bytes], signed: bytes) -> bytes:
    """The body of an `add-checkpoint` request (C2SP tlog-witness)."""
    lines = [f"{_OLD}{old_size}", *map(base64_text, proof), "", ""]
    return "\n".join(lines).encode() + signed


def parse_submission(body: bytes) -> Submission:
    """An `add-checkpoint` request from its body; only the spelling `encode_submission` writes. Raises Malformed."""
    head, separator, signed = body.partition(b"\n\n")
    if not separator:
        raise Malformed("a submission has no empty line before its checkpoint")
    try:
        first, *hashes = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise Malformed("a submission's head is not ASCII") from error
    if not first.startswith(_OLD) or len(hashes) > MAX_PROOF:
        raise Malformed("a submission does not begin with an old size and at most 63 hashes")
    parsed = note.parse(signed)
    proof = tuple(base64_bytes(text, merkle.HASH_BYTES) for text in hashes)
    return Submission(decimal(first.removeprefix(_OLD)), proof, parsed, checkpoint.parse(parsed.text))


class Witness:
    """Cosigns for the logs it was given. Safe between threads and between processes that share the state.

    `also` is asked at each submission for further logs: a log that opens is known, and one whose key was stolen is
    unknown, from the moment that whoever runs the witness says so. It raises ValueError or OSError when it cannot tell.
    `now_s` is the witness's clock, seconds since 1970. Not guaranteed: that what a log records is true.
    """

    def __init__(
        self,
        key: WitnessKey,
        state: "WitnessState",
        logs: Iterable[Verifier],
        now_s: Callable[[], int],
        also: Callable[[], Iterable[Verifier]] = tuple,
    ) -> None:
        self._key = key
        self._state = state
        self._now_s = now_s
        self._logs = tuple(logs)
        self._also = also

    @property
    def vkeys(self) -> tuple[str, ...]:
        """The keys of which whoever trusts this witness puts one into a policy."""
        return self._key.vkeys

    def add_checkpoint(self, body: bytes) -> str:
        """The cosignature lines for a submission, one by each key.

        Raises Refused with the status that C2SP tlog-witness asks for. When it returns, the head is on the disk:
        nothing is signed that could be forgotten.
        """
        submission = self._known(body)
        head = submission.head
        with self._state.turn() as turn:
            size, root = turn.latest(head.origin)
            if submission.old_size != size:
                raise Refused(409, f"{size}\n", SIZE_TYPE)
            if head.size == size and head.root != root:
                turn.keep_fork(head, submission.signed)
                raise Refused(409, f"{size}\n", SIZE_TYPE)
            try:
                merkle.verify_consistency(size, head.size, submission.proof, root, head.root)
            except merkle.ProofInvalid as error:
                raise Refused(422, f"{error.reason}\n") from error
            turn.advance(head, submission.signed)
        return self._key.cosign(submission.signed.text, self._now_s())

    def _known(self, body: bytes) -> Submission:
        try:
            submission = parse_submission(body)
        except Malformed as error:
            raise Refused(400, f"{error.reason}\n") from error
        try:
            logs = [log for log in (*self._logs, *self._also()) if log.name == submission.head.origin]
        except (OSError, ValueError) as error:
            raise Refused(503, "the list of logs cannot be read\n") from error
        if not logs:
            raise Refused(404, "unknown log\n")
        try:
            note.verify(submission.signed, logs)
        except SignatureInvalid as error:
            raise Refused(403, f"{error.reason}\n") from error
        if submission.old_size > submission.head.size:
            raise Refused(400, "the old size is larger than the checkpoint's\n")
        return submission


class Turn:
    """One submission's exclusive use of the state."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def latest(self, origin: str) -> tuple[int, bytes]:
        """Size and root of the head last cosigned for a log; the empty tree if there is none."""
        query = "SELECT size, root FROM heads WHERE origin = ?"
        row: tuple[int, bytes] | None = self._connection.execute(query, (origin,)).fetchone()
        return row or (0, merkle.EMPTY_ROOT)

    def advance(self, head: Checkpoint, signed: Note) -> None:
        """Make this the head last cosigned."""
        values = (head.origin, head.size, head.root, signed.encode())
        self._connection.execute("INSERT OR REPLACE INTO heads (origin, size, root, note) VALUES (?, ?, ?, ?)", values)

    def keep_fork(self, head: Checkpoint, signed: Note) -> None:
        """Keep a second head of a size already cosigned: signed by the log, it proves that the log forked."""
        (kept,) = self._connection.execute("SELECT count(*) FROM forks WHERE origin = ?", (head.origin,)).fetchone()
        if kept < _MAX_FORKS:
            values = (head.origin, head.size, head.root, signed.encode())
            self._connection.execute(
                "INSERT OR IGNORE INTO forks (origin, size, root, note) VALUES (?, ?, ?, ?)", values
            )


class WitnessState:
    """What a witness must never forget, in an SQLite file: the head it last cosigned for each log.

    A witness that lost it, or was given an older copy, could cosign a second tree: it must take a new key. So a state
    belongs to one key and is never made on the way. Raises Unusable.
    """

    def __init__(self, path: Path, vkey: str) -> None:
        if not path.is_file():
            raise Unusable(f"{path} is not there; a witness that has lost its state needs a new key (witness-key)")
        self._lock = threading.Lock()
        try:
            self._connection = _connect(path)
            (owner,) = self._connection.execute("SELECT vkey FROM witness").fetchone()
        except (sqlite3.Error, TypeError) as error:
            raise Unusable(f"{path} is not the state of a witness") from error
        if owner != vkey:
            self._connection.close()
            raise Unusable(f"{path} belongs to another key, {owner}")

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """One submission at a time, across threads and processes; what it wrote is on the disk when it ends.

        A refusal ends the turn as well and keeps the fork that caused it. Raises Refused 503 when the turn does not
        come or the disk does not take it.
        """
        try:
            with self._lock, self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                refusal: Refused | None = None
                try:
                    yield Turn(self._connection)
                except Refused as refused:
                    refusal = refused
        except sqlite3.Error as error:
            raise Refused(503, "the state does not answer\n") from error
        if refusal is not None:
            raise refusal

    def forks(self) -> list[bytes]:
        """The notes that prove a fork, each beside a head of the same size that was cosigned."""
        with self._lock:
            return [row[0] for row in self._connection.execute("SELECT note FROM forks ORDER BY origin, size, root")]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def create(name: str, key_file: Path, state_file: Path, *, ml_dsa: bool = False) -> WitnessKey:
    """A new key (mode 0600, unencrypted: guard the machine), or two in one file, and its empty state. Replaces neither.

    Raises Unusable, also for a name no key can have.
    """
    try:
        second = MLDSA44PrivateKey.generate() if ml_dsa else None
        made = WitnessKey(note.check_name(name), Ed25519PrivateKey.generate(), second)
        text = "".join(_key_line(name, key) for key in made.keys)
    except Malformed as error:
        raise Unusable(error.reason) from error
    if state_file.exists():
        raise Unusable(f"{state_file} exists")
    beside = _new_state(state_file, made.vkey)
    try:
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        beside.unlink()
        raise Unusable(f"{key_file}: {error.strerror}") from error
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  a descriptor, opened exclusively
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(state_file)
    return made


def _new_state(state_file: Path, vkey: str) -> Path:
    """An empty state beside its place, so that no key is made where no state can be kept."""
    beside = state_file.with_name(f"{state_file.name}.new")
    try:
        beside.unlink(missing_ok=True)
        connection = _connect(beside)
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for table in _TABLES:
                connection.execute(table)
            connection.execute("INSERT INTO witness (vkey) VALUES (?)", (vkey,))
        connection.close()
    except (OSError, sqlite3.Error) as error:
        raise Unusable(f"{state_file}: {error}") from error
    return beside


def _key_line(name: str, key: PrivateKey) -> str:
    verifier = cosignature.witness_key(name, key)
    seed = bytes([verifier.key_type]) + key.private_bytes_raw()
    return f"{_KEY_PREFIX}+{name}+{verifier.key_id.hex()}+{base64_text(seed)}\n"


def load(key_file: Path) -> WitnessKey:
    """The key that `create` wrote. Raises Unusable, also when others may read the file."""
    try:
        with key_file.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise Unusable(f"{key_file} can be read by others: chmod 600")
            first, *rest = file.read(4096).decode().rstrip("\n").split("\n")
        name = first.split("+")[2]
        key = Ed25519PrivateKey.from_private_bytes(_seed(first, COSIGNATURE_V1))
        seeds = [_seed(line, COSIGNATURE_ML_DSA) for line in rest]
        loaded = WitnessKey(note.check_name(name), key, *map(MLDSA44PrivateKey.from_seed_bytes, seeds))
        if [_key_line(name, one) for one in loaded.keys] != [f"{line}\n" for line in (first, *rest)]:
            raise ValueError
    except OSError as error:
        raise Unusable(f"{key_file}: {error.strerror}") from error
    except (ValueError, IndexError, TypeError) as error:
        raise Unusable(f"{key_file} is not the key of a witness") from error
    return loaded


def _seed(line: str, key_type: int) -> bytes:
    seed = base64_bytes(line.split("+", 4)[-1], 33)
    if seed[0] != key_type:
        raise ValueError("a key of another kind")
    return seed[1:]


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = EXTRA")  # the directory too: a head survives the loss of power
    return connection
