"""The closed set of custody events: what each must say. Nothing outside this list enters the ledger.

An event's data holds ids, digests, codes and numbers. What is personal goes through `personal` and reaches the event
only as a salted digest (law 10); its opening lies in `event_openings` and can be erased by law.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from custody.kernel.clock import to_ms
from custody.kernel.errors import Invalid
from custody.kernel.outbox import Actor, EventDraft

VERSION = 1
_PERSONAL_DOMAIN = b"dalel personal value v1\n"


@dataclass(frozen=True)
class EventType:
    """One kind of fact: the fields its data must have, those it may have, and its personal fields."""

    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset({"address"})


def _type(required: str = "", optional: str = "", personal: str = "") -> EventType:
    return EventType(
        frozenset(required.split()), frozenset(optional.split()), frozenset({"address", *personal.split()})
    )


EVENTS: Mapping[str, EventType] = {
    # cases and people
    "case.opened": _type("erdr_digest", personal="erdr"),
    "account.created": _type("account role", personal="login name"),
    "account.changed": _type("account change"),
    "access.granted": _type("account role", "until_ms"),
    "access.revoked": _type("account role"),
    "access.denied": _type("action predicate", "route"),
    "session.opened": _type("account"),
    "session.closed": _type("account reason"),
    "session.failed": _type("reason", personal="login"),
    # intake
    "exhibit.registered": _type(
        "exhibit number sha256 size_bytes basis purpose retain_days", "source", personal="filename"
    ),
    "exhibit.described": _type("exhibit metadata_sha256"),
    "exhibit.discarded": _type("exhibit reason"),
    "upload.expired": _type("upload received_bytes"),
    "upload.finished": _type("exhibit upload size_bytes"),
    "upload.refused": _type("exhibit upload reason"),
    "exhibit.sealed": _type(
        "exhibit blob sha256 size_bytes ciphertext_sha256 ciphertext_bytes retain_until_ms media_type", "object version"
    ),
    "exhibit.seal_failed": _type("exhibit reason", "expected found"),
    "fixity.checked": _type("exhibit blob ciphertext_sha256 result"),
    # reading
    "content.viewed": _type("subject sha256", "range"),
    "content.downloaded": _type("subject sha256", "range"),
    "page.viewed": _type("page"),
    "trail.exported": _type("format"),
    # transcription
    "transcript.requested": _type("exhibit transcript"),
    "transcript.drafted": _type(
        "exhibit transcript revision sha256 audio_sha256 engine model model_sha256"
        " parameters_sha256 duration_ms machine_ms"
    ),
    "transcript.failed": _type("exhibit transcript reason"),
    "transcript.corrected": _type("exhibit transcript revision parent sha256"),
    "transcript.confirmed": _type("exhibit transcript revision sha256"),
    # redaction
    "plan.suggested": _type("exhibit plan suggestions rules rules_sha256 source_sha256"),
    "plan.decided": _type("exhibit plan decisions_sha256 accepted rejected added"),
    "plan.submitted": _type("exhibit plan plan_sha256"),
    "plan.returned": _type("exhibit plan reason"),
    "plan.approved": _type("exhibit plan plan_sha256 submitted_by"),
    "rendition.burned": _type(
        "exhibit plan plan_sha256 rendition kind sha256 size_bytes source_sha256 tool tool_version parameters_sha256",
        "blob",
    ),
    "rendition.leak_checked": _type("exhibit rendition sha256 result report_sha256 checks"),
    "rendition.failed": _type("exhibit plan reason"),
    # disclosure
    "disclosure.drafted": _type("disclosure round recipient"),
    "disclosure.released": _type("disclosure round manifest_sha256 disclosed withheld recipient"),
    "exhibit.disclosed": _type("exhibit disclosure round manifest_sha256 files"),
    "disclosure.packaged": _type("disclosure package_sha256 size_bytes checkpoint_size", "blob"),
    "disclosure.opened": _type("disclosure"),
    "disclosure.received": _type("disclosure package_sha256"),
    "disclosure.failed": _type("disclosure reason"),
    # the system itself
    "system.started": _type("version"),
    "store.self_tested": _type("result", "detail"),
    "key.created": _type("purpose key"),
    "config.changed": _type("setting sha256"),
}


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
    Raises Invalid `event.malformed` naming the field that is missing or unknown.
    """
    kind = EVENTS.get(type)
    if kind is None:
        raise Invalid("event.malformed", type=type)
    wrong = (kind.required - data.keys()) | (data.keys() - kind.required - kind.optional)
    wrong |= (personal or {}).keys() - kind.personal
    if wrong:
        raise Invalid("event.malformed", type=type, field=min(wrong))
    return EventDraft(type, item, case_id, {name: _plain(value) for name, value in data.items()}, dict(personal or {}))


def _plain(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case bytes():
            return value.hex()
        case _:
            return value


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
