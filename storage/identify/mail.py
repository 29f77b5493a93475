"""E-mail (RFC 5322, MIME): its header, its text and what is attached. Nothing that it points to is ever fetched.

Every field is cut before it is understood and every list has an end: what makes Python's own readers slow or deep in a
hostile message is not reached. What was left out is flagged.
"""

import codecs
import email
import importlib
import pkgutil
import re
from collections.abc import Sequence
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from pathlib import Path
from typing import Any

from storage.identify import letter as letters_
from storage.identify.letter import HEADERS, MOST_PARTS, Letter, Letters, part
from storage.identify.model import Claims

_CLAIMED = ("From", "To", "Cc", "Reply-To", "Subject", "Message-ID", "X-Mailer", "User-Agent", "Return-Path")
MOST_BYTES = 256 << 20
_MOST_FIELD, _MOST_MIME_FIELD, _MOST_ALIKE = 20_000, 2_000, 5

for _part in pkgutil.iter_modules(email.__path__, "email."):
    # Imported when first needed, which the lowered user may no longer be able to.
    importlib.import_module(_part.name)
codecs.lookup("raw-unicode-escape")  # `decode_header` does, and the child's own list has it not


def read(source: Path, media_type: str, claims: Claims) -> None:
    """A message whose header cannot be understood has fewer claims."""
    del media_type
    claims.tools["email"] = "python"
    message = parse(source)
    for name in _CLAIMED:
        for value in _fields(message, name):
            claims.claim(f"mail.{name}", value)
    # As written: a weekday that does not fit its day is worth seeing.
    claims.claim("mail.Date", next(iter(_fields(message, "Date")), None))
    claims.claim("mail.hops", len(message.get_all("Received") or []) or None)
    letters_.tell(_letters(message, source), claims)


def letters(source: Path) -> Letters:
    """The message and those forwarded inside it. Never fails: the parser takes anything for a message."""
    return _letters(parse(source), source)


class _Cut(Compat32):
    """Fields of a length that can be understood in reasonable time; eight-bit letters in them as UTF-8."""

    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(list(sourcelines))
        return name, value[: _MOST_MIME_FIELD if name.lower().startswith("content-") else _MOST_FIELD]

    def header_fetch_parse(self, name: str, value: str) -> str:
        del name
        return _eight_bit(value, None)


def parse(source: Path) -> "Message[str, str]":
    """The message, its first MOST_BYTES; one whose parts lie too deep in each other as its header and one text."""
    with source.open("rb") as file:
        data = file.read(MOST_BYTES)
    with suppress(RecursionError):
        return BytesParser(policy=_Cut()).parsebytes(data)
    return BytesParser(policy=_Cut()).parsebytes(data[: 1 << 20], headersonly=True)


def _letters(message: "Message[str, str]", source: Path) -> Letters:
    """Walks without recursion: how deep a message is, its sender decides."""
    top = Letter(0, _header(message))
    made = Letters([top], more=source.stat().st_size > MOST_BYTES)
    waiting: list[tuple[Any, Letter, bool]] = [(message, top, True)]
    seen = 0
    while waiting:
        item, into, shown = waiting.pop()
        seen += 1
        if seen > MOST_PARTS:
            made.more = True
            break
        if not item.is_multipart():
            if item.get_content_maintype() == "multipart":
                made.more = True  # parts that were not told apart
            _take(item, into, shown=shown)
            continue
        inside = item.get_payload()
        if item.get_content_type() == "message/rfc822":
            one = Letter(into.depth + 1, _header(inside[0]))
            made.found.append(one)
            waiting.append((inside[0], one, True))
        else:
            chosen = _chosen(inside) if item.get_content_subtype() == "alternative" else None
            waiting += [(one, into, shown and chosen in (None, one)) for one in reversed(inside)]
    return made


def _chosen(forms: Sequence[Any]) -> Any:
    """Of several forms of one text the one to show: the plain one, else the last, which is the richest."""
    return next((one for one in forms if one.get_content_type() == "text/plain"), forms[-1] if forms else None)


def _take(item: Any, into: Letter, *, shown: bool) -> None:
    """A leaf: text to show, or something to list."""
    decoded = item.get_payload(decode=True)
    data = decoded if isinstance(decoded, bytes) else b""
    name, kind = _filename(item), item.get_content_type()
    attached = bool(name) or item.get_content_disposition() == "attachment"
    if shown and not attached and kind.startswith(("text/plain", "text/html", "multipart/")):
        into.texts.append((text_of(data, item.get_content_charset()), kind == "text/html"))
    elif data or attached:
        into.parts.append(part(name or "—", kind, data, attached=attached))


def _filename(item: Any) -> str | None:
    """Raises nothing: a name in an impossible charset (RFC 2231) is one that cannot be read."""
    try:
        name: str | None = item.get_filename()
    except (ValueError, LookupError):
        return "?"
    return _said(name, None) if name else None


def text_of(data: bytes, charset: str | None) -> str:
    """Text in the charset it claims; in UTF-8 where it claims none or one that does not exist."""
    with suppress(LookupError, ValueError):
        return data.decode(charset or "utf-8", errors="replace")
    return data.decode("utf-8", errors="replace")


def _header(message: "Message[str, str]") -> list[tuple[str, str]]:
    return [(name, value) for name in HEADERS for value in _fields(message, name)]


def _fields(message: Any, name: str) -> list[str]:
    """All fields of a name, the first few; letters of eight bits in UTF-8 or else in the charset of the text."""
    wanted = name.lower()
    raw = [str(value) for field, value in message.raw_items() if field.lower() == wanted][:_MOST_ALIKE]
    charset = _charset(message) if any(not value.isascii() for value in raw) else None
    return [_said(value, charset) for value in raw]


def _charset(message: Any) -> str | None:
    """The charset that the first texts claim."""
    for _ in range(5):
        if not message.is_multipart():
            break
        message = message.get_payload(0)
    found: str | None = message.get_content_charset()
    return found


def _said(raw: str, charset: str | None) -> str:
    """A field as text: unfolded, RFC 2047 words decoded (in quotes too, as mail programs do)."""
    text = re.sub(r"[\r\n]+[ \t]*", " ", _eight_bit(raw, charset))
    try:
        words = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    return "".join(
        word if isinstance(word, str) else text_of(word, code) if code else word.decode("raw-unicode-escape", "replace")
        for word, code in words
    ).strip()


def _eight_bit(value: str, charset: str | None) -> str:
    """What the parser could not take as ASCII: UTF-8 if it is that, else the charset given, else marked as unread."""
    if value.isascii():
        return value
    data = value.encode("utf-8", "surrogateescape")
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8")
    return text_of(data, charset)
