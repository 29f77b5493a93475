"""Keyset paging: `?limit=` and an opaque `?cursor=`; a cursor of one list does not open another."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from custody.kernel.errors import Invalid
from evidence_api.registry.facts import Page

LARGEST = 200
USUAL = 50
_VERSION = 1
_LONGEST = 512

Limit = Annotated[int, Query(ge=1, le=LARGEST, description="How many at most")]
Cursor = Annotated[str | None, Query(max_length=_LONGEST, description="`next` of the page before")]
T = TypeVar("T")
F = TypeVar("F")


class PageOut(BaseModel, Generic[T]):
    """A part of a list. `next` is the cursor of the following part, null at the end."""

    items: list[T]
    next: str | None


@dataclass(frozen=True)
class Keyset:
    """A list's name and the types of its key: what its cursors must hold."""

    name: str
    types: tuple[type, ...]

    def encode(self, key: Sequence[str | int]) -> str:
        """The opaque cursor of a key."""
        text = json.dumps([_VERSION, self.name, *key], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def decode(self, cursor: str | None) -> tuple[str | int, ...] | None:
        """The key of a cursor, None for none. Raises Invalid `paging.cursor_invalid` for anything we did not make."""
        if cursor is None:
            return None
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            found: Any = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (UnicodeError, ValueError, RecursionError, binascii.Error):
            raise Invalid("paging.cursor_invalid") from None
        if not isinstance(found, list) or found[:2] != [_VERSION, self.name]:
            raise Invalid("paging.cursor_invalid")
        key = tuple(found[2:])
        if tuple(type(part) for part in key) != self.types or self.encode(key) != cursor or not _storable(key):
            raise Invalid("paging.cursor_invalid")
        return key

    def out(self, page: Page[F], render: Callable[[F], T]) -> dict[str, Any]:
        """The page as `PageOut` wants it."""
        return {
            "items": [render(item) for item in page.items],
            "next": None if page.after is None else self.encode(page.after),
        }


def _storable(key: tuple[Any, ...]) -> bool:
    """What PostgreSQL can compare with: no NUL, no number beyond 64 bits."""
    return all("\0" not in part if isinstance(part, str) else abs(part) < 2**63 for part in key)
