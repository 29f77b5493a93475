"""The receipt on paper: everything its body says is in the act, in each language."""

import pytest

from evidence_api.paper import setting
from evidence_api.paper.blocks import Exact, Facts, Paragraph, Table
from evidence_api.use_cases import receipt_paper

FILE = {
    "number": 7,
    "name": "қолхат 📷.txt",
    "folder": "Тінту/Диск",
    "size_bytes": 3 << 30,
    "sha256": "sha256:" + "a" * 64,
    "recorded_at": "2026-03-14T18:05:22",
    "sealed_ms": 1_773_210_000_000,
    "ledger_index": 4242,
}
LIST = {
    "format": "bagit",
    "name": "manifest-sha256.txt",
    "sha256": "sha256:" + "b" * 64,
    "listed": 3,
    "matched": 1,
    "differing": [{"path": "data/x", "expected": "sha256:1", "found": "sha256:2"}],
    "missing": ["data/жоқ"],
    "extra": [],
}
BODY = {
    "receipt": "01a2",
    "erdr": "990000099000001",
    "title": "Іс",
    "officer": "Сәуле",
    "issued_ms": 1_773_210_000_000,
    "total_bytes": 3 << 30,
    "files": [FILE],
    "already": [{"number": 2, "name": "көшірме.txt", "sha256": "sha256:" + "c" * 64}],
    "failed": [{"path": "Тінту/бос", "code": "exhibit.empty"}],
    "checkpoint": {"size": 5000, "root": "00" * 32, "note": "dalel.example/log\n5000\n"},
    "list": LIST,
}


def said(paper):
    """Every word of the act."""
    words = [paper.title, paper.case, paper.made_at]
    for block in paper.blocks:
        match block:
            case Facts(rows) | Table(_, rows, _):
                words += [cell for row in rows for cell in row]
            case Paragraph(text) | Exact(text):
                words.append(text)
            case _:
                pass
    return "\n".join(words)


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_all_of_it_is_on_paper(language):
    paper = receipt_paper.act(BODY, language, lambda code: f"<{code}>", signed=True)
    told = said(paper)
    for part in ("990000099000001", "Тінту/Диск/қолхат 📷.txt", "a" * 64, "4242", "2026-03-14T18:05:22", "көшірме.txt"):
        assert part in told
    for part in ("<exhibit.empty>", "data/жоқ", "sha256:2", "5000", "(UTC+5)"):
        assert part in told
    assert "00" * 32 in (paper.code or "")
    assert "{" not in told
    assert setting.render(paper).startswith(b"%PDF")


def test_an_unsigned_one_says_so_and_an_empty_one_is_short():
    empty = BODY | {"files": [], "already": [], "failed": [], "list": None, "checkpoint": None, "total_bytes": 5}
    signed, unsigned = (said(receipt_paper.act(empty, "en", str, signed=one)) for one in (True, False))
    assert "no electronic signature" in unsigned
    assert "no electronic signature" not in signed
    assert "5 B (5 Bytes)" in signed
