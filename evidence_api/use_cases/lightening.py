"""Job `rendition.light`: open copies of an original, made in the sandbox, stored like any rendition.

They are for the people of the case. What the defence receives is made under an approved plan and nothing else.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from custody.kernel.errors import Conflict, Corrupt
from custody.proof import canonical
from evidence_api.jobs import Job
from evidence_api.registry import reads
from evidence_api.registry.facts import Exhibit
from evidence_api.services import Services
from evidence_api.use_cases import examining
from evidence_api.use_cases.transcribing import draft
from storage import findings
from storage import service as storage
from storage.blob import BlobFacts
from storage.derived import put_derived
from storage.light import recipes
from storage.media_type import OPAQUE
from storage.ports import RENDITIONS
from storage.sandbox import launch

_UNITS = {recipes.VIDEO: "ms", recipes.SOUND: "ms", recipes.PAGES: "pages"}
_UNITS |= {recipes.MAIL: "pages", recipes.OFFICE: "pages"}


@dataclass(frozen=True)
class _Copy:
    """One file of the sandbox, stored and locked. `made` is what the sandbox's task told of it."""

    id: UUID
    kind: str
    made: Mapping[str, Any]
    parameters_sha256: str
    blob: BlobFacts


class MakeLightCopies:
    """Makes what the type's recipe makes; each copy names its tool, version, parameters and both digests."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Raises Unavailable `exhibit.not_scanned` while a scanner has not spoken; the rest `fail` records."""
        exhibit = examining.sealed(self._services, job.facts.uuid("exhibit"))
        recipe = self._recipe(exhibit)
        program = recipes.office_program() if recipe == recipes.OFFICE else None
        if recipe == recipes.OFFICE and program is None:
            raise Conflict("light.program_missing")
        limits = recipes.limits(recipe, exhibit.size_bytes, self._services.settings.job_time_limit_seconds)
        args = {"recipe": recipe, "media_type": exhibit.media_type, "program": program}
        unit = _UNITS.get(recipe, "files")
        with examining.at_hand(self._services, exhibit, limits.disk_bytes) as room:
            job.step("spooled")
            told, _ = launch.run(room, "light", args, limits, lambda done, total: job.progress(done, total, unit))
            job.step("made")
            copies = [self._store(job, exhibit, one, room.out) for one in _files(told)]
        job.step("stored")
        with job.conclude() as work:
            reads.get_exhibit(work.session, exhibit.id).check_content()  # it may have been destroyed meanwhile
            for copy in copies:
                made = draft(
                    "rendition.made",
                    exhibit,
                    rendition=copy.id,
                    kind=copy.kind,
                    sha256=copy.blob.sha256,
                    size_bytes=copy.blob.size_bytes,
                    source_sha256=exhibit.sha256,
                    tool=copy.made["tool"],
                    tool_version=copy.made["tool_version"],
                    parameters_sha256=copy.parameters_sha256,
                    blob=copy.blob.blob_id,
                )
                event_id = work.record(made)
                storage.record_blob(work, copy.blob, event_id)
                findings.record_light_copy(
                    work,
                    copy.id,
                    exhibit.id,
                    kind=copy.kind,
                    source_sha256=exhibit.sha256,
                    blob=copy.blob,
                    made=copy.made,
                    reason=None,
                    event_id=event_id,
                )

    def _recipe(self, exhibit: Exhibit) -> str:
        """Raises Unavailable `exhibit.not_scanned`, Conflict `exhibit.infected`, `light.no_recipe`."""
        examining.refuse_unseen(self._services, exhibit.id)
        recipe = recipes.recipe_of(exhibit.media_type or OPAQUE)
        if recipe is None:
            raise Conflict("light.no_recipe")
        return recipe

    def _store(self, job: Job, exhibit: Exhibit, made: Mapping[str, Any], directory: Path) -> _Copy:
        path = directory / Path(str(made["file"])).name
        # The child is dead and may have been hostile: what it left is a plain file or nothing.
        if path.is_symlink() or not path.is_file() or exhibit.retain_until is None:
            raise Corrupt("sandbox.crashed", how=0)
        kind = str(made["kind"])
        copy_id = uuid5(job.facts.id, kind)
        parameters = hashlib.sha256(canonical.encode(made["parameters"])).hexdigest()
        store, keys = self._services.store, self._services.keys
        blob = put_derived(store, keys, copy_id, path, bucket=RENDITIONS, retain_until=exhibit.retain_until)
        return _Copy(copy_id, kind, made, f"sha256:{parameters}", blob)

    def fail(self, job: Job, code: str) -> None:
        """The chain says that there is no open copy, and why. The original is as good as before."""
        exhibit = examining.sealed(self._services, job.facts.uuid("exhibit"))
        recipe = recipes.recipe_of(exhibit.media_type or OPAQUE)
        kind = recipes.KIND[recipe] if recipe else "light_copy"
        with job.conclude("failed", code) as work:
            event_id = work.record(draft("rendition.not_made", exhibit, kind=kind, reason=code))
            findings.record_light_copy(
                work,
                uuid5(job.facts.id, kind),
                exhibit.id,
                kind=kind,
                source_sha256=exhibit.sha256,
                blob=None,
                made={},
                reason=code,
                event_id=event_id,
            )


def _is_page(page: object) -> bool:
    """Whether it says where a page's bytes lie; whether they lie there, reading finds out."""
    return (
        isinstance(page, dict)
        and all(isinstance(page.get(name), int) and page[name] >= 0 for name in ("start", "size_bytes"))
        and re.fullmatch(r"sha256:[0-9a-f]{64}", str(page.get("sha256"))) is not None
    )


def _files(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the child says it made, each of a known kind and told in texts. Raises Corrupt `sandbox.crashed`."""
    files = told.get("files")
    known = isinstance(files, list) and all(
        isinstance(one, dict)
        and one.get("kind") in recipes.MEDIA_TYPES
        and all(isinstance(one.get(name), str) and len(one[name]) < 200 for name in ("file", "tool", "tool_version"))
        and all(isinstance(one.get(name), dict) for name in ("parameters", "details"))
        and all(_is_page(page) for page in one["details"].get("pages", ()))
        for one in files
    )
    if not files or not known or len({one["kind"] for one in files}) != len(files):
        raise Corrupt("sandbox.crashed", how=0)
    return list(files)
