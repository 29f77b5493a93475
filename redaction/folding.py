"""Folding: letters that are written, heard or typed for one another are brought to one. Lengths are kept.

Kazakh letters become their Russian neighbours («Жұмабаев» is also written «Жумабаев»), ё becomes е, case is dropped.
"""

import re

_KAZAKH = str.maketrans("әғқңөұүһіӘҒҚҢӨҰҮҺІ", "агкноуухиАГКНОУУХИ")
_NOT_NAMES = re.compile(
    r"(?:свидетел|потерпевш|подозреваем|обвиняем|подсудим|гражданин|гражданк|следовател|дознавател|прокурор|адвокат"
    r"|защитник|эксперт|понят|протокол|допрос|заявлени|куагер|куасин|куанин|жабирленуш|кудикти|айыпталуш|тергеуш"
    r"|прокурор|коргауш|сарапш|хаттама|азамат|господин|госпож)[а-я]{0,9}"
    r"|куа|мен|сен|сиз|ол|биз|олар|онын|менин|бул|содан|кешке|он|она|они|это|witness|suspect|mr|mrs|ms|dr"
)
_YO = str.maketrans("ёЁ", "еЕ")


def russify(text: str) -> str:
    """Kazakh letters as Russian ones, capitals kept: for models that know Russian letters only."""
    return text.translate(_KAZAKH)


def fold(text: str) -> str:
    """One spelling for all: for comparing names. Character positions stay."""
    lower = "".join(letter if len(letter.lower()) != 1 else letter.lower() for letter in text)
    return lower.translate(_KAZAKH).translate(_YO)


def is_role_word(word: str) -> bool:
    """Whether a word is a role in the case or a pronoun, that a recognizer takes for a part of a name by its capital.

    Such a word must not be hidden with the name, nor forbidden in what is released.
    """
    return _NOT_NAMES.fullmatch(fold(word)) is not None
