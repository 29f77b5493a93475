"""The acts of the story, played in a browser against the real system. Each leaves its addresses on the stage.

`reach(stage, "released")` plays what has not been played yet, up to that act; an act that failed fails again.
"""

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable

from playwright.sync_api import Page, expect

from evidence_api.demo import cast, people
from evidence_api.demo.story import FILES
from tests.browser.real import Stage, clip
from tests.browser.test_keyboard import focus_is_visible, tab_to

SLOW_MS = 120_000
CONTENTS_LIMIT_BYTES = 100_000
PDF, PICTURE = FILES / "protocol.pdf", FILES / "scene.jpg"


def opened(stage: Stage) -> None:
    """The investigator opens a case."""
    page = stage.visit(cast.INVESTIGATOR)
    page.click("main a[href='/cases/new']")
    page.fill("#erdr", people.ERDR)
    page.fill("#title", "Дүкендегі ұрлық / Кража в магазине")
    page.click("main form button")
    expect(page.locator(".notice--good")).to_be_visible()
    stage.found["case"] = page.url.removeprefix(stage.base_url).partition("?")[0]


def uploaded(stage: Stage) -> None:
    """A sound and a PDF through the desk, a picture through the plain form without scripts; a receipt for all."""
    page = stage.visit(cast.INVESTIGATOR)
    sound = clip(stage.folder / "Жауап алу № 1.wav")
    page.goto(stage.found["case"] + "/upload")
    expect(page.locator("[data-rich]")).to_be_visible()
    describe(page)
    page.locator("[data-input-files]").set_input_files([sound, PDF])
    page.click("[data-start]")
    expect(page.locator("[data-rows] .govuk-tag--good")).to_have_count(2, timeout=SLOW_MS)
    page.click("[data-open-receipt]")
    page.wait_for_url("**/receipts/*", timeout=SLOW_MS)
    stage.found["receipt"] = page.url.removeprefix(stage.base_url)
    for file in (sound, PDF):
        expect(page.locator("main")).to_contain_text("sha256:" + hashlib.sha256(file.read_bytes()).hexdigest())
    sealed = page.locator("main pre.bytes").inner_text().splitlines()
    assert int(sealed[1]) >= 2, "the head on the receipt does not cover the files"
    plain = stage.visit(cast.INVESTIGATOR, scripts=False)
    plain.goto(stage.found["case"] + "/upload")
    describe(plain)
    plain.set_input_files("#files", PICTURE)
    plain.click("[data-plain] button")
    expect(plain.locator("main")).to_contain_text(PICTURE.name)
    row = plain.locator("main tr", has_text=PICTURE.name)
    _until(plain, stage.found["case"], lambda: row.locator(".govuk-tag--good").count() == 1)
    for name, file in (("sound", sound), ("pdf", PDF), ("picture", PICTURE)):
        link = plain.get_by_role("link", name=file.name, exact=True)
        stage.found[name] = link.get_attribute("href") or ""


def granted(stage: Stage) -> None:
    """The administrator puts prosecutors on the case, the prosecutor the defence."""
    page = stage.visit(cast.ADMINISTRATOR)
    page.goto(stage.found["case"] + "/people")
    for member in (cast.PROSECUTOR, cast.SUPERVISOR):
        _grant(page, member)
    page = stage.visit(cast.PROSECUTOR)
    page.goto(stage.found["case"] + "/people")
    _grant(page, cast.DEFENCE)


def transcribed(stage: Stage) -> None:
    """Whisper drafts. The prosecutor plays from a word, corrects (it saves itself), confirms; the keyboard alone."""
    page = stage.visit(cast.PROSECUTOR)
    page.goto(stage.found["sound"])
    _press(page, "form[action$='request-transcript'] button")
    expect(page.locator("[data-live]")).to_have_count(0, timeout=SLOW_MS)
    _press(page, "a[href$='/transcript']")
    tab_to(page, ".turn__text [data-at]")
    assert focus_is_visible(page)
    page.keyboard.press("Enter")
    expect(page.locator(".turn--playing")).to_have_count(1)
    page.keyboard.press("k")
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("Моя фамилия Жумабаев, имя Адилет, отчество Серикович.")
    expect(page.locator("[data-saved]").first).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
    _named(stage)
    page.reload()
    _press(page, "[data-confirm] button")
    expect(page.locator("main")).to_contain_text(cast.PROSECUTOR.name)
    expect(page.locator(".turn__text").first).to_contain_text("Жумабаев")


def _named(stage: Stage) -> None:
    """The speaker is named everywhere, without scripts; the desk that is open elsewhere keeps nothing of the old."""
    page = stage.visit(cast.PROSECUTOR, scripts=False)
    page.goto(stage.found["sound"] + "/transcript")
    turns = page.locator("[data-turn]").count()
    page.fill("#name-1", "Свидетель")
    page.click("form.speaker button")
    expect(page.locator(".turn__speaker", has_text="Свидетель")).to_have_count(turns)


def submitted(stage: Stage) -> None:
    """Suggestions are decided by keys and submitted; one's own plan one cannot approve."""
    page = stage.visit(cast.PROSECUTOR)
    page.goto(stage.found["sound"])
    _press(page, "form[action$='suggest-plan'] button")
    _until(page, stage.found["sound"], lambda: page.locator("main a[href$='/redaction']").count() == 1)
    _press(page, "main a[href$='/redaction']")
    count = page.locator("[data-suggestion]").count()
    assert count >= 1, "the name was not suggested"
    page.keyboard.press("n")
    page.keyboard.press("a")
    page.keyboard.press("ArrowDown")
    tab_to(page, "[data-suggestion] + [data-suggestion], button[value=submit]", 80)
    for _ in range(count - 1):
        page.locator("[data-suggestion].suggestion--open").first.focus()
        page.keyboard.press("a")
    expect(page.locator("[data-count=open]")).to_have_text("0")
    _press(page, "button[value=submit]")
    expect(page).to_have_url(re.compile("/redaction/review"))
    expect(page.locator("form[action$='/approve']")).to_have_count(0)
    expect(page.locator("aside .notice--wait")).to_be_visible()
    forged = page.request.post(
        stage.found["sound"] + "/redaction/approve",
        form={"csrf_token": _csrf(page), "plan_sha256": page.locator("aside .digest").inner_text()},
    )
    assert forged.status == 403, "one's own plan was approved"
    assert "second_person_needed" in forged.text() or "plan.self_approval" in forged.text()


def approved(stage: Stage) -> None:
    """The supervising prosecutor finds the plan on the home page and approves it; the renditions withstand."""
    page = stage.visit(cast.SUPERVISOR)
    page.goto("/")
    expect(page.locator(f".card__waiting a[href='{stage.found['case']}']").first).to_be_visible()
    page.goto(stage.found["sound"] + "/redaction/review")
    expect(page.locator(".hidden-run").first).to_be_visible()
    page.click("form[action$='/approve'] button")
    expect(page.locator("section .govuk-tag--good")).not_to_have_count(0, timeout=SLOW_MS)
    _until(page, stage.found["sound"] + "/renditions", lambda: page.locator("h2 + .govuk-tag--good").count() == 3)
    assert page.locator(".govuk-tag--bad").count() == 0


def released(stage: Stage) -> None:
    """A round is drafted, looked at once more and released; without scripts, as everything that decides."""
    page = stage.visit(cast.PROSECUTOR, scripts=False)
    page.goto(stage.found["case"] + "/disclosures/new")
    page.click("main form button")
    expect(page).to_have_url(re.compile("/disclosures/[0-9a-f-]{36}"))
    stage.found["round"] = page.url.removeprefix(stage.base_url).partition("?")[0]
    expect(page.locator("main")).to_contain_text(cast.DEFENCE.name)
    page.click("form[action$='/release'] button")
    _until(page, stage.found["round"], lambda: page.locator("main .row .govuk-tag--good").count() == 1)


def defended(stage: Stage) -> None:
    """The defence reads, downloads, verifies and signs, with scripts off; then walks the same page by keyboard."""
    page = stage.visit(cast.DEFENCE, scripts=False)
    page.goto("/")
    page.click(f".card a[href='{stage.found['round']}']")
    answer = page.goto(stage.found["round"])
    assert answer is not None
    assert len(answer.body()) <= CONTENTS_LIMIT_BYTES
    digest = page.locator("aside .digest").inner_text()
    with page.expect_download() as arriving:
        page.click("aside a[href$='/package']")
    package = stage.folder / "package.zip"
    arriving.value.save_as(package)
    assert "sha256:" + hashlib.sha256(package.read_bytes()).hexdigest() == digest
    policy = stage.folder / "policy"
    policy.write_bytes(page.request.get("/log/policy").body())
    command = [sys.executable, "-m", "custody", "verify", str(package), "--policy", str(policy)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    walked = stage.visit(cast.DEFENCE)
    walked.goto(stage.found["round"])
    tab_to(walked, "aside a[href$='/package']")
    assert focus_is_visible(walked)
    tab_to(walked, "form[action$='/receipt'] button")
    assert focus_is_visible(walked)
    walked.keyboard.press("Enter")
    expect(walked.locator("form[action$='/receipt']")).to_have_count(0)
    page.reload()
    expect(page.locator("form[action$='/receipt']")).to_have_count(0)


def audited(stage: Stage) -> None:
    """The auditor reads the trail, filters it and takes it along as CSV and JSON."""
    page = stage.visit(cast.AUDITOR)
    page.goto(stage.found["case"] + "/trail")
    whole = page.locator(".chain > li").count()
    page.select_option("#area", "content")
    page.fill("#actor", cast.DEFENCE.login)
    page.click("aside form button")
    expect(page.locator(".chain > li").first).to_be_visible()
    assert 0 < page.locator(".chain > li").count() < whole
    expect(page.locator(".chain > li > p").first).not_to_contain_text(re.compile("[0-9a-f]{8}(,|$)"))
    expect(page.locator("#actor")).to_have_value(cast.DEFENCE.login)
    page.goto(stage.found["case"] + "/trail")
    for kind in ("CSV", "JSON"):
        with page.expect_download() as arriving:
            page.locator(f"a[href*='/trail.{kind.lower()}?']").click()
        target = stage.folder / f"trail.{kind.lower()}"
        arriving.value.save_as(target)
        assert "exhibit.sealed" in target.read_text(encoding="utf-8")


def left_open(stage: Stage) -> None:
    """The PDF's plan is asked for and left undecided, a second round is drafted and left: pages for looking at."""
    page = stage.visit(cast.PROSECUTOR)
    page.goto(stage.found["pdf"])
    page.click("form[action$='suggest-plan'] button")
    _until(page, stage.found["pdf"], lambda: page.locator("main a[href$='/redaction']").count() == 1)
    page.goto(stage.found["case"] + "/disclosures/new")
    page.click("main form button")
    expect(page).to_have_url(re.compile("/disclosures/[0-9a-f-]{36}"))
    stage.found["draft"] = page.url.removeprefix(stage.base_url).partition("?")[0]


ACTS: dict[str, Callable[[Stage], None]] = {
    act.__name__: act
    for act in (opened, uploaded, granted, transcribed, submitted, approved, released, defended, audited, left_open)
}


def reach(stage: Stage, name: str) -> None:
    """Play what was not played yet, up to this act. An act that failed raises its failure again."""
    for act in list(ACTS)[: list(ACTS).index(name) + 1]:
        if act not in stage.played:
            try:
                ACTS[act](stage)
                stage.played[act] = None
            except BaseException as failure:
                stage.played[act] = failure
                raise
        if (failure := stage.played[act]) is not None:
            raise AssertionError(f"the act «{act}» failed before") from failure


def describe(page: Page) -> None:
    page.select_option("#basis", "seizure")
    page.select_option("#purpose", "pretrial")


def _grant(page: Page, member: cast.Cast) -> None:
    page.fill("#login", member.login)
    page.select_option("#role", member.role)
    page.click("aside form button")
    expect(page.locator("main table")).to_contain_text(member.name)


def _press(page: Page, selector: str) -> None:
    """Go to it by Tab and press Enter."""
    tab_to(page, selector, 200)
    assert focus_is_visible(page)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _until(page: Page, address: str, held: Callable[[], bool]) -> None:
    """Ask for a page again until something holds, as a person without scripts would."""
    for _ in range(SLOW_MS // 500):
        page.goto(address)
        if held():
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"{address} did not become what was waited for: {page.locator('main').inner_text()[:2000]}")


def _csrf(page: Page) -> str:
    return page.locator("meta[name=csrf-token]").get_attribute("content") or ""
