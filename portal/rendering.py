"""Turns a template, a request context and a model into a page."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, Undefined, UndefinedError, pass_context
from jinja2.runtime import Context

from evidence_api.http import messages
from portal import assets, catalog, formats, leak_words
from portal.context import RequestContext

KEYS = (
    ("everywhere", (("?", "help.key.help"),)),
    (
        "transcript",
        (
            ("k", "help.key.play"),
            ("j", "help.key.back"),
            ("l", "help.key.forward"),
            ("p", "help.key.previous"),
            ("n", "help.key.next"),
            ("< >", "help.key.speed"),
            ("e", "help.key.edit"),
            ("Alt + K, J, L", "help.key.typing"),
        ),
    ),
    (
        "redaction",
        (
            ("k", "help.key.play"),
            ("a", "help.key.accept"),
            ("r", "help.key.reject"),
            ("n p", "help.key.step"),
        ),
    ),
)
"""The keys of each place: listed on the help page and, for the place one is in, shown by `?`."""


class _Loud(Undefined):
    """Undefined that raises when printed. GOV.UK's macros test undefined options, so testing stays allowed."""

    def __str__(self) -> str:
        raise UndefinedError(self._undefined_message)


def _context(jinja: Context) -> RequestContext:
    context: RequestContext = jinja["ctx"]
    return context


@pass_context
def _t(jinja: Context, key: str, **values: Any) -> str:
    return catalog.text(_context(jinja).language, key, **values)


@pass_context
def _tn(jinja: Context, key: str, count: int, **values: Any) -> str:
    return catalog.counted(_context(jinja).language, key, count, **values)


@pass_context
def _word(jinja: Context, prefix: str, value: str) -> str:
    """The word for a value that comes from elsewhere (a role, a state, a kind); one that has none is shown as it is."""
    language = _context(jinja).language
    key = f"{prefix}.{value}"
    return catalog.text(language, key) if catalog.has(language, key) else value


@pass_context
def _withheld_ground(jinja: Context, ground: str) -> str:
    """Why an exhibit was withheld; of a destroyed one, when and by which act."""
    kind, _, rest = ground.partition(" ")
    day, _, act = rest.partition(" ")
    if kind != "destroyed" or not act:
        return _word(jinja, "ground", ground)
    return catalog.text(_context(jinja).language, "retention.destroyed_on", on=day, act=act)


@pass_context
def _code(jinja: Context, code: str, params: Mapping[str, str | int | None] | None = None) -> str:
    """The sentence of an error code: the same words as the API's, but for a state, which has its word here."""
    said = dict(params or {})
    if "state" in said:
        said["state"] = _word(jinja, "state", str(said["state"]))
    return messages.sentence(code, _context(jinja).language, said)


@pass_context
def _leak_found(jinja: Context, detail: str) -> str | None:
    return leak_words.found(_context(jinja).language, detail)


@pass_context
def _moment(jinja: Context, at: datetime) -> str:
    return formats.moment(at, _context(jinja).offset_hours)


@pass_context
def _day(jinja: Context, at: datetime) -> str:
    return formats.day(at, _context(jinja).offset_hours)


@pass_context
def _clock(jinja: Context, at: datetime) -> str:
    return formats.clock(at, _context(jinja).offset_hours)


@pass_context
def _size(jinja: Context, size_bytes: int) -> str:
    return formats.size(size_bytes, _context(jinja).language)


@pass_context
def _switch(jinja: Context, kind: str, value: str) -> str:
    """The address that changes language or theme and comes back to this page with its query."""
    context = _context(jinja)
    here = context.path + (f"?{context.query}" if context.query else "")
    return f"/{kind}/{quote(value)}?" + urlencode({"to": here})


@cache
def environment() -> Environment:
    """The one Jinja environment: autoescape on, our templates before GOV.UK's macros."""
    jinja = Environment(
        # GOV.UK's macros import each other by their package's name.
        loader=ChoiceLoader(
            [PackageLoader("portal"), PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})]
        ),
        autoescape=True,
        undefined=_Loud,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.globals.update(
        t=_t,
        tn=_tn,
        word=_word,
        withheld_ground=_withheld_ground,
        leak_found=_leak_found,
        key_table=KEYS,
        asset=assets.url,
        switch=_switch,
        native_names=catalog.NATIVE_NAMES,
        languages=catalog.LANGUAGES,
    )
    filters: dict[str, Callable[..., Any]] = {
        "moment": _moment,
        "day": _day,
        "clock": _clock,
        "size": _size,
        "duration": formats.duration,
        "short_digest": formats.short_digest,
        "grouped": catalog.grouped,
        "code": _code,
    }
    jinja.filters.update(filters)
    return jinja


def page(template: str, context: RequestContext, model: Any, **more: Any) -> str:
    """The HTML of a page. `model` is the template's `m`. Raises MissingText for words the catalog lacks."""
    return environment().get_template(template).render(ctx=context, m=model, **more)
