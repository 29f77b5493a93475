"""The result of a leak check. It names checks and counts, never the text that was looked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from custody.proof import canonical
from redaction.plan import digest

FORMAT = "dalel-leak-report/1"


@dataclass(frozen=True)
class Check:
    """One attack: `passed`, `failed` or `not_run`, and a plain English sentence without personal data."""

    name: str
    state: str
    detail: str


def check(name: str, held: bool, detail: str) -> Check:
    """A check that was run."""
    return Check(name, "passed" if held else "failed", detail)


@dataclass(frozen=True)
class LeakReport:
    """All attacks on one file. Not proven: that nothing can be guessed from what was meant to survive."""

    kind: str
    sha256_checked: str
    plan_sha256: str
    checks: tuple[Check, ...]

    @property
    def result(self) -> str:
        """`passed` when at least one check ran and none failed, else `failed`."""
        states = {one.state for one in self.checks}
        return "passed" if "passed" in states and "failed" not in states else "failed"

    def to_json(self) -> dict[str, Any]:
        """The report in the format `dalel-leak-report/1`."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "sha256": self.sha256_checked,
            "plan_sha256": self.plan_sha256,
            "result": self.result,
            "checks": [{"name": one.name, "state": one.state, "detail": one.detail} for one in self.checks],
        }

    def encode(self) -> bytes:
        """The canonical bytes."""
        return canonical.encode(self.to_json())

    @property
    def sha256(self) -> str:
        """`sha256:<hex>` of the canonical bytes."""
        return digest(self.encode())


def failures(checks: Sequence[Check]) -> tuple[str, ...]:
    """The names of the failed checks."""
    return tuple(one.name for one in checks if one.state == "failed")


def rendition_name(exhibit_number: int, rendition: UUID, extension: str) -> str:
    """A file name that tells nothing of the original's: `exhibit-0007-<first eight of the id>.pdf`."""
    return f"exhibit-{exhibit_number:04}-{rendition.hex[-8:]}.{extension}"
