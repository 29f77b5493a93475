"""Copies made outside the program, as the officer who made them states them (R1): medium, recipient, purpose.

A statement, not an observation: nothing here sees a copy being made, nor that none was made unstated.
"""

from enum import StrEnum
from uuid import UUID

from custody import event
from custody.kernel.errors import Conflict, Invalid
from custody.kernel.outbox import Actor
from evidence_api.registry import reads
from evidence_api.services import Services

MAX_RECIPIENT_CHARS = 200


class Medium(StrEnum):
    """On what a copy was given."""

    FLASH = "flash"
    DISK = "disk"
    OPTICAL = "optical"
    NETWORK = "network"
    PAPER = "paper"


class CopyPurpose(StrEnum):
    """What for."""

    EXAMINATION = "examination"
    COURT = "court"
    INVESTIGATION = "investigation"
    RETURN = "return"


def record_copy(
    services: Services, actor: Actor, exhibit_id: UUID, *, medium: str, recipient: str, purpose: str
) -> UUID:
    """State that a copy of a sealed original was made; the event's id. The recipient enters as a salted digest.

    Raises NotFound `exhibit.not_found`, Conflict `exhibit.not_sealed`, Invalid `copy.medium`, `copy.purpose` or
    `copy.recipient`.
    """
    recipient = recipient.strip()
    if medium not in set(Medium):
        raise Invalid("copy.medium")
    if purpose not in set(CopyPurpose):
        raise Invalid("copy.purpose")
    if not recipient or len(recipient) > MAX_RECIPIENT_CHARS or not recipient.isprintable():
        raise Invalid("copy.recipient", most=MAX_RECIPIENT_CHARS)
    with services.database.begin(actor) as work:
        exhibit = reads.get_exhibit(work.session, exhibit_id)
        if exhibit.blob_id is None:
            raise Conflict("exhibit.not_sealed")
        copied = event.draft(
            "content.copied",
            item=f"exhibit:{exhibit_id}",
            case_id=exhibit.case_id,
            subject=exhibit_id,
            sha256=exhibit.sha256,
            medium=medium,
            purpose=purpose,
            personal={"recipient": recipient},
        )
        event_id = work.record(copied)
        work.commit()
        return event_id
