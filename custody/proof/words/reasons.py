"""Why something is malformed or invalid, by the English phrase the code raises: in Kazakh and in Russian."""

from collections.abc import Mapping

from custody.proof.words import closed
from custody.proof.words.reasons_signed import SIGNED

REASONS: Mapping[str, tuple[str, str]] = {
    # following a log
    "the log has another name than before": ("журналдың аты бұрынғыдан басқа", "у журнала другое имя, чем прежде"),
    "the log is shorter than it was": ("журнал бұрынғыдан қысқа", "журнал короче, чем был"),
    "the tiles lead to another root than the signed one": (
        "плиткалар қол қойылғаннан басқа түбірге апарады",
        "плитки ведут к другому корню, чем подписанный",
    ),
    "the log does not show a tile": ("журнал плитканы көрсетпейді", "журнал не показывает плитку"),
    "the proof shows no fork and no rollback": (
        "айғақ бөлінуді де, шегінуді де көрсетпейді",
        "доказательство не показывает ни раздвоения, ни отката",
    ),
    "a head that was seen is not signed by a log of the policy": (
        "бұрын көрілген жағдайға ережедегі журнал қол қоймаған",
        "увиденное состояние не подписано журналом из правил",
    ),
    **closed.REASONS,
    # strict forms
    "a number is not a plain decimal": (
        "сан қарапайым ондық түрде емес",
        "число записано не простой десятичной формой",
    ),
    "a number is 2^63 or more": ("сан 2^63 немесе одан көп", "число равно 2^63 или больше"),
    "not base64": ("base64 емес", "не base64"),
    "base64 with another spelling of the same bytes": (
        "base64 сол байттарды басқаша жазады",
        "base64 записывает те же байты иначе",
    ),
    "base64 of another number of bytes than needed": (
        "base64 ішінде керегінен басқа байт саны",
        "в base64 не то число байтов",
    ),
    "a digest is not sha256: and 64 lower-case hex digits": (
        "хеш sha256: және 64 кіші он алтылық таңба емес",
        "хеш — не sha256: и 64 строчных шестнадцатеричных знака",
    ),
    "a field is not what it must be": ("өріс тиісті мәнде емес", "поле не такое, каким должно быть"),
    "an object has a field too many or too few": (
        "объектіде өріс артық немесе кем",
        "в объекте поле лишнее или недостаёт",
    ),
    "a file is not UTF-8": ("файл UTF-8 емес", "файл не в UTF-8"),
    "the last line has no newline": ("соңғы жол аяқталмаған", "последняя строка не завершена"),
    # canonical JSON
    "not UTF-8": ("UTF-8 емес", "не UTF-8"),
    "not JSON, or nested too deeply": ("JSON емес немесе тым терең", "не JSON или вложено слишком глубоко"),
    "nested too deeply": ("тым терең", "вложено слишком глубоко"),
    "another spelling than the canonical one": ("канондық жазылудан басқаша", "записано не канонически"),
    "a key twice in one object": ("бір объектіде кілт екі рет", "ключ дважды в одном объекте"),
    "a number that is not an integer": ("бүтін емес сан", "нецелое число"),
    "an integer of 2^53 or more": ("2^53 немесе одан көп бүтін сан", "целое число 2^53 или больше"),
    "an object key that is not ASCII text": ("объект кілті ASCII мәтін емес", "ключ объекта — не текст ASCII"),
    "a value that JSON does not have": ("JSON-да жоқ мән", "значение, которого в JSON нет"),
    "a lone surrogate": ("жұпсыз суррогат", "одиночный суррогат"),
    # events
    "an event is longer than 65535 bytes": ("оқиға 65535 байттан ұзын", "событие длиннее 65535 байтов"),
    "an event's type is not in the closed set": ("оқиға түрі жабық тізімде жоқ", "вида события нет в закрытом списке"),
    "an event's data has a field too many or too few for its type": (
        "оқиға деректерінде өріс артық немесе кем",
        "в данных события поле лишнее или недостаёт",
    ),
    "an event has a personal digest its type does not know": (
        "оқиғада оның түрі білмейтін жеке хеш бар",
        "у события личный хеш, которого его вид не знает",
    ),
    "only an item's first event has no predecessor": (
        "тек бірінші оқиғаның алдыңғысы болмайды",
        "предыдущего нет только у первого события",
    ),
    # the manifest
    "a file's path is not data/, its exhibit's number and a name": (
        "файл жолы data/, дәлел нөмірі және атау емес",
        "путь файла — не data/, номер доказательства и имя",
    ),
    "a file's path cannot be an entry of a package": (
        "мұндай жол пакетте бола алмайды",
        "такого пути в пакете быть не может",
    ),
    "a file is an original with a rendition, or a rendition without one": (
        "файл түпнұсқа ма, туынды ма — қайшылықты",
        "противоречиво, оригинал это или производный файл",
    ),
    "an original is said to be made from something else": (
        "түпнұсқа басқа нәрседен жасалған деп көрсетілген",
        "оригинал будто бы сделан из чего-то другого",
    ),
    "a path stands twice in the manifest": ("тізбеде жол екі рет тұр", "путь стоит в перечне дважды"),
    "an exhibit has two numbers, or a number two exhibits": (
        "дәлелдің екі нөмірі не нөмірдің екі дәлелі бар",
        "у доказательства два номера или у номера два доказательства",
    ),
    "the manifest names more exhibits than there are in all": (
        "тізбеде барлығынан көп дәлел аталған",
        "в перечне названо больше доказательств, чем всего есть",
    ),
    # the bag
    "the list of digests is not sorted, or has a path twice": (
        "хештер тізімі реттелмеген немесе жол екі рет тұр",
        "список хешей не упорядочен или путь стоит дважды",
    ),
    "a line is not a digest, two spaces and a path": (
        "жол хеш, екі бос орын және файл жолы емес",
        "строка — не хеш, два пробела и путь",
    ),
    "a line is not a label and a value, or a label stands twice": (
        "жол атау мен мән емес немесе атау екі рет тұр",
        "строка — не название и значение, или название стоит дважды",
    ),
    "a label, a value or a path cannot be written as it is": (
        "атауды, мәнді немесе жолды сол күйінде жазуға болмайды",
        "название, значение или путь нельзя записать как есть",
    ),
    "an extra file has a name that packages do not know": (
        "қосымша файлдың атауы пакеттерге белгісіз",
        "имя дополнительного файла пакетам неизвестно",
    ),
    "a data file does not lie below data/": ("дерек файлы data/ ішінде емес", "файл данных лежит не в data/"),
    # the container
    "not a ZIP file": ("ZIP файл емес", "не файл ZIP"),
    "not a ZIP file, or bytes follow its end": (
        "ZIP файл емес немесе соңынан кейін байттар бар",
        "не файл ZIP или после его конца есть байты",
    ),
    "the ZIP64 end record is not where it must be": (
        "ZIP64 соңғы жазбасы өз орнында емес",
        "конечная запись ZIP64 не на своём месте",
    ),
    "the archive is empty": ("мұрағат бос", "архив пуст"),
    "the archive is broken": ("мұрағат бүлінген", "архив повреждён"),
    "the list of entries is larger than 100 MB": ("жазбалар тізімі 100 МБ-тан үлкен", "список записей больше 100 МБ"),
    "the package has more than 200000 entries": ("пакетте 200000-нан көп жазба бар", "в пакете больше 200000 записей"),
    "an entry reaches into the list of entries": (
        "жазба жазбалар тізіміне кіріп тұр",
        "запись заходит в список записей",
    ),
    "entries overlap, or bytes stand before the first": (
        "жазбалар қабаттасады немесе біріншісінің алдында байттар бар",
        "записи перекрываются или перед первой есть байты",
    ),
    "an entry is not below the one top folder": (
        "жазба жалғыз жоғарғы қалтада емес",
        "запись не в единственной верхней папке",
    ),
    "two entries have one name": ("екі жазбаның атауы бір", "две записи с одним именем"),
    "an entry is larger than its kind may be": (
        "жазба осындай файл үшін тым үлкен",
        "запись больше, чем бывает такой файл",
    ),
    "an entry's path is absolute, empty or climbs": (
        "жазба жолы абсолюттік, бос немесе жоғары шығады",
        "путь записи абсолютный, пустой или ведёт вверх",
    ),
    "an entry's path has a part that ends in a dot or a space": (
        "жазба жолының бөлігі нүктемен не бос орынмен аяқталады",
        "часть пути записи кончается точкой или пробелом",
    ),
    "an entry's path has a character that systems read differently": (
        "жазба жолында жүйелер әртүрлі оқитын таңба бар",
        "в пути записи знак, который системы читают по-разному",
    ),
    "an entry's path is longer than 1000 bytes": ("жазба жолы 1000 байттан ұзын", "путь записи длиннее 1000 байтов"),
    "an entry's name can be read in two ways": ("жазба атауын екі түрлі оқуға болады", "имя записи читается двояко"),
    "an entry is a link or another special file": (
        "жазба сілтеме немесе басқа арнайы файл",
        "запись — ссылка или другой особый файл",
    ),
    "an entry is compressed: packages are stored as they are": (
        "жазба сығылған: пакеттер сығылмай сақталады",
        "запись сжата: пакеты хранятся без сжатия",
    ),
    "an entry is encrypted": ("жазба шифрланған", "запись зашифрована"),
    "a file cannot be read": ("файл оқылмайды", "файл не читается"),
    **SIGNED,
}
