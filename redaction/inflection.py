"""Every form a name may take: Russian declension of both genders and Kazakh case and plural endings.

Lemmatizing fails on these names («Жұмабаевтың» becomes «Ж»), so it goes the other way: guess the possible base forms
of a mention, generate all forms of each, fold, compare. It generates more than exists, for nothing is applied unseen.
"""

from functools import lru_cache

from petrovich.main import Petrovich  # type: ignore[import-untyped]  # ships no types

from redaction.folding import fold

_VOWELS = "аәеёиоөуұүыіэюяу"
_VOICELESS = frozenset("кқпстфхцчшщбвгд")
_NASAL = frozenset("мнң")
_SHORTEST = 3


@lru_cache(maxsize=1)
def _petrovich() -> Petrovich:
    return Petrovich()


def _russian(name: str) -> set[str]:
    """Both genders, five oblique cases, as first name, patronymic and surname; and the plain paradigms by ending."""
    forms = {name}
    tool = _petrovich()
    for inflect in (tool.firstname, tool.middlename, tool.lastname):
        for gender in ("male", "female"):
            forms |= {str(inflect(name, case, gender)) for case in range(5)}
    stem, last = name[:-1], name[-1].lower()
    match last:
        case "а":
            endings = ["а", "ы", "и", "е", "у", "ой", "ою"]
        case "я":
            endings = ["я", "и", "е", "ю", "ей", "ею"]
        case "й":
            endings = ["й", "я", "ю", "ем", "ём", "е", "и"]
        case "ь":
            endings = ["ь", "я", "ю", "ем", "е", "и", "ью"]
        case "о" | "е" | "и" | "у" | "ы" | "э" | "ю" | "і" | "ә" | "ө" | "ү" | "ұ":
            return forms
        case _:
            stem, endings = name, ["а", "у", "ом", "ым", "е", "ы", "ов", "ам", "ами", "ах", "ых"]
    return forms | {stem + ending for ending in endings}


def _kazakh(name: str) -> set[str]:
    """The seven cases, singular and plural, with assimilation; both harmonies, for «Жұмабаевтың» breaks the rule."""
    forms = {name}
    for back in (True, False):
        plural = name + _after(name, back, ("лар", "лер"), ("дар", "дер"), ("тар", "тер"), ("дар", "дер"))
        forms |= _cases(name, back) | _cases(plural, back)
    return forms


def _after(
    base: str,
    back: bool,
    vowel: tuple[str, str],
    voiced: tuple[str, str],
    voiceless: tuple[str, str],
    nasal: tuple[str, str],
) -> str:
    """The ending that follows the last sound of `base`."""
    last = base[-1].lower()
    if last in _VOICELESS:
        pair = voiceless
    elif last in _NASAL:
        pair = nasal
    elif last in _VOWELS:
        pair = vowel
    else:
        pair = voiced
    return pair[0] if back else pair[1]


def _cases(base: str, back: bool) -> set[str]:
    one = [
        _after(base, back, ("ның", "нің"), ("дың", "дің"), ("тың", "тің"), ("ның", "нің")),
        _after(base, back, ("ға", "ге"), ("ға", "ге"), ("қа", "ке"), ("ға", "ге")),
        _after(base, back, ("ны", "ні"), ("ды", "ді"), ("ты", "ті"), ("ды", "ді")),
        _after(base, back, ("да", "де"), ("да", "де"), ("та", "те"), ("да", "де")),
        _after(base, back, ("дан", "ден"), ("дан", "ден"), ("тан", "тен"), ("нан", "нен")),
        _after(base, back, ("мен", "мен"), ("мен", "мен"), ("пен", "пен"), ("мен", "мен")),
        # loan surnames keep a voiced ending in writing too: Жұмабаевпен, Жұмабаевбен, Жұмабаевмен all occur
        "мен",
        "бен",
        "пен",
        "дікі" if not back else "дыкі",
    ]
    return {base} | {base + ending for ending in one}


@lru_cache(maxsize=4096)
def forms(name: str) -> frozenset[str]:
    """Folded forms of one word taken as a base form. A word shorter than three letters has only itself."""
    if len(name) < _SHORTEST:
        return frozenset({fold(name)})
    return frozenset(fold(form) for form in _russian(name) | _kazakh(name) if len(form) >= _SHORTEST)


_RUSSIAN_ENDINGS = (
    "ами", "ого", "ому", "ого", "ою", "ой", "ей", "ею", "ем", "ом", "ым", "им", "ам", "ах", "ых", "ов", "ью",
    "а", "я", "у", "ю", "е", "ы", "и",
)  # fmt: skip
_KAZAKH_ENDINGS = (
    "лардың", "лердің", "дың", "дің", "тың", "тің", "ның", "нің", "дан", "ден", "тан", "тен", "нан", "нен", "пен",
    "мен", "бен", "лар", "лер", "дар", "дер", "тар", "тер", "ға", "ге", "қа", "ке", "ды", "ді", "ты", "ті", "ны",
    "ні", "да", "де", "та", "те",
)  # fmt: skip


@lru_cache(maxsize=4096)
def bases(mention: str) -> frozenset[str]:
    """Base forms a mention may be an inflected form of, itself included; each has the mention among its forms."""
    folded = fold(mention)
    if len(mention) < _SHORTEST:
        return frozenset({mention})
    candidates = {mention}
    lower = mention.lower()
    for ending in _RUSSIAN_ENDINGS:
        if lower.endswith(ending) and len(mention) - len(ending) >= _SHORTEST - 1:  # «Цоем» of «Цой»
            stem = mention[: len(mention) - len(ending)]
            candidates |= {stem, stem + "а", stem + "я", stem + "й", stem + "ь"}
    for ending in _KAZAKH_ENDINGS:
        if fold(mention).endswith(fold(ending)) and len(mention) - len(ending) >= _SHORTEST:
            candidates.add(mention[: len(mention) - len(ending)])
    return frozenset(base for base in candidates if len(base) >= _SHORTEST and folded in forms(base))


@lru_cache(maxsize=4096)
def all_forms(mention: str) -> frozenset[str]:
    """Folded forms of every base a mention may come from."""
    return frozenset().union(*(forms(base) for base in bases(mention)))
