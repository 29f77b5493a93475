"""The closed set of custody events: who may cause each, and how one is written. Nothing outside it enters the ledger.

An event's data holds ids, digests, codes and numbers. What is personal goes through `personal` and reaches the event
only as a salted digest (law 10); its opening lies in `event_openings` and can be erased by law.

Each type also says in which roles an actor may cause it at all. That is the outermost fence, not the policy: whether
this person may do this to this exhibit is decided in `evidence_api.access.policy`.
"""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from custody.kernel.clock import to_ms
from custody.kernel.errors import Denied, Invalid
from custody.kernel.outbox import Actor, EventDraft
from custody.proof.shapes import SHAPES

VERSION = 1
_PERSONAL_DOMAIN = b"dalel personal value v1\n"


MAX_TEXT_BYTES = 4096
MAX_BODY_BYTES = 65_000
"""So that a leaf, with `item_seq` and `prev`, fits the 65,535 bytes of an entry in a C2SP bundle."""

SYSTEM = "system"
ANONYMOUS = "anonymous"
STAFF = frozenset({"investigator", "prosecutor", "supervising_prosecutor"})
PROSECUTORS = frozenset({"prosecutor", "supervising_prosecutor"})
DEVICE = frozenset({"device"})
SENDERS = STAFF | DEVICE
PEOPLE = STAFF | {"defence", "expert", "court_clerk", "auditor", "administrator"}
OPERATORS = frozenset({"administrator", SYSTEM})
MACHINE = frozenset({SYSTEM})
RECIPIENTS = frozenset({"defence", "expert", "court_clerk"})
AUDITORS = frozenset({"auditor", "supervising_prosecutor", SYSTEM})
ANYONE = PEOPLE | DEVICE | {SYSTEM, ANONYMOUS}


WHO: Mapping[str, frozenset[str]] = {
    # cases and people
    "case.opened": STAFF | OPERATORS,
    "case.held": STAFF,
    "case.hold_lifted": PROSECUTORS,
    "account.created": OPERATORS,
    "account.changed": PEOPLE | OPERATORS,
    "access.granted": STAFF | OPERATORS,
    "access.revoked": STAFF | OPERATORS,
    "access.denied": ANYONE,
    "act.refused": PEOPLE | DEVICE,
    "session.opened": PEOPLE | DEVICE,
    "session.closed": PEOPLE | DEVICE | MACHINE,
    "session.failed": ANYONE,
    # intake
    "exhibit.registered": SENDERS,
    "exhibit.described": STAFF,
    "exhibit.discarded": SENDERS | MACHINE,
    "upload.expired": MACHINE,
    "upload.finished": SENDERS | MACHINE,
    "upload.refused": SENDERS | MACHINE,
    "exhibit.sealed": MACHINE,
    "exhibit.seal_failed": MACHINE,
    "intake.checked": SENDERS,
    "receipt.issued": SENDERS | MACHINE,
    # what it is, light copies
    "exhibit.identified": MACHINE,
    "exhibit.not_identified": MACHINE,
    "exhibit.scanned": MACHINE,
    "rendition.made": MACHINE,
    "rendition.not_made": MACHINE,
    # care: still the same, where it lies, how long
    "fixity.checked": AUDITORS | OPERATORS,
    "fixity.swept": MACHINE,
    "exhibit.moved": OPERATORS,
    "exhibit.retained": STAFF | MACHINE,
    "exhibit.held": STAFF,
    "exhibit.hold_lifted": PROSECUTORS,
    "disposal.proposed": PROSECUTORS | MACHINE,
    "disposal.signed": PROSECUTORS,
    "disposal.approved": PROSECUTORS,
    "disposal.rejected": PROSECUTORS | MACHINE,
    "disposal.done": MACHINE,
    # reading
    "content.viewed": PEOPLE | MACHINE,
    "content.downloaded": PEOPLE,
    "content.copied": PEOPLE,
    "content.printed": PEOPLE,
    "page.viewed": PEOPLE,
    "trail.exported": PEOPLE,
    "personal.erased": OPERATORS,
    # transcription
    "transcript.requested": STAFF | MACHINE,
    "transcript.drafted": MACHINE,
    "transcript.failed": MACHINE,
    "transcript.corrected": STAFF,
    "transcript.confirmed": STAFF,
    # redaction
    "plan.requested": PROSECUTORS,
    "plan.suggested": MACHINE,
    "plan.decided": STAFF,
    "plan.submitted": STAFF,
    "plan.returned": STAFF,
    "plan.approved": PROSECUTORS,
    "rendition.burned": MACHINE,
    "rendition.leak_checked": MACHINE,
    "rendition.failed": MACHINE,
    # disclosure
    "disclosure.drafted": PROSECUTORS,
    "disclosure.released": PROSECUTORS,
    "exhibit.disclosed": PROSECUTORS | MACHINE,
    "disclosure.packaged": MACHINE,
    "disclosure.opened": RECIPIENTS,
    "disclosure.received": RECIPIENTS,
    "disclosure.failed": MACHINE,
    # the system itself
    "system.started": MACHINE,
    "store.self_tested": OPERATORS,
    "config.changed": OPERATORS,
    "key.created": OPERATORS,
    "key.rotated": OPERATORS,
    "key.recovered": OPERATORS,
    "key.destroyed": OPERATORS,
    "key.compromised": OPERATORS,
    "ledger.checked": AUDITORS,
    "ledger.rebuilt": MACHINE,
    "log.closed": OPERATORS,
    "log.opened": OPERATORS,
}
"""The roles that may cause an event of a type at all; its fields stand in `custody.proof.shapes`."""


def draft(
    type: str,
    *,
    item: str,
    case_id: UUID | None = None,
    personal: Mapping[str, str] | None = None,
    **data: Any,
) -> EventDraft:
    """An event draft, checked against the closed set.

    `item` is the chain, e.g. `exhibit:<uuid>`. UUIDs and bytes in `data` become text (bytes as lower-case hex).
    Raises Invalid `event.malformed` naming the field that is missing, unknown, not storable or longer than 4096 bytes.
    """
    data = {name: value for name, value in data.items() if value is not None}
    kind = SHAPES.get(type)
    if kind is None:
        raise Invalid("event.malformed", type=type)
    wrong = (kind.required - data.keys()) | (data.keys() - kind.required - kind.optional)
    wrong |= (personal or {}).keys() - kind.personal
    if wrong:
        raise Invalid("event.malformed", type=type, field=min(wrong))
    plain = {name: _plain(value) for name, value in data.items()}
    for name, value in {"item": item, **plain, **(personal or {})}.items():
        _bounded(type, name, value)
    return EventDraft(type, item, case_id, plain, dict(personal or {}))


def check_actor(type: str, actor: Actor) -> None:
    """Raises Denied `event.role` unless an actor in this role may cause an event of this type at all."""
    if actor.role not in WHO[type]:
        raise Denied("event.role", type=type, role=actor.role)


def _plain(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case bytes():
            return value.hex()
        case _:
            return value


def _bounded(type: str, name: str, value: Any) -> None:
    match value:
        case str():
            # PostgreSQL keeps no NUL in text, and UTF-8 no lone surrogate
            if "\0" in value or len(value.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
                raise Invalid("event.malformed", type=type, field=name)
        case list() | tuple():
            for entry in value:
                _bounded(type, name, entry)
        case dict():
            for key, entry in value.items():
                _bounded(type, name, key)
                _bounded(type, name, entry)
        case _:
            pass


def personal_digest(salt: bytes, value: str) -> str:
    """`sha256:<hex>` of a personal value under a 16-byte salt: says nothing without its opening."""
    return "sha256:" + hashlib.sha256(_PERSONAL_DOMAIN + salt + value.encode()).hexdigest()


def body(
    draft: EventDraft, *, event_id: UUID, actor: Actor, time: Any, nonce: bytes, digests: Mapping[str, str]
) -> dict[str, Any]:
    """The event's JSON before its place is known; the sequencer adds `item_seq` and `prev`."""
    return {
        "v": VERSION,
        "id": str(event_id),
        "type": draft.type,
        "item": draft.item,
        "case": str(draft.case_id) if draft.case_id else None,
        "time_ms": to_ms(time),
        "actor": {"id": str(actor.id) if actor.id else None, "role": actor.role, "means": actor.means},
        "personal": dict(digests),
        "data": draft.data,
        "nonce": nonce.hex(),
    }
