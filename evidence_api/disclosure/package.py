"""The package as one ZIP file, streamed: entries stored as they are, so a package of any size needs no memory."""

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from custody.kernel.errors import Corrupt

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""ZIP's earliest time: a package says when it was released in its manifest, and its bytes depend on nothing else."""
_ZIP64_FROM = 2**31 - 1
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class DataFile:
    """One disclosed file: its path in the package, digest `sha256:<hex>`, bytes, and how to read it."""

    path: str
    sha256: str
    size_bytes: int
    read: Callable[[], Iterator[bytes | memoryview]]


def build(target: Path, name: str, tags: Mapping[str, bytes], files: Sequence[DataFile]) -> str:
    """Write the package to `target` below one top folder `name`; returns its `sha256:<hex>`.

    Each file is digested again on its way in. Raises Corrupt `disclosure.file_changed` when its bytes are not those
    the manifest names: nothing is handed over that the ledger does not vouch for.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as container:
        for entry, data in tags.items():
            container.writestr(_entry(name, entry, len(data)), data)
        for file in files:
            _add(container, name, file)
    return _digest(target)


def _add(container: zipfile.ZipFile, name: str, file: DataFile) -> None:
    digest, size = hashlib.sha256(), 0
    entry = _entry(name, file.path, file.size_bytes)
    with container.open(entry, "w", force_zip64=file.size_bytes > _ZIP64_FROM) as sink:
        for part in file.read():
            digest.update(part)
            size += len(part)
            sink.write(part)
    if size != file.size_bytes or f"sha256:{digest.hexdigest()}" != file.sha256:
        raise Corrupt("disclosure.file_changed", path=file.path)


def _entry(name: str, path: str, size_bytes: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(f"{name}/{path}", _EPOCH)
    info.file_size = size_bytes
    info.external_attr = 0o100644 << 16
    return info


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_READ_BYTES):
            digest.update(part)
    return f"sha256:{digest.hexdigest()}"
