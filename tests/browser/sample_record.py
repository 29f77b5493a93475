"""Sample models of an exhibit's record, of outside anchors, and of what is made for paper."""

from dataclasses import replace

from custody.checking import words as check_words
from custody.checking.difference import Step as CheckStep
from custody.proof import words
from custody.proof.refusal import Step
from portal.pages import anchors, audit, exhibits, printing, record
from portal.pages.events import PersonalLine
from tests.browser.sample_events import ago, ident, sha
from tests.browser.samples import AUDIO, CHAIN, DESK, EXHIBIT, HEAD, NOW


def _step(number: int, step: Step, state: str, found: str, limits: str | None = None) -> record.RecordStep:
    name, expected = words.step_name(step, "ru"), words.expected(step, "ru")
    return record.RecordStep(number, name, state, expected, found, limits, int(step))


STORED = record.RecordStep(3, *check_words.STEPS[CheckStep.OBJECTS]["ru"][:1], "holds", "в хранилище", "файлов: 3")
PERSONAL = (
    PersonalLine("filename", "shown", "Жауап алу 2026-03-11.wav"),
    PersonalLine("address", "withheld"),
    PersonalLine("recipient", "erased", at=ago(days=1), order="Алматы қаласының соты, № 2-17, 12.03.2026"),
)
ANSWERS = (
    record.Answer(
        "same",
        "good",
        "Файл тот же, что в первый день: опечатан 11.03.2026 09:12:40 (UTC+5), прочитан до конца и сверен"
        " 14.03.2026 02:00:07 (UTC+5), в хранилище лежит та же версия под запретом изменения.",
    ),
    record.Answer("people", "good", "С ним работали 2 человека: Тергеуші Сәуле Демо, Прокурор Ерлан Демо."),
    record.Answer("complete", "wait", "Запись не противоречит себе, но ещё не полна: 2 новых события ждут."),
)
RECORD = record.ExhibitRecord(
    HEAD,
    AUDIO,
    ANSWERS,
    (
        _step(1, Step.EVENTS, "holds", "событий: 12"),
        _step(2, Step.CHAINS, "holds", "цепочек: 1, все целые"),
        STORED,
        _step(4, Step.INCLUSION, "holds", "событий: 10 в журнале из 1290"),
        _step(5, Step.CHECKPOINT, "holds", "подписал dalel.example/log, событий: 1290"),
        _step(6, Step.WITNESSES, "waits", "кворум both не набран; подтвердили: court"),
        _step(7, Step.TIME_STAMPS, "skipped", ""),
    ),
    words.said("limits", "ru"),
    (
        record.Person(ident("s"), "Тергеуші Сәуле Демо", ("investigator",), 4, 1, ago(days=3), ago(days=2)),
        record.Person(None, "", ("system",), 6, 0, ago(days=3), ago(minutes=2)),
    ),
    tuple(replace(event, personal=PERSONAL) for event in CHAIN),
    len(CHAIN),
    4000,
    256,
    NOW,
    tuple((name, f"/x.{name}") for name in audit.FORMATS),
    "?after=99",
    "?",
)
BROKEN = replace(
    RECORD,
    answers=(
        record.Answer("same", "bad", "Сказать нельзя: сама запись, называющая файл, не выдержала проверки."),
        replace(ANSWERS[1], tone="wait"),
        record.Answer("complete", "bad", "Запись НЕ цела: шаг 2, «Цепочки», не выполняется."),
    ),
    steps=(
        RECORD.steps[0],
        _step(2, Step.CHAINS, "fails", "событие 7 не следует из предыдущего", words.does_not_prove(Step.CHAINS, "ru")),
        replace(STORED, state="skipped", found=""),
        *(replace(step, state="skipped", found="") for step in RECORD.steps[3:]),
    ),
)
COPIED = replace(
    EXHIBIT,
    record_href="/exhibits/1/record",
    copies=exhibits.CopyForm(
        ("flash", "optical", "paper"),
        ("examination", "court"),
        replace(
            EXHIBIT.copies.form if EXHIBIT.copies else exhibits.EMPTY_FORM,
            errors={"recipient": "copy.recipient"},
            params={"most": 200},
        ),
    ),
)
WITNESSES = (
    anchors.Outsider("court", "court.demo.dalel.example/witness", 1288, ago(minutes=1)),
    anchors.Outsider("bar", "bar.demo.dalel.example/witness", None, None),
)
ANCHORS = anchors.Anchors(
    (
        anchors.Head(
            1290, sha("a")[7:], ago(seconds=8), "/c", (anchors.Mark("court.example", ago(seconds=7)),), (), None
        ),
        anchors.Head(
            1288,
            sha("b")[7:],
            ago(minutes=1),
            "/c",
            (anchors.Mark("court.demo.dalel.example", ago(minutes=1)), anchors.Mark("bar.example", ago(minutes=1))),
            (anchors.Mark("CN=DEVELOPMENT time-stamping authority, proves nothing", ago(minutes=1), "/t.tsr"),),
            ago(minutes=1),
        ),
    ),
    WITNESSES,
    (anchors.Outsider("a", "CN=DEVELOPMENT time-stamping authority, proves nothing", 1288, ago(minutes=1)),),
    "both",
    500,
    {"since": "2026-03-01"},
    "?before=1",
)
PRINTED = printing.TranscriptPrint(
    HEAD, AUDIO, sha("1"), DESK.turns, 3, sha("t"), "Прокурор Ерлан Демо", NOW, "faster-whisper 1.2.1, base"
)
TRAIL_PRINTED = printing.TrailPrint(HEAD, CHAIN, sha("trail"), "Аудитор Гүлнар Демо", NOW, {"area": "exhibit"})
PAGES = {
    "record": (record.render_record, RECORD),
    "record-broken": (record.render_record, BROKEN),
    "exhibit-copies": (exhibits.render_exhibit, COPIED),
    "anchors": (anchors.render_anchors, ANCHORS),
    "anchors-empty": (anchors.render_anchors, replace(ANCHORS, heads=(), witnesses=(), authorities=())),
    "transcript-print": (printing.render_transcript_print, PRINTED),
    "trail-print": (printing.render_trail_print, TRAIL_PRINTED),
}
