"""`index.html` of a package: what is inside, what was withheld and why, how to verify; opens from a USB stick.

One file in Kazakh, Russian and English, no script, nothing loaded from anywhere. It is for reading: what it says is
vouched for by the tag manifest, and proved only by `python -m custody verify`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from html import escape
from urllib.parse import quote

from custody.proof.disclosure import DisclosedFile, Manifest, Withheld
from evidence_api.disclosure.model import destroyed_by

LANGUAGES = ("kk", "ru", "en")
_ZONE = timezone(timedelta(hours=5))
_STEP = 1024

_STYLE = """
:root{color-scheme:light dark;--ink:#15262c;--muted:#4a5c63;--paper:#f5f7f7;--card:#fff;--rule:#d3dcdf;
--brand:#0f4c5c;--link:#0b5a70}
@media (prefers-color-scheme:dark){:root{--ink:#e8eff1;--muted:#a9bac0;--paper:#0e181c;--card:#16242a;--rule:#33474f;
--brand:#0c323d;--link:#8ad3e4}}
@media print{:root{--ink:#000;--muted:#333;--paper:#fff;--card:#fff}}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/24px "Golos Text",system-ui,sans-serif}
header{background:var(--brand);color:#fff;border-bottom:3px solid #e0a13a;padding:14px 0}
.page{max-width:1000px;margin:0 auto;padding:0 20px}
header b{font-size:22px}h1{font-size:26px;line-height:32px}
h2{font-size:20px;margin:32px 0 8px}h3{font-size:17px;margin:16px 0 4px}
a{color:var(--link)}a:focus{outline:3px solid #ffc247;outline-offset:2px}
.muted{color:var(--muted);font-size:14px;line-height:20px}
table{border-collapse:collapse;width:100%;background:var(--card);font-size:15px}
th,td{text-align:left;vertical-align:top;padding:9px 12px;border:1px solid var(--rule)}
thead th{font-size:13px;line-height:18px}
code,pre{font:13px/19px ui-monospace,monospace;overflow-wrap:anywhere;white-space:pre-wrap}
td.n{white-space:nowrap}.scroll{overflow-x:auto}section{border-top:1px solid var(--rule);margin-top:32px}
"""

_CHECK = ("Осы файлдарды браузерде тексеру", "Проверить эти файлы в браузере", "Check these files in the browser")

_KINDS: Mapping[str, tuple[str, str, str]] = {
    "original": ("Түпнұсқа", "Оригинал", "Original"),
    "transcript": ("Өңделген стенограмма", "Отредактированная стенограмма", "Redacted transcript"),
    "text": ("Өңделген мәтін", "Отредактированный текст", "Redacted text"),
    "sound": ("Өңделген дыбыс", "Отредактированный звук", "Redacted sound"),
    "pdf": ("Өңделген PDF", "Отредактированный PDF", "Redacted PDF"),
    "picture": ("Өңделген сурет", "Отредактированное изображение", "Redacted picture"),
}
_GROUNDS: Mapping[str, tuple[str, str, str]] = {
    "under_review": ("Әлі қаралуда", "Ещё на рассмотрении", "Still under review"),
    "witness_safety": ("Куәнің қауіпсіздігі", "Безопасность свидетеля", "Safety of a witness"),
    "personal_data": ("Дербес деректер", "Персональные данные", "Personal data"),
    "minor": ("Кәмелетке толмағанның мүддесі", "Интересы несовершеннолетнего", "Interests of a minor"),
    "state_secret": ("Мемлекеттік құпия", "Государственные секреты", "State secret"),
    "not_material": ("Іске қатысы жоқ", "Не относится к делу", "Not material"),
}


@dataclass(frozen=True)
class _Words:
    """The explanations in one language; `{}` in `summary` and `withheld` are counts in the order named there."""

    name: str
    title: str
    summary: str
    verify: str
    steps: tuple[str, str, str]
    limit: str


_WORDS: Mapping[str, _Words] = {
    "kk": _Words(
        "Қазақша",
        "Ашу материалдары",
        "Осы пакетте {files} файл бар. Істегі {total} дәлелдің {withheld} берілмеді, негіздері төменде.",
        "Өз бетіңізше қалай тексересіз",
        (
            "Пакетті кез келген компьютерге көшіріңіз. Тексеру ережесін (policy) бізден емес, соттан немесе "
            "адвокаттар алқасынан алыңыз.",
            "Интернетті өшіріп, командалық жолда мынаны іске қосыңыз:",
            "Бағдарлама әр қадамды атап көрсетеді. Бірдеңе өзгерген болса, қай жерде екенін айтып тоқтайды.",
        ),
        "Бұл бет оқуға арналған. Тексеру файлдардың мөрленгеннен бері өзгермегенін дәлелдейді, бірақ жазбада "
        "айтылғанның шындығын дәлелдемейді.",
    ),
    "ru": _Words(
        "Русский",
        "Материалы раскрытия",
        "Файлов в пакете: {files}. Из доказательств дела ({total}) не передано: {withheld}, основания ниже.",
        "Как проверить самостоятельно",
        (
            "Скопируйте пакет на любой компьютер. Правила проверки (policy) возьмите не у нас, а в суде или "
            "коллегии адвокатов.",
            "Отключите интернет и выполните в командной строке:",
            "Программа назовёт каждый шаг. Если что-то изменено, она остановится и укажет, где именно.",
        ),
        "Эта страница нужна для чтения. Проверка доказывает, что файлы не менялись после опечатывания, но не то, "
        "что сказанное в записи правда.",
    ),
    "en": _Words(
        "English",
        "Disclosed material",
        "Files in this package: {files}. Of the case's {total} exhibits {withheld} were withheld; see the grounds.",
        "How to verify it yourself",
        (
            "Copy the package to any computer. Take the policy from the court or the bar, not from us.",
            "Disconnect from the internet and run on the command line:",
            "The program names every step. If anything was changed it stops and says where.",
        ),
        "This page is for reading. Verification proves that the files have not changed since sealing, not that what "
        "was said in them is true.",
    ),
}


def render_reader(manifest: Manifest, package_name: str) -> bytes:
    """The page as UTF-8. `package_name` is the name of the ZIP file, for the command to type.

    Links are relative to the package's top folder. Unknown kinds and grounds are shown by their codes.
    """
    released = datetime.fromtimestamp(0, tz=UTC) + timedelta(milliseconds=manifest.released_ms)
    at = f"{released.astimezone(_ZONE):%d.%m.%Y %H:%M:%S} (UTC+5)"
    languages = " · ".join(f'<a href="#{code}" lang="{code}">{_WORDS[code].name}</a>' for code in LANGUAGES)
    parts = [
        '<!DOCTYPE html><html lang="kk"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{escape(manifest.erdr)} · {manifest.round}</title><style>{_STYLE}</style></head><body>",
        '<header><div class="page"><b>Dälel</b></div></header><main class="page">',
        f"<h1>{_three('Іс', 'Дело', 'Case')} {escape(manifest.erdr)} · № {manifest.round}</h1>",
        f"<p>{escape(manifest.recipient)} · {at}</p><p>{languages}</p>",
        f'<p><a href="verify.html">{_three(*_CHECK)}</a></p>',
        _files(manifest.files),
        _withheld(manifest.withheld),
        *(_explained(code, manifest, package_name) for code in LANGUAGES),
        "</main></body></html>\n",
    ]
    return "\n".join(parts).encode()


def _three(kk: str, ru: str, en: str) -> str:
    return " / ".join(
        f'<span lang="{code}">{escape(text)}</span>' for code, text in zip(LANGUAGES, (kk, ru, en), strict=True)
    )


def _size(size_bytes: int) -> str:
    value, unit = float(size_bytes), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < _STEP or unit == "GiB":
            break
        value /= _STEP
    return f"{size_bytes} B" if unit == "B" else f"{value:.1f} {unit}"


def _files(files: tuple[DisclosedFile, ...]) -> str:
    rows = "".join(
        f'<tr><td class="n">{file.number}</td>'
        f'<td><a href="{escape(quote(file.path))}">{_three(*_KINDS.get(file.kind, (file.kind,) * 3))}</a>'
        f'<br><span class="muted">{escape(file.path)}</span></td>'
        f'<td class="n">{_size(file.size_bytes)}</td><td><code>{escape(file.sha256)}</code></td></tr>'
        for file in files
    )
    head = f"<th>№</th><th>{_three('Файл', 'Файл', 'File')}</th><th>{_three('Көлемі', 'Размер', 'Size')}</th>"
    return (
        f"<h2>{_three('Ішінде не бар', 'Что внутри', 'What is inside')}</h2>"
        f'<div class="scroll"><table><thead><tr>{head}<th>SHA-256</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _withheld(withheld: tuple[Withheld, ...]) -> str:
    title = f"<h2>{_three('Не берілмеді және неліктен', 'Не передано и почему', 'Withheld, and why')}</h2>"
    if not withheld:
        return f"{title}<p>{_three('Барлығы берілді', 'Передано всё', 'Nothing was withheld')}</p>"
    rows = "".join(
        f'<tr><td class="n">{item.number}</td><td>{_three(*_ground(item.ground))}</td></tr>' for item in withheld
    )
    return f"{title}<table><tbody>{rows}</tbody></table>"


def _ground(ground: str) -> tuple[str, str, str]:
    destroyed = destroyed_by(ground)
    if destroyed is None:
        return _GROUNDS.get(ground, (ground,) * 3)
    day, act = destroyed
    return (
        f"{day} күні жою туралы № {act} акт бойынша жойылған",
        f"Уничтожено {day} по акту об уничтожении № {act}",
        f"Destroyed on {day} under destruction act No. {act}",
    )


def _explained(code: str, manifest: Manifest, package_name: str) -> str:
    words = _WORDS[code]
    summary = words.summary.format(
        files=len(manifest.files), total=manifest.exhibits_total, withheld=len(manifest.withheld)
    )
    first, second, third = words.steps
    command = f"python -m custody verify {package_name} --policy policy.txt"
    return (
        f'<section id="{code}" lang="{code}"><h2>{words.title}</h2><p>{summary}</p><h3>{words.verify}</h3>'
        f'<ol><li>{first}</li><li>{second}<pre lang="zxx">{escape(command)}</pre></li><li>{third}</li></ol>'
        f'<p class="muted">{words.limit}</p></section>'
    )
