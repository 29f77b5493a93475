"""A document with a name in a table, header, note, comment, tracked deletion and properties: burned and attacked."""

import zipfile
from pathlib import Path
from uuid import UUID

import docx
import pytest

from custody.kernel.errors import DalelError
from redaction.burn.document import burn_document, read_document, redact_text, suggest_document
from redaction.leak.document import attack_document
from redaction.leak.report import failures
from redaction.model import Suggestion, TextSpan, TimeSpan
from redaction.plan import assemble, digest
from redaction.suggest.engine import Suggester
from tests.integration.redaction import sources


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "statement.docx"
    document = docx.Document()
    document.core_properties.author = sources.NAME
    document.sections[0].header.paragraphs[0].text = f"Дело свидетеля: {sources.NAME}"
    document.add_paragraph("Заявление. Я, Жұмабаев Адилет Серікұлы, ИИН 990314500014,")
    document.add_paragraph("видел < машину > & человека.\tТочка.")
    document.add_table(1, 1).cell(0, 0).text = "телефон 8 709 123 45 67"
    document.save(path)
    return path


def decided(source: Path, suggestions: list[Suggestion]):
    return assemble(
        id=UUID(int=1), exhibit=UUID(int=2), source_sha256=sources.file_sha256(source),
        text_sha256=read_document(source).sha256, rules_sha256="sha256:00", suggestions=suggestions,
    )  # fmt: skip


def test_what_was_suggested_is_gone_when_burned(source: Path, tmp_path: Path, suggester: Suggester) -> None:
    target = tmp_path / "exhibit-0001.docx"
    suggestions = sources.decided(suggest_document(suggester.suggest, read_document(source)))
    assert {"PERSON", "IIN", "PHONE"} <= {one.entity for one in suggestions}
    plan, forbidden = decided(source, suggestions), sources.forbidden_of(suggestions)
    facts = burn_document(source, target, plan)
    assert burn_document(source, target, plan).sha256 == facts.sha256
    report = attack_document(target, plan, forbidden)
    assert report.result == "passed", report.checks
    assert "видел < машину > & человека. Точка." in read_document(target).text
    assert docx.Document(str(target)).paragraphs[0].text.startswith("Дело свидетеля: █████")
    assert {"archive", "structure", "strings"} <= set(failures(attack_document(source, plan, forbidden).checks))


def rewrite(path: Path, change) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def _comment(parts: dict[str, bytes]) -> None:
    parts["word/document.xml"] = parts["word/document.xml"].replace(b"<w:body>", b"<w:body><!-- x -->")


def _name(parts: dict[str, bytes]) -> None:
    parts["word/document.xml"] = parts["word/document.xml"].replace(b"<w:t ", b'<w:t x="' + "Адилет".encode() + b'" ')


def _extra(parts: dict[str, bytes]) -> None:
    parts["docProps/core.xml"] = b"<x/>"


def _no_body(parts: dict[str, bytes]) -> None:
    del parts["word/document.xml"]


@pytest.mark.parametrize(
    ("change", "caught"), [(_comment, "structure"), (_name, "strings"), (_extra, "archive"), (_no_body, "readable")]
)
def test_a_leak_put_into_a_burned_document_is_caught(source: Path, tmp_path: Path, change, caught: str) -> None:
    target = tmp_path / "exhibit-0001.docx"
    hidden = [Suggestion(UUID(int=9), "PERSON", (TextSpan(0, 40),), sources.NAME, 1, "t", "accepted", "minor")]
    plan = decided(source, hidden)
    burn_document(source, target, plan)
    rewrite(target, change)
    assert caught in failures(attack_document(target, plan, sources.forbidden_of(hidden)).checks)


def test_bytes_around_the_archive_are_caught(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "exhibit-0001.docx"
    plan = decided(source, [])
    burn_document(source, target, plan)
    target.write_bytes(b"before" + target.read_bytes())
    assert failures(attack_document(target, plan, sources.forbidden_of([])).checks) == ("archive",)


def test_spans_are_replaced_and_line_ends_stay(source: Path) -> None:
    def redacted(*regions: TextSpan) -> str:
        hidden = [Suggestion(UUID(int=9), "OTHER", regions, "", 1, "t", "accepted", "minor", "Лицо № 1")]
        return redact_text("один\nдва три", decided(source, hidden))

    assert redacted(TextSpan(5, 8)) == "один\nЛицо № 1 три"
    assert redacted(TextSpan(2, 8), TextSpan(3, 6), TextSpan(7, 9)) == "одЛицо № 1\nтри"
    for wrong in (TextSpan(0, 99), TimeSpan(0, 1)):
        with pytest.raises(DalelError, match=r"plan\.bad_region"):
            redacted(wrong)


def test_sources_that_cannot_be_burned(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rubbish, other = tmp_path / "rubbish.docx", tmp_path / "other.docx"
    rubbish.write_bytes(b"PK rubbish")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    for path in (rubbish, other):
        with pytest.raises(DalelError, match=r"source\.unreadable"):
            read_document(path)
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("word/document.xml", "<x")
    with pytest.raises(DalelError, match=r"source\.unreadable"):
        read_document(other)
    plan = assemble(
        id=UUID(int=1), exhibit=UUID(int=2), source_sha256=sources.file_sha256(source),
        text_sha256=digest(b"older"), rules_sha256="sha256:00", suggestions=[],
    )  # fmt: skip
    with pytest.raises(DalelError, match=r"burn\.other_source"):
        burn_document(source, tmp_path / "out.docx", plan)
    monkeypatch.setattr("redaction.burn.document.MAX_XML_BYTES", 10)
    with pytest.raises(DalelError, match=r"source\.too_large"):
        read_document(source)
