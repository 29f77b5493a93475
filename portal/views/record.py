"""An exhibit's record: checked when it is asked for, in sentences."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from starlette.requests import Request

from custody.checking import words as check_words
from custody.checking.difference import Difference
from custody.checking.difference import Step as CheckStep
from custody.proof import words
from custody.proof.refusal import Step
from evidence_api.http.guard import Access, by_exhibit, guard
from evidence_api.http.messages import sentence
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import cases as queries
from evidence_api.queries import personal, records
from evidence_api.queries.records import Looked, Record, State
from portal import catalog
from portal.catalog import Language
from portal.context import OFFSET_HOURS
from portal.formats import moment
from portal.lines import event_line, exhibit_ref, head, readable
from portal.pages.audit import FORMATS
from portal.pages.record import Answer, ExhibitRecord, Person, RecordStep, render_record
from portal.visits import context, html

routes = router()
_PAGE = 100
_NAMED = 6


@routes.get("/exhibits/{exhibit_id}/record")
def record(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("trail.read", by_exhibit)],
    after: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """The three answers, the steps behind them, the people and the events; `after` is the last event already seen."""
    may_see = queries.may(access.viewer, "trail.personal", access.resource)
    found = records.of_exhibit(services, exhibit_id)
    at_hand = context(request, access)
    language = at_hand.language
    here = f"/exhibits/{exhibit_id}/record"
    begin = 0 if after is None else after + 1
    shown = found.chain[begin : begin + _PAGE]
    values = personal.of(services, shown, may_see=may_see)
    more = begin + _PAGE < len(found.chain)
    names = readable(language, found.names, found.things)
    steps = tuple(_step(number, looked, language) for number, looked in enumerate(found.steps, 1))
    may_export = queries.may(access.viewer, "trail.export", access.resource)
    model = ExhibitRecord(
        head=head(queries.case_view(services, access.viewer, access.case_id)),
        exhibit=exhibit_ref(found.exhibit),
        answers=answers(found, language),
        steps=steps,
        limits=words.said("limits", language),
        people=tuple(
            Person(
                one.account,
                found.names.get(one.account, "—") if one.account else "",
                one.roles,
                one.events,
                one.reads,
                one.first_at,
                one.last_at,
            )
            for one in found.people
        ),
        events=tuple(event_line(entry, names, values.get(entry.id, ())) for entry in shown),
        total=len(found.chain),
        covered=found.covered,
        proved=found.proved,
        checked_at=at_hand.now,
        exports=tuple((name, f"{here}.{name}") for name in FORMATS) if may_export else (),
        next_href=f"{here}?after={begin + _PAGE - 1}" if more else None,
        first_href=here if begin else None,
    )
    return html(render_record(at_hand, model))


def answers(found: Record, language: Language) -> tuple[Answer, ...]:
    """The three sentences."""
    return _same(found, language), _people(found, language), _complete(found, language)


def _step(number: int, looked: Looked, language: Language) -> RecordStep:
    name, expected, limits = _words_of(looked.step, language)
    return RecordStep(
        number=number,
        name=name,
        state=looked.state.value,
        expected=expected,
        found=_found(looked, language),
        does_not_prove=limits if looked.state is State.FAILS else None,
        verifier=int(looked.step) if isinstance(looked.step, Step) else None,
    )


def _words_of(step: Step | CheckStep, language: Language) -> tuple[str, str, str]:
    if isinstance(step, CheckStep):
        return check_words.STEPS[step][language]
    return words.step_name(step, language), words.expected(step, language), words.does_not_prove(step, language)


def _found(looked: Looked, language: Language) -> str:
    """What was found, in the words of whoever speaks of such things: the verifier, the ledger's check, the API."""
    code, values = looked.code, looked.values
    if not code:
        return ""
    if isinstance(looked.step, CheckStep) and code in check_words.FOUND:
        told = {name: str(values[name]) for name in ("place", "expected", "found")}
        return check_words.told(Difference(looked.step, code, **told), language)["found"]
    if isinstance(looked.step, Step) and code in words.LANGUAGES[language].FOUND:
        return words.found(code, values, language)
    return sentence(code, language, values)


def _same(found: Record, language: Language) -> Answer:
    same = found.same
    tone = {"same": "good", "differs": "bad", "damaged": "bad", "unknown": "bad"}.get(same.verdict, "wait")
    return Answer("same", tone, _said(language, f"record.same.{same.verdict}", vars(same)))


def _people(found: Record, language: Language) -> Answer:
    tone = "wait" if found.verdict == "broken" else "good"
    people = [one for one in found.people if one.account is not None]
    reads = sum(one.reads for one in people)
    names = [found.names.get(one.account, "—") for one in people if one.account is not None]
    if not names:
        return Answer("people", tone, catalog.text(language, "record.nobody"))
    shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    reads_said = catalog.counted(language, "record.reads", reads)
    return Answer(
        "people", "good", catalog.counted(language, "record.touched", len(names), names=shown, reads=reads_said)
    )


def _complete(found: Record, language: Language) -> Answer:
    for number, looked in enumerate(found.steps, 1):
        if looked.state is State.FAILS and isinstance(looked.step, Step):
            name = words.step_name(looked.step, language)
            return Answer("complete", "bad", catalog.text(language, "record.complete.broken", step=number, name=name))
    if found.verdict == "complete" and found.head is not None:
        values = {"size": catalog.grouped(found.head.size), "at": found.head.published_at}
        values |= {"events": catalog.grouped(len(found.chain)), "witnesses": len(found.head.witnesses)}
        return Answer("complete", "good", _said(language, "record.complete.yes", values))
    if found.queued:
        return Answer("complete", "wait", catalog.counted(language, "record.complete.queued", found.queued))
    return Answer("complete", "wait", catalog.text(language, "record.complete.waits"))


def _said(language: Language, key: str, values: Mapping[str, object]) -> str:
    shown = {name: moment(at, OFFSET_HOURS) if isinstance(at, datetime) else at for name, at in values.items()}
    return catalog.text(language, key, **shown)
