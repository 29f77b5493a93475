"""Every real page of the played story: nothing for axe, nothing too wide in any language, a picture when asked for."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Page

from evidence_api.demo import cast
from tests.browser import story
from tests.browser.real import Stage
from tests.browser.test_pages import axe_faults

ROOT = Path(__file__).parents[2]
LANGUAGES = ("kk", "ru", "en")
PAGES: Mapping[cast.Cast, tuple[str, ...]] = {
    cast.INVESTIGATOR: (
        "/",
        "/cases/new",
        "{case}",
        "{case}/people",
        "{case}/upload",
        "{case}/upload/receipt",
        "{receipt}",
        "/help",
    ),
    cast.PROSECUTOR: (
        "/",
        "{sound}",
        "{sound}/transcript",
        "{sound}/transcript/print",
        "{sound}/redaction/review",
        "{sound}/renditions",
        "{pdf}/redaction",
        "{case}/disclosures",
        "{case}/disclosures/new",
        "{draft}",
    ),
    cast.SUPERVISOR: ("/", "{picture}"),
    cast.DEFENCE: ("/", "{round}"),
    cast.AUDITOR: (
        "/",
        "{case}",
        "{sound}",
        "{case}/trail",
        "{case}/trail?area=plan&actor=nobody",
        "{sound}/record",
        "{case}/trail/print",
        "/ledger",
        "/ledger/anchors",
        "/fixity",
        "/none",
    ),
    cast.ADMINISTRATOR: ("/", "{case}/people"),
}
NARROW = (
    "{sound}",
    "{sound}/transcript",
    "{sound}/redaction/review",
    "{pdf}/redaction",
    "{round}",
    "{case}/trail",
    "{case}/upload",
    "{receipt}",
    "{sound}/record",
    "/fixity",
)
"""Looked at on a telephone and in the dark too."""


def _name(who: cast.Cast, address: str) -> str:
    place = re.sub("[^a-z]+", "-", address).strip("-")
    return f"{who.login}-{place or 'home'}"


def _look(page: Page, language: str, *, width: int = 1280, theme: str = "light") -> None:
    page.context.add_cookies([{"name": "language", "value": language, "domain": "127.0.0.1", "path": "/"}])
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=theme)


def _shot(page: Page, name: str) -> list[str]:
    """Whether it is wider than the screen; the whole page is kept as a picture when DALEL_SHOTS is set."""
    if "DALEL_SHOTS" in os.environ:
        folder = ROOT / "artefacts" / "screenshots"
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png", full_page=True)
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return [f"{name}: wider than the screen"] if wide else []


@pytest.mark.parametrize("who", PAGES, ids=lambda who: who.login)
def test_every_page_of(stage: Stage, axe_source: str, who: cast.Cast) -> None:
    story.reach(stage, "left_open")
    page = stage.visit(who)
    stage.faults.clear()
    found: list[str] = []
    for address in PAGES[who]:
        name = _name(who, address)
        for language in LANGUAGES:
            _look(page, language)
            page.goto(address.format(**stage.found))
            found += _shot(page, f"{name}-{language}")
        found += axe_faults(page, axe_source, page.url)
        if address in NARROW:
            _look(page, "ru", width=390)
            page.reload()
            found += _shot(page, f"{name}-ru-390")
            _look(page, "kk", theme="dark")
            page.reload()
            found += _shot(page, f"{name}-kk-dark")
    _look(page, who.language)
    assert found == []
    assert [fault for fault in stage.faults if "status of 404" not in fault] == []


def test_sign_in_page(stage: Stage, axe_source: str) -> None:
    page = stage.context().new_page()
    found: list[str] = []
    for language in LANGUAGES:
        page.goto("/sign-in")
        _look(page, language)
        page.reload()
        found += _shot(page, f"sign-in-{language}")
    found += axe_faults(page, axe_source, page.url)
    assert found == []
