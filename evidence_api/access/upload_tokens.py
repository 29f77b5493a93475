"""Upload tokens: a long upload goes on after the session's idle end. One token opens one upload and nothing else.

The policy still asks for the account's grants at every part, so a disabled account or a revoked grant ends it at once.
"""

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from custody.kernel.errors import Unauthenticated
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.access.sessions import TOKEN_BYTES, token_digest
from evidence_api.access.tables import UploadTokenRow


def issue(work: UnitOfWork, upload_id: UUID, *, expires_at: datetime) -> str:
    """A new token for the actor's upload, shown once. An upload may have several (a second computer goes on)."""
    if work.actor.id is None:
        raise ValueError("an upload token belongs to a person")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    work.session.add(
        UploadTokenRow(
            token_digest=token_digest(token), upload_id=upload_id, account_id=work.actor.id, expires_at=expires_at
        )
    )
    return token


def resolve(session: Session, token: str, now: datetime) -> tuple[UUID, UUID]:
    """The upload and the account of a token. Raises Unauthenticated `upload.token_expired`."""
    row = session.scalar(select(UploadTokenRow).where(UploadTokenRow.token_digest == token_digest(token)))
    if row is None or row.revoked_at is not None or now >= row.expires_at:
        raise Unauthenticated("upload.token_expired")
    return row.upload_id, row.account_id


def revoke(work: UnitOfWork, upload_id: UUID) -> None:
    """End every token of an upload: it is finished, refused or ended."""
    change = update(UploadTokenRow).where(UploadTokenRow.upload_id == upload_id, UploadTokenRow.revoked_at.is_(None))
    work.session.execute(change.values(revoked_at=work.clock.now()))


def forget_ended(work: UnitOfWork, before: datetime) -> int:
    """Delete tokens whose end is past; returns how many."""
    gone = work.session.scalars(
        delete(UploadTokenRow).where(UploadTokenRow.expires_at < before).returning(UploadTokenRow.upload_id)
    )
    return len(gone.all())
