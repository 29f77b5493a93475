"""What the transcript desk and the redaction desk need beyond facts: previews and words by number."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from custody.kernel.errors import Conflict, Invalid, NotFound
from evidence_api.services import Services
from redaction import queries as plans
from redaction.burn.transcript import Passage, redact_words
from redaction.model import SpokenWord, Suggestion, TimeSpan, WordSpan
from redaction.plan import Addition
from redaction.queries import PlanView
from transcription import service as transcripts
from transcription.model import Transcript
from transcription.service import Reading


@dataclass(frozen=True)
class PlanDesk:
    """The newest plan of an exhibit with its suggestions; `said` are the confirmed words it refers to, if any."""

    view: PlanView
    suggestions: tuple[Suggestion, ...]
    said: Reading | None
    passages: tuple[Passage, ...]


def spoken_words(said: Transcript) -> list[SpokenWord]:
    """The words of a transcript as redaction takes them: the two rooms do not know each other."""
    return [
        SpokenWord(word.text, word.start_ms, word.end_ms, number)
        for number, turn in enumerate(said.turns)
        for word in turn.words
    ]


def newest_plan(services: Services, exhibit_id: UUID) -> PlanDesk:
    """Raises NotFound `plan.not_found` while an exhibit has none."""
    with services.database.read() as session:
        found = plans.plans_of_exhibit(session, exhibit_id)
        if not found:
            raise NotFound("plan.not_found")
        view = found[0]
        said = transcripts.confirmed(session, exhibit_id) if view.text_sha256 else None
        suggestions = tuple(plans.suggestions_of(session, view.id))
        preview = plans.draft_preview(session, view.id)
    passages = tuple(redact_words(spoken_words(said.said), preview)) if said else ()
    return PlanDesk(view, suggestions, said, passages)


def addition_of_words(said: Reading, first: str, last: str, reason: str) -> Addition:
    """Hide words by their numbers from 1, as the desk shows them. Raises Invalid `plan.bad_region`."""
    words = spoken_words(said.said)
    numbers = [int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0 for text in (first, last)]
    start, end = numbers[0] - 1, numbers[1] - 1
    if not 0 <= start <= end < len(words):
        raise Invalid("plan.bad_region")
    end_ms = max(words[end].end_ms, words[start].start_ms + 1)
    span = WordSpan(start, end, words[start].start_ms, end_ms)
    return Addition((span,), reason, text=" ".join(word.text for word in words[start : end + 1]))


def hidden_ms(suggestions: Sequence[Suggestion]) -> int:
    """How much sound the accepted suggestions cover, in ms, overlaps counted once."""
    spans = sorted(
        (region.start_ms, region.end_ms)
        for one in suggestions
        if one.state == "accepted"
        for region in one.regions
        if isinstance(region, WordSpan | TimeSpan)
    )
    total, reached = 0, 0
    for start, end in spans:
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def version_of(services: Services, plan_id: UUID, plan_sha256: str) -> int:
    """The version of a submitted plan whose bytes were seen. Raises Conflict `plan.stale` when they are others now."""
    with services.database.read() as session:
        view = plans.get_plan(session, plan_id)
    if view.plan_sha256 != plan_sha256:
        raise Conflict("plan.stale", version=view.version)
    return view.version
