"""The claims of one file: bounded, plain, in one canonical form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

VERSION: Final = 1
MOST_CLAIMS, MOST_CHARS, MOST_ENTRIES, MOST_FLAGS = 300, 500, 1000, 50
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CODE: Final = re.compile(r"[a-z0-9_.]{1,60}")
ANCHORS: Final = "anchors.pem"
"""The operator's list of trusted issuers (certificates in PEM) in the room of a file, where there is such a list."""
Value = str | int


@dataclass
class Claims:
    """Collects what readers find; whatever a file holds, it stays within the limits above.

    `flags` are codes of what a person should know. `c2pa` is the verdict of `storage.identify.provenance`, None when
    the file carries no such signature.
    """

    claims: list[tuple[str, Value]] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    entries: list[tuple[str, int]] = field(default_factory=list)
    entries_total: int = 0
    tools: dict[str, str] = field(default_factory=dict)
    c2pa: dict[str, Any] | None = None

    def claim(self, key: str, value: object) -> None:
        """Note one claim; None and empty text are none. Numbers are whole: units stand in the key."""
        if value is None or len(self.claims) >= MOST_CLAIMS:
            return
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
            self.claims.append((key[:80], value))
            return
        text = plain(str(value))
        if text:
            self.claims.append((key[:80], text))

    def flag(self, code: str) -> None:
        """Note something that a person should know."""
        self.flags.add(code)

    def entry(self, name: str, size_bytes: int) -> None:
        """One thing inside: a member of an archive, an attachment. Only the first MOST_ENTRIES are named."""
        self.entries_total += 1
        if len(self.entries) < MOST_ENTRIES:
            self.entries.append((plain(name), max(0, min(size_bytes, 2**53 - 1))))

    def document(self, media_type: str) -> dict[str, Any]:
        """All of it within the profile of `custody.proof.canonical`."""
        return {
            "v": VERSION,
            "media_type": media_type,
            "claims": [{"key": key, "value": value} for key, value in self.claims],
            "flags": sorted(self.flags),
            "entries": [{"name": name, "size_bytes": size} for name, size in self.entries],
            "entries_total": self.entries_total,
            "c2pa": self.c2pa,
            "tools": dict(sorted(self.tools.items())),
        }


def plain(text: str) -> str:
    """Text as it can be shown: no control characters, none that turn the direction of writing, not too long."""
    return _CONTROL.sub("\ufffd", text).strip()[:MOST_CHARS]


def checked(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a child that may have been taken over: of this very shape, its numbers and texts within limits.

    Raises ValueError, KeyError, TypeError for any other.
    """
    claims = Claims()
    for one in document["claims"]:
        claims.claim(str(one["key"]), one["value"])
    for entry in document["entries"]:
        claims.entry(str(entry["name"]), int(entry["size_bytes"]))
    claims.entries_total = max(0, min(int(document["entries_total"]), 2**53 - 1))
    for flag in list(document["flags"])[:MOST_FLAGS]:
        claims.flag(_code(flag))
    for tool, version in list(document["tools"].items())[:MOST_FLAGS]:
        claims.tools[_code(tool)] = plain(str(version))
    signed = document["c2pa"]
    if signed is not None:
        claims.c2pa = {"verdict": _code(signed["verdict"])}
        claims.c2pa |= {
            name: plain(str(signed.get(name, ""))) for name in ("issuer", "signed_at", "generator", "anchors")
        }
        claims.c2pa["failures"] = [plain(str(one)) for one in list(signed.get("failures", []))[:MOST_FLAGS]]
    return claims.document(str(document["media_type"])[:100])


def _code(value: object) -> str:
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise ValueError("not a code")
    return value
