"""A cable between a browser and the system that can be pulled: a TCP proxy whose connections are cut on command."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.whole import until

PIECE_BYTES = 1 << 16


class Cable:
    """Carries bytes both ways, counts those sent to the server, and cuts itself at a byte or on command.

    While cut, new connections are closed at once, as by a machine that is not there.
    """

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.sent_bytes = 0
        self.cuts = 0
        self._whole = threading.Event()
        self._whole.set()
        self._cut_at: int | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._done = False
        threading.Thread(target=self._accept, name="cable", daemon=True).start()

    def cut_at(self, sent_bytes: int) -> None:
        """Cut when so many bytes have gone to the server in all and it has read them.

        What lies unread in its machine's buffers, up to 32 MiB, is lost with the connection.
        """
        self._cut_at = sent_bytes

    @property
    def is_cut(self) -> bool:
        return not self._whole.is_set()

    def cut(self) -> None:
        """Pull it: every connection ends without a farewell."""
        self._whole.clear()
        self._cut_at = None
        self.cuts += 1
        with self._lock:
            ended, self._open = self._open, set()
        for one in ended:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def mend(self) -> None:
        """Put it back in."""
        self._whole.set()

    def close(self) -> None:
        self._done = True
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        while not self._done:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.is_cut:
                client.close()
                continue
            try:
                server = socket.create_connection(self._upstream)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            for source, target, counted in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._carry, args=(source, target, counted), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                target.sendall(piece)
                if counted:
                    with self._lock:
                        self.sent_bytes += len(piece)
                        due = self._cut_at is not None and self.sent_bytes >= self._cut_at
                    if due:
                        until(lambda: not unread_bytes(target))
                        self.cut()
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def unread_bytes(connection: socket.socket) -> int:
    """What this machine's other end of a loopback connection has not read yet (proc(5), /proc/net/tcp)."""
    ends = [f":{port:04X}" for port in (connection.getpeername()[1], connection.getsockname()[1])]
    for line in Path("/proc/net/tcp").read_text().splitlines():
        local, remote, _, queues = line.split()[1:5]
        if [local[8:], remote[8:]] == ends:
            return int(queues.partition(":")[2], 16)
    return 0


@contextmanager
def cable_to(base_url: str) -> Iterator[tuple[Cable, str]]:
    """A cable to the system at `base_url`, and the address at its other end."""
    parts = urlsplit(base_url)
    cable = Cable((parts.hostname or "127.0.0.1", parts.port or 80))
    try:
        yield cable, f"http://127.0.0.1:{cable.port}"
    finally:
        cable.close()
