"""Writes drafts as canonical outbox rows: the step between a business act and the ledger."""

from typing import Any

from custody import event
from custody.kernel.clock import Clock
from custody.kernel.errors import Invalid
from custody.kernel.ids import IdFactory
from custody.kernel.outbox import Actor, EventDraft, Opening, WrittenEvent
from custody.proof import canonical


class EventScribe:
    """Gives each draft its id, time, nonce and salted digests."""

    def __init__(self, clock: Clock, ids: IdFactory) -> None:
        self._clock = clock
        self._ids = ids

    def write(self, draft: EventDraft, actor: Actor) -> tuple[WrittenEvent, list[Opening]]:
        """The event as written and the openings of a draft acted by `actor`.

        Raises Denied `event.role` when this role may never cause such an event, Invalid `event.malformed` outside the
        canonical profile or beyond 65,000 bytes.
        """
        event.check_actor(draft.type, actor)
        event_id = self._ids.new()
        values = dict(draft.personal)
        if actor.address:
            values["address"] = actor.address
        openings = [Opening(event_id, field, self._ids.nonce(), value) for field, value in values.items()]
        digests = {opening.field: event.personal_digest(opening.salt, opening.value) for opening in openings}
        body = event.body(
            draft, event_id=event_id, actor=actor, time=self._clock.now(), nonce=self._ids.nonce(), digests=digests
        )
        return WrittenEvent(event_id, draft.item, _encode(draft.type, body)), openings


def _encode(type: str, body: dict[str, Any]) -> str:
    try:
        encoded = canonical.encode(body)
    except (canonical.NotCanonical, UnicodeEncodeError) as error:
        raise Invalid("event.malformed", type=type) from error
    if len(encoded) > event.MAX_BODY_BYTES:
        raise Invalid("event.malformed", type=type)
    return encoded.decode()
