"""A PDF with a name in its text, information, note, outline and attachment: suggested, burned, attacked."""

import shutil
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from custody.kernel.errors import Corrupt, DalelError, Invalid
from redaction.burn.pdf import burn_pdf
from redaction.leak.pdf import attack_pdf
from redaction.leak.report import failures
from redaction.model import PageBox, TimeSpan
from redaction.suggest import pages
from redaction.suggest.engine import Suggester
from redaction.suggest.pages import PageText, suggest_pdf
from tests.integration.redaction import sources

needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed here")
BOX = PageBox(0, 100_000, 50_000, 900_000, 130_000)


def blind(_: Image.Image) -> PageText:
    return PageText("", ())


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pdf") / "source.pdf"
    sources.write_pdf(path)
    return path


@pytest.mark.parametrize("rotate", [0, 90])
def test_what_was_suggested_is_gone_when_burned(tmp_path: Path, suggester: Suggester, rotate: int) -> None:
    source, target = tmp_path / "source.pdf", tmp_path / "exhibit-0001.pdf"
    sources.write_pdf(source, rotate=rotate)
    found = suggest_pdf(suggester.suggest, source)
    assert found.unread_pages == ()
    assert {"PERSON", "IIN", "PHONE"} <= {one.entity for one in found.proposals}
    assert {one.text for one in found.proposals if one.entity == "IIN"} == {sources.IIN}
    plan, forbidden = sources.plan_for(source, sources.decided(found.proposals))
    facts = burn_pdf(source, target, plan)
    assert burn_pdf(source, target, plan).sha256 == facts.sha256
    report = attack_pdf(target, source, plan, forbidden, *([] if shutil.which("tesseract") else [blind]))
    assert report.result == "passed", report.checks
    told = attack_pdf(source, source, plan, forbidden, blind)
    assert {"structure", "side_channels", "streams", "text_layer", "boxes_solid"} <= set(failures(told.checks))


@needs_tesseract
def test_a_page_without_text_is_read_by_its_picture(source: Path, tmp_path: Path, suggester: Suggester) -> None:
    plan, _ = sources.hide(source, PageBox(0, 0, 900_000, 1_000, 901_000))
    burn_pdf(source, tmp_path / "scan.pdf", plan)
    found = suggest_pdf(suggester.suggest, tmp_path / "scan.pdf")
    assert found.unread_pages == ()
    assert sources.IIN in {one.text for one in found.proposals}


def test_a_page_nobody_can_read_is_left_to_a_person(
    source: Path, tmp_path: Path, suggester: Suggester, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, _ = sources.hide(source, BOX)
    burn_pdf(source, tmp_path / "scan.pdf", plan)
    monkeypatch.setattr(pages.shutil, "which", lambda _: None)
    assert suggest_pdf(suggester.suggest, tmp_path / "scan.pdf") == pages.PagesFound((), (0,))
    report = attack_pdf(tmp_path / "scan.pdf", source, *sources.hide(source, BOX))
    assert [one.name for one in report.checks if one.state == "not_run"] == ["ocr"]
    assert report.result == "passed"


@needs_tesseract
def test_recognition_that_takes_too_long_is_given_up() -> None:
    assert pages.recognize(Image.new("RGB", (3000, 3000), "white"), seconds=0) is None


@pytest.fixture(scope="module")
def burned(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("burned") / "exhibit-0001.pdf"
    burn_pdf(source, path, sources.hide(source, BOX)[0])
    return path


def _information(document: pikepdf.Pdf) -> None:
    document.docinfo["/Title"] = sources.NAME


def _xmp(document: pikepdf.Pdf) -> None:
    with document.open_metadata() as metadata:
        metadata["dc:title"] = "x"


def _attachment(document: pikepdf.Pdf) -> None:
    document.attachments["a.txt"] = b"x"


def _associated(document: pikepdf.Pdf) -> None:
    document.pages[0].obj.AF = pikepdf.Array([document.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.Filespec))])


def _outline(document: pikepdf.Pdf) -> None:
    with document.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem("x", 0))


def _note(document: pikepdf.Pdf) -> None:
    note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Rect=[0, 0, 9, 9], Contents="x")
    document.pages[0].obj.Annots = document.make_indirect(pikepdf.Array([note]))


def _text(document: pikepdf.Pdf) -> None:
    page = document.pages[0]
    page.obj.Resources.Font = pikepdf.Dictionary(
        F=pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    )
    page.contents_add(b"BT /F 9 Tf 3 Tr 50 50 Td (hidden) Tj ET")


def _orphan(document: pikepdf.Pdf) -> None:
    document.trailer["/Keep"] = document.make_indirect(pikepdf.String("x"))


def _behind_the_pixels(document: pikepdf.Pdf) -> None:
    image = document.pages[0].obj.Resources.XObject.P
    image.write(image.read_raw_bytes() + b"smuggled", filter=pikepdf.Name.FlateDecode)


def _second_page(document: pikepdf.Pdf) -> None:
    document.pages.append(document.pages[0])


def _white_box(document: pikepdf.Pdf) -> None:
    image = document.pages[0].obj.Resources.XObject.P
    image.write(b"\xff" * len(image.read_bytes()))


@pytest.mark.parametrize(
    ("leak", "caught"),
    [
        (_information, {"structure", "side_channels", "streams"}),
        (_xmp, {"structure", "side_channels"}),
        (_attachment, {"structure", "side_channels"}),
        (_associated, {"structure", "side_channels"}),
        (_outline, {"structure", "side_channels"}),
        (_note, {"structure", "side_channels"}),
        (_text, {"structure", "text_layer"}),
        (_orphan, {"structure"}),
        (_behind_the_pixels, {"structure"}),
        (_second_page, {"pages"}),
        (_white_box, {"boxes_solid"}),
    ],
)
def test_a_leak_put_into_a_burned_file_is_caught(
    source: Path, burned: Path, tmp_path: Path, leak, caught: set[str]
) -> None:
    path = tmp_path / "exhibit-0001.pdf"
    with pikepdf.open(burned) as document:
        leak(document)
        document.save(path, deterministic_id=True, fix_metadata_version=False)
    report = attack_pdf(path, source, *sources.hide(source, BOX), blind)
    assert caught <= set(failures(report.checks)), report.checks


@pytest.mark.parametrize(
    ("tail", "caught"),
    [
        (b"\n% later\n%%EOF\n", "one_revision"),
        (b"rest", "one_revision"),
        (sources.IIN.encode() + b"\n%%EOF", "strings"),
    ],
)
def test_bytes_behind_the_end_are_caught(source: Path, burned: Path, tmp_path: Path, tail: bytes, caught: str) -> None:
    path = tmp_path / "exhibit-0001.pdf"
    path.write_bytes(burned.read_bytes() + tail)
    suggestions = sources.decided(suggest_pdf(lambda *_: [], source).proposals)
    plan, _ = sources.plan_for(source, suggestions)
    forbidden = sources.forbidden_of(sources.decided([sources.Proposal("IIN", (BOX,), sources.IIN, 1, "t")]))
    assert caught in failures(attack_pdf(path, source, plan, forbidden, blind).checks)


def test_what_can_be_read_on_a_page_is_caught(source: Path, burned: Path, tmp_path: Path) -> None:
    path = tmp_path / "Zhumabayev.pdf"
    shutil.copy(burned, path)
    plan, forbidden = sources.hide(source, BOX)
    report = attack_pdf(path, source, plan, forbidden, lambda _: PageText("со Жумабаевым", ()))
    assert failures(report.checks) == ("ocr",)
    late = attack_pdf(path, source, plan, forbidden, blind, ocr_pages=0)
    assert [one.name for one in late.checks if one.state == "not_run"] == ["ocr"]


def test_a_file_name_that_tells_is_caught(source: Path, burned: Path, tmp_path: Path) -> None:
    path = tmp_path / "допрос Жұмабаева.pdf"
    shutil.copy(burned, path)
    assert failures(attack_pdf(path, source, *sources.hide(source, BOX), blind).checks) == ("file_name",)


def test_rubbish_fails_every_check_that_needs_a_file(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "exhibit-0001.pdf"
    path.write_bytes(b"rubbish")
    failed = failures(attack_pdf(path, source, *sources.hide(source, BOX), blind).checks)
    assert {"structure", "side_channels", "streams", "readable"} <= set(failed)


def test_sources_that_cannot_be_burned(source: Path, tmp_path: Path) -> None:
    def refused(path: Path, *regions) -> str:
        plan, _ = sources.hide(path, *regions)
        with pytest.raises(DalelError) as refusal:
            burn_pdf(path, tmp_path / "out.pdf", plan)
        return refusal.value.code

    rubbish, locked, huge = (tmp_path / name for name in ("rubbish.pdf", "locked.pdf", "huge.pdf"))
    rubbish.write_bytes(b"\x89PNG\r\n")
    with pikepdf.open(source) as document:
        document.save(locked, encryption=pikepdf.Encryption(owner="o", user="u"))
        document.pages[0].mediabox = [0, 0, 14_000, 14_000]
        document.save(huge)
    assert refused(rubbish, BOX) == "source.unreadable"
    assert refused(locked, BOX) == "source.encrypted"
    assert refused(huge, BOX) == "source.page_too_large"
    assert refused(source, PageBox(1, 0, 0, 1, 1)) == "plan.bad_region"
    assert refused(source, TimeSpan(0, 1)) == "plan.bad_region"
    other, _ = sources.hide(locked, BOX)
    with pytest.raises(Invalid, match=r"burn\.other_source"):
        burn_pdf(source, tmp_path / "out.pdf", other)
    with pytest.raises(Corrupt):
        suggest_pdf(lambda *_: [], rubbish)
