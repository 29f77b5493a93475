"""Every word a page asks for is there in kk, ru and en; nothing is left over; every event has its sentence."""

import re
import string
from pathlib import Path

import pytest

from custody.event import WHO
from custody.proof.shapes import SHAPES
from evidence_api.access import policy
from portal import catalog, rendering
from portal.catalog import LANGUAGES, MissingText, entries
from portal.pages import audit, cases, exhibits, session

ROOT = Path(__file__).parents[3]
SOURCES = [
    *(ROOT / "portal" / "templates").glob("*.html"),
    *(path for path in (ROOT / "portal").rglob("*.py") if "node_modules" not in path.parts),
    *(ROOT / "evidence_api" / "disclosure").glob("reader*"),
]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES if path.is_file())
LITERALS = set(re.findall(r"""["']([a-z_]+(?:\.[A-Za-z_]+)+)["']""", TEXT))
PREFIXES = set(re.findall(r"""(?:t|tn)\(["']([a-z_.]+[._])["'] ~""", TEXT))
PREFIXES |= {f"{prefix}." for prefix in re.findall(r"""word\(["']([a-z_.]+)["']""", TEXT)}
PREFIXES |= {"event.", "result.", "notice.", "claim."}  # looked up by code in portal.pages and portal.rendering
PREFIXES |= {"act.", "denied."}  # what was refused and why, in portal.pages.events
PREFIXES |= {"leak_found."}  # by what a report says in portal.leak_words
PREFIXES |= {"record.same.", "paper."}  # by verdict in portal.views.record, by part in portal.trail_paper


def used(key: str) -> bool:
    return key in LITERALS or any(key.startswith(prefix) for prefix in PREFIXES)


def fields(entry: catalog.Entry) -> set[str]:
    texts = [entry] if isinstance(entry, str) else list(entry.values())
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_refused_act_is_told_in_words() -> None:
    """Which act (a route of the policy) and why (a reason of its predicates), each in a word of the reader's."""
    source = Path(policy.__file__ or "").read_text()
    reasons = {*re.findall(r"reason=\"(\w+)\"", source), *re.findall(r"return \"(\w+)\"", source)}
    reasons |= {"second_person_needed", "csrf"}  # of `~submitter`, and of the guard
    wanted = {f"act.{route}" for route in policy.ROUTES} | {f"denied.{reason}" for reason in reasons}
    assert {key for key in entries("kk") if key.startswith(("act.", "denied."))} == wanted


def test_languages_have_the_same_keys() -> None:
    keys = {language: set(entries(language)) for language in LANGUAGES}
    assert keys["kk"] == keys["ru"] == keys["en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_left_in_another_language(language: catalog.Language) -> None:
    for key, entry in entries(language).items():
        for text in [entry] if isinstance(entry, str) else entry.values():
            assert text.strip(), key
            if language == "en":
                assert not re.search("[А-Яа-яЁё]", text), key
            if language == "ru":
                assert not re.search("[ӘәҒғҚқҢңӨөҰұҮүҺһІі]", text), key


@pytest.mark.parametrize("key", sorted(entries("en")))
def test_parameters_agree_across_languages(key: str) -> None:
    shapes = {language: entries(language)[key] for language in LANGUAGES}
    assert len({isinstance(entry, str) for entry in shapes.values()}) == 1
    assert fields(shapes["kk"]) == fields(shapes["ru"]) == fields(shapes["en"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_the_forms_of_their_language(language: catalog.Language) -> None:
    needed = {"kk": {"other"}, "ru": {"one", "few", "many", "other"}, "en": {"one", "other"}}[language]
    for key, entry in entries(language).items():
        if not isinstance(entry, str):
            assert set(entry) == needed, key


def test_every_key_asked_for_exists() -> None:
    asked = set(re.findall(r"""\b(?:t|tn)\(["']([a-z_]+(?:\.[A-Za-z_]+)+)["'][),]""", TEXT))
    assert asked
    assert asked <= set(entries("en")), asked - set(entries("en"))


def test_no_key_is_left_over() -> None:
    left = [key for key in entries("en") if not used(key)]
    assert left == []


@pytest.mark.parametrize("type", sorted(WHO))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_event_has_a_sentence_that_only_says_what_the_event_must_hold(
    type: str, language: catalog.Language
) -> None:
    entry = entries(language)[f"event.{type}"]
    assert fields(entry) <= SHAPES[type].required


def test_no_sentence_for_an_event_that_does_not_exist() -> None:
    described = {key.removeprefix("event.") for key in entries("en") if key.startswith("event.")}
    assert described == set(WHO)


def test_closed_lists_have_words() -> None:
    wanted = [f"exhibit.do.{action}" for action in exhibits.ACTIONS]
    wanted += [f"waiting.{kind}" for kind in session.WAITING_KINDS]
    wanted += [f"case.tab.{tab}" for tab in cases.TABS] + [f"area.{area}" for area in audit.AREAS]
    wanted += [meaning for _, keys in rendering.KEYS for _, meaning in keys]
    assert [key for key in wanted if key not in entries("en")] == []


def test_missing_text_is_refused() -> None:
    with pytest.raises(MissingText):
        catalog.text("kk", "no.such.key")
    with pytest.raises(MissingText):
        catalog.counted("kk", "common.product", 1)


def test_plural_of_russian() -> None:
    said = [catalog.counted("ru", "home.exhibits", count) for count in (1, 2, 5, 21, 12345)]
    assert said[:4] == ["1 доказательство", "2 доказательства", "5 доказательств", "21 доказательство"]
    assert said[4] == "12\u202f345 доказательств"
