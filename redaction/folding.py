"""Folding: letters that are written, heard or typed for one another are brought to one. Lengths are kept.

Kazakh letters become their Russian neighbours («Жұмабаев» is also written «Жумабаев»), ё becomes е, case is dropped.
"""

_KAZAKH = str.maketrans("әғқңөұүһіӘҒҚҢӨҰҮҺІ", "агкноуухиАГКНОУУХИ")
_YO = str.maketrans("ёЁ", "еЕ")


def russify(text: str) -> str:
    """Kazakh letters as Russian ones, capitals kept: for models that know Russian letters only."""
    return text.translate(_KAZAKH)


def fold(text: str) -> str:
    """One spelling for all: for comparing names. Character positions stay."""
    lower = "".join(letter if len(letter.lower()) != 1 else letter.lower() for letter in text)
    return lower.translate(_KAZAKH).translate(_YO)
