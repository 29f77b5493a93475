"""Why a note, a policy, a proof or a time stamp is malformed or invalid: the second half of `reasons`."""

from collections.abc import Mapping

SIGNED: Mapping[str, tuple[str, str]] = {
    # notes, checkpoints, cosignatures
    "a note is larger than 1 MB": ("жазба 1 МБ-тан үлкен", "записка больше 1 МБ"),
    "a note is not UTF-8": ("жазба UTF-8 емес", "записка не в UTF-8"),
    "a note has a control character": ("жазбада басқару таңбасы бар", "в записке управляющий знак"),
    "a note has no empty line followed by signature lines": (
        "жазбада бос жол және одан кейін қолдар жоқ",
        "в записке нет пустой строки и подписей за ней",
    ),
    "a note has more than 100 signatures": ("жазбада 100-ден көп қол бар", "в записке больше 100 подписей"),
    "a note's text does not end in a newline": ("жазба мәтіні жолмен аяқталмаған", "текст записки не завершён строкой"),
    "a text has a lone surrogate": ("мәтінде жұпсыз суррогат бар", "в тексте одиночный суррогат"),
    "a signature line is not a dash, a name and a signature": (
        "қол жолы сызықша, атау және қол емес",
        "строка подписи — не тире, имя и подпись",
    ),
    "a signature is too short": ("қол тым қысқа", "подпись слишком короткая"),
    "a signature does not fit the text": ("қол мәтінге сай емес", "подпись не подходит к тексту"),
    "no known key has signed the note": (
        "белгілі кілттердің ешқайсысы қол қоймаған",
        "ни один известный ключ не подписал",
    ),
    "a key name is empty or has a space, a plus or a control character": (
        "кілт атауы бос не онда бос орын, плюс, басқару таңбасы бар",
        "имя ключа пустое или в нём пробел, плюс, управляющий знак",
    ),
    "a verifier key has not three parts": ("кілт үш бөліктен тұрмайды", "ключ не из трёх частей"),
    "a verifier key's id is not the one of its name and key": (
        "кілт нөмірі оның атауы мен кілтіне сай емес",
        "номер ключа не подходит к его имени и ключу",
    ),
    "a verifier key is not Ed25519 of type 1 or 4, or ML-DSA-44 of type 6": (
        "кілт 1 немесе 4 түріндегі Ed25519 да, 6 түріндегі ML-DSA-44 те емес",
        "ключ не Ed25519 вида 1 или 4 и не ML-DSA-44 вида 6",
    ),
    "a verifier key is not one of ML-DSA-44, or the library here is too old for it": (
        "кілт ML-DSA-44 кілті емес, не мұндағы кітапхана ол үшін тым ескі",
        "ключ не ML-DSA-44, или здешняя библиотека для него слишком стара",
    ),
    "a witness's name is longer than 255 bytes": ("куәгер атауы 255 байттан ұзын", "имя свидетеля длиннее 255 байтов"),
    "extension lines that the cosignature does not cover": (
        "куәгер қолы қамтымайтын қосымша жолдар",
        "дополнительные строки, которых подпись свидетеля не охватывает",
    ),
    "a verifier key is one under which anybody can sign": (
        "бұл кілтпен кез келген адам қол қоя алады",
        "под этим ключом может подписать кто угодно",
    ),
    "an origin is longer than 255 bytes": ("журнал атауы 255 байттан ұзын", "имя журнала длиннее 255 байтов"),
    "a checkpoint is not at least three lines, each ended by a newline": (
        "бақылау нүктесінде аяқталған үш жол жоқ",
        "в контрольной точке нет трёх завершённых строк",
    ),
    "a tree size is not 0..2^63-1": ("ағаш өлшемі 0..2^63-1 емес", "размер дерева не 0..2^63-1"),
    "a root hash is not 32 bytes": ("түбір хеші 32 байт емес", "корневой хеш не 32 байта"),
    "an origin or extension line is empty or has a control character": (
        "журнал атауы не қосымша жол бос немесе онда басқару таңбасы бар",
        "имя журнала или дополнительная строка пусты или содержат управляющий знак",
    ),
    "the checkpoint's origin is not the name of the key that signed it": (
        "бақылау нүктесіндегі журнал атауы қол қойған кілттің атауы емес",
        "имя журнала в контрольной точке — не имя подписавшего ключа",
    ),
    "a cosignature's time is not 0..2^63-1": ("куәгер қолының уақыты 0..2^63-1 емес", "время свидетеля не 0..2^63-1"),
    "a line is not a cosignature of this witness": (
        "жол бұл куәгердің қолы емес",
        "строка — не подпись этого свидетеля",
    ),
    "a cosignature has not the form of one": ("куәгер қолының пішіні басқа", "подпись свидетеля не той формы"),
    "a cosignature is from the future": (
        "куәгер қолының уақыты осы компьютер сағатынан кейін",
        "подпись свидетеля позже, чем часы этого компьютера",
    ),
    # the policy
    "the policy is larger than 100 kB": ("саясат 100 кБ-тан үлкен", "политика больше 100 кБ"),
    "the policy has a control character": ("саясатта басқару таңбасы бар", "в политике управляющий знак"),
    "the policy does not end in a newline": (
        "саясаттың соңғы жолы аяқталмаған",
        "последняя строка политики не завершена",
    ),
    "the policy has no quorum line": ("саясатта quorum жолы жоқ", "в политике нет строки quorum"),
    "the policy has a key of another kind than its line asks for": (
        "саясаттағы кілт жолына сай түрде емес",
        "ключ в политике не того вида, что его строка",
    ),
    "the policy has one key twice": ("саясатта бір кілт екі рет", "в политике один ключ дважды"),
    "the policy has a group whose threshold is not 1 to its number of members": (
        "саясаттағы топ шегі 1 мен мүше саны аралығында емес",
        "порог группы в политике не от 1 до числа членов",
    ),
    "the policy has one name as a member twice": ("саясатта бір атау екі рет мүше", "в политике одно имя дважды член"),
    "the policy refers to a name it has not defined before": (
        "саясат бұрын анықталмаған атауға сілтейді",
        "политика ссылается на имя, не определённое раньше",
    ),
    "a name in the policy is defined twice or reserved": (
        "саясаттағы атау екі рет анықталған немесе сақтаулы",
        "имя в политике определено дважды или занято",
    ),
    "the policy has a line that is none of log, witness, group and one quorum": (
        "саясатта log, witness, group және жалғыз quorum емес жол бар",
        "в политике строка не из log, witness, group и одной quorum",
    ),
    "the quorum of the policy is not reached": ("саясат кворумы жиналмаған", "кворум политики не набран"),
    # proofs and tiles
    "the index is not below the tree's size": ("индекс ағаш өлшемінен кем емес", "индекс не меньше размера дерева"),
    "the index is not above the one before": ("индекс алдыңғысынан артық емес", "индекс не больше предыдущего"),
    "a hash is not 32 bytes": ("хеш 32 байт емес", "хеш не 32 байта"),
    "a proof has more hashes than any tree needs": (
        "растаудағы хеш саны кез келген ағашқа керегінен көп",
        "в подтверждении больше хешей, чем нужно любому дереву",
    ),
    "the inclusion proof has not the length its index and size ask for": (
        "растау ұзындығы индекс пен өлшемге сай емес",
        "длина подтверждения не подходит к индексу и размеру",
    ),
    "the inclusion proof leads to another root": (
        "растау басқа түбірге апарады",
        "подтверждение ведёт к другому корню",
    ),
    "the older tree is larger than the newer one": ("ескі ағаш жаңасынан үлкен", "старое дерево больше нового"),
    "the consistency proof has not the length its sizes ask for": (
        "сәйкестік растауының ұзындығы өлшемдерге сай емес",
        "длина подтверждения согласованности не подходит к размерам",
    ),
    "two trees of one size have different roots": (
        "өлшемі бірдей екі ағаштың түбірі әртүрлі",
        "у двух деревьев одного размера разные корни",
    ),
    "the root of the empty tree is another": ("бос ағаштың түбірі басқа", "корень пустого дерева другой"),
    "the consistency proof leads to another older root": (
        "сәйкестік растауы басқа ескі түбірге апарады",
        "подтверждение согласованности ведёт к другому старому корню",
    ),
    "the consistency proof leads to another newer root": (
        "сәйкестік растауы басқа жаңа түбірге апарады",
        "подтверждение согласованности ведёт к другому новому корню",
    ),
    "a proof is larger than 2 MB": ("растау 2 МБ-тан үлкен", "подтверждение больше 2 МБ"),
    "a proof's head is not ASCII": ("растаудың басы ASCII емес", "начало подтверждения не ASCII"),
    "a proof has no index line": ("растауда index жолы жоқ", "в подтверждении нет строки index"),
    "not a proof: no header, or no checkpoint after an empty line": (
        "растау емес: бастау жолы не бос жолдан кейінгі бақылау нүктесі жоқ",
        "не подтверждение: нет заголовка или контрольной точки после пустой строки",
    ),
    "a tile level is not 0..63": ("тақта деңгейі 0..63 емес", "уровень плитки не 0..63"),
    "a tile index or width is outside its range": (
        "тақта индексі не ені шегінен тыс",
        "индекс или ширина плитки вне пределов",
    ),
    "not a tile path": ("тақта жолы емес", "не путь плитки"),
    "a tile path with another spelling of the same place": (
        "тақта жолы сол орынды басқаша жазады",
        "путь плитки записывает то же место иначе",
    ),
    "a tile has not the number of hashes its place asks for": (
        "тақтадағы хеш саны орнына сай емес",
        "в плитке не то число хешей",
    ),
    # time stamps
    "an element of another kind stands where it must not": (
        "өз орнында емес элемент тұр",
        "элемент не того вида на этом месте",
    ),
    "bytes are left over": ("артық байттар қалған", "остались лишние байты"),
    "not strict DER": ("қатаң DER емес", "не строгий DER"),
    "the authority did not grant a time stamp": ("орган уақыт белгісін бермеді", "орган не выдал отметку времени"),
    "not a PEM file of certificates": ("сертификаттары бар PEM файл емес", "не файл PEM с сертификатами"),
    "a time stamp is larger than 64 KiB": ("уақыт белгісі 64 КиБ-тан үлкен", "отметка времени больше 64 КиБ"),
    "the time stamp is over other data": (
        "уақыт белгісі басқа деректерге қойылған",
        "отметка времени поставлена на другие данные",
    ),
    "the time stamp has another version": ("уақыт белгісінің нұсқасы басқа", "у отметки времени другая версия"),
    "the time stamp has a critical part that is not known": (
        "уақыт белгісінде белгісіз міндетті бөлік бар",
        "в отметке времени неизвестная обязательная часть",
    ),
    "a time is not in the form of time stamps": (
        "уақыт тиісті түрде жазылмаған",
        "время записано не в форме отметок времени",
    ),
    "the time stamp's signature is not over a time stamp": (
        "қол уақыт белгісіне қойылмаған",
        "подпись поставлена не на отметку времени",
    ),
    "the time stamp's signature is over another time stamp": (
        "қол басқа уақыт белгісіне қойылған",
        "подпись поставлена на другую отметку времени",
    ),
    "the time stamp does not carry its signer's certificate": (
        "уақыт белгісінде қол қоюшының сертификаты жоқ",
        "в отметке времени нет сертификата подписавшего",
    ),
    "an attribute stands twice or has not one value": (
        "атрибут екі рет тұр немесе мәні біреу емес",
        "атрибут стоит дважды или значение не одно",
    ),
    "the time stamp's signature names no certificate": ("қол сертификатты атамайды", "подпись не называет сертификата"),
    "the time stamp's signature names another certificate": (
        "қол басқа сертификатты атайды",
        "подпись называет другой сертификат",
    ),
    "the time stamp is signed in a way that is not known": (
        "уақыт белгісіне белгісіз тәсілмен қол қойылған",
        "отметка времени подписана неизвестным способом",
    ),
    "the time stamp's signature does not fit": (
        "уақыт белгісінің қолы сай емес",
        "подпись отметки времени не подходит",
    ),
    "the signer's certificate is not for time stamps": (
        "қол қоюшының сертификаты уақыт белгісіне арналмаған",
        "сертификат подписавшего не для отметок времени",
    ),
    "a certificate was not valid at the time of the time stamp": (
        "белгі қойылған уақытта сертификат жарамсыз болған",
        "сертификат не действовал во время отметки",
    ),
    "the time stamp's authority leads to none of the trusted roots": (
        "уақыт белгісінің органы сенімді түбірлерге апармайды",
        "орган отметки времени не ведёт ни к одному доверенному корню",
    ),
    "not a time-stamp token": ("уақыт белгісі емес", "не отметка времени"),
    "the time stamp uses a digest that is not known": (
        "уақыт белгісінде белгісіз хеш қолданылған",
        "в отметке времени неизвестный вид хеша",
    ),
    "a package has more than 9 time stamps": (
        "пакетте 9-дан көп уақыт белгісі бар",
        "в пакете больше 9 отметок времени",
    ),
}
