"""Canonical JSON: RFC 8785 within the profile of the ledger.

Profile: ASCII object keys, no floats, integers below 2^53 in magnitude, no duplicate keys, no lone surrogates, at most
32 levels of nesting. Within it, sorting keys by code point equals RFC 8785's sorting by UTF-16 unit (§3.2.3), and
Python's escapes are the ones of §3.2.2.2.
"""

import json
from typing import Any, Never

from custody.proof.strict import Malformed

MAX_INT = 2**53 - 1
MAX_DEPTH = 32
_INT_DIGITS = len(str(-MAX_INT))


class NotCanonical(Malformed):
    """The value or the bytes are outside the profile."""


def encode(value: Any) -> bytes:
    """The canonical UTF-8 bytes of a JSON value. Raises NotCanonical outside the profile."""
    _check(value, MAX_DEPTH)
    return _written(value)


def decode(data: bytes) -> Any:
    """The JSON value whose canonical bytes these are: dict, list, str, int, bool or None.

    Accepts exactly what `encode` writes, so that a value has one spelling. Raises NotCanonical, and nothing else, for
    any other bytes.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotCanonical("not UTF-8") from error
    try:
        value = _DECODER.decode(text)
    except NotCanonical:
        raise
    except (ValueError, RecursionError) as error:
        raise NotCanonical("not JSON, or nested too deeply") from error
    # The decoder has checked numbers and keys. Depth can only be too great where so many brackets open at all.
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check(value, MAX_DEPTH)
    if _written(value) != data:
        raise NotCanonical("another spelling than the canonical one")
    return value


def _written(value: Any) -> bytes:
    try:
        return _ENCODER.encode(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotCanonical("a lone surrogate") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotCanonical("a key twice in one object")
    if not "".join(value).isascii():
        raise NotCanonical("an object key that is not ASCII text")
    return value


def _integer(text: str) -> int:
    if len(text) > _INT_DIGITS or abs(int(text)) > MAX_INT:
        raise NotCanonical("an integer of 2^53 or more")
    return int(text)


def _no_float(_: str) -> Never:
    raise NotCanonical("a number that is not an integer")


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_no_float, parse_constant=_no_float
)


def _check(value: Any, depth: int) -> None:
    if depth < 0:
        raise NotCanonical("nested too deeply")
    match value:
        case None | bool() | str():
            pass
        case int():
            if abs(value) > MAX_INT:
                raise NotCanonical("an integer of 2^53 or more")
        case list() | tuple():
            for entry in value:
                _check(entry, depth - 1)
        case dict():
            for key, entry in value.items():
                if not isinstance(key, str) or not key.isascii():
                    raise NotCanonical("an object key that is not ASCII text")
                _check(entry, depth - 1)
        case _:
            raise NotCanonical("a value that JSON does not have", type(value).__name__)
