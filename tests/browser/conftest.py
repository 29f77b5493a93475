"""A Chromium and the gallery of pages. Screenshots go to artefacts/pages when DALEL_SHOTS is set.

They live as long as the tests in here and no longer: while Playwright lives, its thread counts as one in which an
asyncio loop runs, and other tests' `asyncio.run` is refused.
"""

import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright
from starlette.applications import Starlette

from portal import assets
from tests.browser import real
from tests.browser.gallery import gallery

ROOT = Path(__file__).parents[2]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"]


# What a page shall show is waited for; how long that takes says something about the machine, not about the page.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="package")
def gallery_app() -> Starlette:
    if not (assets.BUILD / "manifest.json").is_file():
        pytest.fail("portal/static/build is missing: run `npm ci && npm run build` in portal/")
    return gallery()


@pytest.fixture(scope="package")
def gallery_url(gallery_app: Starlette) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(gallery_app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 60
    while not server.started and time.monotonic() < end:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail("chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that fails its test when anything is refused by the content policy or breaks in a script."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    yield opened
    context.close()
    assert faults == []


@pytest.fixture(scope="package")
def axe_source() -> str:
    return (ROOT / "portal" / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="package")
def shots() -> Path | None:
    """Where screenshots are kept, or None when nobody asked for them."""
    if "DALEL_SHOTS" not in os.environ:
        return None
    folder = ROOT / "artefacts" / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="package")
def stage(chromium: Browser) -> Iterator[real.Stage]:
    """The real system and a browser, for the story. Not under pytest, whose directory is closed to the servers."""
    if not (assets.BUILD / "manifest.json").is_file():
        pytest.fail("portal/static/build is missing: run `npm ci && npm run build` in portal/")
    directory = Path(tempfile.mkdtemp(prefix="dalel-story-"))
    try:
        with real.running(directory) as base_url:
            yield real.Stage(base_url, real.passwords(directory), chromium, directory)
    finally:
        shutil.rmtree(directory)
