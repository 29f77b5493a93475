"""`verify.html` as a person meets it: three languages, keyboard, drop, what cannot be used; and our own page."""

import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from custody import __main__ as command
from custody.proof import cosignature, note, policy
from custody.proof.refusal import Step, VerificationError
from custody.proof.verify import Verified, verify_path
from evidence_api.disclosure import verifier
from evidence_api.disclosure.verifier.words import INTERFACE
from tests import acts
from tests.attacks import forge
from tests.attacks.keys import ml_dsa_key
from tests.browser.verifier_page import ANSWERED, VerifierPage
from tests.whole import System

GOOD = forge.entries(forge.tell())
POLICY = forge.policy_text().encode()
LANGUAGES = ("kk", "ru", "en")


def outcome(package: bytes) -> Verified | VerificationError:
    try:
        return forge.checked(package)
    except VerificationError as refusal:
        return refusal


@pytest.fixture(params=LANGUAGES)
def opened(request: pytest.FixtureRequest, chromium: Browser, tmp_path: Path) -> Iterator[VerifierPage]:
    made = VerifierPage(chromium, tmp_path, request.param)
    yield made
    made.context.close()


def test_says_what_the_command_says_in_three_languages(opened: VerifierPage) -> None:
    good = forge.zipped(GOOD)
    opened.judge(good, POLICY, b"", outcome(good))
    for entry in ("data/0001/протокол.pdf", "custody/events.jsonl", "custody/proofs.txt", "custody/checkpoint"):
        bad = forge.zipped(forge.replaced(GOOD, entry, lambda data: data.replace(b"a", b"b", 1) + b"x"))
        opened.judge(bad, POLICY, b"", outcome(bad))


def test_what_cannot_be_used_is_said_as_the_command_says_it(
    opened: VerifierPage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policy").write_bytes(b"quorum all\n")
    (tmp_path / "package.zip").write_bytes(b"")
    options = ["verify", str(tmp_path / "package.zip"), "--policy", str(tmp_path / "policy")]
    assert command.main([*options, "--lang", opened.language]) == command.UNUSABLE
    verdict, steps, sentences = opened.check(b"", b"quorum all\n")
    assert (verdict, steps, sentences) == ("unusable", [], [capsys.readouterr().out.strip()])


WITHOUT_ML_DSA = """
  const importKey = SubtleCrypto.prototype.importKey;
  SubtleCrypto.prototype.importKey = function (format, key, algorithm, ...rest) {
    if (algorithm === "ML-DSA-44") return Promise.reject(new DOMException("", "NotSupportedError"));
    return importKey.call(this, format, key, algorithm, ...rest);
  };
"""


def test_a_browser_without_ml_dsa_claims_nothing_that_it_could_not_check(opened: VerifierPage) -> None:
    opened.page.add_init_script(WITHOUT_ML_DSA)
    opened.page.reload()
    ui, policy_44 = INTERFACE[opened.language], forge.policy_text(ml_dsa=["bar"]).encode()
    said = ui["unchecked"].replace("{names}", "bar.example (ML-DSA-44)")
    # two of three are enough: court and university were checked, the bar's line was not, true or false
    for broken in (False, True):
        enough = forge.entries(forge.tell(), cosigning(ml_dsa=("bar",), broken=broken))
        verdict, steps, sentences = opened.check(forge.zipped(enough), policy_44)
        assert (verdict, sentences[-1], steps[9]["lines"][-1]) == ("verified", said, said)
        assert "bar" not in steps[9]["lines"][-2]
    # the bar's would be the second: nothing is known, and neither word is said
    open_end = forge.entries(forge.tell(), cosigning(("court", "bar"), ml_dsa=("bar",)))
    verdict, steps, sentences = opened.check(forge.zipped(open_end), policy_44)
    assert (verdict, len(steps)) == ("unusable", 9)
    assert ui["no_ml_dsa"] in sentences[0]
    # with it there would still be one too few
    alone = forge.entries(forge.tell(), cosigning(("bar",), ml_dsa=("bar",)))
    verdict, steps, _ = opened.check(forge.zipped(alone), policy_44)
    assert (verdict, steps[-1]["code"]) == ("refused", "witnesses.quorum")


def cosigning(
    names: tuple[str, ...] = forge.WITNESS_NAMES, *, ml_dsa: tuple[str, ...] = (), broken: bool = False
) -> forge.Log:
    """A log whose head these witnesses cosign, those in `ml_dsa` with that key, a bit flipped if `broken`."""
    log = forge.Log(forge.chained(forge.tell().events), witnesses=tuple(name for name in names if name not in ml_dsa))
    signed = log.signed

    def also(text: str) -> note.Note:
        lines = list(signed(text).signatures)
        for name in ml_dsa:
            line = cosignature.sign(text, f"{name}.example", ml_dsa_key(name), forge.NOW_S - 60)
            last = bytes([line.payload[-1] ^ broken])
            lines.append(note.Signature(line.name, line.key_id, line.payload[:-1] + last))
        return note.Note(text, tuple(lines))

    log.signed = also  # type: ignore[method-assign]
    return log


def test_both_files_are_asked_for(opened: VerifierPage) -> None:
    opened.page.locator(".govuk-button").click()
    assert opened.page.locator("[role=status]").inner_text() == INTERFACE[opened.language]["choose_both"]


def test_the_language_can_be_changed_with_the_result_kept(chromium: Browser, tmp_path: Path) -> None:
    opened = VerifierPage(chromium, tmp_path, "kk")
    good = forge.zipped(GOOD)
    assert opened.check(good, POLICY)[0] == "verified"
    for language in LANGUAGES:
        opened.page.locator(f".verifier-languages [lang={language}]").click()
        assert opened.page.locator("html").get_attribute("lang") == language
        assert opened.page.title() == INTERFACE[language]["title"]
        assert opened.page.locator(".verifier-verdict").get_attribute("data-verdict") == "verified"
        opened.language = language
        opened.page.locator(".govuk-button").click()
        opened.page.locator(ANSWERED).wait_for()
    opened.context.close()


def test_by_keyboard_alone(chromium: Browser, tmp_path: Path) -> None:
    opened = VerifierPage(chromium, tmp_path, "en")
    page = opened.page
    for name, data in (("package", forge.zipped(GOOD)), ("policy", POLICY)):
        page.locator(f"#verifier-{name}").set_input_files({"name": name, "mimeType": "", "buffer": data})
    page.mouse.click(5, 5)
    page.keyboard.press("Tab")
    walked = []
    for _ in range(7):
        walked.append(page.locator(":focus").evaluate("one => one.id || one.lang || one.className"))
        page.keyboard.press("Tab")
    fields = ["verifier-package", "verifier-policy", "verifier-tsa_roots"]
    assert walked == ["kk", "ru", "en", *fields, "govuk-button"]
    page.locator(".govuk-button").focus()
    page.keyboard.press("Enter")
    page.locator(ANSWERED).wait_for()
    assert page.locator(":focus").get_attribute("class") == "verifier-verdict"
    opened.context.close()


def test_files_can_be_dropped(chromium: Browser, tmp_path: Path) -> None:
    opened = VerifierPage(chromium, tmp_path, "en")
    dropped = opened.page.evaluate_handle(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array([1])], "dalel.ZIP"));
          data.items.add(new File(["quorum none\\n"], "policy.txt"));
          return data;
        }"""
    )
    opened.page.dispatch_event("#verifier", "drop", {"dataTransfer": dropped})
    assert opened.page.locator("#verifier-package-chosen").inner_text() == "dalel.ZIP"
    assert opened.page.locator("#verifier-policy-chosen").inner_text() == "policy.txt"
    opened.page.locator(".govuk-button").click()
    opened.page.locator(ANSWERED).wait_for()
    assert opened.page.locator(".verifier-steps li").get_attribute("data-code") == "container.invalid"
    opened.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_found_by_axe(chromium: Browser, tmp_path: Path, axe_source: str, scheme: str) -> None:
    opened = VerifierPage(chromium, tmp_path, "kk")
    opened.page.emulate_media(color_scheme=scheme)
    bad = forge.replaced(GOOD, "custody/checkpoint", lambda data: data.replace(b"dalel", b"other", 1))
    assert opened.check(forge.zipped(bad), POLICY)[0] == "refused"
    found = opened.page.evaluate(axe_source + ";axe.run()")
    assert [one["id"] for one in found["violations"]] == []
    opened.context.close()


def test_our_own_page_does_the_same_under_its_policy(page: Page, gallery_url: str) -> None:
    page.clock.set_fixed_time(forge.NOW_S - 300)
    page.goto(f"{gallery_url}/pages/verify?lang=ru")
    for name, data in (("package", forge.zipped(GOOD)), ("policy", POLICY)):
        page.locator(f"#verifier-{name}").set_input_files({"name": name, "mimeType": "", "buffer": data})
    page.locator("#verifier .govuk-button").click()
    page.locator(ANSWERED).wait_for()
    assert page.locator(".verifier-verdict").get_attribute("data-verdict") == "verified"
    assert page.locator(".verifier-steps li").count() == len(Step)


def test_the_page_is_whole_in_one_file() -> None:
    text = verifier.page().decode()
    assert verifier.page() is verifier.page()
    assert text.count("<script>") == text.count("</script>") == 1
    assert "http://" not in text
    assert "https://" not in text
    assert len(verifier.page()) < 200_000


def test_a_package_of_the_running_system_brings_its_verifier(system: System, chromium: Browser, tmp_path: Path) -> None:
    case_id = system.case()
    exhibit = system.sealed(case_id, acts.picture(77), "scene.png")
    disclosure_id = acts.ready(system, case_id, acts.burned(system, exhibit))
    answer = system.api("defence")("GET", f"/api/v1/disclosures/{disclosure_id}/package")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as container:
        (name,) = [entry for entry in container.namelist() if entry.endswith("/verify.html")]
        assert container.read(name) == verifier.page()
    path = tmp_path / "real.zip"
    path.write_bytes(answer.content)
    text = system.settings.policy_file.read_bytes()
    opened = VerifierPage(chromium, tmp_path, "kk")
    opened.page.clock.set_fixed_time(time.time())
    opened.judge(answer.content, text, b"", verify_path(path, policy.parse(text)))
    opened.context.close()
