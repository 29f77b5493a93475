"""What a stored thing is called and what is known of it once it is in the object store."""

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from custody.kernel.errors import Invalid

FORMAT: Final = "dalel-blob-1"
"""The stored format: segments of C2SP chunked encryption, see `storage.segments` and docs/storage.md."""

MAX_NAME_BYTES: Final = 255
MAX_FOLDER_BYTES: Final = 4096
MAX_FOLDER_DEPTH: Final = 64

_SAFE_NAME_BYTES: Final = 180
_SAFE_SUFFIX_BYTES: Final = 24
_UNSAFE: Final = frozenset('<>:"|?*/\\')
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"}
)


@dataclass(frozen=True)
class BlobFacts:
    """One object in the store, as verified when it was written.

    `sha256` and `size_bytes` are of the plaintext, `ciphertext_sha256` and `ciphertext_bytes` of the object's bytes;
    digests are `sha256:<hex>`. `wrapped_key` opens only under the key-encryption key `key_id` and this `blob_id`.
    `bucket` and `version_id` say where it lies now; a moved one's bucket names the store (`storage.routed`), and
    `sealed_version` is the version that its first event named ("" when it was not moved).
    Not guaranteed: that the store still holds what it held then; reading checks again. A blob that was destroyed keeps
    its facts; its `wrapped_key` is empty.
    """

    blob_id: UUID
    bucket: str
    key: str
    version_id: str
    sha256: str
    size_bytes: int
    segment_bytes: int
    ciphertext_sha256: str
    ciphertext_bytes: int
    wrapped_key: bytes = field(repr=False)
    key_id: str
    retain_until: datetime
    format: str = FORMAT
    destroyed_at: datetime | None = None
    sealed_version: str = ""


@dataclass(frozen=True)
class FileName:
    """A file's own name, kept exactly as given: any script, emoji, up to 255 bytes of UTF-8.

    Raises Invalid `upload.bad_name` with `why`: empty, encoding, too_long, path or control.
    """

    text: str

    def __post_init__(self) -> None:
        fault = _fault(self.text)
        if fault:
            raise Invalid("upload.bad_name", why=fault)

    @property
    def extension(self) -> str:
        """What follows the last dot, lower case, without the dot; empty when there is none."""
        stem, dot, extension = self.text.rpartition(".")
        return extension.lower() if dot and stem else ""


@dataclass(frozen=True)
class FolderPath:
    """Where in a dropped folder the file lay: relative, every part under the rules of a file name."""

    parts: tuple[FileName, ...]

    @classmethod
    def parse(cls, text: str) -> "FolderPath":
        """The path written with `/` between parts; an empty text is the top. Raises Invalid `upload.bad_folder`."""
        if not text:
            return cls(())
        parts = text.split("/")
        if len(parts) > MAX_FOLDER_DEPTH:
            raise Invalid("upload.bad_folder", why="too_deep")
        for part in parts:
            fault = _fault(part)
            if fault:
                raise Invalid("upload.bad_folder", why=fault)
        if len(text.encode()) > MAX_FOLDER_BYTES:
            raise Invalid("upload.bad_folder", why="too_long")
        return cls(tuple(FileName(part) for part in parts))

    def __str__(self) -> str:
        return "/".join(part.text for part in self.parts)


def _fault(text: str) -> str | None:
    """Why a text cannot be a file's name, or None when it can."""
    if not text.strip():
        return "empty"
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        return "encoding"
    if size_bytes > MAX_NAME_BYTES:
        return "too_long"
    if "/" in text or "\\" in text or text in {".", ".."}:
        return "path"
    # Cc: NUL, newlines and other controls; Zl and Zp: the line and paragraph separators that some readers break at.
    if any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in text):
        return "control"
    return None


def safe_name(name: FileName) -> str:
    """A name for a download or a ZIP entry that every system can write; the exact name stays in the record.

    NFC; direction marks and invisible characters gone (they can make `gpj.exe` read as a picture); what Windows
    refuses becomes `_`; at most 180 bytes of UTF-8, the extension kept. Not guaranteed to be unique.
    """
    kept = "".join(
        "_" if char in _UNSAFE else char
        for char in unicodedata.normalize("NFC", name.text)
        if unicodedata.category(char) != "Cf"
    ).strip(" .")
    stem, dot, suffix = kept.rpartition(".")
    if not dot or len(suffix.encode()) > _SAFE_SUFFIX_BYTES:
        stem, dot, suffix = kept, "", ""
    if stem.split(".")[0].strip().lower() in _RESERVED:
        stem = "_" + stem
    room = _SAFE_NAME_BYTES - len((dot + suffix).encode())
    stem = stem.encode()[:room].decode(errors="ignore").rstrip(" .")
    return (stem or "file") + dot + suffix
