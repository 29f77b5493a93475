"""The log's keys from the command line: make the next one, close the log in its favour."""

import secrets
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from custody import event, logs, succession
from custody import signer as keys
from custody.kernel.clock import to_ms
from custody.kernel.errors import Conflict, NotFound
from custody.proof import note, policy
from evidence_api import container, log_keys, prepare
from evidence_api.log_keys import FILE, KeyPlace
from evidence_api.settings import Settings

Say = Callable[[str], None]
DONE, WAITING = 0, 1
_POLL_S = 0.5


def make_key(settings: Settings, say: Say, origin: str, place: KeyPlace) -> int:
    """Make the key of the log `origin`, note where it is, and add it to the served policy. Safe to run again."""
    known = log_keys.noted(settings).get(origin)
    if known is None:
        if place.signer == FILE:
            _passphrase(Path(place.passphrase_file))
        _made_unless_there(place)
        log_keys.note(settings, origin, keys.vkey(place.open(origin)), place)
    vkey = keys.vkey(log_keys.signer(settings, origin))
    _add_to_policy(settings, vkey)
    say(vkey)
    say(
        "Give this line to every witness and every holder of a policy. When they have it:"
        f" dalel ledger rotate --origin {origin} --reason …"
    )
    return DONE


def rotate(
    settings: Settings,
    say: Say,
    origin: str,
    reason: str,
    *,
    since: datetime | None = None,
    unwitnessed: bool = False,
    wait_s: float = 60.0,
) -> int:
    """Close the log in favour of `origin` and wait until that is open. Returns 0 open, 1 still under way.

    Safe to run again at any time: what was begun is finished. Raises DalelError when refused.
    """
    database = container.sequencer_database(settings)
    end = time.monotonic() + wait_s
    try:
        following = log_keys.signer(settings, origin)
        _policy_knows(settings, keys.vkey(following))
        while True:
            rotation = succession.close(
                database,
                prepare.OPERATOR,
                following,
                reason,
                compromised_since_ms=to_ms(since) if since else None,
                unwitnessed=unwitnessed,
            )
            if rotation.state == "opened":
                say(f"{origin} is open: {keys.vkey(following)}")
                return DONE
            if time.monotonic() > end:
                say("the log is closing; run this again to see it finished. Nothing is lost while it waits.")
                return WAITING
            time.sleep(_POLL_S)
    finally:
        database.close()


def destroyed(settings: Settings, say: Say, origin: str) -> int:
    """Put on the record (`key.destroyed`) that the key of the closed log `origin` is no more.

    Destroys nothing itself, and refuses while the key can still be opened from here; copies elsewhere it cannot see.
    """
    database = container.sequencer_database(settings)
    try:
        with database.begin(prepare.OPERATOR) as work:
            closed = logs.opened(work.session)[:-1]
            log = next((one for one in closed if one.origin == origin), None)
            if log is None:
                raise NotFound("log.not_closed")
            if _opens(settings, origin):
                raise Conflict("key.exists")
            work.record(event.draft("key.destroyed", item=logs.SYSTEM, key=log.vkey, purpose="log"))
            work.commit()
    finally:
        database.close()
    say(f"recorded: the key of {origin} is destroyed")
    return DONE


def _opens(settings: Settings, origin: str) -> bool:
    """Whether the key is where it was. Raises what a token raises that does not answer: then nobody knows."""
    try:
        log_keys.signer(settings, origin)
    except FileNotFoundError:
        return False
    except NotFound as missing:
        if missing.code != "hsm.key_missing":
            raise
        return False
    return True


def _made_unless_there(place: KeyPlace) -> None:
    """A key that was made by a run that was cut off before it was noted is taken as it is."""
    try:
        place.create()
    except Conflict as refusal:
        if refusal.code != "key.exists":
            raise


def _passphrase(path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))


def _add_to_policy(settings: Settings, vkey: str) -> None:
    """The policy that readers are offered names both logs from now on; a missing file stays missing."""
    path = settings.policy_file
    if path is None or not path.exists():
        return
    text = path.read_text()
    if note.parse_vkey(vkey) not in policy.parse(text.encode()).logs:
        log_keys.replace(path, f"log {vkey}\n{text}".encode())


def _policy_knows(settings: Settings, vkey: str) -> None:
    """Raises Conflict `log.next_unknown`: what would be published then, no reader and no witness could accept."""
    path = settings.policy_file
    if path is not None and note.parse_vkey(vkey) not in policy.parse(path.read_bytes()).logs:
        raise Conflict("log.next_unknown", vkey=vkey)
