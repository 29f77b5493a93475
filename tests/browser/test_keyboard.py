"""The main task of sign-in and of both desks, with no mouse."""

from playwright.sync_api import Page, expect
from starlette.applications import Starlette

from tests.browser import samples


def tab_to(page: Page, selector: str, limit: int = 60) -> None:
    """Press Tab until the element has focus; on the way nothing focused may be hidden or under the player."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} was not reached by Tab")


def focus_is_visible(page: Page) -> bool:
    """Whether the focused element shows an outline and is the topmost thing at its own middle."""
    return page.evaluate(
        """() => { const e = document.activeElement, b = e.getBoundingClientRect(), s = getComputedStyle(e);
        const top = document.elementFromPoint(b.left + Math.min(b.width, 40) / 2, b.top + Math.min(b.height, 20) / 2);
        const ring = (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2) || s.boxShadow !== 'none';
        return ring && (e === top || e.contains(top) || top?.contains(e)); }"""
    )


def test_sign_in(page: Page, gallery_url: str, gallery_app: Starlette) -> None:
    gallery_app.state.posted.clear()
    page.goto(f"{gallery_url}/pages/sign-in?lang=en")
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#password")).to_be_focused()
    page.keyboard.type("пароль")
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#login")).to_be_focused()
    assert focus_is_visible(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pages/home")
    path, fields = gallery_app.state.posted[-1]
    assert path == "/sign-in"
    assert (fields["login"], fields["password"], fields["csrf_token"]) == (["saule"], ["пароль"], ["sample"])


def test_skip_link_and_language_switch(page: Page, gallery_url: str) -> None:
    page.goto(f"{gallery_url}/pages/case-people?lang=kk")
    page.locator("#login").fill("қорғаушы")
    page.locator("a[hreflang=ru]").press("Enter")
    page.wait_for_url("**/pages/case-people**")
    expect(page.locator("#login")).to_have_value("қорғаушы")
    page.evaluate("document.body.focus()")
    page.goto(f"{gallery_url}/pages/home?lang=ru")
    page.keyboard.press("Tab")
    expect(page.locator(".govuk-skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"


def test_keys_list(page: Page, gallery_url: str) -> None:
    page.goto(f"{gallery_url}/pages/transcript?lang=en")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    expect(page.locator("dialog#keys")).to_contain_text("5 seconds back")
    page.keyboard.press("Escape")
    expect(page.locator("dialog#keys")).to_be_hidden()


def test_transcript_plays_from_a_word_and_follows(page: Page, gallery_url: str) -> None:
    page.goto(f"{gallery_url}/pages/transcript?lang=ru")
    word = page.locator("[data-turn='3'] .turn__text [data-at]").first
    tab_to(page, "[data-turn='3'] .turn__text [data-at]")
    assert focus_is_visible(page)
    page.keyboard.press("Enter")
    expect(page.locator("[data-turn='3']")).to_have_class("turn turn--playing")
    start = int(word.get_attribute("data-at") or 0) / 1000
    assert page.evaluate("document.querySelector('audio').currentTime") >= start - 0.05
    page.keyboard.press("k")
    page.keyboard.press("p")
    expect(page.locator("[data-turn='2']")).to_have_class("turn turn--playing")
    page.keyboard.press("n")
    page.keyboard.press("n")
    expect(page.locator("[data-turn='4']")).to_have_class("turn turn--playing")
    page.keyboard.press("j")
    assert page.evaluate("document.querySelector('audio').paused") is True
    page.keyboard.press(">")
    assert page.evaluate("document.querySelector('audio').playbackRate") == 1.25


def test_transcript_saves_by_itself_and_keeps_what_was_not_saved(
    page: Page, gallery_url: str, gallery_app: Starlette
) -> None:
    gallery_app.state.saved.clear()
    page.goto(f"{gallery_url}/pages/transcript?lang=en")
    page.keyboard.press("n")
    page.keyboard.press("e")
    area = page.locator("#text-1")
    expect(area).to_be_focused()
    page.keyboard.press("Control+End")
    page.keyboard.type(" түзетілді")
    expect(page.locator("[data-turn='1'] [data-saved]")).to_contain_text("saved")
    revision, text = gallery_app.state.saved[-1]
    assert revision == "2"
    assert text.endswith("түзетілді")
    page.keyboard.type(" сбой")
    expect(page.locator("[data-turn='1'] [data-saved]")).to_contain_text("Not saved")
    page.reload()
    expect(page.locator("#text-1")).to_have_value(text + " сбой")
    expect(page.locator("[data-turn='1'] [data-saved]")).to_contain_text("unsaved text is back")


def test_redaction_decided_by_keys(page: Page, gallery_url: str, gallery_app: Starlette) -> None:
    gallery_app.state.posted.clear()
    page.goto(f"{gallery_url}/pages/redaction?lang=en")
    expect(page.locator("[data-count=open]")).to_have_text("2")
    page.keyboard.press("n")
    page.keyboard.press("n")
    expect(page.locator(f"#s-{samples.ident('s2')}")).to_be_focused()
    assert focus_is_visible(page)
    page.keyboard.press("a")
    chosen = page.locator(f"#s-{samples.ident('s2')} select")
    expect(chosen).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(chosen).to_have_value("witness_safety")
    page.locator(f"#s-{samples.ident('s3')}").focus()
    page.keyboard.press("r")
    expect(page.locator("[data-count=open]")).to_have_text("0")
    expect(page.locator("[data-count=rejected]")).to_have_text("2")
    page.locator("button[value=submit]").press("Enter")
    page.wait_for_url("**/pages/home")
    path, fields = gallery_app.state.posted[-1]
    assert path.endswith("/decisions")
    assert fields[f"decision.{samples.ident('s2')}"] == ["accept"]
    assert fields[f"reason.{samples.ident('s2')}"] == ["witness_safety"]
    assert fields[f"decision.{samples.ident('s3')}"] == ["reject"]
    assert fields["then"] == ["submit"]


def test_words_are_picked_by_keys(page: Page, gallery_url: str) -> None:
    page.goto(f"{gallery_url}/pages/redaction?lang=en")
    page.locator("#add details summary").press("Enter")
    page.locator("[data-number='8']").focus()
    page.keyboard.press("Enter")
    for _ in range(2):
        page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#first")).to_have_value("8")
    expect(page.locator("#last")).to_have_value("10")
    expect(page.locator("[data-picked]")).to_contain_text("зовут")


def test_words_are_picked_by_dragging(page: Page, gallery_url: str) -> None:
    page.goto(f"{gallery_url}/pages/redaction?lang=en")
    page.locator("#add details summary").click()
    page.locator("[data-number='7']").hover()
    page.mouse.down()
    page.locator("[data-number='9']").hover()
    page.mouse.up()
    expect(page.locator("#first")).to_have_value("7")
    expect(page.locator("#last")).to_have_value("9")


def test_record_answers_first_and_bytes_by_keyboard(page: Page, gallery_url: str) -> None:
    page.goto(f"{gallery_url}/pages/record?lang=en")
    first = page.locator("main h1 + ol > li")
    expect(first).to_have_count(3)
    tab_to(page, "details.govuk-details summary")
    assert focus_is_visible(page)
    page.keyboard.press("Enter")
    opened = page.locator("details[open] pre.bytes").first
    expect(opened).to_be_visible()
    tab_to(page, "a[href='/x.pdf']")
    assert focus_is_visible(page)


def test_a_copy_is_recorded_by_keyboard(page: Page, gallery_url: str, gallery_app: Starlette) -> None:
    gallery_app.state.posted.clear()
    page.goto(f"{gallery_url}/pages/exhibit-copies?lang=en")
    page.locator("#medium").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.locator("#recipient")).to_be_focused()
    page.keyboard.type("Expert Olga Demo")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    path, fields = gallery_app.state.posted[-1]
    assert path.endswith("/copies")
    assert (fields["medium"], fields["recipient"]) == (["optical"], ["Expert Olga Demo"])
