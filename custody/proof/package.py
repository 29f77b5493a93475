"""The container of a package: a ZIP file or an unpacked folder, read without trusting it.

Entries are the paths below the one top folder, with forward slashes. Refused: links, anything but plain files, `..`,
absolute paths, backslashes, control characters, two entries of one name (letter case and Unicode form ignored, as
Windows and macOS would), compression, encryption, overlapping entries, bytes before or after the archive, more entries
than are allowed.
"""

import os
import re
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Protocol

from custody.proof.strict import ProofError

MAX_ENTRIES = 200_000
MAX_DIRECTORY_BYTES = 100_000_000
MAX_NAME_BYTES = 1_000
_CHUNK = 1 << 20
_IN_ZIP64 = 0xFFFFFFFF
_UTF8_FLAG = 0x800
_ENCRYPTED_FLAG = 0x1
_UNSAFE = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|%\ud800-\udfff]')
_DEVICES = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ZIP_TROUBLE = (
    zipfile.BadZipFile,
    ValueError,
    RuntimeError,
    EOFError,
    LookupError,
    OverflowError,
    OSError,
    struct.error,
)


class ContainerInvalid(ProofError):
    """The container is not one this program will open; `detail` names the entry, if one is at fault."""


@dataclass(frozen=True)
class Digest:
    """What was read from an entry: its SHA-256 as 64 hex digits and its length in bytes."""

    sha256_hex: str
    size_bytes: int


class Package(Protocol):
    """An opened container. `sizes` maps each entry to its length in bytes, as the container claims it."""

    @property
    def name(self) -> str: ...

    @property
    def sizes(self) -> Mapping[str, int]: ...

    def stream(self, entry: str) -> Iterator[bytes]: ...


def read(package: Package, entry: str, max_bytes: int) -> bytes:
    """A whole small entry. Raises ContainerInvalid if it is longer than `max_bytes` or cannot be read."""
    if package.sizes[entry] > max_bytes:
        raise ContainerInvalid("an entry is larger than its kind may be", entry)
    return b"".join(package.stream(entry))


def digest(package: Package, entry: str) -> Digest:
    """SHA-256 and length of an entry, read in pieces of 1 MiB. Raises ContainerInvalid."""
    hasher, size = sha256(), 0
    for piece in package.stream(entry):
        hasher.update(piece)
        size += len(piece)
    return Digest(hasher.hexdigest(), size)


@contextmanager
def opened(path: Path) -> Iterator[Package]:
    """The package at `path`, a file or a folder. Raises ContainerInvalid, or OSError if nothing can be read there."""
    if path.is_dir():
        yield _open_folder(path)
        return
    with path.open("rb") as file:
        with _zip_trouble():
            package = _open_zip(file)
        yield package


def entry_name(text: str) -> str:
    """`text` if it can be an entry of a package. Raises ContainerInvalid."""
    parts = text.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise ContainerInvalid("an entry's path is absolute, empty or climbs", text)
    if any(part[-1] in ". " for part in parts):
        raise ContainerInvalid("an entry's path has a part that ends in a dot or a space", text)
    if _UNSAFE.search(text):
        raise ContainerInvalid("an entry's path has a character that systems read differently", text)
    if len(text.encode()) > MAX_NAME_BYTES:
        raise ContainerInvalid("an entry's path is longer than 1000 bytes", text)
    return text


def entry_names(top: str, tags: Iterable[str], files: Iterable[str]) -> list[str]:
    """The names of a package's ZIP entries in their order: tag files first, then data, all below the folder `top`.

    A writer stores them uncompressed and as plain files. Raises ContainerInvalid for a name that `opened` would refuse.
    """
    names = [*tags, *files]
    _checked({entry_name(name): 0 for name in names})
    if len(set(names)) != len(names):
        raise ContainerInvalid("two entries have one name")
    return [entry_name(f"{entry_name(top)}/{name}") for name in names]


def safe_name(name: str, max_bytes: int = 150) -> str:
    """A file name for a package made from any original name: one component, openable on every system.

    Keeps letters of every alphabet and the extension; what is unsafe becomes `_`. Not injective: put it below a folder
    of its own. The original name itself belongs in the events.
    """
    cleaned = _UNSAFE.sub("_", unicodedata.normalize("NFC", name)).replace("/", "_").lstrip(" ").rstrip(". ")
    stem, dot, extension = cleaned.rpartition(".")
    ending = dot + extension if stem and len(extension.encode()) <= 16 else ""
    room = max_bytes - len("_") - len(ending.encode())
    body = cleaned[: len(cleaned) - len(ending)].encode()[:room].decode("utf-8", "ignore")
    short = (body + ending).rstrip(". ") or "_"
    return f"_{short}" if _DEVICES.fullmatch(short) else short


def _checked(sizes: Mapping[str, int]) -> Mapping[str, int]:
    """The entries below the top folder. Raises ContainerInvalid for two that would be one on some system."""
    if len(sizes) > MAX_ENTRIES:
        raise ContainerInvalid("the package has more than 200000 entries")
    seen: set[str] = set()
    for entry in sizes:
        folded = unicodedata.normalize("NFC", entry).casefold()
        if folded in seen:
            raise ContainerInvalid("two entries have one name", entry)
        seen.add(folded)
    return sizes


# ZIP


def _open_zip(file: IO[bytes]) -> Package:
    if _directory_bytes(file) > MAX_DIRECTORY_BYTES:
        raise ContainerInvalid("the list of entries is larger than 100 MB")
    return _ZipPackage(zipfile.ZipFile(file))


class _ZipPackage:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        infos = archive.infolist()
        if not infos:
            raise ContainerInvalid("the archive is empty")
        for info in infos:
            _check_info(info)
        _check_layout(archive, infos)
        self.name = infos[0].filename.split("/")[0]
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            top, separator, entry = info.filename.partition("/")
            if top != self.name or not separator:
                raise ContainerInvalid("an entry is not below the one top folder", info.filename)
            if entry in self._infos:
                raise ContainerInvalid("two entries have one name", entry)
            self._infos[entry] = info
        self.sizes = _checked({entry: info.file_size for entry, info in self._infos.items()})

    def stream(self, entry: str) -> Iterator[bytes]:
        with _zip_trouble(entry), self._archive.open(self._infos[entry]) as file:
            yield from _pieces(file)


def _check_info(info: zipfile.ZipInfo) -> None:
    entry_name(info.filename)
    mode = info.external_attr >> 16
    if info.orig_filename != info.filename or not (info.filename.isascii() or info.flag_bits & _UTF8_FLAG):
        raise ContainerInvalid("an entry's name can be read in two ways", info.filename)
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise ContainerInvalid("an entry is a link or another special file", info.filename)
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise ContainerInvalid("an entry is compressed: packages are stored as they are", info.filename)
    if info.flag_bits & _ENCRYPTED_FLAG:
        raise ContainerInvalid("an entry is encrypted", info.filename)


def _check_layout(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> None:
    """Entries may neither overlap nor leave room in front: bytes that two readers would see differently."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end or (end == 0 and info.header_offset):
            raise ContainerInvalid("entries overlap, or bytes stand before the first", info.filename)
        end = info.header_offset + 30 + len(info.filename.encode()) + info.file_size
    if end > archive.start_dir:
        raise ContainerInvalid("an entry reaches into the list of entries")


def _directory_bytes(file: IO[bytes]) -> int:
    """The length of the central directory, so that it is known before it is read into memory (APPNOTE 4.3.14-16)."""
    size = file.seek(0, os.SEEK_END)
    tail_bytes = min(size, _END.size + _LOCATOR.size + _END64.size)
    file.seek(size - tail_bytes)
    tail = file.read(tail_bytes)
    file.seek(0)
    if len(tail) < _END.size:
        raise ContainerInvalid("not a ZIP file")
    magic, *_, length, _, comment_bytes = _END.unpack(tail[-_END.size :])
    if magic != b"PK\x05\x06" or comment_bytes:
        raise ContainerInvalid("not a ZIP file, or bytes follow its end")
    locator = tail[-_END.size - _LOCATOR.size : -_END.size]
    if locator[:4] != b"PK\x06\x07":
        return int(length)
    record = tail[: _END64.size]
    if record[:4] != b"PK\x06\x06" or len(record) < _END64.size:
        raise ContainerInvalid("the ZIP64 end record is not where it must be")
    return max(int(length) if length != _IN_ZIP64 else 0, int(_END64.unpack(record)[8]))


@contextmanager
def _zip_trouble(entry: str = "") -> Iterator[None]:
    """Turns everything `zipfile` raises over a broken archive into ContainerInvalid."""
    try:
        yield
    except ContainerInvalid:
        raise
    except _ZIP_TROUBLE as error:
        raise ContainerInvalid("the archive is broken", entry) from error


# unpacked folder


class _FolderPackage:
    def __init__(self, root: Path) -> None:
        self._root = root
        self.name = root.name
        self.sizes = _checked(dict(_walk(root, "")))

    def stream(self, entry: str) -> Iterator[bytes]:
        try:
            descriptor = os.open(self._root / entry, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            with os.fdopen(descriptor, "rb") as file:
                yield from _pieces(file)
        except OSError as error:
            raise ContainerInvalid("a file cannot be read", entry) from error


def _open_folder(path: Path) -> Package:
    """The package in a folder: the folder itself, or the one folder in it that unpacking has made."""
    inside = list(path.iterdir())
    if len(inside) == 1 and inside[0].is_dir() and not inside[0].is_symlink():
        return _FolderPackage(inside[0])
    return _FolderPackage(path)


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as found:
        for item in sorted(found, key=lambda item: item.name):
            entry = entry_name(prefix + item.name)
            status = item.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                yield from _walk(folder / item.name, f"{entry}/")
            elif stat.S_ISREG(status.st_mode):
                yield entry, status.st_size
            else:
                raise ContainerInvalid("an entry is a link or another special file", entry)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_CHUNK):
        yield piece
