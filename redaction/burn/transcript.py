"""The redacted transcript: as canonical JSON, and as plain text for a reader.

A withheld passage shows its ground and keeps its length in time. It does not keep the length of its letters: the
width of what is hidden has been used to guess names, so every hidden word is the same five blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custody.proof import canonical
from redaction.burn.facts import BurnFacts, facts_of
from redaction.model import SpokenWord, WordSpan
from redaction.plan import Plan, PlannedRegion, digest

FORMAT = "dalel-redacted-transcript/1"
VERSION = "transcript/1"
BLOCK = "█████"


@dataclass(frozen=True)
class Passage:
    """A piece of the redacted transcript: a word as said, or what stands for withheld words."""

    text: str
    start_ms: int
    end_ms: int
    turn: int
    withheld: str | None


def redact_words(words: Sequence[SpokenWord], plan: Plan) -> list[Passage]:
    """The transcript under a plan. A region over two turns is cut at the turn; overlapping regions hide together.

    The first region's pseudonym stands for a passage; a region without one is shown as blocks, one for each word.
    """
    hidden: dict[int, PlannedRegion] = {}
    for part in plan.regions:
        if isinstance(part.region, WordSpan):
            for place in range(part.region.first, min(part.region.last + 1, len(words))):
                hidden.setdefault(place, part)
    passages: list[Passage] = []
    before: PlannedRegion | None = None
    for place, word in enumerate(words):
        part_here = hidden.get(place)
        if part_here is None:
            passages.append(Passage(word.text, word.start_ms, word.end_ms, word.turn, None))
        elif part_here is before and passages[-1].turn == word.turn:
            last = passages.pop()
            text = last.text if part_here.replacement else f"{last.text} {BLOCK}"
            passages.append(Passage(text, last.start_ms, word.end_ms, word.turn, part_here.reason))
        else:
            text = part_here.replacement or BLOCK
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

    `source_bytes` are the canonical bytes of the confirmed revision. The same input gives the same bytes.
    """
    passages = redact_words(words, plan)
    json_path.write_bytes(canonical.encode(to_json(passages, speakers, duration_ms, plan)))
    text_path.write_text(to_text(passages, speakers), encoding="utf-8", newline="\n")
    source = digest(source_bytes)
    parameters = {"plan_sha256": plan.sha256, "block": BLOCK, "withheld": sum(p.withheld is not None for p in passages)}
    return (
        facts_of("transcript", source, json_path, VERSION, parameters),
        facts_of("text", source, text_path, VERSION, parameters),
    )
