"""What a check of the whole ledger says, in Kazakh, Russian and English: one set of words for command and page."""

from collections.abc import Mapping

from custody.checking.difference import Difference, Step
from custody.checking.service import Report
from custody.proof.words import printable

STEPS: Mapping[Step, Mapping[str, tuple[str, str, str]]] = {
    Step.HEAD: {
        "kk": (
            "Жарияланған жағдай",
            "соңғы жарияланған жағдайға журналдың қолы қойылған, дерекқорда одан кем жазба жоқ",
            "Дәлелдің өзгертілгенін: дерекқор ескі көшірмеден қалпына келтірілген болуы мүмкін.",
        ),
        "ru": (
            "Опубликованное состояние",
            "последнее опубликованное состояние подписано журналом, и записей в базе не меньше",
            "Что изменено доказательство: база могла быть восстановлена из старой копии.",
        ),
        "en": (
            "Published head",
            "the last published head is signed by the log, and the database holds no fewer entries",
            "That evidence was changed: the database may have been restored from an old backup.",
        ),
    },
    Step.ENTRIES: {
        "kk": (
            "Жазбалар",
            "жазбалар үзіліссіз нөмірленген, әрқайсысының хеші мен алдыңғысына сілтемесі өз байттарынан шығады",
            "Мұны кім және қашан жасағанын; осы орыннан кейінгі жазбалар қаралмады.",
        ),
        "ru": (
            "Записи",
            "записи идут без пропусков, хеш каждой и ссылка на предыдущую следуют из её байтов",
            "Кто и когда это сделал; записи после этого места не проверялись.",
        ),
        "en": (
            "Entries",
            "entries without a gap, the hash of each and its link to the one before following from its own bytes",
            "Who did it or when; entries after this place were not looked at.",
        ),
    },
    Step.TILES: {
        "kk": (
            "Жарияланған ағаш",
            "жазбалардан есептелген әр түбір мен плитка жарияланғанмен бірдей",
            "Қай жағы бұрыс екенін: дерекқор ма, қойма ма. Оны бұрынғы бақылау нүктесі шешеді.",
        ),
        "ru": (
            "Опубликованное дерево",
            "каждый корень и каждая плитка, вычисленные из записей, совпадают с опубликованными",
            "Какая сторона неверна: база или хранилище. Это решает более ранняя контрольная точка.",
        ),
        "en": (
            "Published tree",
            "every root and every tile computed from the entries is the published one",
            "Which side is wrong, the database or the store: an earlier checkpoint decides that.",
        ),
    },
    Step.BUNDLES: {
        "kk": (
            "Жабық көшірмелер",
            "жабық көшірмелердегі жазбалар дерекқордағыдай",
            "Жазбаның жалған екенін: көшірменің өзі бүлінген болуы мүмкін.",
        ),
        "ru": (
            "Закрытые копии",
            "записи в закрытых пакетах те же, что в базе",
            "Что запись ложна: повреждена могла быть сама копия.",
        ),
        "en": (
            "Private copies",
            "the entries in the private bundles are those of the database",
            "That an entry is false: the copy itself may be damaged.",
        ),
    },
    Step.OBJECTS: {
        "kk": (
            "Сақтаудағы файлдар",
            "әр мөрленген, өңделген және берілген файл қоймада, өз нұсқасы мен өзгертуге тыйымымен",
            "Файлды кім жойғанын немесе ауыстырғанын; толық оқылмаған файлдардың ішін.",
        ),
        "ru": (
            "Хранимые файлы",
            "каждый опечатанный, отредактированный и переданный файл лежит в хранилище под своей версией и запретом",
            "Кто удалил или подменил файл; содержимое файлов, которые не читались целиком.",
        ),
        "en": (
            "Stored files",
            "every sealed, redacted and released file lies in the store, in its own version and under its lock",
            "Who removed or replaced the file; nor, unless the files were read, what is in them.",
        ),
    },
    Step.ROWS: {
        "kk": (
            "Іс жүргізу кестелері",
            "әр жолдың өз оқиғасы бар, мұны талап ететін ереже қосулы",
            "Жолда жазылғанның өтірік екенін: оның оқиғасы табылмады, басқа ештеңе емес.",
        ),
        "ru": (
            "Рабочие таблицы",
            "у каждой строки есть её событие, и правило, которое этого требует, действует",
            "Что в строке неправда: не найдено её событие, и только.",
        ),
        "en": (
            "Business rows",
            "every row has its event, and the rule that demands it is in force",
            "That the row tells a lie: its event is not there, and that is all.",
        ),
    },
}

FOUND: Mapping[str, tuple[str, str, str]] = {
    "head.signature": (
        "{place}: сенімді журналдың қолы жоқ ({found})",
        "{place}: нет подписи журнала, которому доверяют ({found})",
        "{place} is not signed by a log that is trusted ({found})",
    ),
    "head.state": (
        "{place}: {expected} жазба делінген, бары {found}",
        "{place}: сказано записей {expected}, есть {found}",
        "{place} says {expected} entries, there are {found}",
    ),
    "head.register": (
        "тіркелім {found} жазбада тұр, дерекқор {expected} жариялады",
        "реестр стоит на {found} записях, база показывает {expected}",
        "the register stands at {found} entries, the database shows {expected}",
    ),
    "head.behind": (
        "{expected} жазба жарияланған, дерекқорда {found}",
        "опубликовано записей {expected}, в базе {found}",
        "{expected} entries were published, the database holds {found}",
    ),
    "head.columns": (
        "{place} жазбадағы бақылау нүктесінің бағандары қол қойылған мәтіннен басқа: {expected} орнына {found}",
        "столбцы контрольной точки на {place} расходятся с подписанным текстом: {found} вместо {expected}",
        "the columns of the checkpoint at {place} say {found}, its signed text {expected}",
    ),
    "entries.gap": (
        "{place}-жазба жоқ (табылғаны: {found})",
        "нет записи {place} (найдено: {found})",
        "entry {place} is not there (found: {found})",
    ),
    "entries.hash": (
        "{place}-жазбаның хеші {found}, байттарынан шығатыны {expected}",
        "хеш записи {place} {found}, из её байтов следует {expected}",
        "entry {place} has the hash {found}, its bytes give {expected}",
    ),
    "entries.form": (
        "{place}-жазба қатаң пішінде емес ({found})",
        "запись {place} не в строгой форме ({found})",
        "entry {place} is not in its strict form ({found})",
    ),
    "entries.columns": (
        "{place} бағаны: {found}; жазбаның өзінде: {expected}",
        "столбец {place}: {found}; в самой записи: {expected}",
        "column {place} says {found}, the entry itself {expected}",
    ),
    "entries.chain": (
        "{place}-жазба алдыңғысынан шықпайды: {expected} орнына {found}",
        "запись {place} не следует из предыдущей: {found} вместо {expected}",
        "entry {place} does not follow from the one before: {found} instead of {expected}",
    ),
    "tiles.root": (
        "{place} жазбадан шығатын түбір {found}, жарияланғаны {expected}",
        "корень на {place} записях {found}, опубликован {expected}",
        "the root over {place} entries is {found}, published was {expected}",
    ),
    "tiles.boundary": (
        "{place}-жазбада басталатын журнал алдыңғысының соңын жалғастырмайды: {expected} орнына {found}",
        "журнал с записи {place} не продолжает конец предыдущего: {found} вместо {expected}",
        "the log that begins at entry {place} does not go on from the end of the one before: {found}, not {expected}",
    ),
    "tiles.missing": (
        "{place} плиткасы: {expected} байт орнына {found}",
        "плитка {place}: {found} вместо {expected} байт",
        "tile {place}: {found} instead of {expected} bytes",
    ),
    "tiles.differs": (
        "{place} плиткасында {found}, жазбалардан шығатыны {expected}",
        "в плитке {place} {found}, из записей следует {expected}",
        "tile {place} holds {found}, the entries give {expected}",
    ),
    "bundles.missing": (
        "{place}-жазбадан басталатын көшірме жоқ",
        "нет закрытой копии, которая начинается с записи {place}",
        "there is no bundle that begins at entry {place}",
    ),
    "bundles.form": (
        "{place}-жазбадан басталатын көшірме оқылмайды ({found})",
        "закрытая копия с записи {place} не читается ({found})",
        "the bundle that begins at entry {place} cannot be read ({found})",
    ),
    "bundles.differs": (
        "{place}-жазба көшірмеде {found}, дерекқорда {expected}",
        "запись {place} в закрытой копии {found}, в базе {expected}",
        "entry {place} is {found} in its bundle, {expected} in the database",
    ),
    "objects.row": (
        "{place}-жазба атаған {expected} файлының дерекқорда жолы жоқ",
        "у файла {expected}, названного записью {place}, нет строки в базе",
        "the file {expected} that entry {place} names has no row in the database",
    ),
    "objects.digest": (
        "{place}-жазба файлдың хеші {expected} дейді, жолда {found}",
        "запись {place} называет хеш файла {expected}, в строке {found}",
        "entry {place} gives the file's digest as {expected}, its row as {found}",
    ),
    "objects.missing": (
        "{place} қоймада жоқ немесе көлемі басқа: {expected} орнына {found}",
        "{place}: нет в хранилище или другой размер: {found} вместо {expected}",
        "{place} is not in the store or has another size: {found} instead of {expected}",
    ),
    "objects.lock": (
        "{place} {expected} дейін құлыпталуы керек, табылғаны: {found}",
        "{place} должен быть заперт до {expected}, найдено: {found}",
        "{place} must be locked until {expected}, found: {found}",
    ),
    "objects.bytes": (
        "{place} хеші {found}, болуы керегі {expected}",
        "хеш {place} {found}, должен быть {expected}",
        "{place} has the digest {found}, it must be {expected}",
    ),
    "rows.event": (
        "{place} кестесіндегі жол атаған {found} оқиғасы жоқ",
        "нет события {found}, названного строкой таблицы {place}",
        "there is no event {found}, which a row of {place} names",
    ),
    "rows.trigger": (
        "{place} кестесінде оқиға талап ететін ереже өшірулі",
        "в таблице {place} отключено правило, которое требует события",
        "the rule that demands an event is switched off on {place}",
    ),
}

SAID: Mapping[str, tuple[str, str, str]] = {
    "same": (
        "ӨЗГЕРМЕГЕН. {entries} жазба, {objects} файл, {rows} жол бір-бірімен және жарияланғанмен сәйкес.",
        "НЕ ИЗМЕНЕНО. Записи ({entries}), файлы ({objects}) и строки ({rows}) согласуются между собой и с"
        " опубликованным.",
        "UNCHANGED. {entries} entries, {objects} files and {rows} rows agree with each other and with what was"
        " published.",
    ),
    "differs": (
        "АЙЫРМА БАР. {step}-қадам, {name}.",
        "ЕСТЬ РАСХОЖДЕНИЕ. Шаг {step}, {name}.",
        "DIFFERS. Step {step}, {name}.",
    ),
    "expected": ("Болуы керегі: {text}", "Ожидалось: {text}", "Expected: {text}"),
    "found": ("Табылғаны: {text}", "Найдено: {text}", "Found: {text}"),
    "does_not_prove": (
        "Бұл нені дәлелдемейді: {text}",
        "Чего это не доказывает: {text}",
        "What this does not prove: {text}",
    ),
    "shallow": (
        "Файлдардың ішін оқыған жоқ: тек бар-жоғы, көлемі, құлпы қаралды.",
        "Содержимое файлов не читалось: проверены наличие, размер и запрет.",
        "The files were not read: only their presence, size and lock were looked at.",
    ),
    "no_register": (
        "Тіркелім бұл жерден оқылмайды: дерекқордағы соңғы жағдаймен салыстырылды.",
        "Реестр отсюда не читается: сравнивалось с последним состоянием в базе.",
        "The register cannot be read from here: the last head in the database was used.",
    ),
    "title": ("Бүкіл журналды тексеру", "Проверка всего журнала", "Check of the whole ledger"),
    "began": ("Басталды", "Начата", "Began"),
    "ended": ("Аяқталды", "Закончена", "Ended"),
    "size": ("Жарияланған жазбалар", "Опубликовано записей", "Entries published"),
    "root": ("Түбір", "Корень", "Root"),
    "exact": ("Есептің дәл байттары", "Точные байты отчёта", "The report's exact bytes"),
    "unsigned": (
        "Қол қойылмаған: бұл жерде мекеменің кілті орнатылмаған.",
        "Без подписи: ключ учреждения здесь не установлен.",
        "Not signed: no key of the office is installed here.",
    ),
    "limits": (
        "Дәлелденбейді: жазылғанның шындығы; бүкіл жүйені кілтімен бірге қайта жазғанды тек куәгер көреді.",
        "Не доказано: правдивость записанного; переписанную вместе с ключом систему заметит только свидетель.",
        "Not proved: that what was recorded is true. A system rewritten whole, with its key, only a witness notices.",
    ),
}

_LANGUAGES = ("kk", "ru", "en")


def report(found: Report, language: str) -> list[str]:
    """A report in sentences: the answer first, then what it rests on and what it does not prove."""
    lines = []
    if found.difference is None:
        lines.append(said("same", language, entries=found.entries, objects=found.objects, rows=found.rows))
    else:
        sentences = told(found.difference, language)
        lines.append(said("differs", language, step=int(found.difference.step), name=sentences["name"]))
        lines += [_labelled(key, sentences[key], language) for key in ("expected", "found", "does_not_prove")]
    if not found.deep:
        lines.append(said("shallow", language))
    if not found.register:
        lines.append(said("no_register", language))
    return [*lines, said("limits", language)]


def _labelled(key: str, sentence: str, language: str) -> str:
    # our own sentence, its values already safe to print: only the label is added
    return SAID[key][_LANGUAGES.index(language)].format(text=sentence)


def said(key: str, language: str, **values: str | int) -> str:
    """A sentence of the check itself."""
    return _filled(SAID[key], language, values)


def told(difference: Difference, language: str) -> dict[str, str]:
    """`name`, `expected`, `found` and `does_not_prove` of a difference, as sentences."""
    name, expected, does_not_prove = STEPS[difference.step][language]
    values = {"place": difference.place, "expected": difference.expected, "found": difference.found}
    found = _filled(FOUND[difference.code], language, values)
    return {"name": name, "expected": expected, "found": found, "does_not_prove": does_not_prove}


def _filled(sentences: tuple[str, str, str], language: str, values: Mapping[str, str | int]) -> str:
    shown = {name: printable(value) for name, value in values.items()}
    return sentences[_LANGUAGES.index(language)].format_map(shown)
