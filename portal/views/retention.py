"""Terms, holds and the rules: an exhibit's page, a case's tab, the administrator's form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import Response
from starlette.requests import Request

from custody.kernel.errors import Invalid
from evidence_api.http.guard import Access, by_case, by_exhibit, guard
from evidence_api.http.paging import Keyset
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.http.routes.retention import by_hold
from evidence_api.queries import cases as queries
from evidence_api.queries import retention as terms
from evidence_api.queries.facts import Disposal, Exhibit, Hold, HoldGround, LiftGround, Rule, parse_rules
from evidence_api.services import Services
from evidence_api.use_cases import retaining
from portal.catalog import LANGUAGES, Language
from portal.context import EMPTY_FORM, OFFSET_HOURS, Form
from portal.formats import day_span
from portal.lines import act_href, exhibit_ref, head
from portal.pages.retention import (
    ActRow,
    CaseTerms,
    ExhibitTerm,
    HoldRow,
    Offers,
    RuleRow,
    RulesPage,
    TermRow,
    VersionRow,
    render_case_terms,
    render_exhibit_term,
    render_rules,
)
from portal.visits import Fields, context, go, html, try_form

routes = router()
KEYSET = Keyset("portal-terms", (int, int))
_PAGE = 100
_MAX_ROWS = 200
_TYPED = ("code", *LANGUAGES, "term_days", "min_days")
_WRONG: Final[Mapping[str, tuple[str, Callable[[RuleRow, Sequence[RuleRow], Mapping[str, object]], bool]]]] = {
    "rules.bad_code": ("code", lambda row, _, said: row.code[:40] == said.get("category")),
    "rules.twice": ("code", lambda row, before, _: row.code in [one.code for one in before]),
    "rules.bad_days": ("term_days", lambda row, _, said: row.code == said.get("category")),
    "rules.bad_name": ("kk", lambda row, _, said: row.code == said.get("category")),
}
"""Refusals of the rules: the field that each is about, and whether a row (after those before it) is the one meant."""
_PLACES = {"hold.bad": "ground", "text.": "note", "retention.": "until", "retention.unknown": "category"}


@routes.get("/exhibits/{exhibit_id}/retention")
def show(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("retention.read", by_exhibit)],
) -> Response:
    """How long an exhibit is kept, what holds it, what will destroy it."""
    return html(_exhibit(request, services, access, exhibit_id, EMPTY_FORM))


@routes.post("/exhibits/{exhibit_id}/retention")
def retain(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("retention.extend", by_exhibit)],
) -> Response:
    """Put it under a category, or keep it for longer."""

    def act() -> Response:
        if "category" in fields:
            retaining.categorize(services, access.actor, exhibit_id, fields["category"])
        else:
            span = day_span(fields.get("until", ""), OFFSET_HOURS)
            if span is None:
                raise Invalid("retention.bad_until")
            retaining.extend(services, access.actor, exhibit_id, span[1] - timedelta(seconds=1))
        return go(f"/exhibits/{exhibit_id}/retention", "retained")

    return try_form(request, fields, _PLACES, act, lambda form: _exhibit(request, services, access, exhibit_id, form))


@routes.post("/exhibits/{exhibit_id}/holds")
def hold_exhibit(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("hold.place", by_exhibit)],
) -> Response:
    """Let nothing of it be destroyed."""

    def act() -> Response:
        retaining.hold_exhibit(services, access.actor, exhibit_id, **_hold(fields))
        return go(f"/exhibits/{exhibit_id}/retention", "held")

    return try_form(request, fields, _PLACES, act, lambda form: _exhibit(request, services, access, exhibit_id, form))


@routes.post("/holds/{hold_id}/lift")
def lift(
    hold_id: UUID, services: ServicesOf, fields: Fields, access: Annotated[Access, guard("hold.lift", by_hold)]
) -> Response:
    """End one hold."""
    hold = retaining.lift(services, access.actor, hold_id, ground=fields.get("ground", ""))
    place = f"/exhibits/{hold.exhibit_id}" if hold.exhibit_id else f"/cases/{hold.case_id}"
    return go(f"{place}/retention", "hold_lifted")


@routes.get("/cases/{case_id}/retention")
def show_case(
    case_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("retention.read", by_case)],
) -> Response:
    """What of a case expires when, its holds and its acts."""
    return html(case_page(request, services, access, EMPTY_FORM))


@routes.post("/cases/{case_id}/holds")
def hold_case(
    case_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("hold.place", by_case)],
) -> Response:
    """Let nothing of the case be destroyed."""

    def act() -> Response:
        retaining.hold_case(services, access.actor, case_id, **_hold(fields))
        return go(f"/cases/{case_id}/retention", "held")

    return try_form(request, fields, _PLACES, act, lambda form: case_page(request, services, access, form))


@routes.post("/cases/{case_id}/retention")
def retain_case(
    case_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("retention.extend", by_case)],
) -> Response:
    """Put every sealed exhibit of the case under a category."""

    def act() -> Response:
        retaining.categorize_case(services, access.actor, case_id, fields.get("category", ""))
        return go(f"/cases/{case_id}/retention", "retained")

    return try_form(request, fields, _PLACES, act, lambda form: case_page(request, services, access, form))


@routes.get("/retention-rules")
def rules(
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("rules.read")],
    version: int | None = None,
) -> Response:
    """The rules in force, or an older version of them."""
    return html(_rules(request, services, access, version, None, EMPTY_FORM))


@routes.post("/retention-rules")
def change_rules(
    request: Request, services: ServicesOf, fields: Fields, access: Annotated[Access, guard("rules.change")]
) -> Response:
    """Put what was typed in force as a new version."""
    typed = _typed(fields)

    def act() -> Response:
        retaining.set_rules(services, access.actor, parse_rules([_rule(row) for row in typed]))
        return go("/retention-rules", "rules_changed")

    def again(form: Form) -> str:
        return _rules(request, services, access, None, typed, replace(form, errors=_at_fields(form, typed)))

    return try_form(request, fields, {}, act, again)


def _at_fields(form: Form, typed: Sequence[RuleRow]) -> dict[str, str]:
    """The refusal at the field that it is about: a rule's names itself by its category's code."""
    (code,) = form.errors.values()
    field, wrong = _WRONG.get(code, ("", None))
    rows = [place for place, row in enumerate(typed) if wrong is not None and wrong(row, typed[:place], form.params)]
    return {f"{field}-{rows[0]}": code} if rows else {"": code}


def category_name(services: Services, exhibit: Exhibit, language: Language) -> str | None:
    """The category of an exhibit in words, as its version of the rules has them."""
    if not exhibit.category or not exhibit.rule_version:
        return None
    return terms.version(services, exhibit.rule_version).rules.rule(exhibit.category).names[language]


def case_page(request: Request, services: Services, access: Access, form: Form) -> str:
    """The retention tab; `form` comes back from one of its forms."""
    case_id, at_hand = access.case_id, context(request, access)
    wanted = request.query_params.get("show", "all")
    wanted = wanted if wanted in terms.STATES else "all"
    after = KEYSET.decode(request.query_params.get("cursor"))
    page = terms.terms(services, case_id, state=wanted, after=after, limit=_PAGE)
    more = f"?show={wanted}&cursor={KEYSET.encode(page.after)}" if page.after else None
    view, offers = terms.of_case(services, case_id), _offers(services, access, at_hand.language)
    model = CaseTerms(
        head=head(queries.case_view(services, access.viewer, case_id)),
        rows=tuple(_term_row(services, one, at_hand.language) for one in page.items),
        wanted=wanted,
        states=terms.STATES,
        holds=tuple(_hold_row(one, view.names, access) for one in view.holds),
        acts=tuple(act_row(one) for one in view.acts),
        offers=offers,
        next_href=more,
        form=form,
    )
    return render_case_terms(at_hand, model)


def act_row(act: Disposal) -> ActRow:
    """An act in a list."""
    return ActRow(
        act.number, act.state.value, f"/disposals/{act.id}", len(act.items) + len(act.packages), act.proposed_at
    )


def _exhibit(request: Request, services: Services, access: Access, exhibit_id: UUID, form: Form) -> str:
    view, at_hand = terms.term(services, exhibit_id), context(request, access)
    exhibit = view.exhibit
    model = ExhibitTerm(
        head=head(queries.case_view(services, access.viewer, exhibit.case_id)),
        exhibit=exhibit_ref(exhibit),
        basis=exhibit.basis,
        purpose=exhibit.purpose,
        category=category_name(services, exhibit, at_hand.language),
        rule_version=exhibit.rule_version,
        retain_until=exhibit.retain_until,
        locked_until=view.locked_until,
        objects=view.objects,
        store_holds=view.store_holds,
        holds=tuple(_hold_row(one, view.names, access) for one in view.holds),
        offers=Offers() if exhibit.destroyed_at else _offers(services, access, at_hand.language),
        act=act_row(view.act) if view.act else None,
        form=form,
    )
    return render_exhibit_term(at_hand, model)


def _offers(services: Services, access: Access, language: Language) -> Offers:
    def may(route: str) -> bool:
        return queries.may(access.viewer, route, access.resource)

    known = terms.rules_in_force(services)
    return Offers(
        categories=[(one.code, one.names[language]) for one in known] if may("retention.extend") else (),
        hold_grounds=[one.value for one in HoldGround] if may("hold.place") else (),
        lift_grounds=[one.value for one in LiftGround] if may("hold.lift") else (),
        propose=may("disposal.propose"),
    )


def _hold(fields: Mapping[str, str]) -> dict[str, str]:
    return {"ground": fields.get("ground", ""), "note": fields.get("note", "")}


def _hold_row(hold: Hold, names: Mapping[UUID, str], access: Access) -> HoldRow:
    may_lift = hold.lifted_at is None and queries.may(access.viewer, "hold.lift", access.resource)
    return HoldRow(
        ground=hold.ground,
        note=hold.note,
        by=names.get(hold.placed_by, "—"),
        at=hold.placed_at,
        whole_case=hold.exhibit_id is None,
        lifted_by=names.get(hold.lifted_by, "—") if hold.lifted_by else None,
        lifted_at=hold.lifted_at,
        lift_ground=hold.lift_ground,
        lift_href=f"/holds/{hold.id}/lift" if may_lift else None,
    )


def _term_row(services: Services, exhibit: Exhibit, language: Language) -> TermRow:
    now = services.database.clock.now()
    over = exhibit.retain_until is not None and exhibit.retain_until <= now
    state = "destroyed" if exhibit.destroyed_at else "held" if exhibit.held else "over" if over else "kept"
    return TermRow(
        id=exhibit.id,
        number=exhibit.number,
        name=exhibit.filename,
        category=category_name(services, exhibit, language),
        retain_until=exhibit.retain_until,
        state=state,
        act_number=exhibit.disposal_number,
        act_href=act_href(exhibit),
    )


def _rules(
    request: Request,
    services: Services,
    access: Access,
    version: int | None,
    typed: list[RuleRow] | None,
    form: Form,
) -> str:
    versions = terms.versions(services)
    current = versions[0].rules.version if versions else 0
    shown = version if version is not None else current
    kept = terms.version(services, shown).rules.rules if shown else ()
    names = queries.names_of(services, [one.made_by for one in versions])
    model = RulesPage(
        shown=shown,
        current=current,
        rules=tuple(typed if typed is not None else [_rule_row(one) for one in kept]),
        versions=tuple(
            VersionRow(one.rules.version, one.sha256, names.get(one.made_by) if one.made_by else None, one.made_at)
            for one in versions
        ),
        editable=shown == current and queries.may(access.viewer, "rules.change", access.resource),
        form=form,
    )
    return render_rules(context(request, access), model)


def _rule_row(rule: Rule) -> RuleRow:
    return RuleRow(
        rule.code, **rule.names, term_days=str(rule.term_days), min_days=str(rule.min_days), extendable=rule.extendable
    )


def _typed(fields: Mapping[str, str]) -> list[RuleRow]:
    """The rows of the form; one that was left wholly empty is left out, which also deletes a category."""
    rows: list[RuleRow] = []
    for place in range(_MAX_ROWS):
        if f"code-{place}" not in fields:
            break
        texts = {name: fields.get(f"{name}-{place}", "").strip() for name in _TYPED}
        if any(texts.values()):
            rows.append(RuleRow(**texts, extendable=f"extendable-{place}" in fields))
    return rows


def _rule(row: RuleRow) -> dict[str, object]:
    def days(text: str) -> int:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0

    names = {"kk": row.kk, "ru": row.ru, "en": row.en}
    return {
        "code": row.code,
        "names": names,
        "term_days": days(row.term_days),
        "min_days": days(row.min_days),
        "extendable": row.extendable,
    }
