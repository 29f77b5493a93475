"""Events in another spelling, of another kind, or no events at all."""

from collections.abc import Callable

import pytest

from custody.proof import bundle, merkle
from custody.proof.refusal import Step
from tests.attacks import forge

HONEST = forge.entries(forge.tell())
FIRST = HONEST[bundle.EVENTS].split(b"\n")[0]
NODE = merkle.leaf_hash(b"a") + merkle.leaf_hash(b"b")
CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "space": lambda line: line.replace(b'":', b'": ', 1),
    "key order": lambda line: b'{"v":1,' + line[1:].replace(b',"v":1', b""),
    "duplicate key": lambda line: line.replace(b'"v":1', b'"v":1,"v":1'),
    "escaped letter": lambda line: line.replace(b"search", b"s\\u0065arch"),
    "float": lambda line: line.replace(b"3650", b"3650.0"),
    "exponent": lambda line: line.replace(b"3650", b"365e1"),
    "leading zero": lambda line: line.replace(b"3650", b"03650"),
    "true for one": lambda line: line.replace(b'"v":1', b'"v":true'),
    "large integer": lambda line: line.replace(b"3650", b"9007199254740992"),
    "enormous integer": lambda line: line.replace(b"3650", b"9" * 5000),
    "NaN": lambda line: line.replace(b"3650", b"NaN"),
    "lone surrogate": lambda line: line.replace(b"search", b"\\ud800"),
    "not UTF-8": lambda line: line.replace(b"search", b"\xff"),
    "carriage return": lambda line: line + b"\r",
    "trailing bytes": lambda line: line + b" ",
    "nested too deeply": lambda line: line.replace(b"3650", b"[" * 5000 + b"]" * 5000),
    "longer than a bundle's entry": lambda line: line.replace(b"search", b"s" * 70_000),
    "unknown type": lambda line: line.replace(b"exhibit.registered", b"exhibit.forgotten"),
    "field too many": lambda line: line.replace(b'"v":1', b'"v":1,"w":1'),
    "field missing": lambda line: line.replace(b',"v":1', b""),
    "data field too many": lambda line: line.replace(b'"basis"', b'"bases":1,"basis"'),
    "data field missing": lambda line: line.replace(b'"basis":"search",', b""),
    "personal in the clear": lambda line: line.replace(b'"filename":"sha256:', b'"filename":"protokol'),
    "personal unknown": lambda line: line.replace(b'"filename"', b'"filenames"'),
    "upper-case id": lambda line: line.replace(b'"id":"', b'"id":"A', 1),
    "negative time": lambda line: line.replace(b'"time_ms":', b'"time_ms":-'),
    "first with a predecessor": lambda line: line.replace(b'"prev":null', b'"prev":"sha256:' + b"0" * 64 + b'"'),
    "short nonce": lambda line: line.replace(b'"nonce":"', b'"nonce":"g', 1),
    "item unknown": lambda line: line.replace(b'"item":"exhibit:', b'"item":"exhibits:'),
    "empty role": lambda line: line.replace(b'"role":"investigator"', b'"role":""'),
    "exhibit that is no text": lambda line: line.replace(f'"exhibit":"{forge.DOCUMENT}"'.encode(), b'"exhibit":["x"]'),
    "interior node as leaf": lambda _: b"\x01" + NODE.replace(b"\n", b"\x0b"),
    "empty line": lambda line: b"\n" + line,
    "a number": lambda _: b"1",
    "a list": lambda _: b"[]",
}


@pytest.mark.parametrize("name", CHANGES)
def test_form(name: str) -> None:
    changed = CHANGES[name](FIRST)
    assert changed != FIRST
    package = forge.replaced(HONEST, bundle.EVENTS, lambda data: data.replace(FIRST, changed))
    refusal = forge.refused(package, Step.EVENTS, "events.form")
    assert refusal.values["line"] == 1


def test_last_line_without_newline() -> None:
    forge.refused(forge.replaced(HONEST, bundle.EVENTS, lambda data: data[:-1]), Step.EVENTS, "form")


def test_no_events() -> None:
    forge.refused(forge.replaced(HONEST, bundle.EVENTS, lambda _: b""), Step.CHAINS, "chain.missing")
