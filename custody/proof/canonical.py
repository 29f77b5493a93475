"""Canonical JSON: RFC 8785 whole (`jcs`), and within the profile of the ledger (`encode`, `decode`).

Profile: ASCII object keys, no floats, integers below 2^53 in magnitude, no duplicate keys, no lone surrogates, at most
32 levels of nesting. Within it, sorting keys by code point equals RFC 8785's sorting by UTF-16 unit (§3.2.3), and
Python's escapes are the ones of §3.2.2.2. So `encode` writes what `jcs` writes, and refuses more.
"""

import json
from collections.abc import Iterable
from decimal import Decimal
from math import isfinite
from typing import Any, Never

from custody.proof.strict import Malformed

MAX_INT = 2**53 - 1
MAX_DEPTH = 32
_INT_DIGITS = len(str(-MAX_INT))
_LONG = len(str(MAX_INT))  # shorter texts are integers below the limit


class NotCanonical(Malformed):
    """The value or the bytes are outside the profile."""


def jcs(value: Any) -> bytes:
    """The bytes of RFC 8785 for any JSON value: None, bool, int, float, str, list or tuple, dict with text keys.

    Integers have to be below 2^53 in magnitude, as a double could be read as another one (RFC 7493 §2.2). Raises
    NotCanonical for what is not JSON: NaN, infinities, lone surrogates, other types, nesting that Python cannot follow.
    """
    try:
        return _general(value).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a lone surrogate") from error
    except RecursionError as error:
        raise NotCanonical("nested too deeply") from error


def encode(value: Any) -> bytes:
    """The canonical UTF-8 bytes of a JSON value. Raises NotCanonical outside the profile."""
    _check(value, MAX_DEPTH)
    return spelled(value)


def decode(data: bytes) -> Any:
    """The JSON value whose canonical bytes these are: dict, list, str, int, bool or None.

    Accepts exactly what `encode` writes, so that a value has one spelling. Raises NotCanonical, and nothing else, for
    any other bytes.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotCanonical("not UTF-8") from error
    value = parsed(text)
    if spelled(value) != data:
        _parsed(_DECODER, text)  # says more exactly what is wrong, where it can
        raise NotCanonical("another spelling than the canonical one")
    return value


def parsed(text: str) -> Any:
    """The JSON value within the profile that `text` spells, canonically or not: dict, list, str, int, bool or None.

    Not guaranteed: that no key stands twice in an ASCII text (the last one counts). Raises NotCanonical.
    """
    # ASCII text has ASCII keys, and a key that stands twice leaves fewer bytes when written again: `decode` refuses
    # both, so the decoder looks at keys itself only where that is not so, and is twice as fast.
    value = _parsed(_PLAIN_DECODER, text) if text.isascii() else _parsed(_DECODER, text)
    # The decoder has checked numbers. Depth can only be too great where so many brackets open at all.
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check(value, MAX_DEPTH)
    return value


def _parsed(decoder: json.JSONDecoder, text: str) -> Any:
    try:
        value, end = decoder.raw_decode(text)
        if end == len(text):
            return value
    except NotCanonical:
        raise
    except (ValueError, RecursionError):
        pass
    try:
        return decoder.decode(text)  # space around it is JSON all the same, and refused as another spelling
    except NotCanonical:
        raise
    except (ValueError, RecursionError) as error:
        raise NotCanonical("not JSON, or nested too deeply") from error


def spelled(value: Any) -> bytes:
    """The canonical bytes of a value that is known to lie within the profile, as what `parsed` gives does.

    For any other value use `encode`. Raises NotCanonical for a lone surrogate.
    """
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
    if len(text) >= _LONG and (len(text) > _INT_DIGITS or abs(int(text)) > MAX_INT):
        raise NotCanonical("an integer of 2^53 or more")
    return int(text)


def _no_float(_: str) -> Never:
    raise NotCanonical("a number that is not an integer")


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_no_float, parse_constant=_no_float
)
_PLAIN_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_no_float, parse_constant=_no_float)


def _general(value: Any) -> str:
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return _ENCODER.encode(value)
        case int():
            if abs(value) > MAX_INT:
                raise NotCanonical("an integer of 2^53 or more")
            return str(int(value))
        case float():
            return _number(value)
        case list() | tuple():
            return f"[{','.join(map(_general, value))}]"
        case dict():
            if not all(isinstance(key, str) for key in value):
                raise NotCanonical("a value that JSON does not have", "an object key that is not text")
            keys = sorted(value, key=_utf16)
            return "{" + ",".join(f"{_general(key)}:{_general(value[key])}" for key in keys) + "}"
        case _:
            raise NotCanonical("a value that JSON does not have", type(value).__name__)


def _utf16(key: str) -> bytes:
    """What RFC 8785 §3.2.3 sorts by; two bytes of each unit, the higher first, sort as the units do."""
    return key.encode("utf-16-be")


def _number(value: float) -> str:
    """ECMA-262 §6.1.6.1.20, Number::toString with radix 10. `repr` finds the same shortest digits."""
    if not isfinite(value):
        raise NotCanonical("a value that JSON does not have", repr(value))
    if value == 0:
        return "0"
    _, places, exponent = Decimal(repr(abs(value))).normalize().as_tuple()
    digits, sign = "".join(map(str, places)), "-" if value < 0 else ""
    point = int(exponent) + len(digits)  # where the decimal point stands, counted from the first digit
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if digits[1:] else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def _check(value: Any, depth: int) -> None:
    if depth < 0:
        raise NotCanonical("nested too deeply")
    match value:
        case str() | None | bool():
            pass
        case dict():
            _check_keys(value)
            _check_all(value.values(), depth - 1)
        case list() | tuple():
            _check_all(value, depth - 1)
        case int():
            if abs(value) > MAX_INT:
                raise NotCanonical("an integer of 2^53 or more")
        case _:
            raise NotCanonical("a value that JSON does not have", type(value).__name__)


def _check_all(values: Iterable[Any], depth: int) -> None:
    """Every event is checked: nine of ten values are texts, which only have to lie no deeper than allowed."""
    for value in values:
        if type(value) is not str or depth < 0:
            _check(value, depth)


def _check_keys(value: dict[Any, Any]) -> None:
    try:
        ascii_text = "".join(value).isascii()
    except TypeError:
        ascii_text = False
    if not ascii_text:
        raise NotCanonical("an object key that is not ASCII text")
