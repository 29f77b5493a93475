"""What a leaf of the ledger may look like: its form, and that of the closed set of events in `custody.proof.shapes`."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from custody.proof import canonical
from custody.proof.canonical import MAX_INT
from custody.proof.merkle import leaf_hash
from custody.proof.shapes import SHAPES
from custody.proof.strict import HEX_SHA256, Malformed, sha256_text

VERSION = 1
MAX_LEAF_BYTES = 65_535  # an entry of a C2SP bundle cannot be longer
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ITEM = re.compile(rf"(?:case|exhibit|disclosure|account):{_UUID.pattern}|system")
_NONCE = re.compile(r"[0-9a-f]{32}")


class Event(NamedTuple):
    """A parsed leaf. `leaf` are its exact bytes, `hash` theirs; ids are text, times milliseconds since 1970."""

    leaf: bytes
    hash: bytes
    id: str
    type: str
    item: str
    case: str | None
    time_ms: int
    actor: str | None
    role: str
    data: Mapping[str, Any]
    item_seq: int
    prev: str | None


def parse(leaf: bytes) -> Event:
    """The event whose canonical bytes these are. Raises Malformed or NotCanonical."""
    if len(leaf) > MAX_LEAF_BYTES:
        raise Malformed("an event is longer than 65535 bytes")
    return _plain(leaf) or _general(leaf)


def _general(leaf: bytes) -> Event:
    """Any event, in every spelling that the rules allow; says exactly what is wrong with what is none."""
    value = canonical.decode(leaf)
    fields(value, _LEAF)
    actor = value["actor"]
    fields(actor, _ACTOR)
    _shaped(value["type"], value["data"], value["personal"])
    if (value["item_seq"] == 0) != (value["prev"] is None):
        raise Malformed("only an item's first event has no predecessor")
    return Event(
        leaf,
        leaf_hash(leaf),
        value["id"],
        value["type"],
        value["item"],
        value["case"],
        value["time_ms"],
        actor["id"],
        actor["role"],
        value["data"],
        value["item_seq"],
        value["prev"],
    )


def _plain(leaf: bytes) -> Event | None:
    """What `_general` gives for a leaf, read at half the cost, or None. Canonical bytes put an event's fields in one
    order: where each is plain text, a pattern holds them all to their rules, and only two small objects are decoded.
    """
    try:
        text = leaf.decode()
        match = _FRAME.fullmatch(text)
        if match is None or text.count("{") + text.count("[") > canonical.MAX_DEPTH:
            return None
        actor, role, case, own, id, item, item_seq, digests, prev, time_ms, type = match.groups()
        data = canonical.decode(own.encode())
        _shaped(type, data, canonical.decode(digests.encode()) if digests != "{}" else {})
    except (UnicodeDecodeError, Malformed):
        return None
    if (item_seq == "0") != (prev is None):
        return None
    return Event(leaf, leaf_hash(leaf), id, type, item, case, int(time_ms), actor, role, data, int(item_seq), prev)


def _shaped(type: str, data: Mapping[str, Any], personal: Mapping[str, Any]) -> None:
    """Raises Malformed unless these are what an event of this type says."""
    shape, names = SHAPES.get(type), _NAMES.get(type)
    if shape is None or names is None:
        raise Malformed("an event's type is not in the closed set")
    if not (shape.required <= data.keys() <= names):
        raise Malformed("an event's data has a field too many or too few for its type")
    if not personal.keys() <= shape.personal:
        raise Malformed("an event has a personal digest its type does not know")
    for digest in personal.values():
        sha256_text(digest)
    for name in _IDS_OF[type]:
        if name in data and not is_text(data[name]):
            raise Malformed("a field is not what it must be", name)


Rule = Callable[[Any], object]
"""Holds where it returns something true; a TypeError, as patterns raise for what is not text, is a no."""


def fields(value: object, rules: Mapping[str, Rule]) -> None:
    """Raises Malformed unless `value` is an object with exactly these fields, each satisfying its rule."""
    if not isinstance(value, dict) or value.keys() != rules.keys():
        raise Malformed("an object has a field too many or too few")
    for name, rule in rules.items():
        try:
            holds = rule(value[name])
        except TypeError:
            holds = False
        if not holds:
            raise Malformed("a field is not what it must be", name)


def is_uuid(value: object) -> bool:
    """A UUID as text, lower case with hyphens."""
    return isinstance(value, str) and bool(_UUID.fullmatch(value))


def is_count(value: object) -> bool:
    """An integer of 0 or more; True is none."""
    return type(value) is int and 0 <= value <= MAX_INT


def is_sha256(value: object) -> bool:
    """A digest as text: `sha256:` and 64 lower-case hex digits."""
    return isinstance(value, str) and bool(HEX_SHA256.fullmatch(value))


def is_text(value: object) -> bool:
    """A text that is not empty."""
    return isinstance(value, str) and value != ""


def or_null(rule: Rule) -> Rule:
    """The rule, or null."""
    return lambda value: value is None or rule(value)


def equals(expected: object) -> Rule:
    """This value of this very type."""
    return lambda value: type(value) is type(expected) and value == expected


def same(left: object, right: object) -> bool:
    """Whether two values of an event's data are one text, one number or both null: True is not 1, and lists are nothing
    that anything is compared by.
    """
    return type(left) is type(right) and isinstance(left, str | int | None) and left == right


def _is_object(value: object) -> bool:
    return type(value) is dict


def _uuid_or_null(value: object) -> bool:
    return value is None or is_uuid(value)


_LEAF: Mapping[str, Rule] = {
    "v": equals(VERSION),
    "id": _UUID.fullmatch,
    "type": is_text,
    "item": _ITEM.fullmatch,
    "case": _uuid_or_null,
    "time_ms": is_count,
    "actor": _is_object,
    "personal": _is_object,
    "data": _is_object,
    "nonce": _NONCE.fullmatch,
    "item_seq": is_count,
    "prev": or_null(is_sha256),
}
IDS = frozenset({"exhibit", "transcript", "plan", "rendition", "disclosure"})
"""Fields of an event's data that name things: never empty, always text."""
_NAMES = {type: shape.required | shape.optional for type, shape in SHAPES.items()}
_IDS_OF = {type: tuple(sorted(names & IDS)) for type, names in _NAMES.items()}
_ACTOR: Mapping[str, Rule] = {
    "id": _uuid_or_null,
    "role": is_text,
    "means": is_text,
}
_TEXT = r'[^"\\\x00-\x1f]+'  # as it is in JSON: nothing of it is escaped
_COUNT = "0|[1-9][0-9]{0,14}"  # below 2^53
_FRAME = re.compile(
    rf'{{"actor":{{"id":(?:null|"({_UUID.pattern})"),"means":"{_TEXT}","role":"({_TEXT})"}},'
    rf'"case":(?:null|"({_UUID.pattern})"),'
    rf'"data":(?>({{.*?}}),"id":"({_UUID.pattern})","item":"({_ITEM.pattern})","item_seq":({_COUNT}),'
    rf'"nonce":"{_NONCE.pattern}","personal":)(?>({{.*?}}),"prev":)(?:null|"({HEX_SHA256.pattern})"),'
    rf'"time_ms":({_COUNT}),"type":"({_TEXT})","v":{VERSION}}}'
)
"""Each object ends where what follows it begins for the first time, for good: a leaf is read once. Where that is too
early, what stands before it is no object.
"""
