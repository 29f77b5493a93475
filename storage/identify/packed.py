"""7z and RAR: what lies in them by their own headers, read with libarchive (BSD licence). Nothing is unpacked.

libarchive is the system's (`libarchive13`) and called through its C interface (archive.h, archive_entry.h), because no
package of PyPI with a fitting licence lists both. Where it is missing that is flagged and the archive stays opaque.
In a solid RAR the way to a later header leads through the data before it: a bomb is known by its header and left alone
before that, so no more is passed through than an honest archive may hold.
Not guaranteed: that the list of a RAR that was cut off is whole; libarchive takes the file's end for the archive's.
"""

import ctypes
import re
from pathlib import Path
from typing import Any, Final

from storage.identify.archives import MOST_MEMBERS, is_bomb, name_of_member
from storage.identify.model import Claims

_LIBRARY: Final = "libarchive.so.13"
_EOF, _WARNED = 1, -20
_BLOCK: Final = 1 << 16
_HANDLE, _TEXT, _NUMBER = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64
_FUNCTIONS: Final = {
    "archive_version_details": (_TEXT, ()),
    "archive_read_new": (_HANDLE, ()),
    "archive_read_free": (ctypes.c_int, (_HANDLE,)),
    "archive_read_support_format_7zip": (ctypes.c_int, (_HANDLE,)),
    "archive_read_support_format_rar": (ctypes.c_int, (_HANDLE,)),
    "archive_read_support_format_rar5": (ctypes.c_int, (_HANDLE,)),
    "archive_read_open_filename": (ctypes.c_int, (_HANDLE, _TEXT, ctypes.c_size_t)),
    "archive_read_next_header": (ctypes.c_int, (_HANDLE, ctypes.POINTER(_HANDLE))),
    "archive_error_string": (_TEXT, (_HANDLE,)),
    "archive_entry_pathname_utf8": (_TEXT, (_HANDLE,)),
    "archive_entry_pathname": (_TEXT, (_HANDLE,)),
    "archive_entry_size": (_NUMBER, (_HANDLE,)),
    "archive_entry_is_encrypted": (ctypes.c_int, (_HANDLE,)),
}


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


def read(source: Path, media_type: str, claims: Claims) -> None:
    """Flags `archive.no_lister` without libarchive, `archive.not_listed` for what it cannot list or not to its end."""
    if _libarchive is None:
        claims.flag("archive.no_lister")
        return
    claims.tools["libarchive"] = str(_libarchive.archive_version_details().decode("ascii", "replace").split(" ")[1])
    handle = _libarchive.archive_read_new()
    try:
        if media_type == "application/x-7z-compressed":
            _libarchive.archive_read_support_format_7zip(handle)
        else:
            _libarchive.archive_read_support_format_rar(handle)
            _libarchive.archive_read_support_format_rar5(handle)
        _list(handle, source, claims)
    finally:
        _libarchive.archive_read_free(handle)


def _list(handle: Any, source: Path, claims: Claims) -> None:
    packed, total, members = source.stat().st_size, 0, 0
    entry = _HANDLE()
    state = _libarchive.archive_read_open_filename(handle, str(source).encode(), _BLOCK)
    while state in (0, _WARNED) and members < MOST_MEMBERS and not is_bomb(total, packed):
        state = _libarchive.archive_read_next_header(handle, ctypes.byref(entry))
        if state not in (0, _WARNED):
            break
        members += 1
        total += max(_libarchive.archive_entry_size(entry), 0)
        _member(entry, claims)
    if is_bomb(total, packed):
        claims.flag("archive.bomb")
    elif state in (0, _WARNED):
        claims.flag("archive.more")
    elif state != _EOF or not members:
        claims.flag("archive.not_listed")
        # `archive_read_has_encrypted_entries` is no way to ask: in 3.6.2 it crashes once opening has failed.
        if re.search(rb"crypt", _libarchive.archive_error_string(handle) or b"", re.IGNORECASE):
            claims.flag("encrypted")
    if members:
        claims.claim("archive.members", members)
        claims.claim("archive.unpacked_bytes", total)


def _member(entry: Any, claims: Claims) -> None:
    said = _libarchive.archive_entry_pathname_utf8(entry) or _libarchive.archive_entry_pathname(entry) or b"?"
    name = said.decode("utf-8", "replace")
    claims.entry(name, _libarchive.archive_entry_size(entry))
    name_of_member(name, claims)
    if _libarchive.archive_entry_is_encrypted(entry) > 0:
        claims.flag("encrypted")
