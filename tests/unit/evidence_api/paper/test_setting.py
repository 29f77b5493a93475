"""Acts as PDF: the same bytes again, every letter, every page numbered, nothing cut off."""

import pypdfium2
import pytest

from evidence_api.paper import setting
from evidence_api.paper.blocks import Exact, Facts, Heading, Paper, Paragraph, SignatureLines, Table

NAMES = ["Қоңыр ӘҒҚҢӨҰҮҺІ әғқңөұүһі.wav", "Ёлка №1 «запись».mp4", "smile 😀.jpg", "a\tb"]
BLOCKS = [
    Heading("Файлдар"),
    Paragraph("бірінші <b>жол</b> & екінші\nжол"),
    Facts([("Іс", "250000000000123")]),
    Table(["№", "Атауы"], [[str(number), NAMES[number % 4]] for number in range(300)], [0.2, 0.8]),
    Exact('{"v":1}' * 200),
    SignatureLines(["Тергеуші", "Прокурор"]),
]


def act(**changes: object) -> Paper:
    values = {"language": "kk", "title": "Қолхат", "case": "Іс 1", "made_at": "14.03.2026", "blocks": BLOCKS}
    return Paper(**values | changes)  # type: ignore[arg-type]  # changed field by field


def pages(pdf: bytes) -> list[str]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def test_the_same_act_is_the_same_bytes() -> None:
    assert setting.render(act(code="x")) == setting.render(act(code="x")) != setting.render(act(code="y"))


def test_every_letter_and_every_row_is_there() -> None:
    text = "\n".join(pages(setting.render(act())))
    assert NAMES[0] in text
    assert NAMES[1] in text
    assert "smile [U+1F600].jpg" in text
    assert "a[U+0009]b" in text
    assert "<b>жол</b> & екінші" in text
    assert text.count(".wav") == 75
    assert "".join(text.split()).count('{"v":1}') == 200


def test_pages_are_numbered_and_say_the_case() -> None:
    found = pages(setting.render(act()))
    assert len(found) > 3
    for number, text in enumerate(found, 1):
        assert f"{number}-бет, барлығы {len(found)}" in text
        assert "Іс 1" in text


@pytest.mark.parametrize("rows", [[["1"]], [["1", "2", "3"]]])
def test_a_row_that_does_not_fit_is_refused(rows: list[list[str]]) -> None:
    with pytest.raises(ValueError, match="cells"):
        setting.render(act(blocks=[Table(["a", "b"], rows, [0.5, 0.5])]))


def test_an_empty_act_is_a_page() -> None:
    assert len(pages(setting.render(act(blocks=[Facts([])])))) == 1
