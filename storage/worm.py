"""Does the store keep its word? A canary is locked and then attacked, at start and daily; the result is an event.

Reports of S3-compatible stores that answer «locked» and delete all the same exist (docs/storage.md), so the claim is
tried out and not read from a configuration.
"""

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from custody.kernel.clock import Clock
from custody.kernel.errors import Conflict, DalelError, NotFound
from storage.ports import ObjectStore
from storage.retention import whole_seconds

_CANARY_TERM: Final = timedelta(minutes=5)
PREFIX: Final = "worm-canary/"


@dataclass(frozen=True)
class WormFacts:
    """What the store did with a locked canary. `failed` names each promise it broke; none: the store held."""

    failed: tuple[str, ...]

    @property
    def result(self) -> str:
        """`held` or `broken`, for the event `store.self_tested`."""
        return "broken" if self.failed else "held"

    @property
    def detail(self) -> str:
        """The broken promises, comma-separated, for the event."""
        return ",".join(self.failed)


def worm_self_test(store: ObjectStore, clock: Clock, bucket: str) -> WormFacts:
    """Lock a canary for five minutes in `bucket` and try to undo it: delete it, also past
    governance, shorten the lock, overwrite it.

    Old canaries whose lock has run out are removed. Raises Unavailable `store.unreachable`: nothing was learnt.
    """
    data = secrets.token_bytes(64)
    until = whole_seconds(clock.now() + _CANARY_TERM)
    key = PREFIX + secrets.token_hex(8)
    version_id = store.put(bucket, key, data)
    store.lock(bucket, key, version_id, until)
    failed = []
    if not version_id:
        failed.append("no_version")
    if store.head(bucket, key, version_id).locked_until != until:
        failed.append("lock_lost")
    if _succeeds(store.delete, bucket, key, version_id):
        failed.append("deleted")
    if _succeeds(store.delete_bypassing, bucket, key, version_id):
        failed.append("bypassed")
    if _shortens(store, bucket, key, version_id, until):
        failed.append("shortened")
    if store.put(bucket, key, secrets.token_bytes(64)) == version_id:
        failed.append("overwritten")
    if not _reads(store, bucket, key, version_id, data):
        failed.append("content_changed")
    if _succeeds_once(store, bucket, key):
        failed.append("write_once_ignored")
    _sweep(store, bucket)
    return WormFacts(tuple(failed))


def _succeeds(delete: Callable[[str, str, str], None], bucket: str, key: str, version_id: str) -> bool:
    try:
        delete(bucket, key, version_id)
    except (Conflict, NotFound):
        return False
    return True


def _shortens(store: ObjectStore, bucket: str, key: str, version_id: str, until: datetime) -> bool:
    """Whether the lock ends earlier after trying; that the store raised is not enough, the date is read again."""
    with contextlib.suppress(DalelError):
        store.lock(bucket, key, version_id, until - _CANARY_TERM / 2)
    try:
        held = store.head(bucket, key, version_id).locked_until
    except NotFound:
        return True
    return held is None or held < until


def _reads(store: ObjectStore, bucket: str, key: str, version_id: str, data: bytes) -> bool:
    try:
        return b"".join(store.get(bucket, key, version_id, 0, len(data))) == data
    except DalelError:
        return False


def _succeeds_once(store: ObjectStore, bucket: str, key: str) -> bool:
    try:
        store.put_once(bucket, key, b"second")
    except Conflict:
        return False
    return True


def _sweep(store: ObjectStore, bucket: str) -> None:
    """Remove every canary version that is no longer locked."""
    for stored in list(store.list(bucket, PREFIX)):
        try:
            store.delete(bucket, stored.key, stored.version_id)
        except Conflict:
            continue
