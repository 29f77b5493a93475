"""7z and RAR: what lies in them by their own headers. Nothing is unpacked.

RAR is read with `rarfile` (ISC licence), which parses headers in Python and would call another program to unpack, which
is never asked of it. 7z is read with the system's libarchive (BSD licence, `libarchive13`) through its C interface
(archive.h, archive_entry.h), for no package of PyPI with a fitting licence reads it; its data are passed over.
Where libarchive is missing that is flagged and the 7z stays opaque.
"""

import ctypes
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import rarfile  # type: ignore[import-untyped]  # it ships no types

from storage.identify.archives import MOST_MEMBERS, is_bomb, name_of_member
from storage.identify.model import Claims

_FILES: Final = (rarfile.RAR_BLOCK_FILE, rarfile.RAR5_BLOCK_FILE)
_LIBRARY: Final = "libarchive.so.13"
_EOF, _WARNED = 1, -20
_BLOCK: Final = 1 << 16
_HANDLE, _TEXT, _NUMBER = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64
_FUNCTIONS: Final = {
    "archive_version_details": (_TEXT, ()),
    "archive_read_new": (_HANDLE, ()),
    "archive_read_free": (ctypes.c_int, (_HANDLE,)),
    "archive_read_support_format_7zip": (ctypes.c_int, (_HANDLE,)),
    "archive_read_open_filename": (ctypes.c_int, (_HANDLE, _TEXT, ctypes.c_size_t)),
    "archive_read_next_header": (ctypes.c_int, (_HANDLE, ctypes.POINTER(_HANDLE))),
    "archive_error_string": (_TEXT, (_HANDLE,)),
    "archive_entry_pathname_utf8": (_TEXT, (_HANDLE,)),
    "archive_entry_pathname": (_TEXT, (_HANDLE,)),
    "archive_entry_size": (_NUMBER, (_HANDLE,)),
    "archive_entry_is_encrypted": (ctypes.c_int, (_HANDLE,)),
}

# An archive's comment is compressed, and the library would start another program for it: it stays unread.
rarfile.rar3_decompress = lambda *_, **__: b""


def _load() -> Any:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_libarchive = _load()


class _More(Exception):
    """There are more members than are listed."""


def read(source: Path, media_type: str, claims: Claims) -> None:
    """Flags `archive.not_listed` for what cannot be listed, or not whole, `archive.no_lister` without libarchive."""
    list_ = _list_7z if media_type == "application/x-7z-compressed" else _list_rar
    total = 0
    try:
        for name, size_bytes, encrypted in list_(source, claims):
            if claims.entries_total >= MOST_MEMBERS:
                raise _More
            total += size_bytes
            claims.entry(name, size_bytes)
            name_of_member(name, claims)
            if encrypted:
                claims.flag("encrypted")
    except _More:
        claims.flag("archive.more")
    if is_bomb(total, source.stat().st_size):
        claims.flag("archive.bomb")
    if claims.entries_total:
        claims.claim("archive.members", claims.entries_total)
        claims.claim("archive.unpacked_bytes", total)


Members = Iterator[tuple[str, int, bool]]
"""Name, size in bytes and whether it is encrypted."""


def _list_rar(source: Path, claims: Claims) -> Members:
    claims.tools["rarfile"] = rarfile.__version__
    found: list[Any] = []

    def keep(block: Any) -> None:
        # What the library lists by itself leaves earlier versions of a file out, and what began in an earlier volume.
        if getattr(block, "block_type", block.type) in _FILES:
            found.append(block)
        if len(found) > MOST_MEMBERS:
            raise _More

    hidden = False
    with suppress(_More):
        try:
            hidden = rarfile.RarFile(str(source), info_callback=keep, part_only=True).needs_password()
        except rarfile.Error:
            claims.flag("archive.not_listed")
    if hidden:
        claims.flag("encrypted")
    if not found:
        claims.flag("archive.not_listed")
    for member in found:
        yield str(member.filename), int(member.file_size or 0), bool(member.needs_password())


def _list_7z(source: Path, claims: Claims) -> Members:
    if _libarchive is None:
        claims.flag("archive.no_lister")
        return
    claims.tools["libarchive"] = str(_libarchive.archive_version_details().decode("ascii", "replace").split(" ")[1])
    handle, entry = _libarchive.archive_read_new(), _HANDLE()
    try:
        _libarchive.archive_read_support_format_7zip(handle)
        state = _libarchive.archive_read_open_filename(handle, str(source).encode(), _BLOCK)
        while state in (0, _WARNED):
            state = _libarchive.archive_read_next_header(handle, ctypes.byref(entry))
            if state in (0, _WARNED):
                said = (
                    _libarchive.archive_entry_pathname_utf8(entry) or _libarchive.archive_entry_pathname(entry) or b"?"
                )
                size_bytes = max(_libarchive.archive_entry_size(entry), 0)
                yield said.decode("utf-8", "replace"), size_bytes, _libarchive.archive_entry_is_encrypted(entry) > 0
        if state != _EOF:
            claims.flag("archive.not_listed")
            # `archive_read_has_encrypted_entries` is no way to ask: in 3.6.2 it crashes once opening has failed.
            if re.search(rb"crypt", _libarchive.archive_error_string(handle) or b"", re.IGNORECASE):
                claims.flag("encrypted")
    finally:
        _libarchive.archive_read_free(handle)
