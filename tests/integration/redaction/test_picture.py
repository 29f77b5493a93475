"""A picture burned to pixels alone; and leaks put into it."""

import shutil
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from custody.kernel.errors import DalelError
from redaction.burn.picture import burn_picture
from redaction.leak.picture import attack_picture
from redaction.leak.report import failures
from redaction.model import PageBox, TimeSpan
from redaction.suggest.engine import Suggester
from redaction.suggest.pages import PageText, suggest_picture
from tests.integration.redaction import sources

BOX = PageBox(0, 0, 200_000, 1_000_000, 800_000)


def blind(_: Image.Image) -> PageText:
    return PageText("", ())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "scene.jpg"
    sources.write_picture(path)
    return path


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed here")
def test_a_plate_is_read_hidden_and_gone(source: Path, tmp_path: Path, suggester: Suggester) -> None:
    target = tmp_path / "exhibit-0001.png"
    found = suggest_picture(suggester.suggest, source)
    assert found.unread_pages == (0,)
    assert "PLATE" in {one.entity for one in found.proposals}
    plan, forbidden = sources.plan_for(source, sources.decided(found.proposals))
    facts = burn_picture(source, target, plan)
    assert burn_picture(source, target, plan).sha256 == facts.sha256
    report = attack_picture(target, plan, forbidden)
    assert report.result == "passed", report.checks
    assert {"structure", "boxes_solid", "ocr"} <= set(failures(attack_picture(source, plan, forbidden).checks))


def _tagged(path: Path) -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "x")
    with Image.open(path) as picture:
        picture.load()
    picture.save(path, pnginfo=told)


def _behind(path: Path) -> None:
    path.write_bytes(path.read_bytes() + sources.IIN.encode())


def _in_the_data(path: Path) -> None:
    data = path.read_bytes()
    at = data.index(b"IDAT") - 4
    (length,) = struct.unpack(">I", data[at : at + 4])
    packed = data[at + 8 : at + 8 + length] + b"smuggled"
    chunk = b"IDAT" + packed
    head = struct.pack(">I", len(packed)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(data[:at] + head + data[at + 12 + length :])


def _bare(path: Path) -> None:
    with Image.open(path) as picture:
        size = picture.size
    Image.new("RGB", size, "white").save(path)


def _broken(path: Path) -> None:
    path.write_bytes(b"rubbish")


@pytest.mark.parametrize(
    ("leak", "caught"),
    [
        (_tagged, {"structure"}),
        (_behind, {"structure", "strings"}),
        (_in_the_data, {"structure"}),
        (_bare, {"boxes_solid"}),
        (_broken, {"readable"}),
    ],
)
def test_a_leak_put_into_a_burned_picture_is_caught(source: Path, tmp_path: Path, leak, caught: set[str]) -> None:
    target = tmp_path / "exhibit-0001.png"
    plan, _ = sources.hide(source, BOX)
    forbidden = sources.forbidden_of(sources.decided([sources.Proposal("IIN", (BOX,), sources.IIN, 1, "t")]))
    burn_picture(source, target, plan)
    assert attack_picture(target, plan, forbidden, blind).result == "passed"
    leak(target)
    assert caught <= set(failures(attack_picture(target, plan, forbidden, blind).checks))


def test_an_unread_picture_says_so(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "exhibit-0001.png"
    plan, forbidden = sources.hide(source, BOX)
    burn_picture(source, target, plan)
    report = attack_picture(target, plan, forbidden, lambda _: None)
    assert [one.name for one in report.checks if one.state == "not_run"] == ["ocr"]


def test_sources_that_cannot_be_burned(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, region) -> str:
        with pytest.raises(DalelError) as refusal:
            burn_picture(path, tmp_path / "out.png", sources.hide(path, region)[0])
        return refusal.value.code

    rubbish = tmp_path / "rubbish.png"
    rubbish.write_bytes(b"\x89PNG\r\n\x1a\n")
    assert refused(rubbish, BOX) == "source.unreadable"
    assert refused(source, TimeSpan(0, 1)) == "plan.bad_region"
    assert refused(source, PageBox(1, 0, 0, 1, 1)) == "plan.bad_region"
    monkeypatch.setattr("redaction.burn.picture.MAX_PIXELS", 100)
    assert refused(source, BOX) == "source.page_too_large"
