"""Office documents: LibreOffice, where it is installed, makes a PDF in this very process; its pages become pictures.

`soffice --convert-to` cannot be used here: it insists on a socket in `/tmp`, which the sandbox refuses. LibreOfficeKit,
the program's own C interface (LibreOffice, include/LibreOfficeKit/LibreOfficeKit.h), needs neither sockets nor other
programs, so none are allowed. Of its tables of functions only the first entries are used, the same since release 5.
"""

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pikepdf

from custody.kernel.errors import Invalid
from storage.light.making import Made, Tell
from storage.light.pages import pages_of

_LIBRARIES: Final = ("libmergedlo.so", "libsofficeapp.so")
_Load = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
_Save = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p)
_Ask = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)


class _Office(ctypes.Structure):
    """LibreOfficeKitClass, as far as it is used."""

    _fields_ = (("size", ctypes.c_size_t), ("destroy", ctypes.c_void_p), ("load", _Load), ("error", _Ask))


class _Document(ctypes.Structure):
    """LibreOfficeKitDocumentClass, likewise."""

    _fields_ = (("size", ctypes.c_size_t), ("destroy", ctypes.c_void_p), ("save_as", _Save))


def make(args: Mapping[str, Any], source: Path, tell: Tell) -> list[Made]:
    """The PDF and its pages. Macros do not run: that is LibreOffice's default for documents from elsewhere.

    Raises Invalid `light.unreadable` when LibreOffice makes nothing of it.
    """
    tell(0, 1)
    here, program = Path.cwd(), Path(str(args["program"]))
    office = _start(program, here / "profile")
    document = _table(office, _Office).load(office, source.resolve().as_uri().encode())
    made = here / "light.pdf"
    saved = document and _table(document, _Document).save_as(document, made.as_uri().encode(), b"pdf", None)
    if not saved or not made.is_file():
        raise Invalid("light.unreadable", what="LibreOffice")
    pdf = Made("light_pdf", made.name, "libreoffice", _version(made), {"convert_to": "pdf"}, {})
    return [pdf, pages_of(made, tell)]


def _start(program: Path, profile: Path) -> int:
    """LibreOffice with a profile of its own. It is not ended: the process is."""
    path = next((program / name for name in _LIBRARIES if (program / name).is_file()), None)
    if path is None:
        raise Invalid("light.program_missing")
    hook = ctypes.CDLL(str(path)).libreofficekit_hook_2
    hook.restype, hook.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_char_p)
    office = hook(str(program).encode(), profile.as_uri().encode())
    if not office:
        raise Invalid("light.program_missing")
    return int(office)


def _table(thing: int, kind: type[Any]) -> Any:
    """The functions of a thing of LibreOffice's: it begins with a pointer to them."""
    return kind.from_address(ctypes.c_void_p.from_address(thing).value or 0)


def _version(made: Path) -> str:
    """LibreOffice's, as it writes it into a PDF (`LibreOffice 7.4`)."""
    with pikepdf.open(made) as pdf:
        producer = str(pdf.docinfo.get("/Producer", ""))
    return producer.rpartition(" ")[2][:40] or "?"
