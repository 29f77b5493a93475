"""E-mail: its header and what is attached. Nothing that a message points to is ever fetched."""

import email
import importlib
import pkgutil
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from pathlib import Path

from storage.identify.model import Claims

_HEADERS = ("From", "To", "Cc", "Reply-To", "Subject", "Message-ID", "X-Mailer", "User-Agent", "Return-Path")
MOST_BYTES = 256 << 20
MOST_PARTS = 2000

for _part in pkgutil.iter_modules(email.__path__, "email."):
    # Imported when first needed, which the lowered user may no longer be able to.
    importlib.import_module(_part.name)


def read(source: Path, media_type: str, claims: Claims) -> None:
    """A message whose header cannot be understood has fewer claims."""
    del media_type
    claims.tools["email"] = "python"
    message = parse(source)
    for name in _HEADERS:
        for value in (message.get_all(name) or [])[:5]:
            claims.claim(f"mail.{name}", value)
    # As written: a weekday that does not fit its day is worth seeing.
    claims.claim("mail.Date", next((value for name, value in message.raw_items() if name.lower() == "date"), None))
    claims.claim("mail.hops", len(message.get_all("Received") or []) or None)
    for name, content_type, size_bytes in attachments(message):
        claims.flag("attachments")
        claims.entry(f"{name} ({content_type})", size_bytes)


def parse(source: Path) -> EmailMessage:
    """The message, its first MOST_BYTES. Never fails: the parser takes anything for a message."""
    with source.open("rb") as file:
        message = email.message_from_bytes(file.read(MOST_BYTES), policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101  that is what this policy makes
    return message


def attachments(message: EmailMessage) -> Iterator[tuple[str, str, int]]:
    """Name, type and size of everything that is not the message's own text."""
    for number, part in enumerate(message.walk()):
        if number >= MOST_PARTS:
            return
        if part.is_multipart() or (not part.get_filename() and part.get_content_disposition() != "attachment"):
            continue
        data = part.get_payload(decode=True)
        yield part.get_filename() or "?", part.get_content_type(), len(data) if isinstance(data, bytes) else 0
