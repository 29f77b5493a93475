"""The investigator's desk whole: a tree of files by keyboard alone, and a large file whose cable is pulled twice.

The long form of the same (500 files, 8 GiB) is `python -m bench.desk`: too long for every change.
"""

import os
from pathlib import Path

import pikepdf
from playwright.sync_api import Page, expect

from evidence_api.demo import cast
from tests.browser import real, story
from tests.browser.real import Stage
from tests.browser.test_keyboard import focus_is_visible, tab_to
from tests.browser.test_uploads import SLOW_MS, at_the_desk, describe
from tests.cable import cable_to
from tests.whole import until

MANY = 60
LARGE_BYTES = 64 * 1024 * 1024
ROWS = "[data-rows] th[scope=row]"


def tree(folder: Path) -> Path:
    """Sixty files in folders with Kazakh names, a copy of one, an empty one."""
    top = folder / "Тінту 14.03"
    for number in range(MANY - 2):
        place = top / f"Диск {number % 4}" / "ішкі"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"файл {number:02} 📷.bin").write_bytes(os.urandom(1000 + number))
    (top / "көшірме.bin").write_bytes((top / "Диск 0" / "ішкі" / "файл 00 📷.bin").read_bytes())
    (top / "бос.txt").touch()
    return top


def press(page: Page, selector: str) -> None:
    tab_to(page, selector)
    assert focus_is_visible(page)
    page.keyboard.press("Enter")


def test_many_files_by_keyboard_alone(stage: Stage) -> None:
    page = at_the_desk(stage)
    top = tree(stage.folder)
    expect(page.locator("[data-rich]")).to_be_visible()
    for name, presses in (("#basis", 3), ("#purpose", 1)):
        tab_to(page, name)
        assert focus_is_visible(page)
        for _ in range(presses):
            page.keyboard.press("ArrowDown")
    with page.expect_file_chooser() as choice:
        press(page, "[data-pick-folder]")
    choice.value.set_files(top)
    expect(page.locator(ROWS)).to_have_count(MANY)
    expect(page.locator("[data-rows] .branch")).to_have_count(5)
    expect(page.locator("[data-trouble-list] li")).to_have_count(1)
    expect(page.locator("[data-trouble-list] li")).to_contain_text("exhibit.empty")
    press(page, "[data-start]")
    expect(page.locator("[data-open-receipt]")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("[data-rows] [data-state=sealed]")).to_have_count(MANY - 2)
    expect(page.locator("[data-rows] [data-state=duplicate]")).to_have_count(1)
    expect(page.locator("[data-total=done]")).to_have_text(f"{MANY - 1} / {MANY}")
    expect(page.locator("[data-announce]")).to_contain_text(str(MANY - 2))
    press(page, "[data-trouble-list] button")
    expect(page.locator(ROWS)).to_have_count(MANY - 1)
    page.keyboard.press("Home")
    page.locator("[data-pick-files]").focus()
    press(page, "[data-open-receipt]")
    page.wait_for_url("**/receipts/*", timeout=SLOW_MS)
    expect(page.locator("main tbody tr")).to_have_count(MANY - 2)
    with page.expect_download() as download:
        page.click("main a[download]")
    with pikepdf.open(download.value.path()) as pdf:
        assert len(pdf.pages) > 1
    page.goto(stage.found["case"] + "/upload")
    expect(page.locator("#receipts-title + ul a").first).to_be_visible()


def test_refusals_come_before_sending_and_a_draft_is_thrown_away(stage: Stage) -> None:
    page = at_the_desk(stage)
    describe(page)
    folder = stage.folder / "Ережелер"
    folder.mkdir()
    (folder / "a\\b.txt").write_bytes(os.urandom(10))
    (folder / "жақсы.txt").write_bytes(os.urandom(10))
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if "/api/v1/uploads" in one.url else None)
    page.locator("[data-input-folder]").set_input_files(folder)
    expect(page.locator("[data-trouble-list] li")).to_contain_text("upload.bad_name")
    expect(page.locator("[data-total=left]")).to_have_text("1")
    page.locator("[data-rows] tr", has_text="жақсы.txt").locator("button").press("Enter")
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator("[data-total=left]")).to_have_text("0")
    assert sent == []


def test_a_large_file_survives_two_cuts(stage: Stage) -> None:
    story.reach(stage, "opened")
    file = stage.folder / "үлкен 64 МиБ.bin"
    file.write_bytes(os.urandom(LARGE_BYTES))
    with cable_to(stage.base_url) as (cable, url):
        far = real.Stage(url, stage.passwords, stage.browser, stage.folder)
        page = far.visit(cast.INVESTIGATOR)
        page.goto(stage.found["case"] + "/upload")
        describe(page)
        page.locator("[data-input-files]").set_input_files(file)
        offsets: list[int] = []
        page.on(
            "request", lambda one: offsets.append(int(one.headers["upload-offset"])) if one.method == "PATCH" else None
        )
        for part in (1, 2):
            cable.cut_at(cable.sent_bytes + LARGE_BYTES * (5 if part == 1 else 2) // 8)
            if part == 1:
                page.click("[data-start]")
            until(lambda: cable.is_cut, 120)
            expect(page.locator("[data-rows] .govuk-tag--good")).to_have_count(0)
            cable.mend()
        expect(page.locator("[data-rows] [data-state=sealed]")).to_have_count(1, timeout=SLOW_MS)
        assert cable.cuts == 2
        assert offsets.count(0) == 1, "it began anew"
        assert offsets == sorted(offsets), "what was durable was sent again"
        page.context.close()
