"""A provider's list of files and digests, and what it says about what arrived. No SQL, no web.

Three forms: a BagIt payload manifest (RFC 8493, section 2.1.3), what `sha256sum` writes (GNU coreutils, «md5sum
invocation»), and CSV with a heading. SHA-256 only: we hold no other digest of an original, so a list of another kind is
refused as a whole instead of being half checked.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from custody.kernel.errors import Invalid

FORMATS = ("bagit", "sha256sum", "csv")
_LINE = re.compile(r"(\\?)([0-9A-Fa-f]{64})(?:  | \*|[ \t]+)(.+)", re.ASCII)
_HEX = re.compile(r"(?:sha256:)?([0-9A-Fa-f]{64})", re.ASCII)
_PATHS = ("path", "file", "filename", "name")
_DIGESTS = ("sha256", "sha-256", "hash", "digest")
_PAYLOAD = "data/"


@dataclass(frozen=True)
class Differing:
    """A file that arrived under a listed path with other bytes; digests are `sha256:<hex>`."""

    path: str
    expected: str
    found: str


@dataclass(frozen=True)
class Comparison:
    """What a list says and what arrived. Every listed path is in `matched`, `differing` or `missing`; exactly one.

    Not guaranteed: that the list is the provider's. Its own digest is kept, so that the provider can be asked.
    """

    listed: int
    matched: int
    differing: tuple[Differing, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether exactly what is listed arrived."""
        return not (self.differing or self.missing or self.extra)


def parse(text: str, form: str) -> dict[str, str]:
    """Digest (`sha256:<hex>`) by path. Raises Invalid: `hashlist.unknown_format`, `hashlist.empty`,
    `hashlist.bad_line` and `hashlist.twice`, both naming the line.
    """
    if form not in FORMATS:
        raise Invalid("hashlist.unknown_format")
    listed: dict[str, str] = {}
    rows = _from_csv(text) if form == "csv" else _from_lines(text, bagit=form == "bagit")
    for number, written, digest in rows:
        path = _plain(written)
        if path in listed:
            raise Invalid("hashlist.twice", line=number)
        listed[path] = f"sha256:{digest.lower()}"
    if not listed:
        raise Invalid("hashlist.empty")
    return listed


def compare(listed: Mapping[str, str], arrived: Mapping[str, str], form: str, own_path: str = "") -> Comparison:
    """Compare a parsed list with digests by path of what arrived.

    Paths are compared in NFC, since some systems decompose letters on the way. What describes the list is not extra:
    the list itself (`own_path`), and in a bag whatever lies beside its payload.
    """
    found = {_plain(path): digest for path, digest in arrived.items()}
    ours = {_plain(own_path)} if own_path else set()
    told = {path for path in found if path not in ours and (form != "bagit" or path.startswith(_PAYLOAD))}
    both = sorted(listed.keys() & found.keys())
    differing = tuple(Differing(path, listed[path], found[path]) for path in both if listed[path] != found[path])
    return Comparison(
        listed=len(listed),
        matched=len(both) - len(differing),
        differing=differing,
        missing=tuple(sorted(listed.keys() - found.keys())),
        extra=tuple(sorted(told - listed.keys())),
    )


def _from_lines(text: str, *, bagit: bool) -> Iterable[tuple[int, str, str]]:
    for number, line in enumerate(_lines(text), 1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise Invalid("hashlist.bad_line", line=number)
        escaped, digest, path = found.groups()
        if bagit:
            path = re.sub("%(0A|0D|25)", lambda code: chr(int(code[1], 16)), path, flags=re.IGNORECASE)
        elif escaped:
            path = re.sub(r"\\([\\nr])", lambda code: {"\\": "\\", "n": "\n", "r": "\r"}[code[1]], path)
        yield number, path, digest


def _from_csv(text: str) -> Iterable[tuple[int, str, str]]:
    heading, _, _ = text.removeprefix("\ufeff").partition("\n")
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";" if ";" in heading else ",")
    path_at = digest_at = -1
    for row in reader:
        if path_at < 0:
            names = [name.strip().lower() for name in row]
            path_at = next((names.index(name) for name in _PATHS if name in names), -1)
            digest_at = next((names.index(name) for name in _DIGESTS if name in names), -1)
            if path_at < 0 or digest_at < 0:
                raise Invalid("hashlist.bad_line", line=reader.line_num)
            continue
        if not any(cell.strip() for cell in row):
            continue
        found = _HEX.fullmatch(row[digest_at].strip()) if len(row) > max(path_at, digest_at) else None
        if found is None or not row[path_at]:
            raise Invalid("hashlist.bad_line", line=reader.line_num)
        yield reader.line_num, row[path_at], found[1]


def _lines(text: str) -> list[str]:
    """Only LF and CRLF end a line here; `splitlines` would also break names at rarer characters."""
    return [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]


def _plain(path: str) -> str:
    return unicodedata.normalize("NFC", path.replace("\\", "/")).removeprefix("./")
