"""Uploads that go wrong on the way: a page reloaded, the cable out, an answer lost; folders dropped on the desk."""

import os
from pathlib import Path

from playwright.sync_api import Dialog, Page, Route, expect

from evidence_api.demo import cast
from tests.browser import story
from tests.browser.real import Stage

PART_BYTES = 16 * 1024 * 1024
ALONE_BYTES = 300_000
"""More than what goes together with others in one request."""
SLOW_MS = 90_000


def big_file(stage: Stage, name: str) -> Path:
    """More than one part of the desk's, never the same twice."""
    target = stage.folder / name
    target.write_bytes(os.urandom(PART_BYTES + 1_000_000))
    return target


def at_the_desk(stage: Stage) -> Page:
    story.reach(stage, "opened")
    page = stage.visit(cast.INVESTIGATOR)
    page.goto(stage.found["case"] + "/upload")
    expect(page.locator("[data-rich]")).to_be_visible()
    if page.locator("[data-resume-forget]").is_visible():  # what another test chose and did not send
        page.click("[data-resume-forget]")
    expect(page.locator("[data-resume]")).to_be_hidden()
    return page


def describe(page: Page) -> None:
    expect(page.locator("[data-rich]")).to_be_visible()
    page.select_option("#basis", "seizure")
    page.select_option("#purpose", "pretrial")


def send(page: Page, file: Path) -> None:
    describe(page)
    page.locator("[data-input-files]").set_input_files(file)
    page.click("[data-start]")


def sealed(page: Page) -> None:
    expect(page.locator("[data-rows] .govuk-tag--good")).to_have_count(1, timeout=SLOW_MS)


def test_a_reloaded_page_goes_on_at_the_byte_and_leaving_is_warned_of(stage: Stage) -> None:
    page, file = at_the_desk(stage), big_file(stage, "reloaded.bin")
    offsets: list[str] = []
    warned: list[str] = []

    def part(route: Route) -> None:
        offsets.append(route.request.headers["upload-offset"])
        if offsets == ["0"] or len(offsets) > 2:
            route.continue_()  # the second part never gets through; after the reload all do

    def warn(dialog: Dialog) -> None:
        warned.append(dialog.type)
        dialog.accept()

    page.on("dialog", warn)
    page.route(
        "**/api/v1/uploads/*", lambda route: part(route) if route.request.method == "PATCH" else route.continue_()
    )
    with page.expect_request(lambda request: request.headers.get("upload-offset") == str(PART_BYTES)):
        send(page, file)
    page.reload()
    assert warned == ["beforeunload"]
    expect(page.locator("[data-resume-go]")).to_contain_text("1")
    with page.expect_file_chooser() as choice:
        page.locator("[data-resume-go]").press("Enter")
    choice.value.set_files(file)
    sealed(page)
    assert offsets == ["0", str(PART_BYTES), str(PART_BYTES)]
    page.unroute_all()
    page.remove_listener("dialog", warn)
    page.goto(stage.found["case"] + "/upload")
    expect(page.locator("[data-rich]")).to_be_visible()
    expect(page.locator("[data-resume]")).to_be_hidden()


def test_a_cut_connection_is_told_and_waited_for(stage: Stage) -> None:
    page, file = at_the_desk(stage), big_file(stage, "cut.bin")
    cut = [True]

    def part(route: Route) -> None:
        second = route.request.headers.get("upload-offset") == str(PART_BYTES)
        route.abort("internetdisconnected") if second and cut[0] else route.continue_()

    page.route("**/api/v1/uploads/*", part)
    with page.expect_request(lambda request: request.headers.get("upload-offset") == str(PART_BYTES)):
        send(page, file)
    page.context.set_offline(True)
    try:
        expect(page.locator("[data-offline]")).to_be_visible()
    finally:
        cut[0] = False
        page.context.set_offline(False)
    sealed(page)
    page.unroute_all()
    stage.faults.clear()


def test_a_lost_answer_makes_no_second_exhibit(stage: Stage) -> None:
    page, file = at_the_desk(stage), stage.folder / "lost.bin"
    file.write_bytes(os.urandom(2_000_000))
    lost: list[int] = []

    def create(route: Route) -> None:
        answer = route.fetch()
        if lost:
            route.fulfill(response=answer)
        else:
            lost.append(answer.status)
            route.abort("connectionreset")

    page.route("**/api/v1/uploads", create)
    send(page, file)
    sealed(page)
    page.unroute_all()
    assert lost == [201]
    stage.faults.clear()


def test_a_folder_is_dropped_with_its_tree(stage: Stage) -> None:
    page = at_the_desk(stage)
    folder = stage.folder / "Тінту"
    (folder / "Диск").mkdir(parents=True, exist_ok=True)
    (folder / "Диск" / "қолхат 📷.txt").write_bytes(os.urandom(40))
    (folder / "тізім.txt").write_bytes(os.urandom(40))
    expect(page.locator("[data-rich]")).to_be_visible()
    box = page.locator("[data-drop]").bounding_box()
    assert box is not None
    protocol = page.context.new_cdp_session(page)
    at = {
        "x": box["x"] + 20,
        "y": box["y"] + 20,
        "data": {"items": [], "files": [str(folder)], "dragOperationsMask": 1},
    }
    for kind in ("dragEnter", "dragOver", "drop"):
        protocol.send("Input.dispatchDragEvent", {"type": kind, **at})
    expect(page.locator("[data-rows] th[scope=row]")).to_have_count(2)
    told = page.locator("[data-rows] tbody th").all_inner_texts()
    names = [text.partition("\n")[0].lstrip("▾ ").removesuffix(" 1 файл") for text in told]
    assert names == ["Тінту", "тізім.txt", "Тінту / Диск", "қолхат 📷.txt"]


def test_small_files_go_together_and_a_lost_answer_loses_none(stage: Stage) -> None:
    page = at_the_desk(stage)
    folder = stage.folder / "Бірге"
    folder.mkdir(exist_ok=True)
    for number in range(40):
        (folder / f"{number}.bin").write_bytes(os.urandom(2_000 + number))
    together: list[str] = []
    alone: list[str] = []

    def send(route: Route) -> None:
        together.append(route.request.headers["idempotency-key"])
        if len(together) == 1:
            route.fetch()  # the server takes them all, and nobody hears of it
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/small-files", send)
    page.on("request", lambda one: alone.append(one.url) if one.url.endswith("/api/v1/uploads") else None)
    describe(page)
    page.locator("[data-input-folder]").set_input_files(folder)
    page.click("[data-start]")
    expect(page.locator("[data-open-receipt]")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("[data-rows] .govuk-tag--good")).to_have_count(40)
    assert 1 <= len(together) <= 6
    assert alone == []
    stage.faults.clear()


def test_what_was_destroyed_is_said_and_a_person_decides(stage: Stage) -> None:
    """The server's answers are those of a case in which an act was carried out meanwhile: that takes a day at least."""
    page, file = at_the_desk(stage), stage.folder / "destroyed.txt"
    file.write_bytes(os.urandom(1000))
    gone = {"state": "destroyed", "reason": "upload.destroyed"}

    def told(route: Route) -> None:
        answer = route.fetch()
        items = [one | gone for one in answer.json()["items"]]
        route.fulfill(response=answer, json={"items": items})

    def surveyed(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        items = [one | ({"destroyed": 7} if one["state"] == "new" else {}) for one in body["items"]]
        route.fulfill(response=answer, json=body | {"items": items})

    page.route("**/survey", surveyed)
    send(page, file)
    sealed(page)
    expect(page.locator("[data-rows]")).to_contain_text("№ 7 дәлел болған")
    page.route("**/states", told)
    page.reload()
    expect(page.locator("[data-rich]")).to_be_visible()
    page.locator("[data-input-files]").set_input_files(file)  # delivered, as the desk remembers: asked after, not sent
    expect(page.locator("[data-trouble]")).to_contain_text("upload.destroyed", timeout=SLOW_MS)
    expect(page.locator("[data-rows] [data-state=failed]")).to_have_count(1)
    page.unroute_all()


def test_a_closed_browser_resumes_what_is_left(stage: Stage) -> None:
    """Sealed ones are not sent again, the list and the description come back, and the tab's end is no loss."""
    page = at_the_desk(stage)
    folder = stage.folder / "Кейін"
    folder.mkdir(exist_ok=True)
    for number in range(6):
        (folder / f"{number}.bin").write_bytes(os.urandom(ALONE_BYTES + number))
    held = [True]
    created: list[str] = []

    def create(route: Route) -> None:
        name = route.request.headers["upload-metadata"]
        created.append(name)
        route.continue_() if not held[0] or len(set(created)) <= 3 else route.abort("internetdisconnected")

    describe(page)
    page.route("**/api/v1/uploads", create)
    page.locator("[data-input-folder]").set_input_files(folder)
    page.click("[data-start]")
    expect(page.locator("[data-rows] .govuk-tag--good")).to_have_count(3, timeout=SLOW_MS)
    later = page.context.new_page()
    page.close(run_before_unload=False)
    stage.replace(cast.INVESTIGATOR, later)
    later.goto(stage.found["case"] + "/upload")
    expect(later.locator("[data-resume-go]")).to_contain_text("3")
    expect(later.locator("#basis")).to_have_value("seizure")
    again: list[str] = []
    later.on("request", lambda one: again.append(one.url) if one.method == "POST" and "/uploads" in one.url else None)
    with later.expect_file_chooser() as choice:
        later.click("[data-resume-go]")
    choice.value.set_files(folder)
    expect(later.locator("[data-open-receipt]")).to_be_visible(timeout=SLOW_MS)
    expect(later.locator("[data-rows] .govuk-tag--good")).to_have_count(6)
    assert len(again) == 3
    stage.faults.clear()
