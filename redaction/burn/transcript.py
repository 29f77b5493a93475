"""The redacted transcript: as canonical JSON, and as plain text for a reader.

A withheld passage shows its ground and keeps its length in time. It does not keep the length of its letters: the
width of what is hidden has been used to guess names, so every hidden word is the same five blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custody.proof import canonical
from redaction.burn.facts import BurnFacts, check_source, facts_of
from redaction.model import SpokenWord, TimeSpan, WordSpan
from redaction.plan import Plan, PlannedRegion, digest

FORMAT = "dalel-redacted-transcript/1"
VERSION = "transcript/1"
BLOCK = "█████"
_CLOSING = ".,;:!?…"


@dataclass(frozen=True)
class Passage:
    """A piece of the redacted transcript: a word as said, or what stands for withheld words."""

    text: str
    start_ms: int
    end_ms: int
    turn: int
    withheld: str | None


def _closing(word: str) -> str:
    """The punctuation a word ends with, which is no part of what is hidden."""
    return word[len(word.rstrip(_CLOSING)) :]


def _hidden(words: Sequence[SpokenWord], plan: Plan) -> dict[int, PlannedRegion]:
    """Which words a plan hides: those named, and those that sound at any moment of a hidden stretch of time."""
    hidden: dict[int, PlannedRegion] = {}
    for part in plan.regions:
        region = part.region
        if isinstance(region, WordSpan):
            for place in range(region.first, min(region.last + 1, len(words))):
                hidden.setdefault(place, part)
        elif isinstance(region, TimeSpan):
            for place, word in enumerate(words):
                if word.start_ms < region.end_ms and region.start_ms < max(word.end_ms, word.start_ms + 1):
                    hidden.setdefault(place, part)
    return hidden


def redact_words(words: Sequence[SpokenWord], plan: Plan) -> list[Passage]:
    """The transcript under a plan. A region over two turns is cut at the turn; overlapping regions hide together.

    The first region's pseudonym stands for a passage; a region without one is shown as blocks, one for each word.
    """
    hidden = _hidden(words, plan)
    passages: list[Passage] = []
    before: PlannedRegion | None = None
    for place, word in enumerate(words):
        part_here = hidden.get(place)
        if part_here is None:
            passages.append(Passage(word.text, word.start_ms, word.end_ms, word.turn, None))
        elif part_here is before and passages[-1].turn == word.turn:
            last = passages.pop()
            shown = last.text.rstrip(_CLOSING) if part_here.replacement else f"{last.text} {BLOCK}"
            text = shown + _closing(word.text)
            passages.append(Passage(text, last.start_ms, word.end_ms, word.turn, part_here.reason))
        else:
            text = (part_here.replacement or BLOCK) + _closing(word.text)
            passages.append(Passage(text, word.start_ms, word.end_ms, word.turn, part_here.reason))
        before = part_here
    return passages


def to_json(passages: Sequence[Passage], speakers: Sequence[str], duration_ms: int, plan: Plan) -> dict[str, Any]:
    """The redacted transcript in the format `dalel-redacted-transcript/1`; `speakers` by turn."""
    turns: list[dict[str, Any]] = []
    last_turn = -1
    for passage in passages:
        if passage.turn != last_turn:
            turns.append({"speaker": speakers[passage.turn] if passage.turn < len(speakers) else "", "words": []})
            last_turn = passage.turn
        word: dict[str, Any] = {"text": passage.text, "start_ms": passage.start_ms, "end_ms": passage.end_ms}
        if passage.withheld is not None:
            word["withheld"] = passage.withheld
        turns[-1]["words"].append(word)
    return {
        "format": FORMAT,
        "duration_ms": duration_ms,
        "plan_sha256": plan.sha256,
        "source_sha256": plan.source_sha256,
        "turns": turns,
    }


def to_text(passages: Sequence[Passage], speakers: Sequence[str]) -> str:
    """The redacted transcript for a reader: `[0:01:02] Speaker: words`, a line for each turn."""
    lines: list[str] = []
    last_turn = -1
    for passage in passages:
        if passage.turn != last_turn:
            seconds = passage.start_ms // 1000
            stamp = f"[{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}]"
            speaker = speakers[passage.turn] if passage.turn < len(speakers) else ""
            lines.append(f"{stamp} {speaker}:" if speaker else stamp)
            last_turn = passage.turn
        lines[-1] += f" {passage.text}"
    return "\n".join(lines) + "\n"


def burn_transcript(
    words: Sequence[SpokenWord],
    speakers: Sequence[str],
    duration_ms: int,
    plan: Plan,
    source_bytes: bytes,
    json_path: Path,
    text_path: Path,
) -> tuple[BurnFacts, BurnFacts]:
    """Write the redacted transcript twice. `speakers` are the names to be shown, by turn: nothing hides them here,
    so the caller gives pseudonyms or roles, and the leak check looks at them like at every other byte.

    `source_bytes` are the canonical bytes of the confirmed revision, whose digest is the plan's `text_sha256`. The
    same input gives the same bytes. Raises Invalid `burn.other_source`.
    """
    passages = redact_words(words, plan)
    json_path.write_bytes(canonical.encode(to_json(passages, speakers, duration_ms, plan)))
    text_path.write_text(to_text(passages, speakers), encoding="utf-8", newline="\n")
    source = check_source(digest(source_bytes), plan.text_sha256)
    parameters = {"plan_sha256": plan.sha256, "block": BLOCK, "withheld": sum(p.withheld is not None for p in passages)}
    return (
        facts_of("transcript", source, json_path, VERSION, parameters),
        facts_of("text", source, text_path, VERSION, parameters),
    )
