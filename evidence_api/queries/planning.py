"""Plans as screens need them: also those that are only asked for."""

from dataclasses import dataclass
from uuid import UUID

from custody.kernel.errors import NotFound
from evidence_api import jobs
from evidence_api.disclosure.model import path_of
from evidence_api.registry import reads
from evidence_api.services import Services
from redaction import queries as plans
from redaction.model import Suggestion
from redaction.queries import PlanView, RenditionView


@dataclass(frozen=True)
class PlanOrRequest:
    """A plan with its suggestions, or (`view` None) how the request for it stands: requested or failed, and why."""

    exhibit_id: UUID
    state: str
    failure: str | None
    view: PlanView | None
    suggestions: list[Suggestion]


def plan_or_request(services: Services, plan_id: UUID) -> PlanOrRequest:
    """Raises NotFound `plan.not_found` when neither is there."""
    with services.database.read() as session:
        try:
            view = plans.get_plan(session, plan_id)
        except NotFound:
            job = jobs.latest(session, f"plan:{plan_id}")
            if job is None:
                raise
            state = "failed" if job.state == "failed" else "requested"
            return PlanOrRequest(job.facts.uuid("exhibit"), state, job.error_code, None, [])
        return PlanOrRequest(view.exhibit_id, view.state, None, view, plans.suggestions_of(session, plan_id))


def file_name(services: Services, rendition: RenditionView) -> str:
    """A rendition's name as it would stand in a package; it tells nothing of the original's."""
    with services.database.read() as session:
        number = reads.get_exhibit(session, rendition.exhibit_id).number
    return path_of(number, rendition.kind).rpartition("/")[2]
