"""Sample models of every page: fictitious people, IINs that belong to nobody. Only for looking and for tests."""

from datetime import timedelta

from portal.context import Form, Person
from portal.pages import audit, cases, disclosures, exhibits, redaction, session, transcript
from portal.pages.events import EventLine
from tests.browser.sample_events import DATA, NOW, ago, ident, sha

PERSON = Person(ident("saule"), "Прокурор Ерлан Демо", "prosecutor")
HEAD = cases.CaseHead(ident("case"), "990000099000001", "Дүкендегі алаяқтық туралы іс", "prosecutor")
AUDIO = exhibits.ExhibitRef(ident("audio"), 1, "Жауап алу 2026-03-11.wav")


ROWS = (
    cases.ExhibitRow(
        ident("audio"),
        1,
        "Жауап алу 2026-03-11.wav",
        "Тінту/Диск",
        "audio/wav",
        9_412_044,
        "sealed",
        sha("1"),
        ago(hours=2),
    ),
    cases.ExhibitRow(
        ident("pdf"), 2, "Протокол осмотра.pdf", "", "application/pdf", 184_223, "sealed", sha("2"), ago(hours=3)
    ),
    cases.ExhibitRow(
        ident("docx"),
        3,
        "Объяснительная записка свидетеля с очень длинным именем файла, которое не помещается в строку.docx",
        "Материалы/Приложения",
        None,
        48_230,
        "checking",
        sha("3"),
    ),
    cases.ExhibitRow(ident("png"), 4, "қолхат 📷.png", "", "image/png", 812_334, "refused", sha("4")),
)
PEOPLE = (
    ("Тергеуші Сәуле Демо", "investigator", "browser"),
    ("", "system", "worker"),
    ("Прокурор Ерлан Демо", "prosecutor", "api"),
)
CHAIN = tuple(
    EventLine(
        index=1200 + n if type != "access.denied" else None,
        at=ago(hours=9 - n),
        type=type,
        actor=PEOPLE[n % 3][0],
        role=PEOPLE[n % 3][1],
        means=PEOPLE[n % 3][2],
        canonical='{"actor":{"id":"…","means":"browser","role":"investigator"},"data":{"number":1},"v":1}',
        data=data,
        names={str(ident("audio")): "№ 1"},
        leaf_hash=sha(type),
        item_seq=n,
    )
    for n, (type, data) in enumerate(DATA.items())
)
FACTS = exhibits.ExhibitFacts(
    ident("audio"),
    1,
    "Жауап алу 2026-03-11.wav",
    "Тінту/Диск",
    "sealed",
    "audio/wav",
    9_412_044,
    sha("1"),
    "search",
    "pretrial",
    3650,
    ago(hours=9),
    "Тергеуші Сәуле Демо",
    sha("c"),
    ago(hours=8),
    NOW + timedelta(days=3650),
    "2026-03-11T10:22:00",
    ago(hours=2),
)
TURNS_TEXT = (
    ("Следователь", "ru", "Назовите ваше имя и дату рождения"),
    ("Свидетель", "ru", "Меня зовут Айгүл Серікқызы Демеуова телефон восемь семьсот один пять пять пять"),
    ("Следователь", "ru", "Расскажите что произошло вечером второго марта"),
    ("Свидетель", "kk", "Кешке жұмыстан шыққанда дүкеннің алдында екі адамды көрдім біреуі Ерболат еді"),
    ("Следователь", "ru", "Вы узнали второго человека"),
    ("Свидетель", "ru", "Нет он стоял спиной было темно я не разглядела"),
)


def turns() -> tuple[transcript.Turn, ...]:
    made, at = [], 0
    for index, (speaker, language, text) in enumerate(TURNS_TEXT):
        start, words = at, []
        for number, word in enumerate(text.split()):
            words.append(transcript.Word(word, at, at + 320, 410_000 if number % 7 == 3 else 930_000))
            at += 340
        made.append(transcript.Turn(index, start, at, speaker, language, tuple(words)))
        at += 300
    return tuple(made)


DURATION_MS = 24_000
DESK = transcript.TranscriptDesk(
    HEAD,
    AUDIO,
    "draft",
    "/sample.wav",
    DURATION_MS,
    2,
    sha("t"),
    turns(),
    (
        transcript.RevisionRow(1, "draft", "faster-whisper", ago(hours=4)),
        transcript.RevisionRow(2, "correction", "Прокурор Ерлан Демо", ago(hours=1), (1, 3)),
    ),
    "faster-whisper 1.2.1",
    "whisper-base " + sha("m"),
    31_000,
    can_correct=True,
    can_confirm=True,
)
REASONS = (
    redaction.ReasonChoice("witness_safety", "Безопасность свидетеля или потерпевшего"),
    redaction.ReasonChoice("personal_data", "Персональные данные"),
    redaction.ReasonChoice("third_party", "Сведения о постороннем лице"),
)
GROUPS = (
    redaction.SuggestionGroup(
        "PERSON",
        "Айгүл Серікқызы Демеуова",
        (
            redaction.SuggestionRow(
                ident("s1"),
                "Айгүл Серікқызы Демеуова",
                "Меня зовут",
                "телефон восемь",
                "accepted",
                reason="witness_safety",
                replacement="Свидетель 1",
                start_ms=2400,
            ),
            redaction.SuggestionRow(
                ident("s2"), "Айгүлдің", "сол кезде", "қолында сөмке болды", "open", language="kk", start_ms=9800
            ),
        ),
    ),
    redaction.SuggestionGroup(
        "PHONE",
        "8 701 555…",
        (
            redaction.SuggestionRow(
                ident("s3"), "восемь семьсот один пять пять пять", "телефон", "", "open", start_ms=4100
            ),
        ),
    ),
    redaction.SuggestionGroup(
        "OTHER",
        "дүкен",
        (
            redaction.SuggestionRow(
                ident("s4"),
                "дүкеннің алдында",
                "жұмыстан шыққанда",
                "екі адамды",
                "rejected",
                "person",
                "kk",
                start_ms=12000,
            ),
        ),
    ),
)
REDACTION = redaction.RedactionDesk(
    HEAD,
    AUDIO,
    "returned",
    GROUPS,
    REASONS,
    "/sample.wav",
    DURATION_MS,
    turns(),
    returned_by="Старший прокурор Анна Демо",
    returned_reason="Проверьте второй номер телефона.",
)
REVIEW = redaction.PlanReview(
    HEAD,
    AUDIO,
    "submitted",
    sha("plan"),
    "Прокурор Ерлан Демо",
    ago(hours=1),
    (
        redaction.PreviewLine((redaction.Run("Назовите ваше имя и дату рождения"),), "ru", "Следователь", 0),
        redaction.PreviewLine(
            (
                redaction.Run("Меня зовут"),
                redaction.Run("Свидетель 1", True, "witness_safety"),
                redaction.Run("телефон"),
                redaction.Run("█████ ", True, "personal_data"),
            ),
            "ru",
            "Свидетель",
            2300,
        ),
        redaction.PreviewLine(
            (redaction.Run("Кешке жұмыстан шыққанда дүкеннің алдында екі адамды көрдім"),), "kk", "Свидетель", 9100
        ),
    ),
    {reason.code: reason.label for reason in REASONS},
    2,
    3200,
    1,
    True,
)
SOUND = exhibits.Rendition(ident("r1"), "sound", 4_201_332, sha("r1"), ago(minutes=30), "passed", "/sample.wav")
TEXT = exhibits.Rendition(ident("r2"), "transcript", 8_213, sha("r2"), ago(minutes=30), "leaks", "/x.txt")
CHECKS = (
    redaction.LeakCheck("tone_only", "passed", "residue 0.42 of 32768 under the spans"),
    redaction.LeakCheck("strings", "passed", "0 forbidden strings in the first MiB of raw bytes"),
    redaction.LeakCheck("ocr", "not_run", "0 forbidden words read, 1 of 1 pages not read"),
)
RENDITIONS = redaction.Renditions(
    HEAD,
    AUDIO,
    (
        redaction.CheckedRendition(SOUND, CHECKS, ago(minutes=29)),
        redaction.CheckedRendition(
            TEXT,
            (redaction.LeakCheck("withheld", "failed", "1 words stand where the plan withholds"),),
            ago(minutes=29),
        ),
    ),
)
FILES = (
    disclosures.DisclosedFile("data/0001/0001-sound.flac", 1, "sound", 4_201_332, sha("r1"), "/r/1", True),
    disclosures.DisclosedFile("data/0001/0001-transcript.txt", 1, "transcript", 8_213, sha("r2"), "/r/2"),
    disclosures.DisclosedFile("data/0002/0002-document.pdf", 2, "pdf", 201_332, sha("r3"), "/r/3"),
)
WITHHELD = (disclosures.WithheldExhibit(3, "under_review"), disclosures.WithheldExhibit(4, "not_material"))
DISCLOSURE = disclosures.Disclosure(
    HEAD,
    ident("d"),
    2,
    "Адвокат Марат Демо",
    "ready",
    ago(hours=5),
    FILES,
    WITHHELD,
    4,
    True,
    "Прокурор Ерлан Демо",
    "/p.zip",
    "990000099000001-2.zip",
    4_420_112,
    sha("z"),
    1288,
    1,
    ago(hours=4),
    ago(hours=3),
)
NOTE = "dalel.example/log\n1288\nq1b2Zk3m4n5o6p7q8r9s0tuvwxyz0123456789abcde=\n\n— dalel.example/log AbCd1234…\n"
COURT = ("court.example/witness", ago(minutes=1))
LEDGER = audit.Ledger("dalel.example/log", 1290, 2, sha("root"), ago(minutes=1), NOTE, 1288, (COURT,), 1288)
TRAIL = audit.Trail(
    HEAD,
    tuple(reversed(CHAIN)),
    LEDGER,
    {"area": "exhibit", "actor": "Сәуле"},
    "?before=1",
    tuple((name, f"?format={name}") for name in audit.FORMATS),
)
EXHIBIT = exhibits.ExhibitPage(
    HEAD,
    FACTS,
    exhibits.ChainPart(tuple(reversed(CHAIN)), len(CHAIN)),
    ("open_transcript", "open_plan", "download"),
    exhibits.Content("audio", "/sample.wav", "/sample.wav"),
    (SOUND, TEXT),
    (exhibits.Job("burn", ago(minutes=1), 31_000, 98_000),),
    "confirmed",
    "submitted",
    1288,
    ago(minutes=1),
)
HOME = session.Home(
    (
        session.CaseCard(
            HEAD.id,
            HEAD.erdr,
            HEAD.title,
            "prosecutor",
            4,
            ago(days=3),
            (session.Waiting("transcript_draft", 1, "/t"), session.Waiting("plan_to_approve", 2, "/p")),
        ),
        session.CaseCard(
            ident("case2"),
            "990000099000002",
            "Кража со склада на улице Абая, второй эпизод",
            "supervising_prosecutor",
            21,
            ago(days=9),
        ),
    ),
    True,
)
GRANTS = (
    cases.GrantRow("Тергеуші Сәуле Демо", "investigator", "investigator", ago(days=3)),
    cases.GrantRow("Адвокат Марат Демо", "defence", "defence", ago(days=1), NOW + timedelta(days=30), None, "/revoke"),
    cases.GrantRow("Эксперт Ольга Демо", "expert", "expert", ago(days=2), None, ago(days=1)),
)
DRAFT = disclosures.DisclosureDraft(
    HEAD,
    (disclosures.Recipient(ident("m"), "Адвокат Марат Демо"),),
    (
        disclosures.DraftItem(
            ident("audio"),
            1,
            "Жауап алу 2026-03-11.wav",
            (
                disclosures.FileChoice(ident("r1"), "sound", 4_201_332, chosen=True),
                disclosures.FileChoice(ident("r2"), "transcript", 8_213, "disclosure.rendition_leaks"),
            ),
        ),
        disclosures.DraftItem(ident("pdf"), 2, "Протокол осмотра.pdf", (), "under_review"),
    ),
    2,
    Form(errors={"": "disclosure.incomplete"}),
)

RECEIPT = {
    "erdr": HEAD.erdr,
    "title": HEAD.title,
    "officer": "Тергеуші Сәуле Демо",
    "total_bytes": sum(row.size_bytes for row in ROWS[:2]),
    "files": [
        {
            "exhibit": str(row.id),
            "number": row.number,
            "name": row.name,
            "folder": row.folder,
            "size_bytes": row.size_bytes,
            "sha256": row.digest,
            "recorded_at": "11.03.2026 09:14:00 (UTC+5)",
            "sealed_ms": 1_773_210_000_000,
            "ledger_index": 1200 + row.number,
        }
        for row in ROWS[:2]
    ],
    "already": [{"number": 4, "name": ROWS[3].name, "sha256": sha("4")}],
    "failed": [{"path": "Тінту/бос.txt", "code": "exhibit.empty"}],
    "list": {
        "format": "bagit",
        "name": "manifest-sha256.txt",
        "sha256": sha("7"),
        "listed": 4,
        "matched": 2,
        "differing": [{"path": "data/а.bin", "expected": sha("5"), "found": sha("6")}],
        "missing": ["data/бос.txt"],
        "extra": ["data/қосымша.txt"],
    },
    "checkpoint": {"size": 1300, "root": "00" * 32, "note": NOTE},
}
