"""Attacks on a redacted transcript, as JSON and as text."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from redaction.burn.facts import file_sha256
from redaction.burn.transcript import FORMAT
from redaction.leak.forbidden import Forbidden
from redaction.leak.report import Check, LeakReport, check
from redaction.model import TimeSpan, WordSpan
from redaction.plan import Plan

_TOP = {"format", "duration_ms", "plan_sha256", "source_sha256", "turns"}
_WORD = {"text", "start_ms", "end_ms", "withheld"}


def check_name(path: Path, forbidden: Forbidden) -> Check:
    """The file's own name."""
    hits = forbidden.hits(path.name.replace("_", " ").replace("-", " "))
    return check("file_name", hits == 0, f"{hits} forbidden words in the file name")


def check_strings(text: str, data: bytes, forbidden: Forbidden) -> Check:
    """The text as read and the bytes as they lie."""
    hits, raw = forbidden.hits(text), forbidden.raw_hits(data, is_utf8_text=True)
    return check("strings", hits + raw == 0, f"{hits} forbidden words in the text, {raw} in the raw bytes")


def attack_transcript(path: Path, plan: Plan, forbidden: Forbidden) -> LeakReport:
    """Strings, closed structure, withheld places, file name of `dalel-redacted-transcript/1`."""
    data = path.read_bytes()
    checks = [check_strings(data.decode("utf-8", "replace"), data, forbidden)]
    try:
        told = json.loads(data)
        strangers = _strangers(told)
        spoken = list(_spoken(told)) if not strangers else []
    except (ValueError, KeyError, TypeError):
        checks.append(check("structure", False, "not a redacted transcript"))
    else:
        checks.append(check("structure", not strangers, f"{strangers} fields outside the format"))
        spans = [part.region for part in plan.regions if isinstance(part.region, (WordSpan, TimeSpan))]
        standing = sum(any(span.start_ms <= middle < span.end_ms for span in spans) for middle in spoken)
        checks.append(check("withheld", standing == 0, f"{standing} words stand where the plan withholds"))
    checks.append(check_name(path, forbidden))
    return LeakReport("transcript", file_sha256(path), plan.sha256, tuple(checks))


def attack_text(path: Path, plan: Plan, forbidden: Forbidden) -> LeakReport:
    """Strings, encoding and file name of a plain text."""
    data = path.read_bytes()
    text = data.decode("utf-8", "replace")
    checks = (
        check_strings(text, data, forbidden),
        check("encoding", "\ufffd" not in text and "\x00" not in text, "UTF-8 without NUL"),
        check_name(path, forbidden),
    )
    return LeakReport("text", file_sha256(path), plan.sha256, checks)


def _strangers(told: dict[str, Any]) -> int:
    count = len(told.keys() ^ _TOP) + int(told["format"] != FORMAT)
    for turn in told["turns"]:
        count += len(turn.keys() ^ {"speaker", "words"})
        count += sum(len(word.keys() - _WORD) for word in turn["words"])
    return count


def _spoken(told: dict[str, Any]) -> Iterator[int]:
    """The middle of every word that is not withheld."""
    for turn in told["turns"]:
        for word in turn["words"]:
            if "withheld" not in word:
                yield (word["start_ms"] + word["end_ms"]) // 2
