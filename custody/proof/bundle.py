"""The files of a package: a BagIt 1.0 bag (RFC 8493) whose tag files carry the custody proof.

`write` lays out the small files for a caller that streams the container itself; the parsers read them back strictly,
each accepting only what `write` writes. Nothing here verifies a proof: see `verify`.
"""

import re
from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from custody.proof import disclosure
from custody.proof.merkle import HASH_BYTES
from custody.proof.package import entry_name
from custody.proof.strict import Malformed, base64_bytes, base64_text, decimal

BAGIT = "bagit.txt"
BAG_INFO = "bag-info.txt"
PAYLOAD_MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
DISCLOSURE = "custody/disclosure.json"
EVENTS = "custody/events.jsonl"
PROOFS = "custody/proofs.txt"
CHECKPOINT = "custody/checkpoint"
REQUIRED = (BAGIT, BAG_INFO, PAYLOAD_MANIFEST, TAG_MANIFEST, DISCLOSURE, EVENTS, PROOFS, CHECKPOINT)
DATA = "data/"
MAX_TIMESTAMPS = 9
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MAX_HASHES = 63
_TIMESTAMP = re.compile(r"custody/timestamps/[1-9]\.tst")
MAX_CLOSED = 9
CLOSED_FILES = ("checkpoint", "proofs.txt", "handover.jsonl", "handover.txt")
_CLOSED = re.compile(rf"custody/closed/([1-{MAX_CLOSED}])/(?:{'|'.join(map(re.escape, CLOSED_FILES))})")
_EXTRA = re.compile(r"index\.html|verify\.html|README\.txt|reader/.+")
_CELL = 1 + 44
_PLAIN_CELLS = re.compile(r"(?: [A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)*")  # 32 bytes each, zero pad bits (RFC 4648 §3.5)
_MANIFEST_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_INFO_LINE = re.compile(r"([A-Za-z0-9-]+): ([^\x00-\x1f\x7f]+)")


@dataclass(frozen=True)
class ProvenLeaf:
    """An event's exact bytes, its place in the log and its inclusion proof."""

    index: int
    leaf: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True)
class ClosedLog:
    """A closed log's share of a package: its final head, its events, and the two around the boundary to the next log.

    `leaves` and `closed` are proved under `checkpoint`, `opened` under the head of the log that follows.
    """

    checkpoint: bytes
    leaves: Sequence[ProvenLeaf]
    closed: ProvenLeaf
    opened: ProvenLeaf


@dataclass(frozen=True)
class FileDigest:
    """A data file as the container holds it: its path in the package, 64 hex digits, its length in bytes."""

    path: str
    sha256_hex: str
    size_bytes: int


def write(
    manifest: bytes,
    leaves: Sequence[ProvenLeaf],
    checkpoint: bytes,
    files: Sequence[FileDigest],
    extra: Mapping[str, bytes] | None = None,
    info: Mapping[str, str] | None = None,
    timestamps: Sequence[bytes] = (),
    closed: Sequence[ClosedLog] = (),
) -> dict[str, bytes]:
    """The tag files of a package, by entry, in the order to store them; with the data files they are the package.

    `extra` are further tag files (`index.html`, `verify.html`, `README.txt`, `reader/…`): listed and digested, vouched
    for by nothing that is signed. `timestamps` are RFC 3161 tokens over the checkpoint's text, at most 9. `info` are
    further lines of bag-info.txt (RFC 8493 §2.2.2), such as `External-Identifier`. The leaves may come in any order.
    `closed` are the logs before this one from the first that holds events of this package, oldest first, at most 9.
    Raises Malformed or ContainerInvalid for parts that the verifier would refuse by their form; whether they prove
    anything only the verifier says.
    """
    extra = dict(extra or {})
    disclosure.parse(manifest)
    ordered = _ordered(leaves)
    before = [leaf for log in closed for leaf in _ordered(log.leaves)]
    lines = {"Payload-Oxum": payload_oxum(files), **(info or {})}
    tags = {
        BAGIT: DECLARATION,
        BAG_INFO: "".join(f"{name}: {value}\n" for name, value in lines.items()).encode(),
        PAYLOAD_MANIFEST: digest_lines({file.path: file.sha256_hex for file in files}),
        **extra,
        DISCLOSURE: manifest,
        EVENTS: _leaf_lines([*before, *ordered]),
        PROOFS: _proof_lines(ordered),
        CHECKPOINT: checkpoint,
        **_closed_files(closed),
        **{timestamp_entry(number): token for number, token in enumerate(timestamps, 1)},
    }
    tags[TAG_MANIFEST] = digest_lines({entry: sha256(data).hexdigest() for entry, data in tags.items()})
    if parse_info(tags[BAG_INFO]) != lines or len({file.path for file in files}) != len(files):
        raise Malformed("a label, a value or a path cannot be written as it is")
    if len(timestamps) > MAX_TIMESTAMPS:
        raise Malformed("a package has more than 9 time stamps")
    if len(closed) > MAX_CLOSED:
        raise Malformed("a package goes back over more than 9 closed logs")
    for entry in extra:
        if not is_extra(entry_name(entry)):
            raise Malformed("an extra file has a name that packages do not know")
    for file in files:
        if not entry_name(file.path).startswith(DATA):
            raise Malformed("a data file does not lie below data/")
    return tags


def _ordered(leaves: Sequence[ProvenLeaf]) -> list[ProvenLeaf]:
    return sorted(leaves, key=lambda leaf: leaf.index)


def _leaf_lines(leaves: Sequence[ProvenLeaf]) -> bytes:
    return b"".join(leaf.leaf + b"\n" for leaf in leaves)


def _proof_lines(leaves: Sequence[ProvenLeaf]) -> bytes:
    return "".join(proof_line(leaf.index, leaf.proof) for leaf in leaves).encode()


def _closed_files(closed: Sequence[ClosedLog]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for number, log in enumerate(closed, 1):
        both = (log.closed, log.opened)
        contents = (log.checkpoint, _proof_lines(_ordered(log.leaves)), _leaf_lines(both), _proof_lines(both))
        files.update(zip(closed_entries(number), contents, strict=True))
    return files


def closed_entries(number: int) -> tuple[str, ...]:
    """The files of a closed log, 1 to 9 from the oldest: head, proofs, the two boundary events, their proofs."""
    return tuple(f"custody/closed/{number}/{name}" for name in CLOSED_FILES)


def closed_number(entry: str) -> int:
    """Which closed log a tag file of this name belongs to; 0 for none."""
    match = _CLOSED.fullmatch(entry)
    return int(match[1]) if match else 0


def is_extra(entry: str) -> bool:
    """Whether a tag file beyond the required ones may have this name."""
    return bool(_EXTRA.fullmatch(entry))


def timestamp_entry(number: int) -> str:
    """Where the time stamp with this number, 1 to 9, lies."""
    return f"custody/timestamps/{number}.tst"


def is_timestamp(entry: str) -> bool:
    """Whether a tag file of this name is a time-stamp token."""
    return bool(_TIMESTAMP.fullmatch(entry))


def payload_oxum(files: Sequence[FileDigest]) -> str:
    """Octets and number of the data files (RFC 8493 §2.2.2)."""
    return f"{sum(file.size_bytes for file in files)}.{len(files)}"


def digest_lines(digests: Mapping[str, str]) -> bytes:
    """A BagIt manifest (RFC 8493 §2.1.3) over 64 hex digits by entry, sorted by entry."""
    return "".join(f"{digests[entry]}  {entry}\n" for entry in sorted(digests)).encode()


def parse_digest_lines(data: bytes) -> dict[str, str]:
    """Entry to hex digest; only the spelling `digest_lines` writes. Raises Malformed or ContainerInvalid.

    Percent signs, which RFC 8493 would decode, cannot occur: no entry of a package has one.
    """
    digests: dict[str, str] = {}
    for line in _lines(data):
        match = _MANIFEST_LINE.fullmatch(line)
        if not match:
            raise Malformed("a line is not a digest, two spaces and a path")
        digests[entry_name(match[2])] = match[1]
    if digest_lines(digests) != data:
        raise Malformed("the list of digests is not sorted, or has a path twice")
    return digests


def parse_info(data: bytes) -> dict[str, str]:
    """The lines of bag-info.txt, each label once. Raises Malformed."""
    found: dict[str, str] = {}
    for line in _lines(data):
        match = _INFO_LINE.fullmatch(line)
        if not match or match[1] in found:
            raise Malformed("a line is not a label and a value, or a label stands twice")
        found[match[1]] = match[2]
    return found


def proof_line(index: int, proof: Sequence[bytes]) -> str:
    """A line of proofs.txt: the index and the hashes from the leaf upwards."""
    return " ".join([str(index), *map(base64_text, proof)]) + "\n"


class ProofLines:
    """Reads lines of proofs.txt one after the other; only the spelling `proof_line` writes, without its newline.

    The proofs of neighbours end alike: what ends as the line before did is not read anew.
    """

    def __init__(self) -> None:
        self._text = ""
        self._hashes: tuple[bytes, ...] = ()

    def parse(self, line: str) -> tuple[int, tuple[bytes, ...]]:
        """Index and hashes. Raises Malformed."""
        index, gap, text = line.partition(" ")
        text, own, shared = gap + text, gap + text, 0
        # a cell is a space and the 44 characters of 32 bytes; text that has been read consists of cells
        if not len(text) % _CELL:
            for start in range(0, len(text), _CELL):
                if self._text.endswith(text[start:]):
                    own, shared = text[:start], (len(text) - start) // _CELL
                    break
        new = own.split(" ")[1:]
        if len(new) + shared > MAX_HASHES:
            raise Malformed("a proof has more hashes than any tree needs")
        number = decimal(index)
        if _PLAIN_CELLS.fullmatch(own):
            hashes = tuple([a2b_base64(cell) for cell in new])
        else:
            hashes = tuple([base64_bytes(cell, HASH_BYTES) for cell in new])  # says what is wrong
        self._text, self._hashes = text, hashes + self._hashes[len(self._hashes) - shared :]
        return number, self._hashes


def proof_lines(data: bytes) -> list[str]:
    """The lines of proofs.txt. Raises Malformed."""
    return _lines(data)


def event_lines(data: bytes) -> list[bytes]:
    """The exact leaves of events.jsonl, which each end in a newline. Raises Malformed."""
    if data and not data.endswith(b"\n"):
        raise Malformed("the last line has no newline")
    return data.split(b"\n")[:-1]


def _lines(data: bytes) -> list[str]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("a file is not UTF-8") from error
    if text and not text.endswith("\n"):
        raise Malformed("the last line has no newline")
    return text.split("\n")[:-1]
