"""What an operator might try with a package, so that the demonstration can show it refused."""

import zipfile
from hashlib import sha256
from pathlib import Path

from custody.proof import bundle, note


def without_cosignatures(package: Path, target: Path) -> None:
    """A copy whose checkpoint carries the log's own signature only, its lists made anew so that nothing else tells."""
    with zipfile.ZipFile(package) as source:
        entries = {info: source.read(info) for info in source.infolist()}
    top = next(info.filename for info in entries).partition("/")[0]
    changed: dict[str, bytes] = {}
    for info, data in entries.items():
        if info.filename == f"{top}/{bundle.CHECKPOINT}":
            signed = note.parse(data)
            changed[bundle.CHECKPOINT] = note.Note(signed.text, signed.signatures[:1]).encode()
        if info.filename == f"{top}/{bundle.TAG_MANIFEST}":
            changed[bundle.TAG_MANIFEST] = data
    digests = bundle.parse_digest_lines(changed[bundle.TAG_MANIFEST])
    digests[bundle.CHECKPOINT] = sha256(changed[bundle.CHECKPOINT]).hexdigest()
    changed[bundle.TAG_MANIFEST] = bundle.digest_lines(digests)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as copy:
        for info, data in entries.items():
            copy.writestr(info, changed.get(info.filename.removeprefix(f"{top}/"), data))
