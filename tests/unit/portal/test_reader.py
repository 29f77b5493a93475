"""The offline reader inside a package: complete, self-contained, escaped, in three languages."""

import re
from uuid import UUID

from custody.proof.disclosure import DisclosedFile as File
from custody.proof.disclosure import Manifest, Withheld
from evidence_api.disclosure import reader
from evidence_api.disclosure.model import FILE_NAMES, WITHHOLD_GROUNDS
from portal.pages.disclosures import GROUNDS

ID = str(UUID(int=7))
FILE = File("data/0001/0001-sound.flac", ID, 1, "sound", "sha256:" + "ab" * 32, 4_201_332, "sha256:" + "cd" * 32, ID)
ODD = File("data/0002/<b>&.txt", ID, 2, "hologram", "sha256:" + "ef" * 32, 12, "sha256:" + "cd" * 32, ID)


def manifest(**more: object) -> Manifest:
    values: dict[str, object] = {
        "disclosure": ID,
        "case": ID,
        "erdr": "990000099000001",
        "round": 2,
        "recipient": "Адвокат <Марат>",
        "released_ms": 1_773_493_522_000,
        "files": (FILE, ODD),
        "withheld": (Withheld(ID, 3, "minor"),),
        "previous": None,
        "exhibits_total": 3,
    }
    return Manifest(**(values | more))  # fields are those of the dataclass


def test_says_what_is_inside_in_three_languages() -> None:
    html = reader.render_reader(manifest(), "p 1.zip").decode()
    for text in (FILE.sha256, "4.0 MiB", "12 B", "14.03.2026 18:05:22 (UTC+5)", "Interests of a minor", "Кәмелетке"):
        assert text in html
    for code in reader.LANGUAGES:
        assert f'<section id="{code}" lang="{code}">' in html
    assert 'href="data/0001/0001-sound.flac"' in html
    assert html.count("python -m custody verify p 1.zip --policy policy.txt") == 3


def test_loads_nothing_and_runs_nothing() -> None:
    html = reader.render_reader(manifest(), "p.zip").decode()
    assert "<script" not in html
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", html)


def test_everything_is_escaped() -> None:
    html = reader.render_reader(manifest(), "p<i>.zip").decode()
    assert "<b>&" not in html
    assert "<Марат>" not in html
    assert "p<i>" not in html
    assert "hologram" in html


def test_nothing_withheld_is_said() -> None:
    assert "Nothing was withheld" in reader.render_reader(manifest(withheld=()), "p.zip").decode()


def test_large_files_are_in_gibibytes() -> None:
    big = File(FILE.path, ID, 1, "pdf", FILE.sha256, 5 * 2**40, FILE.source_sha256, ID)
    assert "5120.0 GiB" in reader.render_reader(manifest(files=(big,)), "p.zip").decode()


def test_every_kind_and_ground_has_words_here_and_in_the_portal() -> None:
    assert set(FILE_NAMES) <= set(reader._KINDS)
    assert set(WITHHOLD_GROUNDS) == set(reader._GROUNDS) == set(GROUNDS)
