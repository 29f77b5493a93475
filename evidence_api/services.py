"""What use cases are given: the parts of a running system, wired once by `container`. Frozen; made per process."""

from dataclasses import dataclass

from custody.kernel.clock import Clock
from custody.kernel.ids import IdFactory
from custody.kernel.unit_of_work import Database
from custody.tile_store import TileStore
from evidence_api.settings import Settings
from storage.keys import KeyWrapper
from storage.ports import ObjectStore


@dataclass(frozen=True)
class Services:
    """The database as the application's role, the object store, the keys and the published log."""

    settings: Settings
    clock: Clock
    ids: IdFactory
    database: Database
    store: ObjectStore
    keys: KeyWrapper
    tiles: TileStore
