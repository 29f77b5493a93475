"""The real system for the browser: what `dalel up` starts, as one child process, and people signed in to it."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from evidence_api.demo import cast
from evidence_api.demo.story import FILES
from evidence_api.embedded import password_of
from evidence_api.stack.kept import Kept
from tests.browser.test_keyboard import focus_is_visible, tab_to

UP = re.compile(r"Dälel is up .*: (http\S+)")
START_LIMIT_S = 240
CLIP_MS = (5_300, 15_300)
"""Of the demonstration's sound: the witness says his name, the investigator asks for a number."""


@contextmanager
def running(directory: Path) -> Iterator[str]:
    """`dalel up` on a directory; gives the address, and stops it all at the end. The servers' account may pass through
    the directory: what it cannot reach would lie in /var/lib/dalel afterwards.
    """
    directory.chmod(0o711)
    command = [sys.executable, "-m", "evidence_api.cli", "up", "--data", str(directory / "data")]
    log = directory / "up.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            process.wait(60)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + START_LIMIT_S
    while process.poll() is None and time.monotonic() < end:
        if found := UP.search(log.read_text()):
            return found[1]
        time.sleep(0.2)
    raise RuntimeError(f"the system did not come up:\n{log.read_text()}")


def clip(target: Path) -> Path:
    """Ten seconds of the demonstration's sound as WAV: short enough for Whisper in a test, with a name in it."""
    with av.open(str(FILES / "interrogation.flac")) as source, av.open(str(target), "w", format="wav") as out:
        stream = out.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for frame in source.decode(audio=0):
            if CLIP_MS[0] <= frame.time * 1000 < CLIP_MS[1]:
                frame.pts = None
                out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return target


@dataclass
class Stage:
    """The running system, a browser, and what the acts have left: addresses by name, files, faults of pages."""

    base_url: str
    passwords: dict[str, str]
    browser: Browser
    folder: Path
    found: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    played: dict[str, BaseException | None] = field(default_factory=dict)
    _visits: dict[tuple[str, bool], Page] = field(default_factory=dict)

    def visit(self, who: cast.Cast, *, scripts: bool = True) -> Page:
        """The page of a person, signed in by the form and by keyboard alone; the same one every time."""
        if (who.login, scripts) not in self._visits:
            page = self.context(scripts=scripts, language=who.language).new_page()
            self._visits[who.login, scripts] = page
            self._sign_in(page, who, scripts=scripts)
        return self._visits[who.login, scripts]

    def replace(self, who: cast.Cast, page: Page) -> None:
        """From now on this is the person's page: the one before was closed."""
        self._visits[who.login, True] = page

    def context(self, *, scripts: bool = True, language: str = "en") -> BrowserContext:
        """A browser of its own. Whatever a page of it reports as an error is kept in `faults`."""
        context = self.browser.new_context(
            viewport={"width": 1280, "height": 900},
            java_script_enabled=scripts,
            base_url=self.base_url,
            accept_downloads=True,
        )
        context.add_cookies([{"name": "language", "value": language, "url": self.base_url}])
        context.on("console", self._console)
        context.set_default_timeout(30_000)
        context.on("weberror", lambda error: self.faults.append(f"{error.page and error.page.url}: {error.error}"))
        return context

    def _console(self, line: ConsoleMessage) -> None:
        refused_on_purpose = re.search(r"status of 4(03|09|22)", line.text)
        if line.type == "error" and not refused_on_purpose:
            self.faults.append(f"{line.page and line.page.url}: {line.text}")

    def _sign_in(self, page: Page, who: cast.Cast, *, scripts: bool) -> None:
        page.goto("/")
        expect(page).to_have_url(re.compile("/sign-in"))
        if scripts:
            tab_to(page, "#login")
            page.keyboard.type(who.login)
            page.keyboard.press("Tab")
            assert focus_is_visible(page)
            page.keyboard.type(self.passwords[who.login])
            page.keyboard.press("Enter")
        else:
            page.fill("#login", who.login)
            page.fill("#password", self.passwords[who.login])
            page.click("main form button")
        expect(page.locator(".bar__person")).to_contain_text(who.name)


def passwords(directory: Path) -> dict[str, str]:
    """The passwords that the system made for its demonstration accounts."""
    kept = Kept(directory / "data")
    return {member.login: password_of(kept, member) for member in cast.CAST}
