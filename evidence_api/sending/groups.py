"""Small files go together, many in one request (`POST /cases/{id}/small-files`): grouped here, written as its body."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from evidence_api.sending.files import LocalFile, Unsendable

SMALL_BYTES = 256 << 10
GROUP_BYTES = 1800 << 10
"""Below what the server takes as one request (2 MiB), the listing included."""
GROUP_FILES = 200

Group = list[LocalFile]


def grouped(files: Iterable[tuple[LocalFile, bool]]) -> list[Group]:
    """Files in groups of those that go in one request; a file alone in its group goes by tus.

    Beside each file: whether it is new at the server; one that was begun goes on by itself.
    """
    alone: list[Group] = []
    together: list[Group] = [[]]
    room = GROUP_BYTES
    for file, new in files:
        if not new or file.size_bytes > SMALL_BYTES:
            alone.append([file])
            continue
        takes = file.size_bytes + _listed_bytes(file)
        if takes > room or len(together[-1]) == GROUP_FILES:
            together.append([])
            room = GROUP_BYTES
        together[-1].append(file)
        room -= takes
    return [group for group in together if group] + alone


def contents(file: LocalFile) -> bytes:
    """All of a file as it was seen. Raises Unsendable."""
    try:
        data = file.place.read_bytes()
    except OSError:
        raise Unsendable("upload.unreadable") from None
    if len(data) != file.size_bytes or not file.unchanged():
        raise Unsendable("upload.changed")
    return data


def body(said: Mapping[str, str], files: Mapping[str, tuple[LocalFile, bytes]]) -> bytes:
    """The request: a listing on one line, then the bytes. `files` by digest; `said` is said of all."""
    listed = [_listed(file) | {"sha256": sha256} for sha256, (file, _) in files.items()]
    listing = {**said, "retain_days": int(said.get("retain_days") or 0), "files": listed}
    return json.dumps(listing, ensure_ascii=False).encode() + b"\n" + b"".join(data for _, data in files.values())


def _listed(file: LocalFile) -> dict[str, Any]:
    return {
        "filename": file.name,
        "folder": file.folder,
        "size_bytes": file.size_bytes,
        "recorded_at": file.recorded_at,
    }


def _listed_bytes(file: LocalFile) -> int:
    return len(json.dumps(_listed(file), ensure_ascii=False).encode()) + 100
