"""Files that hold secrets: read only when nobody but their owner can."""

import os
import stat
from pathlib import Path

from custody.kernel.errors import Denied


def read_private(path: Path) -> bytes:
    """The file's bytes. Raises Denied `key.exposed` when anybody but the owner may read or change it; OSError."""
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise Denied("key.exposed", file=path.name)
        return file.read()
