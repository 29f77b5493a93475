"""Outside anchors of the log: who cosigned which head when, who stamped which, and the bytes that prove it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from custody import heads
from custody.heads import HeadFilter, HeadPage
from custody.kernel.errors import NotFound
from custody.proof import note, policy
from evidence_api.services import Services

RECENT = 500
"""Of so many heads, the newest, it is said when each witness and each authority was last heard of."""


@dataclass(frozen=True)
class Outsider:
    """A witness of the policy, or an authority whose stamps are there.

    `size` and `at`: the largest of the newest heads that it stands behind, and its own time; None where it stands
    behind none of them.
    """

    name: str
    key: str
    size: int | None
    at: datetime | None


@dataclass(frozen=True)
class Anchors:
    """A page of heads, and everybody outside. `quorum` is the policy's own line."""

    page: HeadPage
    witnesses: tuple[Outsider, ...]
    authorities: tuple[Outsider, ...]
    quorum: str


def anchors(services: Services, wanted: HeadFilter, *, before_size: int | None, limit: int) -> Anchors:
    """Published heads, the largest first, with their cosignatures and time stamps."""
    with services.database.read() as session:
        page = heads.page(session, wanted, before_size=before_size, limit=limit)
        recent = heads.page(session, HeadFilter(), limit=RECENT).heads
    trusted = policy.parse(services.policy.encode()) if services.policy else None
    seen = {one.name: (head.size, one.at) for head in reversed(recent) for one in head.witnesses}
    stamped = {one.authority: (one.size, one.at) for head in reversed(recent) for one in head.timestamps}
    witnesses = trusted.witnesses if trusted else {}
    return Anchors(
        page=page,
        witnesses=tuple(_outsider(name, one.label, seen.get(one.label)) for name, one in witnesses.items()),
        authorities=tuple(_outsider(name, name, last) for name, last in sorted(stamped.items())),
        quorum=trusted.quorum if trusted else "",
    )


def _outsider(name: str, key: str, last: tuple[int, datetime] | None) -> Outsider:
    return Outsider(name, key, *(last or (None, None)))


def checkpoint(services: Services, size: int) -> bytes:
    """A published head as a signed note with every cosignature. Raises NotFound `ledger.no_such_head`."""
    with services.database.read() as session:
        return heads.checkpoint(session, size).note.encode()


def token(services: Services, size: int, number: int) -> tuple[bytes, bytes]:
    """The time-stamp token over a head, the `number`th of them by authority from 0, and the text that it stamps.

    Raises NotFound `ledger.no_such_head`.
    """
    with services.database.read() as session:
        head = heads.checkpoint(session, size)
    stamps: Sequence[heads.TimestampView] = head.timestamps
    if not 0 <= number < len(stamps):
        raise NotFound("ledger.no_such_head")
    return stamps[number].token, note.parse(head.note.encode()).text.encode()
