"""The receipt as an act on paper: its words in Kazakh, Russian and English, and how its body is laid out."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta, timezone
from typing import Any

from custody.kernel.clock import from_ms
from evidence_api.paper.blocks import Block, Exact, Facts, Heading, Language, Paper, Paragraph, SignatureLines, Table

_ZONE = timezone(timedelta(hours=5))
"""Kazakhstan has one zone since 1 March 2024: UTC+5."""
_UNITS: Mapping[str, Sequence[str]] = {
    "kk": ("Б", "КиБ", "МиБ", "ГиБ", "ТиБ"),
    "ru": ("Б", "КиБ", "МиБ", "ГиБ", "ТиБ"),
    "en": ("B", "KiB", "MiB", "GiB", "TiB"),
}
_WORDS: Mapping[str, Mapping[Language, str]] = {
    "title": {"kk": "Тапсыру туралы қолхат", "ru": "Расписка о передаче", "en": "Receipt of delivery"},
    "case": {"kk": "СДТБТ №", "ru": "ЕРДР №", "en": "Case no."},
    "case_title": {"kk": "Іс", "ru": "Дело", "en": "Case"},
    "officer": {"kk": "Тапсырған", "ru": "Передал(а)", "en": "Delivered by"},
    "issued": {"kk": "Берілген уақыты", "ru": "Выдана", "en": "Issued"},
    "files": {"kk": "Мөрленген файлдар", "ru": "Опечатано файлов", "en": "Files sealed"},
    "size": {"kk": "Жалпы көлемі", "ru": "Общий объём", "en": "Total size"},
    "counts": {
        "kk": "Таңдалғаны {chosen} = мөрленгені {stored} + істе бұрыннан бары {already} + сақталмағаны {failed}",
        "ru": "Выбрано {chosen} = опечатано {stored} + уже было в деле {already} + не сохранено {failed}",
        "en": "Chosen {chosen} = sealed {stored} + already in the case {already} + not stored {failed}",
    },
    "no": {"kk": "№", "ru": "№", "en": "No."},
    "name": {"kk": "Файл және SHA-256", "ru": "Файл и SHA-256", "en": "File and SHA-256"},
    "bytes": {"kk": "Байт", "ru": "Байт", "en": "Bytes"},
    "sealed": {"kk": "Мөрленді", "ru": "Опечатан", "en": "Sealed"},
    "index": {"kk": "Журнал", "ru": "Журнал", "en": "Ledger"},
    "claim": {"kk": "жазылған уақыты (мәлімдеме)", "ru": "записан (заявлено)", "en": "recorded (claimed)"},
    "already": {"kk": "Істе бұрыннан бар", "ru": "Уже было в деле", "en": "Already in the case"},
    "failed": {"kk": "Сақталмаған файлдар", "ru": "Не сохранено", "en": "Not stored"},
    "failed_said": {
        "kk": "Жіберушінің айтуы бойынша; себебі әр файлдың жанында.",
        "ru": "Со слов отправителя; причина — у каждого файла.",
        "en": "As the sender says; the reason stands beside each file.",
    },
    "reason": {"kk": "Себебі", "ru": "Причина", "en": "Reason"},
    "list": {"kk": "Берушінің тізімімен салыстыру", "ru": "Сверка со списком", "en": "Compared with the list"},
    "list_name": {"kk": "Тізім", "ru": "Список", "en": "List"},
    "listed": {"kk": "Тізімде", "ru": "В списке", "en": "Listed"},
    "matched": {"kk": "Сәйкес", "ru": "Совпало", "en": "Matching"},
    "differing": {"kk": "Өзгеше", "ru": "Отличается", "en": "Differing"},
    "missing": {"kk": "Жоқ", "ru": "Отсутствует", "en": "Missing"},
    "extra": {"kk": "Тізімде жоқ", "ru": "Вне списка", "en": "Not listed"},
    "head": {
        "kk": "Журналдың қол қойылған күйі",
        "ru": "Подписанное состояние журнала",
        "en": "Signed head of the log",
    },
    "unsigned": {
        "kk": "Кеңсенің кілті бапталмаған: бұл қолхатқа электрондық қол қойылмаған.",
        "ru": "Ключ канцелярии не настроен: расписка не подписана электронно.",
        "en": "No office key is configured: this receipt carries no electronic signature.",
    },
}


def act(body: Mapping[str, Any], language: str, reason: Callable[[str], str], *, signed: bool) -> Paper:
    """The receipt's body as an act; `reason` says a code in its language. One other than kk, ru, en is taken as kk."""
    tongue: Language = "ru" if language == "ru" else "en" if language == "en" else "kk"

    def word(key: str) -> str:
        return _WORDS[key][tongue]

    files, already, failed = body["files"], body["already"], body["failed"]
    counts = word("counts").format(
        chosen=len(files) + len(already) + len(failed), stored=len(files), already=len(already), failed=len(failed)
    )
    rows = [
        (word("case"), body["erdr"]),
        (word("case_title"), body["title"]),
        (word("officer"), body["officer"]),
        (word("issued"), _moment(body["issued_ms"])),
        (word("files"), str(len(files))),
        (word("size"), f"{_size(body['total_bytes'], tongue)} ({body['total_bytes']} {word('bytes')})"),
    ]
    blocks: list[Block] = [Facts(rows), Paragraph(counts)]
    if files:
        head = [word("no"), word("name"), word("bytes"), word("sealed"), word("index")]
        widths = (0.07, 0.55, 0.13, 0.15, 0.1)
        blocks.append(Table(head, [_file(line, word("claim")) for line in files], widths))
    if already:
        lines = [(str(one["number"]), f"{one['name']}\n{one['sha256']}") for one in already]
        blocks += [Heading(word("already")), Table([word("no"), word("name")], lines, (0.1, 0.9))]
    if failed:
        reasons = [(one["path"], reason(one["code"])) for one in failed]
        blocks += [Heading(word("failed")), Paragraph(word("failed_said"))]
        blocks.append(Table([word("name"), word("reason")], reasons, (0.5, 0.5)))
    if body["list"]:
        blocks += _compared(body["list"], tongue)
    if body["checkpoint"]:
        blocks += [Heading(word("head")), Exact(body["checkpoint"]["note"])]
    if not signed:
        blocks.append(Paragraph(word("unsigned")))
    blocks.append(SignatureLines([body["officer"]]))
    return Paper(
        language=tongue,
        title=word("title"),
        case=f"{word('case')} {body['erdr']}",
        made_at=_moment(body["issued_ms"]),
        blocks=blocks,
        code=_code(body),
    )


def _file(line: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    path = f"{line['folder']}/{line['name']}" if line["folder"] else line["name"]
    claimed = f"\n{claim}: {line['recorded_at']}" if line["recorded_at"] else ""
    return (
        str(line["number"]),
        f"{path}\n{line['sha256']}{claimed}",
        str(line["size_bytes"]),
        _moment(line["sealed_ms"]),
        str(line["ledger_index"]),
    )


def _compared(found: Mapping[str, Any], tongue: Language) -> list[Block]:
    def word(key: str) -> str:
        return _WORDS[key][tongue]

    rows = [(word("list_name"), f"{found['name']} ({found['format']}) {found['sha256']}".strip())]
    rows += [(word(key), str(found[key])) for key in ("listed", "matched")]
    rows += [(word(key), str(len(found[key]))) for key in ("differing", "missing", "extra")]
    blocks: list[Block] = [Heading(word("list")), Facts(rows)]
    lines = [(word("differing"), f"{one['path']}\n{one['expected']}\n{one['found']}") for one in found["differing"]]
    lines += [(word(key), path) for key in ("missing", "extra") for path in found[key]]
    if lines:
        blocks.append(Table(["", word("name")], lines, (0.25, 0.75)))
    return blocks


def _code(body: Mapping[str, Any]) -> str:
    """What the QR code says: the receipt, and the head of the log to hold it against."""
    head = body["checkpoint"]
    return f"dalel-receipt {body['receipt']}" + (f" log {head['size']} {head['root']}" if head else "")


def _moment(time_ms: int) -> str:
    return from_ms(time_ms).astimezone(_ZONE).strftime("%d.%m.%Y %H:%M:%S (UTC+5)")


def _size(size_bytes: int, tongue: str) -> str:
    value, unit = float(size_bytes), 0
    while value >= 1024 and unit < len(_UNITS[tongue]) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {_UNITS[tongue][unit]}" if unit else f"{size_bytes} {_UNITS[tongue][0]}"
