"""Outlook's messages ([MS-OXMSG]): a compound file whose streams are the properties of a message.

Read with `olefile`. A body that is there as compressed RTF only is listed and not read; Outlook keeps a plain one too.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import olefile  # type: ignore[import-untyped]  # it ships no types

from storage.identify.letter import MOST_PARTS, Letter, Letters, part
from storage.identify.mail import text_of

_PROPERTIES, _STREAM = "__properties_version1.0", "__substg1.0_"
_RECIPIENT, _ATTACHED = "__recip_version1.0_", "__attach_version1.0_"
_TEXT, _NARROW, _BINARY, _OBJECT, _TIME, _NUMBER = 0x001F, 0x001E, 0x0102, 0x000D, 0x0040, 0x0003
# [MS-OXPROPS]
_SUBJECT, _SENT, _DELIVERED, _CODE_PAGES = 0x0037, 0x0039, 0x0E06, (0x3FDE, 0x3FFD)
_SENDER, _SENDER_ADDRESSES, _MESSAGE_ID, _HEADERS = 0x0C1A, (0x5D01, 0x0C1F), 0x1035, 0x007D
_SHOWN: Final = {"To": 0x0E04, "Cc": 0x0E03, "Bcc": 0x0E02}
_KINDS: Final = {1: "To", 2: "Cc", 3: "Bcc"}
_RECIPIENT_KIND, _NAME, _ADDRESSES = 0x0C15, 0x3001, (0x39FE, 0x3003)
_BODY, _HTML, _RTF = 0x1000, 0x1013, 0x1009
_DATA, _FILE_NAMES, _MIME = 0x3701, (0x3707, 0x3704, 0x3001), 0x370E
_BEGINS: Final = datetime(1601, 1, 1, tzinfo=UTC)
_MOST_CHARS, _MOST_PEOPLE, _MOST_STREAM = 4_000_000, 500, 1 << 30


@dataclass(frozen=True)
class _Storage:
    """One object of the message with its properties: the message, a recipient, an attachment."""

    file: Any
    path: tuple[str, ...]
    head: int
    """Bytes before its first property."""
    charset: str | None = None

    def fixed(self) -> dict[int, tuple[int, bytes]]:
        """Properties of fixed length: type and value by number."""
        data = self._read(_PROPERTIES)[self.head :]
        tags = (struct.unpack_from("<HH4x8s", data, at) for at in range(0, len(data) - 15, 16))
        return {number: (kind, value) for kind, number, value in tags}

    def data(self, number: int, kind: int = _BINARY) -> bytes | None:
        """A property's bytes; None where it has none."""
        name = f"{_STREAM}{number:04X}{kind:04X}"
        return self._read(name) if self.file.get_type([*self.path, name]) == olefile.STGTY_STREAM else None

    def text(self, *numbers: int) -> str:
        """The first of these that says something, without what only pads it."""
        for number in numbers:
            wide, narrow = self.data(number, _TEXT), self.data(number, _NARROW)
            said = text_of(wide, "utf-16-le") if wide is not None else text_of(narrow or b"", self.charset)
            if said := said.replace("\0", "")[:_MOST_CHARS].strip("\r\n"):
                return said
        return ""

    def _read(self, name: str) -> bytes:
        path = [*self.path, name]
        if self.file.get_type(path) != olefile.STGTY_STREAM or self.file.get_size(path) > _MOST_STREAM:
            return b""
        found: bytes = self.file.openstream(path).read()
        return found


def is_message(file: Any) -> bool:
    """Whether a compound file is a message."""
    return bool(file.exists(_PROPERTIES))


def letters(source: Path) -> Letters:
    """The message and those inside it. Raises what `olefile` raises, ValueError for another compound file."""
    with olefile.OleFileIO(str(source)) as file:
        if not is_message(file):
            raise ValueError("no message")
        return letters_of(file)


def letters_of(file: Any) -> Letters:
    """As `letters`, of a compound file that is a message."""
    children: dict[tuple[str, ...], list[str]] = {}
    for path in file.listdir(streams=False, storages=True):
        children.setdefault(tuple(path[:-1]), []).append(path[-1])
    made = Letters(tool=f"olefile {olefile.__version__}")
    waiting: list[tuple[tuple[str, ...], int]] = [((), 0)]
    seen = 0
    while waiting:
        path, depth = waiting.pop()
        message = _message(file, path, depth)
        inside = children.get(path, [])
        one = Letter(depth, list(_header(message, [name for name in inside if name.startswith(_RECIPIENT)])))
        made.found.append(one)
        _body(message, one)
        for name in (name for name in inside if name.startswith(_ATTACHED)):
            seen += 1
            if seen > MOST_PARTS:
                return Letters(made.found, more=True, tool=made.tool)
            attached = _Storage(file, (*path, name), 8, message.charset)
            within = f"{_STREAM}{_DATA:04X}{_OBJECT:04X}"
            if file.exists([*attached.path, within, _PROPERTIES]):
                waiting.append(((*attached.path, within), depth + 1))
                continue
            kind = attached.text(_MIME) or "application/octet-stream"
            one.parts.append(part(attached.text(*_FILE_NAMES) or "?", kind, attached.data(_DATA) or b"", attached=True))
    return made


def claims_of(file: Any) -> Iterator[tuple[str, str | None]]:
    """What the message says of itself, under the names that e-mail uses."""
    message = _message(file, (), 0)
    recipients = [path[0] for path in file.listdir(streams=False, storages=True) if path[0].startswith(_RECIPIENT)]
    yield from ((f"mail.{name}", value) for name, value in _header(message, recipients))
    yield "mail.Message-ID", message.text(_MESSAGE_ID) or None


def charset_of(page: int | None) -> str | None:
    """Python's name of a code page of Windows."""
    known = {
        65001: "utf-8",
        1200: "utf-16-le",
        10007: "mac-cyrillic",
        20866: "koi8-r",
        21866: "koi8-u",
        28595: "iso8859-5",
    }
    return known.get(page, f"cp{page}") if page else None


def _message(file: Any, path: tuple[str, ...], depth: int) -> _Storage:
    """The message at a place. Its properties begin later at the top than inside ([MS-OXMSG], section 2.4.1)."""
    found = _Storage(file, path, 24 if depth else 32)
    fixed = found.fixed()
    page = next((int.from_bytes(fixed[one][1][:4], "little") for one in _CODE_PAGES if one in fixed), None)
    return _Storage(file, path, found.head, charset_of(page) or "cp1252")


def _header(message: _Storage, recipients: list[str]) -> Iterator[tuple[str, str]]:
    fixed = message.fixed()
    if sender := _person(message.text(_SENDER), message.text(*_SENDER_ADDRESSES)):
        yield "From", sender
    people: dict[str, list[str]] = {}
    for name in recipients[:_MOST_PEOPLE]:
        one = _Storage(message.file, (*message.path, name), 8, message.charset)
        kind = int.from_bytes(one.fixed().get(_RECIPIENT_KIND, (0, b""))[1][:4], "little")
        people.setdefault(_KINDS.get(kind, "To"), []).append(_person(one.text(_NAME), one.text(*_ADDRESSES)))
    for name, shown in _SHOWN.items():
        if said := "; ".join(people.get(name, [])) or message.text(shown):
            yield name, said
    kind, value = next((fixed[one] for one in (_SENT, _DELIVERED) if one in fixed), (0, b""))
    if kind == _TIME:
        with suppress(OverflowError):
            at = _BEGINS + timedelta(microseconds=int.from_bytes(value, "little") // 10)
            yield "Date", f"{at:%Y-%m-%dT%H:%M:%SZ}"
    if subject := message.text(_SUBJECT):
        yield "Subject", subject


def _person(name: str, address: str) -> str:
    return f"{name} <{address}>" if name and address and name != address else name or address


def _body(message: _Storage, into: Letter) -> None:
    """The plain text, or the HTML as words; what is not shown of body and header is listed."""
    plain, html = message.text(_BODY), message.data(_HTML)
    wide = message.text(_HTML)
    if plain.strip():
        into.texts.append((plain, False))
    elif html or wide:
        into.texts.append((wide or text_of(html or b"", message.charset), True))
    others = {"text/html": html if plain.strip() else None, "application/rtf": message.data(_RTF)}
    others["message/rfc822-headers"] = message.text(_HEADERS).encode()
    into.parts += [part("—", kind, data, attached=False) for kind, data in others.items() if data]
