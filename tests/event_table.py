"""The table of all events (docs/custody-events.md), from the closed set: `python -m tests.event_table` writes it."""

from collections.abc import Iterable
from pathlib import Path

from custody import event
from custody.event import WHO
from custody.proof.shapes import SHAPES
from portal.catalog import entries

FILE = Path(__file__).parents[1] / "docs" / "custody-events.md"
HEAD = """# Events: the closed set

Made from `custody/event.py`, `custody/proof/shapes.py` and `portal/locale/en/events.json` by `python -m
tests.event_table`; a test holds it true. Every event may also hold the salted digest of the address it was caused from
(`address`). What stands under «personal» enters an event as such a digest only; everything else is in the clear, so it
holds ids, digests, codes and numbers. The roles are the outermost fence: what this person may do to this thing is
decided in `evidence_api/access/policy.py`.

"""
GROUPS = {
    "anyone": event.ANYONE,
    "people": event.PEOPLE,
    "staff": event.STAFF,
    "prosecutors": event.PROSECUTORS,
    "recipients": event.RECIPIENTS,
    "auditors": event.AUDITORS,
    "operators": event.OPERATORS,
    "system": event.MACHINE,
}


def table() -> str:
    """The whole page."""
    groups = "\n".join(f"- **{name}**: {_words(sorted(roles))}" for name, roles in GROUPS.items() if len(roles) > 1)
    lines = [
        "| event | what it says | required | optional | personal | who may cause it |",
        "|---|---|---|---|---|---|",
    ]
    for type, shape in SHAPES.items():
        says = str(entries("en")[f"event.{type}"]).replace("|", "/")
        cells = (_words(sorted(one)) for one in (shape.required, shape.optional, shape.personal - {"address"}))
        lines.append(f"| `{type}` | {says} | {' | '.join(cells)} | {_who(WHO[type])} |")
    return f"{HEAD}{groups}\n\n" + "\n".join(lines) + "\n"


def _words(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _who(roles: frozenset[str]) -> str:
    """Group names, the largest first, and whoever is in none."""
    said, left = [], set(roles)
    for name, members in GROUPS.items():
        if members <= left:
            said.append(name)
            left -= members
    return ", ".join([*said, *(f"`{role}`" for role in sorted(left))])


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
