"""The line to PostgreSQL, which can be cut, or lose the answer to the next thing that is said over it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Cable:
    """A TCP proxy. While it is `cut`, what is open breaks and nobody gets through."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._broken = False
        self._deaf = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def mended(self) -> Iterator[None]:
        """Whole again at the end, whatever happened to it in between."""
        try:
            yield
        finally:
            self._broken = self._deaf = False

    def cut(self) -> None:
        """Break every connection and refuse new ones, until `mended` ends."""
        with self._lock:
            self._broken = True
            self._hang_up()

    def lose_answer(self) -> None:
        """What is said next arrives; before its answer comes back, the line breaks and stays broken."""
        self._deaf = True

    def close(self) -> None:
        self._listener.close()
        with self._lock:
            self._hang_up()

    def _hang_up(self) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._broken:
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                self._open |= {near, far}
            threading.Thread(target=self._pump, args=(near, far), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool = False) -> None:
        with suppress(OSError), source:
            while data := source.recv(65536):
                if answers and self._deaf:
                    self.cut()
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)
