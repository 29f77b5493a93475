"""A message as people read it, whatever format it came in: what it claims, what it says, what lies in it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from storage.identify.model import Claims

HEADERS: Final = ("From", "To", "Cc", "Bcc", "Reply-To", "Date", "Subject")
"""What is shown of a header, in this order."""
MOST_PARTS: Final = 2000


@dataclass(frozen=True)
class Part:
    """Something inside a message that is not shown as its text. `attached`: it is there as a file, not as another
    form of the text. The digest is of the content as it is saved, not of the form it travelled in.
    """

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    attached: bool


@dataclass
class Letter:
    """A message; one that was forwarded inside another has a `depth`. `texts` are (text, whether it is HTML)."""

    depth: int
    headers: Sequence[tuple[str, str]]
    texts: list[tuple[str, bool]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)


@dataclass
class Letters:
    """The message and those inside it, in their order; `more` where not all of it was followed."""

    found: list[Letter] = field(default_factory=list)
    more: bool = False
    tool: str = "python"


def part(name: str, media_type: str, data: bytes, *, attached: bool) -> Part:
    """A part with this content."""
    return Part(name, media_type, len(data), "sha256:" + hashlib.sha256(data).hexdigest(), attached)


def tell(letters: Letters, claims: Claims) -> None:
    """What lies in the messages, as entries and flags."""
    for letter in letters.found:
        for one in letter.parts:
            if one.attached:
                claims.flag("attachments")
                claims.entry(f"{one.name} ({one.media_type})", one.size_bytes)
    if len(letters.found) > 1:
        claims.flag("attachments")
        claims.claim("mail.messages_inside", len(letters.found) - 1)
    if letters.more:
        claims.flag("too_costly")
