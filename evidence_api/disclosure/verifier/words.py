"""The words of the page around the verification; the verification's own words are `custody.proof.words`."""

from collections.abc import Mapping

INTERFACE: Mapping[str, Mapping[str, str]] = {
    "kk": {
        "name": "Қазақша",
        "title": "Осы файлдарды тексеру",
        "lead": "Тексеру осы компьютерде өтеді: файлдар ешқайда жіберілмейді, интернет керек емес.",
        "package": "Пакет",
        "package_hint": "Ашылмаған ZIP файл, алған қалпында.",
        "policy": "Тексеру ережесі (policy)",
        "policy_hint": "Оны пакеттен емес, соттан немесе адвокаттар алқасынан алыңыз.",
        "tsa_roots": "Уақыт белгісі органдарының түбірлері (PEM), қажет болса",
        "tsa_roots_hint": "Осы файл болса, сенетін органыңыздың уақыт белгісі талап етіледі; болмаса, уақыт"
        " тексерілмейді.",
        "check": "Тексеру",
        "choose_both": "Алдымен екі файлды да таңдаңыз: пакет пен ереже.",
        "working": "Оқылып жатыр: {done} %",
        "no_crypto": "бұл браузер Ed25519 қолтаңбасын тексере алмайды; жаңарағын немесе python -m custody verify"
        " қолданыңыз",
        "no_ml_dsa": "бұл браузер ML-DSA-44 қолтаңбасын тексере алмайды, ал онсыз куәгерлер жеткіліксіз;"
        " python -m custody verify қолданыңыз",
        "unchecked": "Осы жерде тексерілмеді (бұл браузер ML-DSA-44 білмейді), есепке алынбады: {names}. Оны"
        " python -m custody verify тексереді; ол жалған болса, пакет қабылданбайды.",
        "unreadable": "файл оқылмады",
        "own": "Бұл бет пакетпен бірге келген болса, оған да сенбеуге болады: дәл осы қадамдарды"
        " python -m custody verify орындайды, оны басқа жерден алыңыз.",
        "no_script": "Тексеру үшін JavaScript керек; онсыз python -m custody verify қолданыңыз.",
    },
    "ru": {
        "name": "Русский",
        "title": "Проверить эти файлы",
        "lead": "Проверка идёт на этом компьютере: файлы никуда не отправляются, интернет не нужен.",
        "package": "Пакет",
        "package_hint": "ZIP-файл, не распакованный, каким вы его получили.",
        "policy": "Правила проверки (policy)",
        "policy_hint": "Возьмите их не из пакета, а в суде или коллегии адвокатов.",
        "tsa_roots": "Корни органов отметки времени (PEM), если нужно",
        "tsa_roots_hint": "С этим файлом требуется отметка времени органа, которому вы доверяете; без него время не"
        " проверяется.",
        "check": "Проверить",
        "choose_both": "Сначала выберите оба файла: пакет и правила.",
        "working": "Читается: {done} %",
        "no_crypto": "этот браузер не проверяет подписи Ed25519; возьмите более новый или python -m custody verify",
        "no_ml_dsa": "этот браузер не проверяет подписи ML-DSA-44, а без них свидетелей не хватает; возьмите"
        " python -m custody verify",
        "unchecked": "Здесь не проверено (браузер не знает ML-DSA-44) и не зачтено: {names}. Это проверит"
        " python -m custody verify; окажись подпись ложной, пакет будет отвергнут.",
        "unreadable": "файл не читается",
        "own": "Если эта страница пришла вместе с пакетом, ей тоже можно не верить: те же шаги выполняет"
        " python -m custody verify, возьмите её в другом месте.",
        "no_script": "Для проверки нужен JavaScript; без него есть python -m custody verify.",
    },
    "en": {
        "name": "English",
        "title": "Check these files",
        "lead": "The check runs on this computer: no file is sent anywhere, and no network is needed.",
        "package": "Package",
        "package_hint": "The ZIP file, not unpacked, as you received it.",
        "policy": "Policy",
        "policy_hint": "Take it from the court or the bar, not from the package.",
        "tsa_roots": "Roots of time-stamping authorities (PEM), optional",
        "tsa_roots_hint": "With this file a time stamp by an authority you trust is asked for; without it no time is"
        " checked.",
        "check": "Check",
        "choose_both": "Choose both files first: the package and the policy.",
        "working": "Reading: {done} %",
        "no_crypto": "this browser does not verify Ed25519 signatures; use a newer one, or python -m custody verify",
        "no_ml_dsa": "this browser does not verify ML-DSA-44 signatures, and without them the witnesses are too few;"
        " use python -m custody verify",
        "unchecked": "Not checked here (this browser does not know ML-DSA-44), and not counted: {names}."
        " python -m custody verify checks it; were it false, the package would be refused.",
        "unreadable": "the file cannot be read",
        "own": "If this page came with the package you need not believe it either: python -m custody verify takes the"
        " same steps; get it from somewhere else.",
        "no_script": "Checking needs JavaScript; without it there is python -m custody verify.",
    },
}
