"""Facts of the program as the pages' models take them: shared by the views of several areas."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from custody.audit import EntryView
from custody.kernel.clock import from_ms
from evidence_api.access.policy import Viewer
from evidence_api.queries.cases import ROUND, CaseView, Thing
from evidence_api.queries.facts import Exhibit, JobView, RenditionView
from evidence_api.queries.fixity import Alarm, Place
from evidence_api.queries.personal import Shown
from portal import catalog
from portal.catalog import Language
from portal.context import OFFSET_HOURS
from portal.formats import moment
from portal.pages.cases import CaseHead, ExhibitRow
from portal.pages.events import EventLine, PersonalLine
from portal.pages.exhibits import ExhibitRef, Job, Rendition
from portal.pages.fixity import AlarmLine

JOB_KINDS = {
    "exhibit.seal": "seal",
    "exhibit.identify": "identify",
    "exhibit.scan": "scan",
    "rendition.light": "light",
    "transcript.draft": "transcribe",
    "plan.suggest": "suggest",
    "rendition.burn": "burn",
    "exhibit.protect": "protect",
    "disposal.destroy": "destroy",
}
_ADDRESSES = {"exhibit": "exhibits", "disclosure": "disclosures"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")
_STATES = {"passed": "passed", "failed": "leaks", None: "burned"}


def head(view: CaseView) -> CaseHead:
    """The case as every page inside it shows it."""
    return CaseHead(view.case.id, view.case.erdr, view.case.title, view.role, view.parts)


def exhibit_ref(exhibit: Exhibit) -> ExhibitRef:
    """The exhibit as a page about something of it names it."""
    return ExhibitRef(
        exhibit.id,
        exhibit.number,
        exhibit.filename,
        held=exhibit.held,
        destroyed_at=exhibit.destroyed_at,
        act_number=exhibit.disposal_number,
        act_href=act_href(exhibit),
    )


def act_href(exhibit: Exhibit) -> str | None:
    """Where the act is that destroyed an exhibit."""
    return f"/disposals/{exhibit.disposal_id}" if exhibit.disposal_id else None


def exhibit_row(exhibit: Exhibit) -> ExhibitRow:
    """The exhibit in a table. Its last check is the seal: that is when it was last re-read."""
    return ExhibitRow(
        id=exhibit.id,
        number=exhibit.number,
        name=exhibit.filename,
        folder=exhibit.folder,
        media_type=exhibit.media_type,
        size_bytes=exhibit.size_bytes,
        state="destroyed" if exhibit.destroyed_at else exhibit.state.value,
        digest=exhibit.sha256,
        checked_at=exhibit.sealed_at,
    )


def readable(language: Language, names: Mapping[UUID, str], things: Mapping[UUID, Thing]) -> dict[str, str]:
    """What people call the ids in events: people by name, exhibits, redacted versions and rounds by number."""
    told = {str(account_id): name for account_id, name in names.items()}
    for thing_id, thing in things.items():
        if thing.kind == ROUND:
            told[str(thing_id)] = catalog.text(language, "disclosure.round", number=thing.number)
            continue
        exhibit = catalog.text(language, "exhibit.number", number=thing.number)
        key = f"kind.{thing.kind}"
        kind = catalog.text(language, key) if thing.kind and catalog.has(language, key) else thing.kind
        told[str(thing_id)] = f"{exhibit}, {kind}" if kind else exhibit
    return told


def event_line(entry: EntryView, names: Mapping[str, str], personal: Sequence[Shown] = ()) -> EventLine:
    """A custody event as it is shown; `names` are of `readable`, `personal` what this reader may see of its names."""
    return EventLine(
        index=entry.seq,
        at=from_ms(entry.time_ms),
        type=entry.type,
        actor=names.get(str(entry.actor_id), "—") if entry.actor_id else "",
        role=entry.role,
        means=entry.means,
        canonical=entry.canonical.decode(),
        data=entry.data,
        names=names,
        leaf_hash=entry.leaf_hash.hex(),
        item_seq=entry.item_seq,
        case=names.get(str(entry.case_id), ""),
        personal=tuple(
            PersonalLine(
                one.field,
                one.state,
                one.value,
                one.erasure.at if one.erasure else None,
                one.erasure.order if one.erasure else "",
            )
            for one in personal
        ),
    )


def job(view: JobView) -> Job:
    """Work in progress."""
    sound = view.unit == "ms" and view.total_units > 0
    return Job(
        kind=JOB_KINDS[view.facts.task],
        started_at=view.created_at,
        done_ms=view.done_units if sound else None,
        total_ms=view.total_units if sound else None,
    )


def alarm_lines(alarms: Sequence[Alarm], places: Mapping[str, Place], viewer: Viewer) -> tuple[AlarmLine, ...]:
    """Differences as lists of them show them; who may not open exhibits gets no address."""
    return tuple(_placed(one, places.get(one.item), viewer) for one in alarms)


def _placed(alarm: Alarm, place: Place | None, viewer: Viewer) -> AlarmLine:
    line = alarm_line(alarm)
    if place is None:
        return line
    address = f"/{_ADDRESSES[place.kind]}/{alarm.item.partition(':')[2]}"
    href = address if viewer.role != "administrator" else None
    return replace(line, href=href, about=place.kind, number=place.number, erdr=place.erdr)


def alarm_line(alarm: Alarm) -> AlarmLine:
    """A difference as the page shows it that is about the same thing."""
    found = alarm.difference
    number = found.place.removeprefix("segment ")
    return AlarmLine(
        what=found.what,
        segment=int(number) + 1 if number.isdigit() else None,
        expected=_said(found.expected),
        found=_said(found.found),
        at=alarm.found_at,
        cleared_at=alarm.cleared_at,
    )


def _said(value: str) -> str:
    """A time as pages show times; anything else as it is."""
    return moment(datetime.fromisoformat(value), OFFSET_HOURS) if _TIME.fullmatch(value) else value


def rendition(view: RenditionView, *, readable: bool) -> Rendition:
    """A burned file; to whom it is readable, its address shows exactly what would be released."""
    return Rendition(
        id=view.id,
        kind=view.kind,
        size_bytes=view.size_bytes,
        digest=view.sha256,
        made_at=view.burned_at,
        state=_STATES[view.leak_result],
        href=f"/api/v1/renditions/{view.id}/content?view=true" if readable else None,
    )
