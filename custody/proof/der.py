"""DER (ITU-T X.690), as much as time-stamp tokens need: a strict reader and a small writer.

One spelling for each value: definite lengths in their shortest form, tags of one byte, no bytes left over.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from custody.proof.strict import Malformed

BOOLEAN, INTEGER, OCTETS, NULL, OID, UTF8 = 0x01, 0x02, 0x04, 0x05, 0x06, 0x0C
GENERALIZED_TIME, SEQUENCE, SET = 0x18, 0x30, 0x31
_MAX_DEPTH_BYTES = 4


def context(number: int) -> int:
    """The tag of a constructed context-specific element, `[number]`."""
    return 0xA0 | number


@dataclass(frozen=True)
class Element:
    """One element: its tag, what it contains, and its own bytes."""

    tag: int
    content: bytes
    raw: bytes

    def reader(self) -> "Reader":
        """A reader of the elements inside."""
        return Reader(self.content)


class Reader:
    """Takes elements one after the other. Every method raises Malformed for what is not strict DER."""

    def __init__(self, data: bytes) -> None:
        self._rest = data

    def take(self, tag: int) -> Element:
        """The next element, which must have this tag."""
        element = self._next()
        if element.tag != tag:
            raise Malformed("an element of another kind stands where it must not")
        self._rest = self._rest[len(element.raw) :]
        return element

    def optional(self, tag: int) -> Element | None:
        """The next element if it has this tag."""
        return self.take(tag) if self._rest and self._rest[0] == tag else None

    def all(self) -> Iterator[Element]:
        """The elements that are left, whatever their tags."""
        while self._rest:
            element = self._next()
            self._rest = self._rest[len(element.raw) :]
            yield element

    def end(self) -> None:
        """Nothing may be left."""
        if self._rest:
            raise Malformed("bytes are left over")

    def _next(self) -> Element:
        data = self._rest
        if len(data) < 2 or data[0] & 0x1F == 0x1F:
            raise Malformed("not strict DER")
        length, start = data[1], 2
        if length & 0x80:
            count = length & 0x7F
            digits = data[2 : 2 + count]
            length, start = int.from_bytes(digits, "big"), 2 + count
            if not 1 <= count <= _MAX_DEPTH_BYTES or len(digits) != count or length < 0x80 or not digits[0]:
                raise Malformed("not strict DER")
        if len(data) < start + length:
            raise Malformed("not strict DER")
        return Element(data[0], data[start : start + length], data[: start + length])


def whole(data: bytes, tag: int) -> Element:
    """The one element that `data` is. Raises Malformed."""
    reader = Reader(data)
    element = reader.take(tag)
    reader.end()
    return element


def integer(element: Element) -> int:
    """The value of an INTEGER. Raises Malformed for another than the shortest form."""
    content = element.content
    if not content or (len(content) > 1 and (content[0], content[1] >> 7) in ((0, 0), (0xFF, 1))):
        raise Malformed("not strict DER")
    return int.from_bytes(content, "big", signed=True)


def oid(element: Element) -> str:
    """The dotted text of an OBJECT IDENTIFIER. Raises Malformed."""
    numbers, value, begun = [], 0, False
    for octet in element.content:
        if not begun and octet == 0x80:
            raise Malformed("not strict DER")
        value, begun = value << 7 | octet & 0x7F, bool(octet & 0x80)
        if not begun:
            numbers.append(value)
            value = 0
    if begun or not numbers:
        raise Malformed("not strict DER")
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def encode(tag: int, *parts: bytes) -> bytes:
    """An element of these parts."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + content


def encode_integer(value: int) -> bytes:
    """An INTEGER, 0 or more."""
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def encode_oid(text: str) -> bytes:
    """An OBJECT IDENTIFIER from its dotted text."""
    first, second, *rest = map(int, text.split("."))
    octets = b""
    for number in (first * 40 + second, *rest):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.insert(0, number & 0x7F | 0x80)
        octets += bytes(septets)
    return encode(OID, octets)
