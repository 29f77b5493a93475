"""From words to suggestions, from a plan to a redacted transcript, and the attack on it."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from custody.kernel.errors import Invalid
from redaction.burn.transcript import BLOCK, burn_transcript, redact_words, to_text
from redaction.certificate import certificate, encode
from redaction.leak.forbidden import Forbidden, forbidden_of
from redaction.leak.report import Check, LeakReport, failures, rendition_name
from redaction.leak.texts import attack_text, attack_transcript
from redaction.model import Finding, PageBox, SpokenWord, Suggestion, TimeSpan, WordSpan
from redaction.plan import Plan, PlannedRegion, digest
from redaction.suggest.spoken import suggest_words, text_of

SOURCE = b"the canonical bytes of the revision"
WORDS = [
    SpokenWord(text, place * 500, place * 500 + 400, turn)
    for place, (text, turn) in enumerate(
        [
            ("Кто", 0),
            ("там?", 0),
            ("Ерлан", 1),
            ("Ахметов,", 1),
            ("восемь", 1),
            ("семьсот", 1),
            ("один.", 1),
            ("Ясно.", 2),
        ]
    )
]
SPEAKERS = ["Следователь", "Лицо № 1", "Следователь"]


def plan_of(*parts: PlannedRegion) -> Plan:
    return Plan(UUID(int=1), UUID(int=2), "sha256:00", digest(SOURCE), "sha256:11", parts)


NAME = PlannedRegion(WordSpan(2, 3, 1000, 1900), "PERSON", "witness_safety", "Лицо № 1")
NUMBER = PlannedRegion(WordSpan(4, 5, 2000, 2900), "PHONE", "personal_data", None)
PLAN = plan_of(NAME, NUMBER)
HIDDEN = [
    Suggestion(UUID(int=3), "PERSON", (NAME.region,), "Ерлан Ахметов,", 1, "t", "accepted", "minor"),
    Suggestion(UUID(int=4), "PHONE", (NUMBER.region,), "восемь семьсот один 123 45 67", 1, "t", "accepted", "minor"),
    Suggestion(UUID(int=5), "ADDRESS", (NUMBER.region,), "улица Абая, дом 5", 1, "t", "accepted", "minor"),
    Suggestion(UUID(int=6), "LOCATION", (NUMBER.region,), "Алматы", 1, "t", "rejected"),
    Suggestion(UUID(int=7), "LOCATION", (NUMBER.region,), "Алматы", 1, "t", "accepted", "minor"),
    Suggestion(UUID(int=8), "OTHER", (NUMBER.region,), "да", 1, "t", "accepted", "minor"),
    Suggestion(UUID(int=9), "OTHER", (NUMBER.region,), "тайное слово", 1, "t", "open"),
]
FORBIDDEN = forbidden_of(HIDDEN)


def test_findings_become_whole_words_with_their_time() -> None:
    text, starts = text_of(WORDS)
    assert text == "Кто там?\nЕрлан Ахметов, восемь семьсот один.\nЯсно."
    assert text[starts[3] :].startswith("Ахметов")

    def find(_: str, language: str) -> list[Finding]:
        first = Finding("PERSON", text.index("рлан"), text.index("хметов") + 2, 800_000, "a")
        return [first] if language == "ru" else [replace(first, end=first.end + 4, score_ppm=500_000)]

    (proposal,) = suggest_words(find, WORDS, ("ru", "kk"))
    assert proposal.text == "Ерлан Ахметов,"
    assert proposal.regions == (WordSpan(2, 3, 1000, 1900),)


def test_a_word_without_length_still_has_a_region() -> None:
    words = [SpokenWord("Ерлан", 700, 700)]
    (proposal,) = suggest_words(lambda *_: [Finding("PERSON", 0, 5, 1, "a")], words, ("ru",))
    assert proposal.regions == (WordSpan(0, 0, 700, 701),)


def test_a_withheld_passage_keeps_its_time_and_not_its_letters() -> None:
    passages = redact_words(WORDS, PLAN)
    assert to_text(passages, SPEAKERS) == (
        "[0:00:00] Следователь: Кто там?\n"
        f"[0:00:01] Лицо № 1: Лицо № 1, {BLOCK} {BLOCK} один.\n"
        "[0:00:03] Следователь: Ясно.\n"
    )
    assert (passages[2].start_ms, passages[2].end_ms, passages[2].withheld) == (1000, 1900, "witness_safety")
    assert to_text(passages[-1:], []) == "[0:00:03] Ясно.\n"


def test_a_region_over_two_turns_is_cut_and_time_hides_the_words_it_touches() -> None:
    over = PlannedRegion(WordSpan(6, 99, 3000, 9000), "OTHER", "minor", None)
    touched = PlannedRegion(TimeSpan(300, 600), "OTHER", "medical", None)
    elsewhere = PlannedRegion(PageBox(0, 0, 0, 1, 1), "OTHER", "medical", None)
    passages = redact_words(WORDS, plan_of(over, touched, elsewhere))
    assert [passage.withheld for passage in passages] == ["medical", None, None, None, None, "minor", "minor"]
    assert passages[0].text == f"{BLOCK} {BLOCK}?"
    assert [passage.text for passage in passages[-2:]] == [f"{BLOCK}.", f"{BLOCK}."]


def burned(folder: Path) -> tuple[Path, Path]:
    made = burn_transcript(WORDS, SPEAKERS, 4000, PLAN, SOURCE, folder / "t.json", folder / "t.txt")
    again = burn_transcript(WORDS, SPEAKERS, 4000, PLAN, SOURCE, folder / "t.json", folder / "t.txt")
    assert made == again
    assert made[0].parameters_sha256.startswith("sha256:")
    return made[0].path, made[1].path


def test_what_is_burned_passes_the_attack_and_gets_its_certificate(tmp_path: Path) -> None:
    as_json, as_text = burned(tmp_path)
    report = attack_transcript(as_json, PLAN, FORBIDDEN)
    assert report.result == "passed", report.checks
    assert attack_text(as_text, PLAN, FORBIDDEN).result == "passed"
    facts, _ = burn_transcript(WORDS, SPEAKERS, 4000, PLAN, SOURCE, as_json, as_text)
    told = encode(certificate(PLAN, facts, report))
    assert json.loads(told)["withheld"] == {"personal_data": 1, "witness_safety": 1}
    assert FORBIDDEN.hits(told.decode()) == 0


def test_another_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"burn\.other_source"):
        burn_transcript(WORDS, SPEAKERS, 4000, PLAN, b"another", tmp_path / "a", tmp_path / "b")


def damage(path: Path, change) -> None:
    told = json.loads(path.read_bytes())
    change(told)
    path.write_text(json.dumps(told, ensure_ascii=False))


@pytest.mark.parametrize(
    ("change", "caught"),
    [
        (lambda told: told["turns"][1]["words"][0].update(text="Ахметову"), "strings"),
        (lambda told: told["turns"][1].update(speaker="Ерлан"), "strings"),
        (lambda told: told["turns"][1]["words"][0].update(note="x"), "structure"),
        (lambda told: told.update(history=[]), "structure"),
        (lambda told: told["turns"][1].update(more=1), "structure"),
        (lambda told: told.update(format="dalel-redacted-transcript/0"), "structure"),
        (lambda told: told.pop("turns"), "structure"),
        (lambda told: told["turns"][1]["words"][0].pop("withheld"), "withheld"),
    ],
)
def test_a_leak_in_a_transcript_is_caught(tmp_path: Path, change, caught: str) -> None:
    path, _ = burned(tmp_path)
    damage(path, change)
    report = attack_transcript(path, PLAN, FORBIDDEN)
    assert report.result == "failed"
    assert failures(report.checks) == (caught,)


@pytest.mark.parametrize(
    ("data", "caught"),
    [
        ("и сказал ахметовым тихо".encode(), "strings"),
        ("звонил на 8 701 123 45 67".encode(), "strings"),
        ("звонил: семьсот один сто двадцать три сорок пять шестьдесят семь".encode(), "strings"),
        ("на УЛИЦЕ? улица  Абая дом 5.".encode(), "strings"),
        (b"ok \x00", "encoding"),
        ("Ахметов".encode("utf-16-le") + b" ok", "strings"),
    ],
)
def test_a_leak_in_a_text_is_caught(tmp_path: Path, data: bytes, caught: str) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(data)
    assert caught in failures(attack_text(path, PLAN, FORBIDDEN).checks)


def test_a_leak_in_the_file_name_is_caught(tmp_path: Path) -> None:
    path = tmp_path / "допрос_Ахметова.txt"
    path.write_text("ничего")
    assert failures(attack_text(path, PLAN, FORBIDDEN).checks) == ("file_name",)
    assert rendition_name(7, UUID(int=255), "txt") == "exhibit-0007-000000ff.txt"


def test_what_a_person_left_standing_is_not_forbidden() -> None:
    assert FORBIDDEN.hits("в городе Алматы, да, тайное слово") == 0
    assert "алматы" not in FORBIDDEN.phrases
    assert FORBIDDEN.raw_hits("Ахметов".encode("cp1251")) > 0


def test_a_report_without_a_single_check_run_is_no_pass() -> None:
    empty = LeakReport("pdf", "sha256:0", "sha256:1", (Check("ocr", "not_run", ""),))
    assert empty.result == "failed"
    assert Forbidden(*(frozenset() for _ in range(4))).hits("12 34 слово") == 0
    assert empty.sha256 != LeakReport("pdf", "sha256:0", "sha256:1", ()).sha256


def test_bytes_that_are_no_transcript(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(b"\xff not json")
    assert failures(attack_transcript(path, PLAN, FORBIDDEN).checks) == ("structure",)
