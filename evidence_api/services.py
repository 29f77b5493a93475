"""What use cases and the edge are given: the parts of a running system, wired once by `container`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from custody.kernel.unit_of_work import Database
from custody.tile_store import TileStore
from evidence_api.access.passwords import Passwords
from evidence_api.settings import Settings
from redaction.model import Finding
from storage.clamd import Clamd
from storage.keys import KeyWrapper
from storage.ports import ObjectStore

if TYPE_CHECKING:
    # The engine brings numpy and FFmpeg, which only workers need.
    from evidence_api.paper.office import Office
    from transcription.engine import Engine


class Rules(Protocol):
    """Which recognizers made a suggestion."""

    @property
    def version(self) -> str:
        """As a plan names them."""
        ...

    @property
    def sha256(self) -> str:
        """`sha256:<hex>` over every recognizer's name and version."""
        ...


class Suggester(Protocol):
    """Finds in a text what may have to be hidden (`redaction.suggest.engine`, slow to load)."""

    @property
    def rules(self) -> Rules:
        """What a plan records of the machine's part."""
        ...

    def suggest(self, text: str, language: str) -> list[Finding]:
        """Findings in the order of the text, none overlapping."""
        ...


@dataclass(frozen=True)
class Services:
    """The database as the application's role, the object store, the keys and the published log. Frozen, per process.

    `ready_checks` are by part: each raises when its part does not answer. `tsa_roots` (PEM) are the roots of the
    time-stamping authorities.
    `office` signs acts on paper, None where it has no key: they are then given out unsigned and say so.
    `scanner` is None where no malware scanner is configured.
    `engine` and `suggester` load their models at the first call, once per process.
    """

    settings: Settings
    database: Database
    store: ObjectStore
    keys: KeyWrapper
    tiles: TileStore
    passwords: Passwords
    tsa_roots: bytes
    scanner: Clamd | None
    engine: "Callable[[], Engine]"
    suggester: Callable[[], Suggester]
    office: "Callable[[], Office | None]"
    ready_checks: Mapping[str, Callable[[], None]]

    @property
    def policy(self) -> str:
        """The policy that readers are offered, as it is now: it grows when the log's key changes. Empty without one."""
        path = self.settings.policy_file
        return path.read_text() if path else ""
