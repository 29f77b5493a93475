"""A plan: what is hidden in one source and on what ground; and the life of a plan as pure rules.

drafted → submitted → approved, or submitted → returned → submitted again. Once approved it never changes (law 3);
the approver is never the person who submitted it nor one whose decisions it carries (law 4).
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from custody.kernel.errors import Conflict, Denied, Invalid
from custody.proof import canonical
from redaction.model import ENTITIES, Region, Suggestion, region_to_json
from redaction.reasons import REASONS, Reasons

FORMAT = "dalel-plan/1"
OPEN_STATES = ("drafted", "returned")


@dataclass(frozen=True)
class PlannedRegion:
    """One thing to hide. `replacement` is the pseudonym put in its place in text, None for solid fill."""

    region: Region
    entity: str
    reason: str
    replacement: str | None


@dataclass(frozen=True)
class Plan:
    """What is to be hidden in one source. Holds no text of what is hidden.

    `source_sha256` is the digest of the original's bytes; `text_sha256` that of the confirmed transcript revision
    or extracted text to which word and character indexes refer, None when there is none.
    """

    id: UUID
    exhibit: UUID
    source_sha256: str
    text_sha256: str | None
    rules_sha256: str
    regions: tuple[PlannedRegion, ...]

    def to_json(self) -> dict[str, Any]:
        """The plan in the format `dalel-plan/1`, regions in the order of the source."""
        return {
            "format": FORMAT,
            "plan": str(self.id),
            "exhibit": str(self.exhibit),
            "source_sha256": self.source_sha256,
            "text_sha256": self.text_sha256,
            "rules_sha256": self.rules_sha256,
            "regions": [
                {
                    "region": region_to_json(part.region),
                    "entity": part.entity,
                    "reason": part.reason,
                    "replacement": part.replacement,
                }
                for part in self.regions
            ],
        }

    def encode(self) -> bytes:
        """The canonical bytes a person submits and another approves."""
        return canonical.encode(self.to_json())

    @property
    def sha256(self) -> str:
        """`sha256:<hex>` of the canonical bytes."""
        return digest(self.encode())


def digest(data: bytes) -> str:
    """`sha256:<lower-case hex>` of bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _place(part: PlannedRegion) -> tuple[str, Any]:
    return part.region.kind, part.region


def assemble(
    *,
    id: UUID,
    exhibit: UUID,
    source_sha256: str,
    text_sha256: str | None,
    rules_sha256: str,
    suggestions: Iterable[Suggestion],
    reasons: Reasons = REASONS,
) -> Plan:
    """The plan of decided suggestions: rejected ones leave no trace in it.

    Raises Conflict `plan.undecided` while a suggestion is open, Conflict `plan.no_reason` for an accepted one without
    a ground, Invalid `plan.unknown_reason` for a ground that is not in the list.
    """
    parts: list[PlannedRegion] = []
    for suggestion in suggestions:
        if suggestion.state == "open":
            raise Conflict("plan.undecided")
        if suggestion.state == "rejected":
            continue
        if suggestion.reason is None:
            raise Conflict("plan.no_reason")
        reasons.check(suggestion.reason)
        parts += [
            PlannedRegion(region, suggestion.entity, suggestion.reason, suggestion.replacement)
            for region in suggestion.regions
        ]
    return Plan(id, exhibit, source_sha256, text_sha256, rules_sha256, tuple(sorted(parts, key=_place)))


@dataclass(frozen=True)
class Decision:
    """A person's word on one suggestion: accept it on a ground (with an optional pseudonym), or reject it."""

    suggestion: UUID
    accept: bool
    reason: str | None = None
    replacement: str | None = None


@dataclass(frozen=True)
class Addition:
    """Something the machine did not see and a person hides. `text` may be empty when there is nothing to read."""

    regions: tuple[Region, ...]
    reason: str
    entity: str = "OTHER"
    text: str = ""
    replacement: str | None = None


def check_decision(decision: Decision | Addition, reasons: Reasons = REASONS) -> None:
    """Raises Conflict `plan.no_reason`, Invalid `plan.unknown_reason`, `plan.bad_region` or `plan.bad_replacement`."""
    if isinstance(decision, Addition) and (not decision.regions or decision.entity not in ENTITIES):
        raise Invalid("plan.bad_region")
    if isinstance(decision, Decision) and not decision.accept:
        return
    if decision.reason is None:
        raise Conflict("plan.no_reason")
    reasons.check(decision.reason)
    replacement = decision.replacement
    if replacement is not None and (not replacement.strip() or len(replacement) > 80 or not replacement.isprintable()):
        raise Invalid("plan.bad_replacement")


def decisions_sha256(decisions: Iterable[Decision], additions: Iterable[Addition]) -> str:
    """The digest that `plan.decided` carries: ids, grounds and places, no text of what is hidden."""
    return digest(
        canonical.encode(
            {
                "decisions": [
                    [str(one.suggestion), one.accept, one.reason, one.replacement]
                    for one in sorted(decisions, key=lambda one: one.suggestion)
                ],
                "additions": [
                    [[region_to_json(region) for region in one.regions], one.entity, one.reason, one.replacement]
                    for one in additions
                ],
            }
        )
    )


def check_open(state: str) -> None:
    """Decisions are taken while a plan is drafted or returned. Raises Conflict `plan.closed`."""
    if state not in OPEN_STATES:
        raise Conflict("plan.closed", state=state)


def check_approval(state: str, approver: UUID, submitted_by: UUID | None, deciders: Collection[UUID]) -> None:
    """Raises Conflict `plan.not_submitted`, Denied `plan.self_approval`."""
    if state != "submitted":
        raise Conflict("plan.not_submitted", state=state)
    if approver == submitted_by or approver in deciders:
        raise Denied("plan.self_approval")
