"""A real clamd (Debian's clamav-daemon) on a free port, with a signature database of one line and no network."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from custody.kernel.errors import Unavailable
from evidence_api.stack.lifeline import die_with_parent
from storage.clamd import Clamd
from tests.whole import until

MALWARE = b"DALEL-HARMLESS-TEST-MALWARE"
NAME = "Dalel.Test.Malware.UNOFFICIAL"
STREAM_BYTES = 1 << 20


@contextmanager
def clamd(directory: Path) -> Iterator[str]:
    """Its address; ended with the block."""
    program = shutil.which("clamd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert program is not None, "clamd is not installed: .ci/system-packages all"
    (directory / "signatures").mkdir()
    (directory / "signatures" / "test.ndb").write_text(f"Dalel.Test.Malware:0:*:{MALWARE.hex()}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = directory / "clamd.conf"
    config.write_text(
        f"DatabaseDirectory {directory / 'signatures'}\nTCPSocket {port}\nTCPAddr 127.0.0.1\nForeground yes\n"
        f"StreamMaxLength {STREAM_BYTES}\nLogFile {directory / 'log'}\n"
    )
    ourselves = os.getpid()
    running = subprocess.Popen(
        [program, f"--config-file={config}"],
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: die_with_parent(ourselves),  # noqa: PLW1509  as the servers of the stack are started
    )
    try:
        until(lambda: _answers(f"127.0.0.1:{port}"))
        yield f"127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(30)


def _answers(address: str) -> bool:
    try:
        Clamd(address, 5).about()
    except Unavailable:
        return False
    return True
