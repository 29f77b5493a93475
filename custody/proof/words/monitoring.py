"""What the monitor says, in Kazakh, Russian and English."""

from collections.abc import Mapping

SAID: Mapping[str, tuple[str, str, str]] = {
    "first": (
        "{origin}: алғаш рет көрілді, {size} жазба. Бұған дейінгісі тексерілмеді.",
        "{origin}: увиден впервые, записей {size}. Что было раньше, не проверено.",
        "{origin}: seen for the first time, {size} entries. Nothing before this was checked.",
    ),
    "unchanged": (
        "{origin}: өзгермеген, {size} жазба.",
        "{origin}: без изменений, записей {size}.",
        "{origin}: unchanged, {size} entries.",
    ),
    "grown": (
        "{origin}: {old} жазбадан {size} жазбаға өсті, ескілері өзгермеген.",
        "{origin}: вырос с {old} до {size} записей, прежние не изменены.",
        "{origin}: grown from {old} to {size} entries, the old ones unchanged.",
    ),
    "closed": (
        "{origin}: жабылған; жалғасы: {following}.",
        "{origin}: закрыт; продолжение: {following}.",
        "{origin}: closed; it goes on as {following}.",
    ),
    "next_unknown": (
        "{origin} журналының кілті ережеңізде жоқ, сондықтан ол тексерілмеді. Жаңа ережені сенімді жерден алыңыз.",
        "Ключа журнала {origin} нет в ваших правилах, он не проверен. Возьмите новые правила из надёжного места.",
        "The key of {origin} is not in your policy, so it was not checked. Get the new policy from where you trust it.",
    ),
    "next_empty": (
        "{origin}: жаңа ашылды, әлі ештеңе жарияламаған.",
        "{origin}: только что открыт, ещё ничего не опубликовал.",
        "{origin}: opened a moment ago, nothing published yet.",
    ),
    "reopened": (
        "ЖАБЫЛҒАН ЖУРНАЛ ӨСТІ: {reason}. Айғақ сақталды: {proof}",
        "ЗАКРЫТЫЙ ЖУРНАЛ ВЫРОС: {reason}. Доказательство сохранено: {proof}",
        "THE CLOSED LOG HAS GROWN: {reason}. Proof kept: {proof}",
    ),
    "confirmed.reopened": (
        "РАСТАЛДЫ: журнал жабылғаннан кейінгі жағдайға қол қойған.",
        "ПОДТВЕРЖДЕНО: журнал подписал состояние после своего закрытия.",
        "CONFIRMED: the log has signed a head after its own end.",
    ),
    "no_quorum": (
        "Ескерту: бұл жағдайға ережедегі куәгерлердің жеткілікті саны қол қоймаған.",
        "Внимание: под этим состоянием нет подписей нужного числа свидетелей из ваших правил.",
        "Note: fewer witnesses than your policy asks for have cosigned this head.",
    ),
    "fork": (
        "ЖУРНАЛ ЕКІГЕ БӨЛІНДІ: бұрын қол қойғанынан басқа тарих көрсетеді ({reason}). Айғақ сақталды: {proof}",
        "ЖУРНАЛ РАЗДВОИЛСЯ: показывает не ту историю, под которой подписывался раньше ({reason})."
        " Доказательство сохранено: {proof}",
        "THE LOG HAS FORKED: it shows another history than the one it signed before ({reason}). Proof kept: {proof}",
    ),
    "rollback": (
        "ЖУРНАЛ КЕРІ ШЕГІНДІ: бұрынғыдан қысқа ({reason}). Айғақ сақталды: {proof}",
        "ЖУРНАЛ ОТКАТИЛСЯ: он короче, чем был ({reason}). Доказательство сохранено: {proof}",
        "THE LOG HAS GONE BACK: it is shorter than it was ({reason}). Proof kept: {proof}",
    ),
    "unproved": (
        "ЖУРНАЛ ӨЗ ЖАҒДАЙЫН ДӘЛЕЛДЕЙ АЛМАЙДЫ: {reason}. Екі жағдай да сақталды: {proof}",
        "ЖУРНАЛ НЕ МОЖЕТ ПОДТВЕРДИТЬ СВОЁ СОСТОЯНИЕ: {reason}. Оба состояния сохранены: {proof}",
        "THE LOG CANNOT SHOW WHAT IT SIGNED: {reason}. Both heads were kept: {proof}",
    ),
    "unsigned": (
        "БҰЛ ЖАҒДАЙ СІЗДІҢ ЖУРНАЛДІКІ ЕМЕС: {reason}. Алынғаны сақталды: {proof}",
        "ЭТО СОСТОЯНИЕ НЕ ВАШЕГО ЖУРНАЛА: {reason}. Полученное сохранено: {proof}",
        "THIS HEAD IS NOT YOUR LOG'S: {reason}. What came was kept: {proof}",
    ),
    "witness": (
        "КУӘГЕРДІҢ ҚОЛЫ ЖАЛҒАН: {reason}. Алынғаны сақталды: {proof}",
        "ПОДПИСЬ СВИДЕТЕЛЯ ЛОЖНА: {reason}. Полученное сохранено: {proof}",
        "A WITNESS'S COSIGNATURE IS FALSE: {reason}. What came was kept: {proof}",
    ),
    "confirmed.fork": (
        "РАСТАЛДЫ: журнал бір-біріне қайшы екі жағдайға қол қойған.",
        "ПОДТВЕРЖДЕНО: журнал подписал два состояния, которые противоречат друг другу.",
        "CONFIRMED: the log has signed two heads that contradict each other.",
    ),
    "confirmed.rollback": (
        "РАСТАЛДЫ: екі жағдайға да журнал қол қойған, екіншісі қысқарақ. Қайсысы кейін көрсетілгенін"
        " тек көрген адам біледі.",
        "ПОДТВЕРЖДЕНО: оба состояния подписаны журналом, второе короче. Какое показано позже, знает только видевший.",
        "CONFIRMED: the log has signed both heads and the second is shorter. Which was shown later only the one who"
        " saw it can say.",
    ),
    "unusable": (
        "Ештеңе тексерілмеді: {reason}",
        "Ничего не проверено: {reason}",
        "Nothing was checked: {reason}",
    ),
    "usage": (
        "Журналдың мекенжайы мен --state керек.",
        "Нужны адрес журнала и --state.",
        "The log's address and --state are needed.",
    ),
}

_LANGUAGES = ("kk", "ru", "en")


def said(key: str, language: str, **values: str | int) -> str:
    """A sentence of the monitor. Values are cut to 400 characters, and what a terminal would obey becomes `?`."""
    shown = {name: _printable(str(value)) for name, value in values.items()}
    return SAID[key][_LANGUAGES.index(language)].format_map(shown)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text[:400])
