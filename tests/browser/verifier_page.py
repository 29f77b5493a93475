"""`verify.html` open from file:// in a real Chromium, beside the command's own words."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from custody.proof import words
from custody.proof.refusal import VerificationError
from custody.proof.verify import Passed, Verified
from evidence_api.disclosure import verifier
from tests.attacks.forge import NOW_S

ANSWERED = ".verifier-verdict:not([data-verdict=''])"
TOLERANCE_S = 300


class VerifierPage:
    """One page in one language; every request it might make is noted in `requests`."""

    def __init__(self, browser: Browser, folder: Path, language: str) -> None:
        self.language = language
        self.file = folder / "verify.html"
        self.file.write_bytes(verifier.page())
        self.context: BrowserContext = browser.new_context(locale=language, color_scheme="light")
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.faults: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda line: self.faults.append(line.text))
        self.page.clock.set_fixed_time(NOW_S - TOLERANCE_S)
        self.page.goto(self.file.as_uri())

    def judge(self, package: bytes, policy: bytes, roots: bytes, outcome: Verified | VerificationError) -> None:
        """Asserts that the page comes to the command's outcome in the command's words."""
        verdict, steps, sentences = self.check(package, policy, roots)
        if isinstance(outcome, Verified):
            assert verdict == "verified"
            passed, last = outcome.steps, None
            said = words.said("verified", self.language, files=len(outcome.files), exhibits=outcome.exhibits)
            unsigned = words.said("unsigned", self.language, names=", ".join(outcome.unsigned))
            assert sentences == [said, words.said("limits", self.language), unsigned]
        else:
            last = outcome
            assert verdict == "refused", (str(outcome), sentences)
            found = (int(last.step), last.code)
            assert (int(steps[-1]["step"]), steps[-1]["code"]) == found, (str(outcome), steps[-1])
            name = words.step_name(last.step, self.language)
            assert sentences == [words.said("refused", self.language, step=int(last.step), name=name)]
            passed = ()
        for step, shown in zip(passed, steps, strict=False):
            assert shown["lines"] == self.passed_lines(step)
        if last is not None:
            assert steps[-1]["lines"] == self.refused_lines(last)
        assert self.faults == []
        assert set(self.requests) == {self.file.as_uri()}

    def check(self, package: bytes, policy: bytes, roots: bytes = b"") -> tuple[str, list[Any], list[str]]:
        """Puts the files in, presses the button: the verdict, the steps shown, the verdict's sentences."""
        page = self.page
        for name, data in (("package", package), ("policy", policy), ("tsa_roots", roots)):
            file = {"name": f"{name}.zip", "mimeType": "application/octet-stream", "buffer": data}
            page.locator(f"#verifier-{name}").set_input_files([file] if data or name != "tsa_roots" else [])
        page.locator(".govuk-button").click()
        page.locator(ANSWERED).wait_for(state="attached")
        steps = page.locator(".verifier-steps li").evaluate_all(
            "all => all.map(one => ({...one.dataset, lines: [...one.querySelectorAll('p')].map(p => p.textContent)}))"
        )
        verdict = page.locator(".verifier-verdict")
        return str(verdict.get_attribute("data-verdict")), steps, verdict.locator("p").all_text_contents()

    def passed_lines(self, step: Passed) -> list[str]:
        found = words.found(step.code, step.values, self.language)
        return self._lines(step.step, "ok", expected=words.expected(step.step, self.language), found=found)

    def refused_lines(self, refusal: VerificationError) -> list[str]:
        said = refusal.said(self.language)
        kept = {key: said[key] for key in ("expected", "found", "does_not_prove")}
        return self._lines(refusal.step, "failed", **kept)

    def _lines(self, step: int, end: str, **sentences: str) -> list[str]:
        language = self.language
        first = f"{int(step)}. {words.step_name(step, language)}: {words.said(end, language)}"
        labels = words.LANGUAGES[language].SAID
        return [first, *(str(labels[key]).format(text=text) for key, text in sentences.items())]
