"""The grounds for hiding something: a closed list of codes, each with a plain label in three languages.

The references name an act only where it is certain. Which article a prosecutor relies on is for the installation to
say: `Reasons` takes labels from settings, the codes stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from custody.kernel.errors import Invalid

_PERSONAL_DATA_LAW = {
    "kk": "«Дербес деректер және оларды қорғау туралы» 2013 жылғы 21 мамырдағы № 94-V Заң",
    "ru": "Закон от 21 мая 2013 года № 94-V «О персональных данных и их защите»",
    "en": "Law of 21 May 2013 No. 94-V on personal data and their protection",
}
_SAFETY = {
    "kk": "ҚПК 97-бап: қауіпсіздік шаралары",
    "ru": "УПК, статья 97: меры безопасности",
    "en": "Criminal Procedure Code, article 97: safety measures",
}


@dataclass(frozen=True)
class Reason:
    """One ground. `label` and `reference` are by language (kk, ru, en); a reference may be empty, never invented."""

    code: str
    label: Mapping[str, str]
    reference: Mapping[str, str]


_DEFAULT = (
    Reason(
        "witness_safety",
        {
            "kk": "Куәнің немесе жәбірленушінің қауіпсіздігі",
            "ru": "Безопасность свидетеля или потерпевшего",
            "en": "Safety of a witness or victim",
        },
        _SAFETY,
    ),
    Reason(
        "personal_data",
        {"kk": "Дербес деректер", "ru": "Персональные данные", "en": "Personal data"},
        _PERSONAL_DATA_LAW,
    ),
    Reason(
        "third_party",
        {
            "kk": "Іске қатысы жоқ адам туралы мәлімет",
            "ru": "Сведения о постороннем лице",
            "en": "Information about a third party",
        },
        _PERSONAL_DATA_LAW,
    ),
    Reason(
        "minor",
        {"kk": "Кәмелетке толмаған адам", "ru": "Несовершеннолетний", "en": "A minor"},
        {},
    ),
    Reason(
        "medical",
        {"kk": "Медициналық құпия", "ru": "Врачебная тайна", "en": "Medical secret"},
        {},
    ),
    Reason(
        "state_secret",
        {"kk": "Мемлекеттік құпия", "ru": "Государственные секреты", "en": "State secret"},
        {},
    ),
)


class Reasons:
    """The closed list of one installation: the codes above, their texts replaceable by settings."""

    def __init__(self, overrides: Mapping[str, Reason] | None = None) -> None:
        """`overrides` by code. Raises Invalid `plan.unknown_reason` for a code that is not in the list."""
        self._by_code = {reason.code: reason for reason in _DEFAULT}
        for code, reason in (overrides or {}).items():
            self.check(code)
            self._by_code[code] = Reason(code, reason.label, reason.reference)

    def all(self) -> tuple[Reason, ...]:
        """Every ground, in the order a person is offered them."""
        return tuple(self._by_code.values())

    def check(self, code: str) -> Reason:
        """The ground of a code. Raises Invalid `plan.unknown_reason`."""
        if code not in self._by_code:
            raise Invalid("plan.unknown_reason")
        return self._by_code[code]


REASONS = Reasons()
