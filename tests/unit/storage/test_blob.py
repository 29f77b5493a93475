"""Names of files: kept exactly or refused, and made safe for others' systems."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.kernel.errors import Invalid
from storage.blob import FileName, FolderPath, safe_name

KAZAKH_255 = "ғ" * 125 + "1.wav"


@pytest.mark.parametrize(
    "text",
    [
        "протокол.pdf",
        "Жауап алу ☎️ 👨‍👩‍👧.wav",
        KAZAKH_255,
        ".hidden",
        "...",
        "a\u202egpj.exe",
        " spaces ",
        "CON",
        "a:b?c",
    ],
)
def test_a_name_is_kept_exactly(text: str) -> None:
    assert FileName(text).text == text


def test_the_longest_kazakh_name_is_255_bytes() -> None:
    assert len(KAZAKH_255.encode()) == 255


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("  \t ", "empty"),
        ("a\x00b", "control"),
        ("a\nb", "control"),
        ("a\rb", "control"),
        ("a\x7fb", "control"),
        ("a\x85b", "control"),
        ("a\u2028b", "control"),
        ("a/b", "path"),
        ("a\\b", "path"),
        ("..", "path"),
        (".", "path"),
        ("ғ" * 128, "too_long"),
        ("a\ud800", "encoding"),
    ],
)
def test_a_name_that_cannot_be_kept_is_refused(text: str, why: str) -> None:
    with pytest.raises(Invalid) as refusal:
        FileName(text)
    assert refusal.value.code == "upload.bad_name"
    assert refusal.value.params == {"why": why}


@pytest.mark.parametrize(
    ("text", "extension"), [("A.PDF", "pdf"), ("a.tar.gz", "gz"), ("none", ""), (".hidden", ""), ("dot.", "")]
)
def test_the_extension_is_what_follows_the_last_dot(text: str, extension: str) -> None:
    assert FileName(text).extension == extension


def test_a_folder_is_kept_part_by_part() -> None:
    folder = FolderPath.parse("Камера 1/2026-11-21")
    assert [part.text for part in folder.parts] == ["Камера 1", "2026-11-21"]
    assert str(folder) == "Камера 1/2026-11-21"
    assert FolderPath.parse("").parts == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/abs", "empty"),
        ("a//b", "empty"),
        ("a/../b", "path"),
        ("a/b\n", "control"),
        ("a\\b", "path"),
        ("/".join("a" * 65), "too_deep"),
        ("/".join(["b" * 250] * 17), "too_long"),
    ],
)
def test_a_folder_that_cannot_be_kept_is_refused(text: str, why: str) -> None:
    with pytest.raises(Invalid) as refusal:
        FolderPath.parse(text)
    assert refusal.value.code == "upload.bad_folder"
    assert refusal.value.params == {"why": why}


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("протокол.pdf", "протокол.pdf"),
        ("a\u202egpj.exe", "agpj.exe"),
        ('a<>:"|?*b.txt', "a_______b.txt"),
        ("CON.txt", "_CON.txt"),
        ("lpt1", "_lpt1"),
        ("...", "file"),
        ("name. .", "name"),
        ("a." + "x" * 40, "a." + "x" * 40),
    ],
)
def test_a_safe_name(text: str, safe: str) -> None:
    assert safe_name(FileName(text)) == safe


def test_a_long_safe_name_keeps_its_extension() -> None:
    safe = safe_name(FileName(KAZAKH_255))
    assert safe.endswith("ғ.wav")
    assert len(safe.encode()) <= 180


@given(st.text(min_size=1, max_size=255))
def test_every_kept_name_has_a_safe_one(text: str) -> None:
    try:
        name = FileName(text)
    except Invalid:
        return
    safe = safe_name(name)
    assert FileName(safe).text == safe
    assert safe == safe.strip(" .")
    assert not set(safe) & set('<>:"|?*/\\')
