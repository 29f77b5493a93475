"""What the public may read of the log."""

import re

from custody import audit
from custody.kernel.errors import NotFound
from evidence_api.services import Services

_TILE = re.compile(r"[0-5]/(x[0-9]{3}/){0,6}[0-9]{3}(\.p/[1-9][0-9]{0,2})?", re.ASCII)


def checkpoint(services: Services) -> bytes:
    """The last published head as a signed note. Raises NotFound `log.empty` before the first."""
    with services.database.read() as session:
        head = audit.latest_checkpoint(session)
    if head is None:
        raise NotFound("log.empty")
    return head.note.encode()


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


def tile(services: Services, path: str) -> bytes | None:
    """A hash tile by its path below `tile/`, None when there is none. Entry bundles are never served."""
    return services.tiles.read(f"tile/{path}") if _TILE.fullmatch(path) else None
