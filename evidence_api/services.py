"""What use cases and the edge are given: the parts of a running system, wired once by `container`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from custody.kernel.unit_of_work import Database
from custody.tile_store import TileStore
from evidence_api.access.passwords import Passwords
from evidence_api.settings import Settings
from storage.keys import KeyWrapper
from storage.ports import ObjectStore


@dataclass(frozen=True)
class Services:
    """The database as the application's role, the object store, the keys and the published log. Frozen, per process.

    `ready_checks` are by part: each raises when its part does not answer. `policy` names the log's verifier key.
    """

    settings: Settings
    database: Database
    store: ObjectStore
    keys: KeyWrapper
    tiles: TileStore
    passwords: Passwords
    policy: str
    ready_checks: Mapping[str, Callable[[], None]]
