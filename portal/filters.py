"""What a list is asked for, from the address of its page: unknown words ask for nothing, days are local."""

from collections.abc import Mapping

from starlette.requests import Request

from custody.heads import HeadFilter
from evidence_api.queries.trails import Wanted
from portal.context import OFFSET_HOURS
from portal.formats import day_span
from portal.pages.audit import AREAS

TRAIL = ("area", "actor", "exhibit", "since", "until")
HEADS = ("since", "until", "show")
_AREAS = {
    "exhibit": ("exhibit", "upload", "fixity", "intake", "receipt", "disposal"),
    "content": ("content", "page", "trail"),
    "access": ("access", "act", "session", "account", "personal"),
}
"""First parts of event types behind an area that is wider than its own name."""


def given(request: Request, names: tuple[str, ...]) -> dict[str, str]:
    """The filters of these names that the address holds."""
    return {name: request.query_params[name] for name in names if request.query_params.get(name)}


def of_trail(filters: Mapping[str, str]) -> Wanted:
    """What of a case's trail is asked for."""
    area = filters.get("area", "")
    exhibit = filters.get("exhibit", "")
    since = day_span(filters.get("since", ""), OFFSET_HOURS)
    until = day_span(filters.get("until", ""), OFFSET_HOURS)
    return Wanted(
        areas=_AREAS.get(area, (area,)) if area in AREAS else (),
        actor_name=filters.get("actor", ""),
        exhibit_number=int(exhibit) if exhibit.isascii() and exhibit.isdigit() and len(exhibit) < 10 else None,
        since=since[0] if since else None,
        until=until[1] if until else None,
    )


def of_heads(filters: Mapping[str, str]) -> HeadFilter:
    """Which heads of the log are asked for."""
    since = day_span(filters.get("since", ""), OFFSET_HOURS)
    until = day_span(filters.get("until", ""), OFFSET_HOURS)
    return HeadFilter(
        since=since[0] if since else None,
        until=until[1] if until else None,
        stamped=filters.get("show") == "stamped",
        without_quorum=filters.get("show") == "unwitnessed",
    )
