"""`dalel device …`: what the operator does with devices' credentials on the server."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from custody.kernel.errors import NotFound
from custody.kernel.outbox import Actor
from evidence_api import container
from evidence_api.registry.facts import Account
from evidence_api.services import Services
from evidence_api.settings import Settings
from evidence_api.use_cases import devices

OPERATOR = Actor(None, "system", "cli")
_PAGE = 100
Say = Callable[[str], None]


def issue(settings: Settings, say: Say, *, name: str, erdrs: Sequence[str], days: int, out: Path) -> int:
    """Issue a credential into a new file. Raises FileExistsError before anything is made, and what issuing raises."""
    parts = container.services(settings)
    try:
        place = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            made = devices.issue(parts.database, parts.passwords, OPERATOR, name=name, days=days, erdrs=erdrs)
            os.write(place, made.credential.encode() + b"\n")
        except BaseException:
            out.unlink()
            raise
        finally:
            os.close(place)
    finally:
        parts.database.close()
    say(f"{made.account.login} until {made.account.ends_at:%Y-%m-%d %H:%M} UTC: its credential is in {out}")
    return 0


def list_all(settings: Settings, say: Say) -> int:
    """One line a device."""
    parts = container.services(settings)
    try:
        now = parts.database.clock.now()
        for one, erdrs in _devices(parts):
            state = "revoked" if one.disabled else "open" if one.usable(now) else "over"
            say(f"{one.login}\t{state}\t{one.ends_at:%Y-%m-%d}\t{','.join(erdrs) or '-'}\t{one.display_name}")
    finally:
        parts.database.close()
    return 0


def revoke(settings: Settings, say: Say, login: str) -> int:
    """Raises NotFound `account.not_found`, Conflict `account.disabled`."""
    parts = container.services(settings)
    try:
        found = next((one for one, _ in _devices(parts) if one.login == login), None)
        if found is None:
            raise NotFound("account.not_found")
        devices.revoke(parts.database, OPERATOR, found.id)
    finally:
        parts.database.close()
    say(f"{login} opens nothing any more")
    return 0


def _devices(parts: Services) -> list[tuple[Account, tuple[str, ...]]]:
    found: list[tuple[Account, tuple[str, ...]]] = []
    after: tuple[str | int, ...] | None = None
    while True:
        page, cases = devices.list_devices(parts.database, after=after, limit=_PAGE)
        found += [(one, cases[one.id]) for one in page.items]
        if (after := page.after) is None:
            return found
