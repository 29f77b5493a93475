"""Time: RFC 3161 time stamps over published heads, from configurable authorities, through a queue that survives.

A witness says that the log was not forked, an authority says when it was already so. Asked for are heads that carry
their witnesses' quorum: at intervals, and at once when a disclosure was released. What nobody could stamp waits in
`anchors` until an authority answers again; publishing never waits.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from secrets import randbits
from urllib.parse import urlsplit

import psycopg
from cryptography.x509 import Certificate
from sqlalchemy import Select, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from custody.cosigning import http_post
from custody.kernel.errors import Conflict, Unavailable
from custody.kernel.unit_of_work import Database
from custody.proof import note, timestamp
from custody.proof.strict import ProofError
from custody.proof.timestamp import Timestamp
from custody.tables import AnchorRow, CheckpointQuorumRow, CheckpointRow, CheckpointTimestampRow, LedgerEntryRow

URGENT = ("disclosure.released",)
QUERY_TYPE = "application/timestamp-query"
CLOCK_TOLERANCE_S = 300
_TICK_S = 1.0
_TIMEOUT_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 5.0, 300.0

Post = Callable[[str, bytes, float], tuple[int, bytes]]

log = logging.getLogger(__name__)


def _post(url: str, body: bytes, timeout_s: float) -> tuple[int, bytes]:
    return http_post(url, body, timeout_s, QUERY_TYPE)


@dataclass
class _Authority:
    url: str
    pause_s: float = 0.0
    not_before: float = 0.0

    def answered(self) -> None:
        self.pause_s = 0.0

    def failed(self, why: str) -> None:
        if not self.pause_s:
            log.warning("time stamps: %s does not give one (%s)", urlsplit(self.url).hostname, why)
        self.pause_s = min(max(_FIRST_PAUSE_S, self.pause_s * 2), _LONGEST_PAUSE_S)
        self.not_before = time.monotonic() + self.pause_s


class Anchor:
    """Has heads stamped. One thread; a second one elsewhere only asks twice.

    `urls` are asked in their order, the next when one fails; a failing one is left alone for 5, 10 … 300 s. Only a
    token that leads to `roots` and is over our request is kept. `interval` is the longest time between two stamps of
    a log that grows.
    """

    def __init__(
        self,
        database: Database,
        urls: Sequence[str],
        roots: Sequence[Certificate],
        *,
        interval: timedelta = timedelta(minutes=1),
        post: Post = _post,
    ) -> None:
        self._database = database
        self._authorities = [_Authority(url) for url in urls]
        self._roots = roots
        self._interval = interval
        self._post = post

    def run(self, stop: threading.Event, leading: threading.Event, tick_s: float = _TICK_S) -> None:
        """Want and work off, while `leading`, until `stop` is set. Survives the loss of database and authorities."""
        while not stop.wait(tick_s):
            if not leading.is_set():
                continue
            try:
                self.want()
                self.work_off()
            except (DBAPIError, psycopg.Error, Conflict, Unavailable) as error:
                log.warning("time stamps: not this time (%s)", type(error).__name__)
            except Exception:  # a thread that died would end time stamps in silence
                log.exception("time stamps: failed")

    def want(self) -> int | None:
        """Put the newest witnessed head into the queue if it is time; its size, None otherwise."""
        now = self._database.clock.now()
        with self._database.unit() as unit:
            size: int | None = unit.session.scalar(select(func.max(CheckpointQuorumRow.size)))
            last = unit.session.scalar(select(AnchorRow).order_by(AnchorRow.size.desc()).limit(1))
            if size is None or (last is not None and last.size >= size):
                return None
            recent = last is not None and now < last.wanted_at + self._interval
            if last is not None and recent and not _urgent(unit.session, last.size, size):
                return None
            row = insert(AnchorRow).values(size=size, wanted_at=now)
            unit.session.execute(row.on_conflict_do_nothing())
            unit.commit()
        return size

    def work_off(self) -> int | None:
        """Have the newest waiting head stamped, the newest first; its size, None if none waits or nobody answers."""
        with self._database.read() as session:
            head = session.scalar(_waiting())
        if head is None:
            return None
        text = note.parse(head.note.encode()).text.encode()
        for authority in self._authorities:
            if time.monotonic() < authority.not_before:
                continue
            try:
                token, stamp = self._ask(authority.url, text)
            except ProofError as error:
                authority.failed(error.reason)
            except Exception as error:  # whatever a network can raise: the next authority is asked
                authority.failed(type(error).__name__)
            else:
                authority.answered()
                self._keep(head.size, token, stamp)
                return head.size
        return None

    def _ask(self, url: str, text: bytes) -> tuple[bytes, Timestamp]:
        nonce = randbits(63)
        status, answer = self._post(url, timestamp.request(text, nonce), _TIMEOUT_S)
        if status != 200:
            raise ConnectionError
        token = timestamp.response_token(answer)
        stamp = timestamp.verify(token, text, self._roots)
        if stamp.nonce != nonce:
            raise timestamp.TokenInvalid("the time stamp is over other data")
        if abs(stamp.time_s - self._database.clock.now().timestamp()) > CLOCK_TOLERANCE_S:
            log.critical("time stamps: an authority's clock and ours differ: %d", stamp.time_s)
        return token, stamp

    def _keep(self, size: int, token: bytes, stamp: Timestamp) -> None:
        row = {
            "size": size,
            "authority": stamp.authority,
            "time_s": stamp.time_s,
            "token": token,
            "received_at": self._database.clock.now(),
        }
        with self._database.unit() as unit:
            unit.session.execute(insert(CheckpointTimestampRow).values(row).on_conflict_do_nothing())
            unit.commit()


def _waiting() -> Select[CheckpointRow]:
    stamped = exists().where(CheckpointTimestampRow.size == AnchorRow.size)
    query = select(CheckpointRow).join(AnchorRow, AnchorRow.size == CheckpointRow.size).where(~stamped)
    return query.order_by(CheckpointRow.size.desc()).limit(1)


def _urgent(session: Session, start: int, end: int) -> bool:
    """Whether something among the entries [start, end) is worth a time stamp of its own."""
    found = exists().where(LedgerEntryRow.seq >= start, LedgerEntryRow.seq < end, LedgerEntryRow.type.in_(URGENT))
    return bool(session.scalar(select(found)))
