"""What a leaf of the ledger may look like: its form, and that of the closed set of events in `custody.proof.shapes`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from custody.proof import canonical
from custody.proof.canonical import MAX_INT
from custody.proof.shapes import SHAPES
from custody.proof.strict import Malformed, sha256_text

VERSION = 1
MAX_LEAF_BYTES = 65_535  # an entry of a C2SP bundle cannot be longer
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ITEM = re.compile(rf"(?:case|exhibit|disclosure|account):{_UUID.pattern}|system")
_NONCE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Event:
    """A parsed leaf. `leaf` are its exact bytes; ids are text, times milliseconds since 1970."""

    leaf: bytes
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
    value = canonical.decode(leaf)
    fields(value, _LEAF)
    shape = SHAPES.get(value["type"])
    if shape is None:
        raise Malformed("an event's type is not in the closed set")
    fields(value["actor"], _ACTOR)
    data, personal = value["data"], value["personal"]
    if shape.required - data.keys() or data.keys() - shape.required - shape.optional:
        raise Malformed("an event's data has a field too many or too few for its type")
    if personal.keys() - shape.personal:
        raise Malformed("an event has a personal digest its type does not know")
    for digest in personal.values():
        sha256_text(digest)
    for name in data.keys() & IDS:
        if not is_text(data[name]):
            raise Malformed("a field is not what it must be", name)
    if (value["item_seq"] == 0) != (value["prev"] is None):
        raise Malformed("only an item's first event has no predecessor")
    return Event(
        leaf=leaf,
        actor=value["actor"]["id"],
        role=value["actor"]["role"],
        **{name: value[name] for name in ("id", "type", "item", "case", "time_ms", "data", "item_seq", "prev")},
    )


Rule = Callable[[Any], bool]


def fields(value: object, rules: Mapping[str, Rule]) -> None:
    """Raises Malformed unless `value` is an object with exactly these fields, each satisfying its rule."""
    if not isinstance(value, dict) or value.keys() != rules.keys():
        raise Malformed("an object has a field too many or too few")
    for name, rule in rules.items():
        if not rule(value[name]):
            raise Malformed("a field is not what it must be", name)


def is_uuid(value: object) -> bool:
    """A UUID as text, lower case with hyphens."""
    return isinstance(value, str) and bool(_UUID.fullmatch(value))


def is_count(value: object) -> bool:
    """An integer of 0 or more; True is none."""
    return type(value) is int and 0 <= value <= MAX_INT


def is_sha256(value: object) -> bool:
    """A digest as text: `sha256:` and 64 lower-case hex digits."""
    try:
        sha256_text(value)
    except Malformed:
        return False
    return True


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
    return isinstance(value, dict)


_LEAF: Mapping[str, Rule] = {
    "v": equals(VERSION),
    "id": is_uuid,
    "type": is_text,
    "item": lambda value: isinstance(value, str) and bool(_ITEM.fullmatch(value)),
    "case": or_null(is_uuid),
    "time_ms": is_count,
    "actor": _is_object,
    "personal": _is_object,
    "data": _is_object,
    "nonce": lambda value: isinstance(value, str) and bool(_NONCE.fullmatch(value)),
    "item_seq": is_count,
    "prev": or_null(is_sha256),
}
IDS = frozenset({"exhibit", "transcript", "plan", "rendition", "disclosure"})
"""Fields of an event's data that name things: never empty, always text."""
_ACTOR: Mapping[str, Rule] = {
    "id": or_null(is_uuid),
    "role": is_text,
    "means": is_text,
}
