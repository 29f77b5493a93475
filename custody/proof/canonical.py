"""Canonical JSON: RFC 8785 within the profile of the ledger.

Profile: ASCII object keys, no floats, integers below 2^53 in magnitude, no duplicate keys, no lone surrogates.
Within it, sorting keys by code point equals RFC 8785's sorting by UTF-16 unit.
"""

import json
from typing import Any

MAX_INT = 2**53 - 1


class NotCanonical(ValueError):
    """The value or the bytes are outside the profile."""


def encode(value: Any) -> bytes:
    """The canonical UTF-8 bytes of a JSON value. Raises NotCanonical outside the profile."""
    _check(value)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return text.encode("utf-8")


def _check(value: Any) -> None:
    match value:
        case None | bool() | str():
            pass
        case int():
            if abs(value) > MAX_INT:
                raise NotCanonical("an integer of 2^53 or more")
        case list() | tuple():
            for entry in value:
                _check(entry)
        case dict():
            for key, entry in value.items():
                if not isinstance(key, str) or not key.isascii():
                    raise NotCanonical("an object key that is not ASCII text")
                _check(entry)
        case _:
            raise NotCanonical(f"a value of type {type(value).__name__}")
