"""Every page: nothing for axe to find (WCAG 2.2 AA), nothing wider than the screen, every Kazakh letter in our type."""

import gzip
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from portal import assets
from tests.browser import sample_pages

NAMES = [*sample_pages.PAGES, "help", "verify"]
LOOKS = (("ru", "dark", 390), ("kk", "dark", 1280), ("en", "light", 390))
"""Languages, themes and widths together; light pages at 1280 px are looked at as they really are (test_real_pages)."""
WIDTH_ONLY = LOOKS[0]
"""axe sees this theme and this width in the other two; the longest words are Russian."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
KAZAKH = "ӘәҒғҚқҢңӨөҰұҮүҺһІі АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ абвгдеёжзийклмнопрстуфхцчшщъыьэюя"


def axe_faults(page: Page, axe_source: str, name: str) -> list[str]:
    """What axe finds on the page as it is shown."""
    page.evaluate(axe_source)
    result = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    return [
        f"{name}: {fault['id']} at {[node['target'][0] for node in fault['nodes'][:3]]}: "
        f"{fault['nodes'][0]['failureSummary']}"
        for fault in result["violations"]
    ]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look)))
def test_every_page(
    chromium: Browser, gallery_url: str, axe_source: str, shots: Path | None, look: tuple[str, str, int]
) -> None:
    language, theme, width = look
    context = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme=theme, bypass_csp=True)
    page = context.new_page()
    found: list[str] = []
    for name in NAMES:
        page.goto(f"{gallery_url}/pages/{name}?lang={language}")
        if look != WIDTH_ONLY:
            found += axe_faults(page, axe_source, name)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"{name}: wider than {width} px")
        if shots:
            page.screenshot(path=shots / f"{name}-{language}-{theme}-{width}.png", full_page=True)
    context.close()
    assert found == []


def test_what_is_sent_is_small() -> None:
    """Gzipped, as docs/portal.md promises."""
    most = {"upload": 25_000, "hasher": 3_000, "main.css": 16_000}
    for place in assets.BUILD.glob("*-*.*s"):
        name = place.name.rpartition("-")[0]
        allowed = most.get(f"{name}.css" if place.suffix == ".css" else name, 3_000)
        assert len(gzip.compress(place.read_bytes(), 9)) <= allowed, place.name


def test_pages_load_nothing_from_elsewhere(page: Page, gallery_url: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in ("sign-in", "transcript", "upload"):
        page.goto(f"{gallery_url}/pages/{name}")
    assert [url for url in asked if not url.startswith((gallery_url, "data:", "blob:"))] == []


def test_every_kazakh_letter_is_in_our_type(page: Page, gallery_url: str) -> None:
    page.goto(f"{gallery_url}/pages/home?lang=kk")
    page.evaluate(
        "text => { document.querySelector('h1').textContent = text; return document.fonts.ready.then(() => 1) }", KAZAKH
    )
    page.wait_for_timeout(300)
    protocol = page.context.new_cdp_session(page)
    protocol.send("DOM.enable")
    protocol.send("CSS.enable")
    root = protocol.send("DOM.getDocument")["root"]["nodeId"]
    node = protocol.send("DOM.querySelector", {"nodeId": root, "selector": "h1"})["nodeId"]
    fonts = protocol.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    assert {font["familyName"].removesuffix(" Variable") for font in fonts} == {"Golos Text"}
    assert all(font["isCustomFont"] for font in fonts)


def test_pages_read_without_scripts(chromium: Browser, gallery_url: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{gallery_url}/pages/upload?lang=en")
    assert page.get_by_label("Files", exact=True).is_visible()
    page.goto(f"{gallery_url}/pages/transcript?lang=en")
    page.locator("details.turn__edit summary").first.click()
    assert page.get_by_role("button", name="Save", exact=True).first.is_visible()
    page.goto(f"{gallery_url}/pages/disclosure?lang=en")
    assert page.get_by_role("button", name="Download the package").is_visible()
    context.close()
