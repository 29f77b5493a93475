"""`Idempotency-Key`: a POST sent twice acts once (draft-ietf-httpapi-idempotency-key-header).

Life of a key: `reserve` before the act (durable) → the act → `finish` with the answer. The same key again gives the
same answer; with another body it is refused. A refused act forgets its key, since nothing was changed. After a crash
in between the outcome is unknown and the key says so: it never acts twice. A person's keys are forgotten after two
days, when they use another.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from custody.kernel.errors import Conflict, Invalid
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.http.tables import IdempotencyRow

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST_KEY = 128
LARGEST_ANSWER_BYTES = 256 * 1024
LIFETIME = timedelta(days=2)
ACT_TIME = timedelta(minutes=2)


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    status: int
    media_type: str | None
    location: str | None
    body: bytes


def parse_key(text: str) -> str:
    """1 to 128 visible ASCII characters. Raises Invalid `idempotency.key_invalid`."""
    if not 1 <= len(text) <= LONGEST_KEY or not all("!" <= character <= "~" for character in text):
        raise Invalid("idempotency.key_invalid")
    return text


def request_digest(method: str, path: str, query: str, body: bytes) -> bytes:
    """What makes two requests the same."""
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode(), query.encode(), body):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def reserve(work: UnitOfWork, account_id: UUID, key: str, digest: bytes) -> Answer | None:
    """None when the act may begin now; the answer when it was given before. The caller commits before acting.

    Raises Conflict: `idempotency.other_request` (the key was used for something else), `idempotency.in_progress`,
    `idempotency.outcome_unknown` (a crash; look what happened, then use a new key).
    """
    now = work.clock.now()
    outlived = (IdempotencyRow.account_id == account_id, IdempotencyRow.started_at < now - LIFETIME)
    work.session.execute(delete(IdempotencyRow).where(*outlived))
    fresh = (
        insert(IdempotencyRow)
        .values(account_id=account_id, key=key, request_digest=digest, started_at=now)
        .on_conflict_do_nothing()
        .returning(IdempotencyRow.key)
    )
    if work.session.scalar(fresh) is not None:
        return None
    row = work.session.get_one(IdempotencyRow, (account_id, key))
    if row.request_digest != digest:
        raise Conflict("idempotency.other_request")
    if row.status is None:
        if now - row.started_at < ACT_TIME:
            raise Conflict("idempotency.in_progress")
        raise Conflict("idempotency.outcome_unknown")
    return Answer(row.status, row.media_type, row.location, row.body or b"")


def finish(work: UnitOfWork, account_id: UUID, key: str, answer: Answer) -> None:
    """Keep the answer. The caller commits."""
    change = update(IdempotencyRow).where(IdempotencyRow.account_id == account_id, IdempotencyRow.key == key)
    work.session.execute(
        change.values(status=answer.status, media_type=answer.media_type, location=answer.location, body=answer.body)
    )


def forget(work: UnitOfWork, account_id: UUID, key: str) -> None:
    """The act was refused and changed nothing: the key is free again. The caller commits."""
    work.session.execute(
        delete(IdempotencyRow).where(IdempotencyRow.account_id == account_id, IdempotencyRow.key == key)
    )
