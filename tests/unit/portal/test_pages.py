"""Every page, in every language, without a browser: it renders, is well-formed enough, and keeps the house rules."""

import re
from html.parser import HTMLParser

import pytest

from evidence_api.http import messages
from portal import assets, rendering
from portal.catalog import LANGUAGES
from portal.context import Form, Notice, RequestContext
from portal.pages import session
from portal.pages.disclosures import render_disclosure
from portal.pages.events import EventLine, sentence
from portal.pages.session import render_help, render_sign_in
from tests.browser import sample_pages, samples

VOID = {"meta", "link", "input", "br", "img", "hr"}
CONTENTS_LIMIT_BYTES = 100_000


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages name built files; here their plain names will do."""
    monkeypatch.setitem(rendering.environment().globals, "asset", lambda name: f"/static/{name}")


def context(language: str = "kk", **more: object) -> RequestContext:
    return RequestContext(
        language=language,
        path="/pages/x",
        csrf_token="token-1",
        now=samples.NOW,
        person=samples.PERSON,
        query="a=1&b=2",
        **more,
    )


class Outline(HTMLParser):
    """Open elements, ids, labels and forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID and tag not in ("path",):
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or tag == "path":
            return
        if not self.stack or self.stack.pop() != tag:
            self.faults.append(tag)


def outline(html: str) -> Outline:
    parsed = Outline()
    parsed.feed(html)
    return parsed


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(sample_pages.PAGES))
def test_page(name: str, language: str) -> None:
    render, model = sample_pages.PAGES[name]
    html = render(context(language), model)
    parsed = outline(html)
    assert parsed.faults == []
    assert parsed.stack == []
    assert f'<html lang="{language}"' in html
    assert sum(tag == "h1" for tag, _ in parsed.tags) == 1
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc=)", html)
    assert "{{" not in html
    assert "None" not in re.sub(r"<[^>]+>", "", html)
    for form in re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL):
        assert 'name="csrf_token" value="token-1"' in form


@pytest.mark.parametrize("language", LANGUAGES)
def test_help(language: str) -> None:
    assert "<kbd>?</kbd>" in render_help(context(language))


def test_switch_keeps_page_and_query() -> None:
    html = session.render_home(context(), samples.HOME)
    assert "/language/ru?to=%2Fpages%2Fx%3Fa%3D1%26b%3D2" in html


def test_password_never_comes_back() -> None:
    form = Form({"login": "saule", "password": "secret-1"}, {"password": "session.refused"})
    assert "secret-1" not in render_sign_in(context(), session.SignIn("/", form))


def test_text_is_escaped() -> None:
    form = Form({"login": '"><script>alert(1)</script>'})
    assert "<script>alert" not in render_sign_in(context(), session.SignIn("/", form))


def test_notice() -> None:
    html = session.render_home(context("en", notice=Notice("notice.revoked", "bad")), samples.HOME)
    assert "Access to the case has ended" in html
    assert 'role="alert"' in html


def test_unknown_code_gets_the_general_sentence() -> None:
    html = session.render_error(context("en"), session.ErrorPage(500, "brand.new"))
    assert messages.sentences("en")["unknown"].partition("{")[0] in html
    assert "brand.new" in html


def test_theme_is_named_only_when_chosen() -> None:
    assert "data-theme" not in session.render_home(context(), samples.HOME)
    assert 'data-theme="dark"' in session.render_home(context(theme="dark"), samples.HOME)


def test_contents_of_seven_hundred_exhibits_stay_small() -> None:
    html = render_disclosure(context(), samples.DISCLOSURE)
    assert len(html.encode()) < CONTENTS_LIMIT_BYTES / 4


def test_sentence_shows_names_and_readable_values() -> None:
    event = samples.CHAIN[0]
    said = sentence("en", 5, event)
    assert said.startswith("Exhibit 1 registered: 9.0\u00a0MiB, SHA-256 6b86b273ff34…")
    unknown = EventLine(1, samples.NOW, "exhibit.teleported", "x", "system", "cli", "{}")
    assert sentence("en", 5, unknown) == "exhibit.teleported"


def test_sentence_shows_a_reason_code_as_words() -> None:
    event = EventLine(1, samples.NOW, "upload.refused", "x", "system", "cli", "{}", {"reason": "upload.empty"})
    assert "0 bytes" in sentence("en", 5, event)
    missing = EventLine(1, samples.NOW, "upload.refused", "x", "system", "cli", "{}")
    assert "—" in sentence("en", 5, missing)


def test_assets_must_be_built(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(assets, "BUILD", tmp_path)
    assets._manifest.cache_clear()
    with pytest.raises(assets.AssetsNotBuilt):
        assets.url("main.css")
    assets._manifest.cache_clear()
