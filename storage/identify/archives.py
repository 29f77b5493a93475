"""Archives: what lies in them by their own directory. Nothing is unpacked; what pretends to be small is flagged."""

import bz2
import gzip
import lzma
import tarfile
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from storage.identify.model import Claims

BOMB_RATIO = 100
"""More than so many times its packed size is no document, log or picture."""
BOMB_BYTES = 256 << 20
STREAM_BYTES = 320 << 20
"""How far a compressed stream is followed to learn its size."""
_PACKED = (".zip", ".gz", ".7z", ".rar", ".tar", ".bz2", ".xz", ".jar", ".tgz")
_PIECE = 1 << 20
MOST_MEMBERS = 100_000


def read(source: Path, media_type: str, claims: Claims) -> None:
    """Raises what the reader of the format raises for a broken one."""
    claims.tools["archives"] = "python"
    if media_type == "application/zip":
        with zipfile.ZipFile(source) as archive:
            list_zip(archive, claims)
        return
    if media_type == "application/x-tar":
        with source.open("rb") as file:
            _list_tar(file, claims)
        return
    openers: dict[str, Any] = {"application/x-bzip2": bz2.open, "application/x-xz": lzma.open}
    opener = openers.get(media_type, gzip.open)
    packed = source.stat().st_size
    with opener(source) as stream:
        bounded = _Bounded(stream)
        if _looks_like_tar(stream):
            _list_tar(bounded, claims)
        while bounded.read(_PIECE):
            pass
    claims.claim("archive.unpacked_bytes", bounded.passed)
    if bounded.cut:
        claims.flag("archive.more")
    if is_bomb(bounded.passed, packed):
        claims.flag("archive.bomb")


def list_zip(archive: zipfile.ZipFile, claims: Claims, *, name_entries: bool = True) -> None:
    """Members as the directory has them. Members that overlap are how a bomb hides its size (Fifield 2019)."""
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    for member in members:
        if name_entries:
            claims.entry(member.filename, member.file_size)
            name_of_member(member.filename, claims)
        if member.flag_bits & 1:
            claims.flag("encrypted")
    places = sorted((member.header_offset, member.compress_size) for member in members)
    if is_bomb(total, packed) or any(at + size > after for (at, size), (after, _) in pairwise(places)):
        claims.flag("archive.bomb")
    if name_entries:
        claims.claim("archive.members", len(members))
        claims.claim("archive.unpacked_bytes", total)


def _list_tar(file: Any, claims: Claims) -> None:
    with tarfile.open(fileobj=file, mode="r|") as archive:
        for number, member in enumerate(archive):
            if number >= MOST_MEMBERS:
                claims.flag("archive.more")
                break
            claims.entry(member.name, member.size)
            name_of_member(member.name, claims)
    claims.claim("archive.members", claims.entries_total)


def name_of_member(name: str, claims: Claims) -> None:
    """Flag what is remarkable about a name."""
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/"):
        claims.flag("archive.unsafe_names")
    if name.lower().endswith(_PACKED):
        claims.flag("archive.nested")


def is_bomb(unpacked: int, packed: int) -> bool:
    """Whether something of this size in bytes says that so much comes out of it."""
    return unpacked > BOMB_BYTES and unpacked > BOMB_RATIO * max(packed, 1)


def _looks_like_tar(stream: Any) -> bool:
    start: bytes = stream.peek(512)[:512] if hasattr(stream, "peek") else b""
    return start[257:262] == b"ustar"


class _Bounded:
    """A stream that ends after STREAM_BYTES whatever lies behind, and counts."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.passed = 0
        self.cut = False

    def read(self, size: int = -1) -> bytes:
        left = STREAM_BYTES - self.passed
        if left <= 0:
            self.cut = True
            return b""
        data: bytes = self._stream.read(min(size if size >= 0 else _PIECE, left))
        self.passed += len(data)
        return data
