"""What is known of a burned rendition: enough to check it and to make it again."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custody.kernel.errors import Invalid
from custody.proof import canonical
from redaction.plan import digest

TOOL = "dalel.redaction.burn"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class BurnFacts:
    """One burned file. `tool_version` names the libraries whose output it is; equal versions give equal bytes."""

    kind: str
    path: Path
    sha256: str
    size_bytes: int
    source_sha256: str
    tool: str
    tool_version: str
    parameters: dict[str, Any]

    @property
    def parameters_sha256(self) -> str:
        """`sha256:<hex>` of the canonical parameters."""
        return digest(canonical.encode(self.parameters))


def file_sha256(path: Path) -> str:
    """`sha256:<hex>` of a file's bytes, read in blocks of 1 MiB."""
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            state.update(block)
    return "sha256:" + state.hexdigest()


def check_source(found_sha256: str, planned_sha256: str | None) -> str:
    """The digest, when the plan was made for these very bytes. Raises Invalid `burn.other_source`."""
    if found_sha256 != planned_sha256:
        raise Invalid("burn.other_source")
    return found_sha256


def facts_of(kind: str, source_sha256: str, target: Path, tool_version: str, parameters: dict[str, Any]) -> BurnFacts:
    """The facts of `target` as it now lies on disk, burned from what `source_sha256` names."""
    return BurnFacts(
        kind,
        target,
        file_sha256(target),
        target.stat().st_size,
        source_sha256,
        TOOL,
        tool_version,
        parameters,
    )
