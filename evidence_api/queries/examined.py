"""What was found out about an exhibit, as pages and the API show it."""

from dataclasses import dataclass
from uuid import UUID

from evidence_api import jobs
from evidence_api.jobs import JobView
from evidence_api.registry import reads
from evidence_api.services import Services
from storage import findings
from storage.findings import Examination, LightCopy, Scan
from storage.light.recipes import recipe_of
from storage.media_type import OPAQUE

TASKS = ("identify", "scan", "light")


@dataclass(frozen=True)
class Examined:
    """The latest of each finding. `scanning`: whether a scanner is configured; `openable`: whether a light copy of this
    type can be made at all; `jobs` are those under way.
    """

    examination: Examination | None
    scan: Scan | None
    copies: tuple[LightCopy, ...]
    scanning: bool
    openable: bool
    jobs: tuple[JobView, ...]

    @property
    def infected(self) -> bool:
        """Whether the original must not be opened here."""
        return self.scan is not None and self.scan.infected

    @property
    def unseen(self) -> str | None:
        """The code of why nothing of it is shown here; None when it is shown."""
        if self.infected:
            return "exhibit.infected"
        return "exhibit.not_scanned" if self.scan is None and self.scanning else None


def examined(services: Services, exhibit_id: UUID) -> Examined:
    """Raises NotFound `exhibit.not_found`."""
    with services.database.read() as session:
        exhibit = reads.get_exhibit(session, exhibit_id)
        last = [jobs.latest(session, f"{task}:{exhibit_id}") for task in TASKS]
        return Examined(
            examination=findings.examination(session, exhibit_id),
            scan=findings.scan(session, exhibit_id),
            copies=findings.light_copies(session, exhibit_id),
            scanning=services.scanner is not None,
            openable=recipe_of(exhibit.media_type or OPAQUE) is not None,
            jobs=tuple(job for job in last if job is not None and job.state in ("queued", "running")),
        )


def light_copy(services: Services, copy_id: UUID) -> LightCopy:
    """One light copy. Raises NotFound `light.not_found`."""
    with services.database.read() as session:
        return findings.light_copy(session, copy_id)
