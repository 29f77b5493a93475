"""The care of what is stored from the command line: the key-encryption key, wrapped keys, the move to another store.

Each raises DalelError when it was not begun, or could not go on: run it again then.
"""

from collections.abc import Callable
from datetime import datetime

from evidence_api import container
from evidence_api.prepare import OPERATOR
from evidence_api.settings import Settings
from evidence_api.use_cases import moving, recovering, rotating

Say = Callable[[str], None]
DONE, INCOMPLETE = 0, 1


def key_status(settings: Settings, say: Say) -> int:
    """Say how every version stands. 0: one version serves all; 1: a rotation is to be finished."""
    parts = container.services(settings)
    try:
        alive = parts.keys.versions()
        found = rotating.status(parts)
    finally:
        parts.database.close()
    for one in found:
        end = f"retired {_day(one.retired_at)}" if one.retired_at else "closed" if one.closed_at else "in use"
        lost = "" if one.key_id in alive or not one.needed else "  NOT IN THE KEY SERVICE"
        say(f"{one.key_id}  {end}  uploads {one.uploads}, stored files {one.blobs}{lost}")
    return DONE if len(alive) == 1 and all(one.key_id in alive for one in found if one.needed) else INCOMPLETE


def rotate(settings: Settings, say: Say) -> int:
    """Rotate. 0: done, nothing needs the old version; 1: something still does, run it again."""
    parts = container.services(settings)
    try:
        found = rotating.rotate(parts, OPERATOR, say)
    finally:
        parts.database.close()
    say(f"{found.rewrapped} data keys wrapped under {found.key_id}; {len(found.retired)} versions retired")
    for blob_id in found.damaged:
        say(f"the wrapped key of {blob_id} no longer opens: the version it names was kept; see `dalel keys recover`")
    if found.waiting and not found.damaged:
        say(f"{found.waiting} are held by uploads under way: run it again")
    return DONE if found.complete else INCOMPLETE


def recover(settings: Settings, say: Say, *, dry_run: bool) -> int:
    """Recover wrapped keys. 0: nothing is missing now; 1: something could not be brought back."""
    parts = container.services(settings)
    try:
        found = recovering.recover(parts, OPERATOR, dry_run=dry_run)
    finally:
        parts.database.close()
    verb = "would be" if dry_run else "were"
    say(f"{len(found.restored)} stored files {verb} made known again, {len(found.rewrapped)} keys {verb} replaced")
    say(f"{len(found.destroyed)} keys that the ledger says were destroyed {verb} here: they {verb} destroyed again")
    for title, ids in (("no key record", found.missing), ("not believed", found.unbelieved)):
        for blob_id in ids:
            say(f"  {title}: {blob_id}")
    return INCOMPLETE if found.missing or found.unbelieved else DONE


def migrate(settings: Settings, say: Say, *, target: str, rate: int | None) -> int:
    """Move to the next store. 0: the present one is no longer needed; 1: something is left, run again."""
    parts = container.services(settings)
    try:
        if settings.s3_next_name == target:
            container.next_store(settings).ensure_buckets()
        found = moving.migrate(parts, OPERATOR, target, say, rate=rate or settings.fixity_bytes_per_second)
    finally:
        parts.database.close()
    say(f"moved to {target} and verified there: {found.objects} objects, {found.size_bytes} bytes")
    say(f"files of the ledger sent: {found.log_files}")
    for blob_id, why in found.damaged:
        say(f"  NOT moved: {blob_id}: {why}")
    for name in found.log_differs:
        say(f"  DIFFERS there: {name}")
    left = found.left
    say(f"left here: {left.objects} objects, {left.size_bytes} bytes, {left.uploads} uploads under way")
    if found.complete:
        say("nothing is left here: end the programs, run this once more, make it the present store, start them")
    return DONE if found.complete else INCOMPLETE


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
