"""The summary that may leave with a rendition: from what, under which plan, how, how much was withheld and why."""

from collections import Counter
from typing import Any

from custody.proof import canonical
from redaction.burn.facts import BurnFacts
from redaction.leak.report import LeakReport
from redaction.plan import Plan

FORMAT = "dalel-redaction-certificate/1"


def certificate(plan: Plan, facts: BurnFacts, leak: LeakReport) -> dict[str, Any]:
    """The certificate as JSON: digests, tool and counts by ground and kind. No text, no place, no person.

    It says what was done; that it was done rightly is vouched for by the plan's approval in the ledger.
    """
    return {
        "format": FORMAT,
        "exhibit": str(plan.exhibit),
        "source_sha256": plan.source_sha256,
        "plan_sha256": plan.sha256,
        "rules_sha256": plan.rules_sha256,
        "rendition": {"kind": facts.kind, "sha256": facts.sha256, "size_bytes": facts.size_bytes},
        "tool": {"name": facts.tool, "version": facts.tool_version, "parameters_sha256": facts.parameters_sha256},
        "withheld": dict(sorted(Counter(part.reason for part in plan.regions).items())),
        "leak_check": {"result": leak.result, "report_sha256": leak.sha256, "checks": len(leak.checks)},
    }


def encode(told: dict[str, Any]) -> bytes:
    """The certificate's canonical bytes."""
    return canonical.encode(told)
