"""Writes compound files ([MS-CFB], version 3) and with them messages as Outlook keeps them ([MS-OXMSG]) and properties
([MS-OLEPS]): there is no Outlook here to make any.
"""

import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

SECTOR, MINI, CUTOFF = 512, 64, 4096
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
Tree = Mapping[str, Any]
"""Names with bytes (a stream) or another tree (a storage)."""


def compound(tree: Tree) -> bytes:
    """The file."""
    sectors: list[bytes] = []
    chain: list[int] = []
    mini, mini_chain = bytearray(), []

    def keep(data: bytes) -> int:
        if not data:
            return END
        start, count = len(sectors), -(-len(data) // SECTOR)
        padded = data.ljust(count * SECTOR, b"\0")
        sectors.extend(padded[at : at + SECTOR] for at in range(0, len(padded), SECTOR))
        chain.extend([*range(start + 1, start + count), END])
        return start

    def keep_small(data: bytes) -> int:
        if not data:
            return END
        start, count = len(mini) // MINI, -(-len(data) // MINI)
        mini.extend(data.ljust(count * MINI, b"\0"))
        mini_chain.extend([*range(start + 1, start + count), END])
        return start

    entries: list[list[Any]] = [["Root Entry", 5, FREE, FREE, FREE, END, 0]]

    def add(inside: Tree) -> int:
        """Add the members of a storage; returns the root of their search tree, ordered as section 2.6.4 says."""
        numbers = {}
        for name in sorted(inside, key=lambda name: (len(name), name.upper())):
            data = inside[name]
            numbers[len(entries)] = data
            if isinstance(data, bytes):
                start = keep(data) if len(data) >= CUTOFF else keep_small(data)
                entries.append([name, 2, FREE, FREE, FREE, start, len(data)])
            else:
                entries.append([name, 1, FREE, FREE, FREE, 0, 0])
        for number, data in numbers.items():
            if not isinstance(data, bytes):
                entries[number][4] = add(data)
        return balance(list(numbers))

    def balance(numbers: list[int]) -> int:
        if not numbers:
            return FREE
        middle = len(numbers) // 2
        entries[numbers[middle]][2] = balance(numbers[:middle])
        entries[numbers[middle]][3] = balance(numbers[middle + 1 :])
        return numbers[middle]

    entries[0][4] = add(tree)
    entries[0][5:] = [keep(bytes(mini)), len(mini)]
    directory = keep(b"".join(_entry(*one) for one in entries))
    mini_fat = keep(struct.pack(f"<{len(mini_chain)}I", *mini_chain))
    mini_sectors = -(-len(mini_chain) * 4 // SECTOR)
    tables = 1
    while tables * (SECTOR // 4) < len(chain) + tables:
        tables += 1
    places = list(range(len(sectors), len(sectors) + tables))
    chain += [FAT] * tables
    chain += [FREE] * (tables * (SECTOR // 4) - len(chain))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIII", 0, tables, directory, 0, CUTOFF, mini_fat, mini_sectors, END, 0)
    head += struct.pack("<109I", *places, *[FREE] * (109 - tables))
    return head + b"".join(sectors) + struct.pack(f"<{len(chain)}I", *chain)


def _entry(name: str, kind: int, left: int, right: int, child: int, start: int, size: int) -> bytes:
    said = name.encode("utf-16-le")
    made = said.ljust(64, b"\0") + struct.pack("<HBB3I", len(said) + 2, kind, 1, left, right, child)
    return made + bytes(36) + struct.pack("<IQ", start, size)


def properties(said: Mapping[int, str | datetime | int], code_page: int) -> bytes:
    """A property set: texts in the code page, times, numbers."""
    values = {1: struct.pack("<Ihxx", 2, code_page - 65536 if code_page > 32767 else code_page)}
    for number, value in said.items():
        if isinstance(value, str):
            data = value.encode("utf-8" if code_page == 65001 else f"cp{code_page}") + b"\0"
            values[number] = struct.pack("<II", 30, len(data)) + data + bytes(-len(data) % 4)
        elif isinstance(value, datetime):
            values[number] = struct.pack("<IQ", 64, _file_time(value))
        else:
            values[number] = struct.pack("<Ii", 3, value)
    at, table, body = 8 + 8 * len(values), b"", b""
    for number, data in values.items():
        table += struct.pack("<II", number, at + len(body))
        body += data
    section = struct.pack("<II", at + len(body), len(values)) + table + body
    return struct.pack("<HHI16xI", 0xFFFE, 0, 0, 1) + bytes(16) + struct.pack("<I", 48) + section


def _file_time(at: datetime) -> int:
    return int((at - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000


def message(
    texts: Mapping[int, str | bytes],
    *,
    people: Sequence[tuple[int, str, str]] = (),
    attached: Sequence[tuple[str, str, bytes | Tree]] = (),
    at: datetime | None = None,
    code_page: int | None = None,
    inside: bool = False,
) -> Tree:
    """A message: `people` are (1 to, 2 cc, 3 bcc; name; address), `attached` (name, type, data or a message).

    With a code page its texts are in it, else in UTF-16, as Outlook since 2003 has them.
    """
    fixed = {0x0039: struct.pack("<Q", _file_time(at))} if at else {}
    tags = [struct.pack("<HHI8s", 0x0040, number, 6, value) for number, value in fixed.items()]
    tags += [struct.pack("<HHIII", 3, 0x3FFD, 6, code_page, 0)] if code_page else []
    tree: dict[str, Any] = _texts(texts, code_page)
    for number, (kind, name, address) in enumerate(people):
        one = _texts({0x3001: name, 0x39FE: address}, code_page)
        one["__properties_version1.0"] = bytes(8) + struct.pack("<HHIII", 3, 0x0C15, 6, kind, 0)
        tree[f"__recip_version1.0_#{number:08X}"] = one
    for number, (name, kind, data) in enumerate(attached):
        one = _texts({0x3707: name, 0x370E: kind}, code_page) | {"__properties_version1.0": bytes(8)}
        one["__substg1.0_37010102" if isinstance(data, bytes) else "__substg1.0_3701000D"] = data
        tree[f"__attach_version1.0_#{number:08X}"] = one
    tree["__properties_version1.0"] = bytes(24 if inside else 32) + b"".join(tags)
    return tree


def _texts(texts: Mapping[int, str | bytes], code_page: int | None) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for number, said in texts.items():
        if isinstance(said, bytes):
            tree[f"__substg1.0_{number:04X}0102"] = said
        elif code_page:
            tree[f"__substg1.0_{number:04X}001E"] = said.encode(f"cp{code_page}")
        else:
            tree[f"__substg1.0_{number:04X}001F"] = said.encode("utf-16-le")
    return tree
