"""The malware scanner: clamd's own protocol over a socket (clamd(8), INSTREAM), standard library only.

The scanner is not trusted with anything: it sees the plaintext, says a word, and decides nothing but what is shown.
That it finds nothing does not prove that there is nothing.
"""

import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from custody.kernel.errors import Unavailable

TIMEOUT_S: Final = 120.0
_PIECE: Final = 1 << 20
_ANSWER_BYTES: Final = 4096
_SIGNATURE: Final = re.compile(r"[^A-Za-z0-9._:/() -]")
CLEAN, INFECTED, NOT_SCANNED = "clean", "infected", "not_scanned"


@dataclass(frozen=True)
class ScanFacts:
    """What the scanner said. `signature` names what it found, or why it did not look; `definitions` are its age."""

    result: str
    signature: str | None
    engine: str
    definitions: str


class Clamd:
    """A scanner at `host:port` or at the path of a socket. Holds no connection between calls."""

    def __init__(self, address: str, timeout_s: float = TIMEOUT_S) -> None:
        self._address = address
        self._timeout_s = timeout_s

    def about(self) -> tuple[str, str]:
        """Engine and definitions. Raises Unavailable `scanner.unreachable`."""
        engine, _, definitions = self._ask(b"zVERSION\0", ()).partition("/")
        return _plain(engine) or "clamd", _plain(definitions) or "?"

    def scan(self, pieces: Iterable[bytes | memoryview]) -> ScanFacts:
        """Send a file piece by piece. Raises Unavailable `scanner.unreachable`, and what reading the pieces raises.

        A file longer than the scanner takes (StreamMaxLength) is `not_scanned`, never clean.
        """
        engine, definitions = self.about()
        result, signature = _judged(self._ask(b"zINSTREAM\0", pieces))
        return ScanFacts(result, signature, engine, definitions)

    def _ask(self, command: bytes, pieces: Iterable[bytes | memoryview]) -> str:
        try:
            with self._connect() as line:
                line.sendall(command)
                with suppress(BrokenPipeError, ConnectionResetError):
                    # It hangs up on a file that is too long, and says so: the answer is read all the same.
                    for piece in pieces:
                        for start in range(0, len(piece), _PIECE):
                            part = piece[start : start + _PIECE]
                            line.sendall(len(part).to_bytes(4) + part)
                    if command.startswith(b"zINSTREAM"):
                        line.sendall(bytes(4))
                return _answer(line)
        except OSError as error:
            raise Unavailable("scanner.unreachable") from error

    def _connect(self) -> socket.socket:
        host, _, port = self._address.rpartition(":")
        if not port.isdigit():
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.settimeout(self._timeout_s)
            try:
                line.connect(self._address)
            except OSError:
                line.close()
                raise
            return line
        return socket.create_connection((host, int(port)), self._timeout_s)


def _answer(line: socket.socket) -> str:
    said = b""
    while not said.endswith(b"\0") and len(said) < _ANSWER_BYTES:
        more = line.recv(_ANSWER_BYTES)
        if not more:
            break
        said += more
    if not said:
        raise ConnectionError("no answer")
    return said.rstrip(b"\0\n").decode("utf-8", "replace")


def _judged(answer: str) -> tuple[str, str | None]:
    """Result and signature. Raises Unavailable `scanner.unreachable` for words that are none of clamd's."""
    said = answer.removeprefix("stream: ")
    if said == "OK":
        return CLEAN, None
    if said.endswith(" FOUND"):
        return INFECTED, _plain(said.removesuffix(" FOUND"))
    if "size limit exceeded" in said:
        return NOT_SCANNED, "size_limit"
    raise Unavailable("scanner.unreachable")


def _plain(text: str) -> str:
    return _SIGNATURE.sub("_", text).strip()[:200]
