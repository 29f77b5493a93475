"""The analyzer as a whole, without a network; and its figures on the data at hand, printed and loosely asserted."""

import os
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from custody.kernel.errors import Invalid, Unavailable
from redaction.suggest.engine import Rules, Suggester
from redaction.suggest.kazakh import MODEL, KazakhNames
from redaction.suggest.train_kazakh import evaluate

SHARED = (
    [Path(os.environ["DALEL_SHARED"])]
    if "DALEL_SHARED" in os.environ
    else [folder / "shared" for folder in Path(__file__).parents]
)


def at_hand(name: str) -> Path:
    for shared in SHARED:
        if (shared / "data/ner" / name).exists():
            return shared / "data/ner" / name
    return pytest.skip(f"the evaluation data {name} of ../shared are not here")


@pytest.mark.parametrize(
    ("text", "language", "entity", "span"),
    [
        ("Свидетель Петров Игорь Николаевич видел Цоя.", "ru", "PERSON", "Петров Игорь Николаевич"),
        ("Свидетель Жұмабаев Адилет пояснил следующее.", "ru", "PERSON", "Жұмабаев Адилет"),
        ("Кешке мен Айгүл Жұмабаеваны көрдім.", "kk", "PERSON", "Айгүл Жұмабаеваны"),
        ("Ол Алматыда тұрады, оны бес жылдан бері танимын.", "kk", "LOCATION", "Алматыда"),
        ("He lives in Astana, my name is John Smith.", "en", "PERSON", "John Smith"),
        ("ИИН 990314500014", "ru", "IIN", "990314500014"),
    ],
)
def test_the_analyzer_finds(suggester: Suggester, text: str, language: str, entity: str, span: str) -> None:
    assert (entity, span) in {(one.entity, text[one.start : one.end]) for one in suggester.suggest(text, language)}


def test_findings_do_not_overlap_and_keep_order(suggester: Suggester) -> None:
    text = "Ахметов Ерлан, ИИН 990314500014, тел. 8 701 123 45 67, ул. Абая, д. 5. " * 3
    found = suggester.suggest(text, "ru")
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert len(found) >= 12


def test_a_language_that_is_none_of_three_is_refused(suggester: Suggester) -> None:
    with pytest.raises(Invalid, match=r"suggest\.language"):
        suggester.suggest("text", "de")


def test_rules_have_a_digest_that_follows_every_version(suggester: Suggester) -> None:
    rules = suggester.rules
    newer = Rules(rules.version, tuple((name, version + "x") for name, version in rules.recognizers))
    assert rules.sha256 != newer.sha256
    assert {"slovnet-ru", "kazakh-crf", "kz-identity-numbers"} <= {name for name, _ in rules.recognizers}
    assert Suggester([]).rules.sha256 != rules.sha256


def test_another_model_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "model"
    with pytest.raises(Unavailable, match=r"suggest\.model_missing"):
        KazakhNames(other)
    other.write_bytes(MODEL.read_bytes() + b"\0")
    with pytest.raises(Unavailable, match=r"suggest\.model_missing"):
        KazakhNames(other)


def test_kazakh_figures() -> None:
    figures = evaluate(at_hand("kaznerd-dev.iob2"), MODEL)
    sys.stdout.write(f"Kazakh, by words: {figures}\n")
    assert figures["PERSON_recall"] > 0.92
    assert figures["PERSON_precision"] > 0.9


def test_russian_figures(suggester: Suggester) -> None:
    folder = at_hand("factrueval-devset")
    there = found = 0
    for spans in sorted(folder.glob("*.spans"))[:20]:
        text = spans.with_suffix(".txt").read_text(encoding="utf-8")
        said = [one for one in suggester.suggest(text, "ru") if one.entity == "PERSON"]
        for line in spans.read_text(encoding="utf-8").splitlines():
            match = re.match(r"\d+ (name|surname) (\d+) (\d+)", line)
            if match:
                start, length = int(match[2]), int(match[3])
                there += 1
                found += any(one.start < start + length and start < one.end for one in said)
    sys.stdout.write(f"Russian, parts of names found: {found} of {there}\n")
    assert found > 0.9 * there
