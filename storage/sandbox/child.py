"""The child: imports what its task needs, gives up its rights, and only then opens the file.

`python -m storage.sandbox.child SPEC` in the room's `out`, which is all it may write to. `SPEC` is JSON.
What comes of it is `result.json`; while it works, `progress` says how far it is.
"""

import codecs
import encodings.aliases
import errno
import importlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from custody.kernel.errors import DalelError
from storage.sandbox.confine import confine

TASKS = {
    "identify": "storage.identify.reading",
    "light": "storage.light.making",
    "probe": "storage.sandbox.probe",
}
SOURCE = Path("../in/original")
RESULT, PROGRESS = Path("result.json"), Path("progress")
ROOT = Path(__file__).resolve().parents[2]
SYSTEM = [Path(name) for name in ("/usr", "/lib", "/lib64", "/bin", "/proc", "/dev/urandom")]
SYSTEM += [Path("/etc") / name for name in ("fonts", "ld.so.cache", "localtime", "nsswitch.conf", "passwd")]
"""Of `/etc` what libraries look at and no more: the worker's keys may lie there."""
OURS = [Path(sys.prefix), Path(sys.base_prefix), ROOT / "custody", ROOT / "storage"]
"""Not all of `ROOT`: a directory of data may lie there."""


def main(spec: dict[str, Any]) -> int:
    """Do the task. A refusal is a result with its code; a fault names its type and nothing of the file."""
    for codec in set(encodings.aliases.aliases.values()):
        # Imported when first asked for, which the lowered user may no longer be able to.
        with suppress(LookupError, ImportError):
            codecs.lookup(codec)
    task: ModuleType = importlib.import_module(TASKS[spec["task"]])
    task.prepare(spec["args"])
    held = confine(
        cpu_s=spec["cpu_s"],
        memory_bytes=spec["memory_bytes"],
        file_bytes=spec["file_bytes"],
        user_id=spec["user_id"],
        readable=[*SYSTEM, *OURS, Path("../in"), *task.readable(spec["args"])],
        writable=[Path(), Path("/dev/null")],
    )
    try:
        found = {"made": task.run(spec["args"], SOURCE, tell), "held": held}
    except DalelError as refusal:
        found = {"refused": refusal.code}
    except MemoryError:
        found = {"refused": "sandbox.memory"}
    except OSError as fault:
        if fault.errno not in (errno.EFBIG, errno.ENOSPC):
            raise
        found = {"refused": "sandbox.disk"}
    RESULT.write_text(json.dumps(found))
    return 0


def tell(done: int, total: int) -> None:
    """How far the task is, in its own units; the parent looks now and then."""
    fresh = PROGRESS.with_suffix(".new")
    fresh.write_text(f"{done} {total}")
    fresh.replace(PROGRESS)


if __name__ == "__main__":
    # At once: LibreOffice's threads do not survive what a process usually does at its end.
    os._exit(main(json.loads(sys.argv[1])))
