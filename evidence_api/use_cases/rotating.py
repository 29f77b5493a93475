"""Rotation of the key-encryption key: resumable at every line; reads and uploads go on meanwhile."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from custody import event
from custody.kernel.errors import Conflict
from custody.kernel.outbox import Actor
from evidence_api.services import Services
from storage import rotation
from storage.rotation import KeyVersion

WRAPPING, DATA = "key_encryption", "data_keys"
BATCH = 200
_LOCK = 0x64656B726F74
"""The advisory lock of whoever rotates."""
_WAIT_S = 0.2
_PATIENCE_S = 30.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Rotated:
    """What was done. `damaged` are blobs whose wrapped key no longer opens: the version they name stays."""

    key_id: str
    rewrapped: int
    retired: tuple[str, ...]
    damaged: tuple[UUID, ...]
    waiting: int

    @property
    def complete(self) -> bool:
        """Whether nothing needs an older version any more."""
        return not self.damaged and not self.waiting


def status(services: Services) -> list[KeyVersion]:
    """Every version and what is wrapped under it."""
    with services.database.read() as session:
        return rotation.versions(session)


def learn(services: Services, actor: Actor) -> None:
    """Make versions of the key service known to the database. Again changes nothing."""
    found = services.keys.versions()
    with services.database.begin(actor) as work:
        work.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK + 1})
        for key_id in rotation.unknown(work.session, found):
            created = event.draft("key.created", item="system", key=key_id, purpose=WRAPPING)
            rotation.note(work, key_id, work.record(created))
        work.commit()


def rotate(services: Services, actor: Actor, say: Say, *, patience_s: float = _PATIENCE_S) -> Rotated:
    """Make a new version, wrap every data key anew, retire the old ones; or finish what was begun and cut off.

    Raises Conflict `keys.rotating` while another process does it, Unavailable `keys.unavailable`, `keys.refused`.
    """
    with services.database.alone(_LOCK) as alone:
        if not alone:
            raise Conflict("keys.rotating")
        learn(services, actor)
        _note_retired(services, actor)
        if len(services.keys.versions()) == 1:
            say(f"new version: {services.keys.rotate()}")
            learn(services, actor)
        else:
            say("an earlier rotation is finished first")
        return _finish(services, actor, say, patience_s)


def _finish(services: Services, actor: Actor, say: Say, patience_s: float) -> Rotated:
    *olds, newest = services.keys.versions()
    done, retired, damaged = 0, [], set[UUID]()
    for old in olds:
        end = time.monotonic() + patience_s
        while not _is_closed(services, old):
            moved = _uploads(services, actor, old, damaged) + _blobs(services, actor, old, newest, damaged)
            done += moved
            if moved:
                say(f"{done} data keys wrapped under {newest}")
            elif _close(services, actor, old, newest) or damaged or time.monotonic() > end:
                break
            else:
                time.sleep(_WAIT_S)  # an upload is held by the request that appends to it
        if _is_closed(services, old):
            services.keys.retire(old)
            _retired(services, actor, old)
            retired.append(old)
            say(f"{old} is retired")
    waiting = sum(one.needed for one in status(services) if one.key_id != newest)
    return Rotated(newest, done, tuple(retired), tuple(sorted(damaged)), waiting)


def _uploads(services: Services, actor: Actor, old: str, damaged: set[UUID]) -> int:
    with services.database.begin(actor) as work:
        batch = rotation.rewrap_uploads(work, services.keys, old, BATCH, tuple(damaged))
        work.commit()
    damaged.update(batch.damaged)
    return batch.count


def _blobs(services: Services, actor: Actor, old: str, newest: str, damaged: set[UUID]) -> int:
    with services.database.begin(actor) as work:

        def record(count: int) -> UUID:
            return work.record(
                event.draft("key.rotated", item="system", key=newest, previous=old, purpose=DATA, count=count)
            )

        batch = rotation.rewrap_blobs(work, services.keys, services.store, old, record, BATCH, tuple(damaged))
        work.commit()
    damaged.update(batch.damaged)
    return batch.count


def _close(services: Services, actor: Actor, old: str, newest: str) -> bool:
    with services.database.begin(actor) as work:
        if not rotation.close(work, old):
            return False
        rotated = event.draft("key.rotated", item="system", key=newest, previous=old, purpose=WRAPPING)
        rotation.closed(work, old, work.record(rotated))
        work.commit()
        return True


def _note_retired(services: Services, actor: Actor) -> None:
    """A run that was cut off after the key service had ended a version has not said so."""
    alive = services.keys.versions()
    for one in status(services):
        if one.closed_at and not one.retired_at and one.key_id not in alive:
            _retired(services, actor, one.key_id)


def _is_closed(services: Services, old: str) -> bool:
    return any(one.key_id == old and one.closed_at is not None for one in status(services))


def _retired(services: Services, actor: Actor, old: str) -> None:
    with services.database.begin(actor) as work:
        destroyed = event.draft("key.destroyed", item="system", key=old, purpose=WRAPPING)
        rotation.retired(work, old, work.record(destroyed))
        work.commit()
