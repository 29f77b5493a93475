"""The closed set of custody events: what each must say. Nothing outside this list enters the ledger.

An event's data holds ids, digests, codes and numbers. What is personal goes through `personal` and reaches the event
only as a salted digest (law 10); its opening lies in `event_openings` and can be erased by law.

Each type also says in which roles an actor may cause it at all. That is the outermost fence, not the policy: whether
this person may do this to this exhibit is decided in `evidence_api.access.policy`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from custody.kernel.clock import to_ms
from custody.kernel.errors import Denied, Invalid
from custody.kernel.outbox import Actor, EventDraft

VERSION = 1
_PERSONAL_DOMAIN = b"dalel personal value v1\n"


MAX_TEXT_BYTES = 4096
MAX_BODY_BYTES = 65_000
"""So that a leaf, with `item_seq` and `prev`, fits the 65,535 bytes of an entry in a C2SP bundle."""

SYSTEM = "system"
ANONYMOUS = "anonymous"
STAFF = frozenset({"investigator", "prosecutor", "supervising_prosecutor"})
PROSECUTORS = frozenset({"prosecutor", "supervising_prosecutor"})
PEOPLE = STAFF | {"defence", "expert", "court_clerk", "auditor", "administrator"}
OPERATORS = frozenset({"administrator", SYSTEM})
MACHINE = frozenset({SYSTEM})
RECIPIENTS = frozenset({"defence", "expert", "court_clerk"})
AUDITORS = frozenset({"auditor", "supervising_prosecutor", SYSTEM})
ANYONE = PEOPLE | {SYSTEM, ANONYMOUS}


@dataclass(frozen=True)
class EventType:
    """One kind of fact: who may cause it, the fields its data must have, those it may have, its personal fields."""

    who: frozenset[str]
    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset({"address"})


def _type(who: frozenset[str], required: str = "", optional: str = "", personal: str = "") -> EventType:
    return EventType(
        who, frozenset(required.split()), frozenset(optional.split()), frozenset({"address", *personal.split()})
    )


EVENTS: Mapping[str, EventType] = {
    # cases and people
    "case.opened": _type(STAFF | OPERATORS, "erdr_digest", personal="erdr"),
    "account.created": _type(OPERATORS, "account role", personal="login name"),
    "account.changed": _type(PEOPLE | OPERATORS, "account change"),
    "access.granted": _type(STAFF | OPERATORS, "account role", "until_ms"),
    "access.revoked": _type(STAFF | OPERATORS, "account role"),
    "access.denied": _type(ANYONE, "action predicate", "route"),
    "act.refused": _type(PEOPLE, "action code"),
    "session.opened": _type(PEOPLE, "account"),
    "session.closed": _type(PEOPLE | MACHINE, "account reason"),
    "session.failed": _type(ANYONE, "reason", personal="login"),
    # intake
    "exhibit.registered": _type(
        STAFF, "exhibit number sha256 size_bytes basis purpose retain_days", "source", personal="filename"
    ),
    "exhibit.described": _type(STAFF, "exhibit metadata_sha256"),
    "exhibit.discarded": _type(STAFF | MACHINE, "exhibit reason"),
    "upload.expired": _type(MACHINE, "upload received_bytes"),
    "upload.finished": _type(STAFF | MACHINE, "exhibit upload size_bytes"),
    "upload.refused": _type(STAFF | MACHINE, "exhibit upload reason"),
    "exhibit.sealed": _type(
        MACHINE,
        "exhibit blob sha256 size_bytes ciphertext_sha256 ciphertext_bytes retain_until_ms media_type",
        "object version",
    ),
    "exhibit.seal_failed": _type(MACHINE, "exhibit reason", "expected found"),
    "fixity.checked": _type(AUDITORS, "exhibit blob ciphertext_sha256 result"),
    # reading
    "content.viewed": _type(PEOPLE | MACHINE, "subject sha256", "range"),
    "content.downloaded": _type(PEOPLE, "subject sha256", "range"),
    "page.viewed": _type(PEOPLE, "page"),
    "trail.exported": _type(PEOPLE, "format"),
    # transcription
    "transcript.requested": _type(STAFF | MACHINE, "exhibit transcript"),
    "transcript.drafted": _type(
        MACHINE,
        "exhibit transcript revision sha256 audio_sha256 engine model model_sha256"
        " parameters_sha256 duration_ms machine_ms",
    ),
    "transcript.failed": _type(MACHINE, "exhibit transcript reason"),
    "transcript.corrected": _type(STAFF, "exhibit transcript revision parent sha256"),
    "transcript.confirmed": _type(STAFF, "exhibit transcript revision sha256"),
    # redaction
    "plan.requested": _type(PROSECUTORS, "exhibit plan"),
    "plan.suggested": _type(MACHINE, "exhibit plan suggestions rules rules_sha256 source_sha256"),
    "plan.decided": _type(STAFF, "exhibit plan decisions_sha256 accepted rejected added"),
    "plan.submitted": _type(STAFF, "exhibit plan plan_sha256"),
    "plan.returned": _type(STAFF, "exhibit plan reason"),
    "plan.approved": _type(PROSECUTORS, "exhibit plan plan_sha256 submitted_by"),
    "rendition.burned": _type(
        MACHINE,
        "exhibit plan plan_sha256 rendition kind sha256 size_bytes source_sha256 tool tool_version parameters_sha256",
        "blob",
    ),
    "rendition.leak_checked": _type(MACHINE, "exhibit rendition sha256 result report_sha256 checks"),
    "rendition.failed": _type(MACHINE, "exhibit plan reason"),
    # disclosure
    "disclosure.drafted": _type(PROSECUTORS, "disclosure recipient"),
    "disclosure.released": _type(PROSECUTORS, "disclosure round manifest_sha256 disclosed withheld recipient"),
    "exhibit.disclosed": _type(PROSECUTORS | MACHINE, "exhibit disclosure round manifest_sha256 files"),
    "disclosure.packaged": _type(MACHINE, "disclosure package_sha256 size_bytes checkpoint_size", "blob"),
    "disclosure.opened": _type(RECIPIENTS, "disclosure"),
    "disclosure.received": _type(RECIPIENTS, "disclosure package_sha256"),
    "disclosure.failed": _type(MACHINE, "disclosure reason"),
    # the system itself
    "system.started": _type(MACHINE, "version"),
    "store.self_tested": _type(OPERATORS, "result", "detail"),
    "key.created": _type(OPERATORS, "purpose key"),
    "config.changed": _type(OPERATORS, "setting sha256"),
    "ledger.checked": _type(AUDITORS, "result deep size root report_sha256", "code requested_by"),
    "ledger.rebuilt": _type(MACHINE, "from_size size root restored without_row"),
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
    Raises Invalid `event.malformed` naming the field that is missing, unknown, not storable or longer than 4096 bytes.
    """
    data = {name: value for name, value in data.items() if value is not None}
    kind = EVENTS.get(type)
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
    if actor.role not in EVENTS[type].who:
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
