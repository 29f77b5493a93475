"""The disclosure manifest: what is handed over, what is withheld, and on which ground."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from custody.proof import canonical
from custody.proof.grammar import Rule, equals, fields, is_count, is_sha256, is_text, is_uuid, or_null
from custody.proof.package import ContainerInvalid, entry_name
from custody.proof.strict import Malformed

VERSION = 1
TYPE = "dalel-disclosure"
ORIGINAL = "original"
SPOKEN = frozenset({"transcript", "text"})
"""Kinds of files that say in words what was heard: a person must have confirmed the words first."""
_PATH = re.compile(r"data/([0-9]{1,9})/[^/]+")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True)
class DisclosedFile:
    """One file of the payload. `kind` is `original` (and `rendition` None) or the rendition's kind.

    `path` is `data/<number>/<file name>`; digests are `sha256:<hex>`; `source_sha256` is what it was made from, for an
    original its own digest.
    """

    path: str
    exhibit: str
    number: int
    kind: str
    sha256: str
    size_bytes: int
    source_sha256: str
    rendition: str | None


@dataclass(frozen=True)
class Withheld:
    """An exhibit that is not handed over, and the ground in law."""

    exhibit: str
    number: int
    ground: str


@dataclass(frozen=True)
class Previous:
    """The round before this one."""

    disclosure: str
    manifest_sha256: str


@dataclass(frozen=True)
class Manifest:
    """The disclosure manifest. Ids are UUIDs as text, `released_ms` milliseconds since 1970."""

    disclosure: str
    case: str
    erdr: str
    round: int
    recipient: str
    released_ms: int
    files: tuple[DisclosedFile, ...]
    withheld: tuple[Withheld, ...]
    previous: Previous | None
    exhibits_total: int

    @property
    def exhibits(self) -> dict[str, int]:
        """The disclosed exhibits and their numbers."""
        return {file.exhibit: file.number for file in self.files}

    def encode(self) -> bytes:
        """The canonical bytes. Raises Malformed or NotCanonical if `parse` would not accept them."""
        data = canonical.encode({"v": VERSION, "type": TYPE, **asdict(self)})
        parse(data)
        return data


def parse(data: bytes) -> Manifest:
    """The manifest whose canonical bytes these are. Raises Malformed or NotCanonical."""
    value = canonical.decode(data)
    fields(value, _MANIFEST)
    manifest = Manifest(
        files=tuple(_file(entry) for entry in value["files"]),
        withheld=tuple(_withheld(entry) for entry in value["withheld"]),
        previous=None if value["previous"] is None else _previous(value["previous"]),
        **{name: value[name] for name in _PLAIN},
    )
    _consistent(manifest)
    return manifest


def _file(value: Any) -> DisclosedFile:
    fields(value, _FILE)
    file = DisclosedFile(**value)
    match = _PATH.fullmatch(file.path)
    try:
        entry_name(file.path)
    except ContainerInvalid as error:
        raise Malformed("a file's path cannot be an entry of a package") from error
    if not match or int(match[1]) != file.number:
        raise Malformed("a file's path is not data/, its exhibit's number and a name")
    if (file.kind == ORIGINAL) != (file.rendition is None):
        raise Malformed("a file is an original with a rendition, or a rendition without one")
    if file.kind == ORIGINAL and file.source_sha256 != file.sha256:
        raise Malformed("an original is said to be made from something else")
    return file


def _withheld(value: Any) -> Withheld:
    fields(value, _WITHHELD)
    return Withheld(**value)


def _previous(value: Any) -> Previous:
    fields(value, _PREVIOUS)
    return Previous(**value)


def _consistent(manifest: Manifest) -> None:
    paths = [file.path for file in manifest.files]
    if len(set(paths)) != len(paths):
        raise Malformed("a path stands twice in the manifest")
    numbers = {(file.exhibit, file.number) for file in manifest.files}
    numbers |= {(entry.exhibit, entry.number) for entry in manifest.withheld}
    exhibits = {exhibit for exhibit, _ in numbers}
    if len(numbers) != len(exhibits) or len(numbers) != len({number for _, number in numbers}):
        raise Malformed("an exhibit has two numbers, or a number two exhibits")
    if manifest.exhibits_total < len(exhibits):
        raise Malformed("the manifest names more exhibits than there are in all")


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_positive(value: object) -> bool:
    return is_count(value) and value != 0


_PLAIN = ("disclosure", "case", "erdr", "round", "recipient", "released_ms", "exhibits_total")
_MANIFEST: Mapping[str, Rule] = {
    "v": equals(VERSION),
    "type": equals(TYPE),
    "disclosure": is_uuid,
    "case": is_uuid,
    "erdr": is_text,
    "round": _is_positive,
    "recipient": is_text,
    "released_ms": is_count,
    "files": _is_list,
    "withheld": _is_list,
    "previous": lambda value: value is None or isinstance(value, dict),
    "exhibits_total": is_count,
}
_FILE: Mapping[str, Rule] = {
    "path": is_text,
    "exhibit": is_uuid,
    "number": is_count,
    "kind": lambda value: isinstance(value, str) and bool(_KIND.fullmatch(value)),
    "sha256": is_sha256,
    "size_bytes": is_count,
    "source_sha256": is_sha256,
    "rendition": or_null(is_uuid),
}
_WITHHELD: Mapping[str, Rule] = {"exhibit": is_uuid, "number": is_count, "ground": is_text}
_PREVIOUS: Mapping[str, Rule] = {"disclosure": is_uuid, "manifest_sha256": is_sha256}
