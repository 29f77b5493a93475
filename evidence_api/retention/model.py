"""The rules of keeping and destroying: terms by category, grounds of holds, the states of an act. No SQL, no web."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from custody.kernel.errors import Conflict, Invalid
from custody.proof import canonical
from storage.retention import MAX_RETAIN_DAYS

LANGUAGES: Final = ("kk", "ru", "en")
MAX_RULES: Final = 200
MAX_EXHIBITS: Final = 500
"""In one act: what two people can be asked to read."""
INDIVIDUAL: Final = "individual"
"""What the ledger names as the rule of a term that a person set without a category."""
TERM_OVER: Final = "term_over"
_CODE = re.compile(r"[a-z][a-z0-9_]{1,39}", re.ASCII)
_NAME_CHARACTERS = 200
_RULE_FIELDS = {"code", "names", "term_days", "min_days", "extendable"}


class HoldGround(StrEnum):
    """Why nothing may be destroyed, in law."""

    APPEAL = "appeal"
    CASSATION = "cassation"
    NEW_FACTS = "new_facts"
    COURT_ORDER = "court_order"
    RELATED_CASE = "related_case"
    WANTED = "wanted"
    CIVIL_CLAIM = "civil_claim"
    COMPLAINT = "complaint"
    FOREIGN_REQUEST = "foreign_request"


class LiftGround(StrEnum):
    """Why a hold ends."""

    GROUND_ENDED = "ground_ended"
    COURT_ORDER = "court_order"
    PLACED_IN_ERROR = "placed_in_error"


class Rejection(StrEnum):
    """Why a prosecutor does not let an act go on."""

    STILL_NEEDED = "still_needed"
    TERM_WRONG = "term_wrong"
    OUT_OF_DATE = "out_of_date"
    """The facts have changed since it was proposed: another act takes its place at once."""


class State(StrEnum):
    """Where an act is: proposed → signed → approved → done; until approved it may be rejected, by a hold stopped."""

    PROPOSED = "proposed"
    SIGNED = "signed"
    APPROVED = "approved"
    DONE = "done"
    REJECTED = "rejected"
    STOPPED = "stopped"


OPEN: Final = (State.PROPOSED, State.SIGNED, State.APPROVED)


@dataclass(frozen=True)
class Rule:
    """How long a category is kept: days from registration, the least a person may choose, and whether more may be."""

    code: str
    names: Mapping[str, str]
    term_days: int
    min_days: int
    extendable: bool

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code) or self.code == INDIVIDUAL:
            raise Invalid("rules.bad_code", category=self.code[:40])
        if set(self.names) != set(LANGUAGES) or not all(_is_name(name) for name in self.names.values()):
            raise Invalid("rules.bad_name", category=self.code)
        if not 0 < self.min_days <= self.term_days <= MAX_RETAIN_DAYS:
            raise Invalid("rules.bad_days", category=self.code, most=MAX_RETAIN_DAYS)

    def days(self, wanted: int) -> int:
        """The term in days when a person asks for `wanted`, 0 for the rule's own. Raises Invalid
        `retention.below_minimum`, Conflict `retention.not_extendable`.
        """
        if not wanted:
            return self.term_days
        if wanted < self.min_days:
            raise Invalid("retention.below_minimum", least=self.min_days)
        if wanted > self.term_days and not self.extendable:
            raise Conflict("retention.not_extendable")
        return wanted


@dataclass(frozen=True)
class RuleSet:
    """One version of the rules: whole, unchangeable, with the digest of its canonical bytes."""

    version: int
    rules: tuple[Rule, ...]

    def rule(self, code: str) -> Rule:
        """Raises Invalid `retention.unknown_category`."""
        for rule in self.rules:
            if rule.code == code:
                return rule
        raise Invalid("retention.unknown_category")

    def encode(self) -> bytes:
        """The canonical bytes."""
        rules = [vars(rule) | {"names": dict(rule.names)} for rule in self.rules]
        return canonical.encode({"v": 1, "type": "dalel-retention-rules", "version": self.version, "rules": rules})

    @property
    def sha256(self) -> str:
        """`sha256:<hex>` of the canonical bytes."""
        return digest(self.encode())


def digest(data: bytes) -> str:
    """`sha256:<hex>`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def decode(data: bytes) -> RuleSet:
    """A kept version, as it was encoded. Raises Invalid as `parse_rules`."""
    body = canonical.decode(data)
    return RuleSet(body["version"], parse_rules(body["rules"]))


def parse_rules(rules: Any) -> tuple[Rule, ...]:
    """Rules from JSON: a list of objects with exactly the fields of `Rule`.

    Raises Invalid `rules.malformed`, `rules.twice`, `rules.bad_code`, `rules.bad_name`, `rules.bad_days`.
    """
    if not isinstance(rules, list) or not 0 < len(rules) <= MAX_RULES:
        raise Invalid("rules.malformed")
    parsed = tuple(_rule(one) for one in rules)
    if len({rule.code for rule in parsed}) != len(parsed):
        raise Invalid("rules.twice")
    return parsed


def parse_file(data: bytes) -> tuple[Rule, ...]:
    """Rules from a JSON file: a list, or an object with `rules` (a kept version). Raises as `parse_rules`."""
    try:
        body = json.loads(data)
    except ValueError:
        raise Invalid("rules.malformed") from None
    return parse_rules(body.get("rules") if isinstance(body, dict) else body)


def _rule(one: Any) -> Rule:
    if not isinstance(one, dict) or set(one) != _RULE_FIELDS or not isinstance(one["names"], dict):
        raise Invalid("rules.malformed")
    code, term, least, extendable = one["code"], one["term_days"], one["min_days"], one["extendable"]
    if not isinstance(code, str) or type(term) is not int or type(least) is not int or type(extendable) is not bool:
        raise Invalid("rules.malformed")
    return Rule(code, one["names"], term, least, extendable)


def _is_name(text: Any) -> bool:
    return isinstance(text, str) and 0 < len(text.strip()) <= _NAME_CHARACTERS and text.isprintable()


def parse_hold(ground: str) -> HoldGround:
    """Raises Invalid `hold.bad_ground`."""
    if ground not in set(HoldGround):
        raise Invalid("hold.bad_ground")
    return HoldGround(ground)


def parse_lift(ground: str) -> LiftGround:
    """Raises Invalid `hold.bad_ground`."""
    if ground not in set(LiftGround):
        raise Invalid("hold.bad_ground")
    return LiftGround(ground)


def parse_rejection(reason: str) -> Rejection:
    """Raises Invalid `disposal.bad_reason`."""
    if reason not in set(Rejection):
        raise Invalid("disposal.bad_reason")
    return Rejection(reason)


_DELIVERED: Final = (
    ("misdemeanour", "Қылмыстық теріс қылық", "Уголовный проступок", "Misdemeanour", 1095, 365, True),
    ("minor", "Онша ауыр емес қылмыс", "Преступление небольшой тяжести", "Minor crime", 1825, 1095, True),
    ("medium", "Ауырлығы орташа қылмыс", "Преступление средней тяжести", "Crime of medium gravity", 3650, 1825, True),
    ("grave", "Ауыр қылмыс", "Тяжкое преступление", "Grave crime", 5475, 3650, True),
    ("especially_grave", "Аса ауыр қылмыс", "Особо тяжкое преступление", "Especially grave crime", 9125, 5475, True),
    ("no_suspect", "Күдікті анықталмаған", "Подозреваемый не установлен", "No suspect identified", 5475, 1825, True),
    ("terminated", "Іс тоқтатылған", "Дело прекращено", "Case terminated", 1095, 365, False),
    ("acquitted", "Ақтау үкімі", "Оправдательный приговор", "Acquittal", 1095, 365, False),
)


def delivered() -> RuleSet:
    """Version 1, so that there is something to begin with. Its terms are no law: the office sets its own."""
    rules = (
        Rule(code, {"kk": kk, "ru": ru, "en": en}, term, least, extendable)
        for code, kk, ru, en, term, least, extendable in _DELIVERED
    )
    return RuleSet(1, tuple(rules))
