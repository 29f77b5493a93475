"""The newer pages with no mouse: every control by Tab, in order and seen; the act; where one lands after it.

On samples, so that each state can be walked at once; `test_the_same_in_the_running_system` walks the real ones.
"""

import pytest
from playwright.sync_api import Page, expect
from starlette.applications import Starlette

from evidence_api.demo import cast
from tests.browser import story
from tests.browser.real import Stage
from tests.browser.test_keyboard import focus_is_visible, tab_to

CONTROLS = (
    """main :is(a[href], button, input:not([type=hidden]), select, textarea, summary, audio, video, [tabindex='0'])"""
)
NEWER = (
    "retention",
    "case-retention",
    "disposal-proposed",
    "disposal",
    "retention-rules",
    "exhibit-pages",
    "exhibit-film",
    "exhibit-alarm",
    "anchors",
    "fixity",
    "fixity-running",
    "home-administrator",
    "home-alarms",
)
_REACHABLE = """selector => [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility() && !e.disabled)
    .forEach((e, at) => { e.dataset.walk = at; }) ?? document.querySelectorAll('[data-walk]').length"""


@pytest.mark.parametrize("name", NEWER)
def test_every_control_is_reached_in_order(page: Page, gallery_url: str, name: str) -> None:
    page.goto(f"{gallery_url}/pages/{name}?lang=kk")
    count = page.evaluate(_REACHABLE, CONTROLS)
    assert count > 0
    page.evaluate("const m = document.querySelector('main'); m.focus()")
    reached: list[int] = []
    for _ in range(4 * count):
        page.keyboard.press("Tab")
        at = page.evaluate(
            "document.activeElement.closest('main')?.contains(document.activeElement) && "
            "document.activeElement.dataset.walk"
        )
        if at in (None, False, ""):
            break
        if reached and reached[-1] == int(at):
            continue
        reached.append(int(at))
        assert focus_is_visible(page), page.evaluate("document.activeElement.outerHTML")
    assert reached == list(range(count))


def act(page: Page, selector: str, key: str = "Enter") -> None:
    """Go to a button by Tab and press it; the page that answers says what was done, and reading goes on there."""
    tab_to(page, selector, 80)
    assert focus_is_visible(page)
    with page.expect_navigation():
        page.keyboard.press(key)
    expect(page.locator("[data-told]")).to_be_focused()
    assert "done=" not in page.url


def complaint(page: Page, field: str, described: str) -> None:
    """A refused form: its summary has the focus and leads to the field, which is marked and says what is wrong."""
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    target = page.locator(field)
    expect(target).to_be_focused()
    assert focus_is_visible(page)
    ids = (target.get_attribute("aria-describedby") or "").split()
    said = " ".join(page.locator(f"[id='{one}']").inner_text() for one in ids)
    assert described in said


def last(gallery_app: Starlette) -> tuple[str, dict[str, list[str]]]:
    """What was posted last."""
    path, fields = gallery_app.state.posted[-1]
    return path, fields


def test_rules_are_changed(page: Page, gallery_url: str, gallery_app: Starlette) -> None:
    page.goto(f"{gallery_url}/language/en?to=/pages/retention-rules")
    complaint(page, "#term_days-1", "acquitted")
    page.keyboard.press("Control+a")
    page.keyboard.type("2190")
    tab_to(page, "#extendable-1")
    page.keyboard.press("Space")
    act(page, "main form button")
    path, fields = last(gallery_app)
    assert path == "/retention-rules"
    assert (fields["term_days-1"], fields["extendable-1"]) == (["2190"], ["1"])
    assert fields["code-2"] == [""]


def test_an_act_is_proposed_signed_approved_and_refused(page: Page, gallery_url: str, gallery_app: Starlette) -> None:
    page.goto(f"{gallery_url}/language/en?to=/pages/case-retention-unpicked")
    complaint(page, "#pick", "at least one")
    tab_to(page, "#pick input[type=checkbox]")
    page.keyboard.press("Space")
    act(page, "form[action$='/disposals'] button")
    path, fields = last(gallery_app)
    assert path.endswith("/disposals")
    assert [name for name in fields if name.startswith("exhibit-")] != []
    act(page, "form[action$='/sign'] button")
    digest = page.locator("[name=act_sha256]").first.get_attribute("value")
    assert last(gallery_app)[1]["act_sha256"] == [digest]
    act(page, "form[action$='/approve'] button", "Space")
    assert last(gallery_app)[0].endswith("/approve")
    page.goto(f"{gallery_url}/language/en?to=/pages/disposal")
    complaint(page, "#reason", "list")
    page.keyboard.press("ArrowDown")
    act(page, "form[action$='/reject'] button")
    assert last(gallery_app)[1]["reason"] == ["still_needed"]


def test_a_hold_is_placed_and_lifted(page: Page, gallery_url: str, gallery_app: Starlette) -> None:
    page.goto(f"{gallery_url}/language/en?to=/pages/retention-ungrounded")
    complaint(page, "#ground", "list")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.locator("#note")).to_have_value("№ 15")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("[data-told]")).to_be_focused()
    path, fields = last(gallery_app)
    assert path.endswith("/holds")
    assert (fields["ground"], fields["note"]) == (["appeal"], ["№ 15"])
    tab_to(page, "main summary")
    page.keyboard.press("Space")
    tab_to(page, "#lift-1", 1)
    page.keyboard.press("ArrowDown")
    act(page, "form[action$='/lift'] button")
    assert last(gallery_app)[1]["ground"] == ["court_order"]


def test_pages_of_a_light_copy(page: Page, gallery_url: str) -> None:
    page.goto(f"{gallery_url}/language/en?to=/pages/exhibit-pages")
    tab_to(page, "#pages a[rel=next]")
    assert focus_is_visible(page)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("#pages")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#pages a[rel=prev]")).to_be_focused()


def test_anchors_are_filtered_and_told_apart(page: Page, gallery_url: str) -> None:
    page.goto(f"{gallery_url}/language/en?to=/pages/anchors")
    names = page.locator("main .chain a").all_inner_texts()
    assert len(names) == len(set(names))
    tab_to(page, "#show")
    page.keyboard.press("ArrowDown")
    tab_to(page, "#until")
    tab_to(page, "main form button")
    assert focus_is_visible(page)
    with page.expect_request("**/ledger/anchors?show=stamped*"):
        page.keyboard.press("Enter")


def test_rounds_and_the_lock(page: Page, gallery_url: str, gallery_app: Starlette) -> None:
    page.goto(f"{gallery_url}/language/en?to=/pages/fixity")
    links = page.locator("main .notice a").all_inner_texts()
    assert len(links) == len(set(links)) == 2
    tab_to(page, "#deep")
    page.keyboard.press("Space")
    act(page, "form[action='/fixity/rounds'] button")
    assert last(gallery_app)[1]["deep"] == ["yes"]
    page.goto(f"{gallery_url}/language/en?to=/pages/fixity")
    act(page, "form[action='/fixity/lock'] button")
    expect(page.locator("[data-told]")).to_have_class("notice notice--bad")
    expect(page.locator("[data-told]")).to_have_attribute("role", "alert")


def test_an_exhibit_is_checked_on_demand(page: Page, gallery_url: str, gallery_app: Starlette) -> None:
    page.goto(f"{gallery_url}/language/en?to=/pages/exhibit-alarm")
    act(page, "form[action$='/check-fixity'] button[name=deep]")
    assert last(gallery_app)[1]["deep"] == ["yes"]
    expect(page.locator("main [data-live]").last).to_contain_text("checked")


def test_the_chain_in_parts_balances(page: Page, gallery_url: str) -> None:
    page.goto(f"{gallery_url}/language/en?to=/pages/exhibit-part")
    shown = page.locator("#chain-title ~ .panel .chain > li").count()
    part = page.locator("#chain-title + p").inner_text()
    assert "317 events" in part
    assert f"Newer: 50, on this page: {shown}, older: 262." in part
    assert 50 + shown + 262 == 317
    tab_to(page, "a[href*='before=262']", 120)
    assert focus_is_visible(page)


def test_the_same_in_the_running_system(stage: Stage) -> None:
    story.reach(stage, "granted")
    _hold(stage)
    _check(stage)
    _category(stage)
    assert stage.faults == []


def _hold(stage: Stage) -> None:
    page = stage.visit(cast.PROSECUTOR)
    page.goto(stage.found["picture"] + "/retention")
    tab_to(page, "form[action$='/holds'] button", 80)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    complaint(page, "#ground", "")
    page.keyboard.press("ArrowDown")
    act(page, "form[action$='/holds'] button")
    tab_to(page, "main .notice summary")
    page.keyboard.press("Enter")
    act(page, "form[action$='/lift'] button")
    expect(page.locator("form[action$='/lift']")).to_have_count(0)


def _check(stage: Stage) -> None:
    page = stage.visit(cast.PROSECUTOR)
    page.goto(stage.found["picture"])
    act(page, "form[action$='/check-fixity'] button:not([name])")
    expect(page.locator("form[action$='/check-fixity']")).to_have_count(1, timeout=story.SLOW_MS)
    page = stage.visit(cast.AUDITOR)
    page.goto("/ledger/anchors")
    tab_to(page, "#show")
    page.goto("/fixity")
    act(page, "form[action='/fixity/rounds'] button")
    expect(page.locator("#rounds ~ .panel").first).to_be_visible()


def _category(stage: Stage) -> None:
    """The administrator adds a category, the investigator puts a file under it: its term is the rule's."""
    page = stage.visit(cast.ADMINISTRATOR)
    page.goto("/")
    expect(page.locator(f".card a[href='{stage.found['case']}/people']").first).to_be_visible()
    page.goto("/retention-rules")
    row = page.locator("main tbody tr").filter(has=page.locator("input")).count() - 1
    for field, text in (("code", "juvenile"), ("kk", "Кәмелетке толмаған"), ("ru", "Несовершеннолетний")):
        tab_to(page, f"#{field}-{row}", 120)
        page.keyboard.type(text)
    page.keyboard.press("Tab")
    page.keyboard.type("Juvenile")
    for days in ("4000", "400"):
        page.keyboard.press("Tab")
        page.keyboard.type(days)
    act(page, "main form button")
    page = stage.visit(cast.INVESTIGATOR)
    page.goto(stage.found["case"] + "/upload")
    story.describe(page)
    page.locator("#purpose").focus()
    tab_to(page, "#category", 2)
    expect(page.locator("#retain_days")).to_be_visible()
    page.keyboard.press("End")
    expect(page.locator("#retain_days")).to_be_hidden()
    file = stage.folder / "санатпен.txt"
    file.write_text("санатпен")
    page.locator("[data-input-files]").set_input_files(file)
    tab_to(page, "[data-start]")
    page.keyboard.press("Enter")
    expect(page.locator("[data-rows] [data-state=sealed]")).to_have_count(1, timeout=story.SLOW_MS)
    page.goto(stage.found["case"])
    named = page.get_by_role("link", name=file.name, exact=True)
    while not named.count():  # the newest is on the last page, and other tests have sent many
        page.goto(page.locator("a[href*='cursor=']").last.get_attribute("href") or "")
    named.click()
    expect(page.locator("#retention-title + dl")).to_contain_text("Кәмелетке толмаған")
