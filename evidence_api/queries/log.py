"""What the public may read of the log."""

import re

from sqlalchemy.orm import Session

from custody import audit, heads, logs
from custody.kernel.errors import NotFound
from custody.ledger import Proofs
from custody.logs import Log
from custody.proof import handover as handovers
from evidence_api.services import Services

_TILE = re.compile(r"[0-5]/(x[0-9]{3}/){0,6}[0-9]{3}(\.p/[1-9][0-9]{0,2})?", re.ASCII)


def checkpoint(services: Services, number: int) -> bytes:
    """The last published head of a log as a signed note; a closed log's for ever its final one.

    Raises NotFound `log.empty` before the first, `log.no_such` for a number that no log has.
    """
    with services.database.read() as session:
        log = None if number == 1 and not logs.opened(session) else _log(session, number)
        head = heads.latest_of(session, log) if log else heads.latest_checkpoint(session)
    if head is None:
        raise NotFound("log.empty")
    return head.note.encode()


def handover(services: Services, number: int) -> bytes:
    """How a closed log ended and where the next one is. Raises NotFound `log.not_closed`, `log.no_such`."""
    with services.database.read() as session:
        log = _log(session, number)
        following = next((one for one in logs.opened(session) if one.number == number + 1), None)
        if following is None:
            raise NotFound("log.not_closed")
        head = heads.latest_of(session, log)
        closed, opened = audit.entries_at(session, (following.start - 1, following.start))
    if head is None:
        raise NotFound("log.empty")
    last = head.tree_size - 1
    proof = Proofs(log.tiles(services.tiles)).inclusion([last], head.tree_size)[last]
    found = handovers.parse(head.note.encode(), closed.canonical, opened.canonical, proof)
    return handovers.encode(found, f"../{following.number}" if number > 1 else str(following.number))


def _log(session: Session, number: int) -> Log:
    for log in logs.opened(session):
        if log.number == number:
            return log
    raise NotFound("log.no_such")


def policy(services: Services) -> bytes:
    """A policy that accepts this log. Raises NotFound `log.no_policy` where the operator serves none."""
    if not services.policy:
        raise NotFound("log.no_policy")
    return services.policy.encode()


def tsa_roots(services: Services) -> bytes:
    """The roots of the authorities that stamp this log, PEM. Raises NotFound `log.no_tsa` where there are none."""
    if not services.tsa_roots:
        raise NotFound("log.no_tsa")
    return services.tsa_roots


def tile(services: Services, number: int, path: str) -> bytes | None:
    """A hash tile by its path below `tile/`, None when there is none. Entry bundles are never served."""
    prefix = "" if number == 1 else f"{number}/"
    return services.tiles.read(f"{prefix}tile/{path}") if _TILE.fullmatch(path) else None
