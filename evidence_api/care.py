"""The care of the ledger from the command line: check it whole, rebuild it from its private copies."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from custody import rebuild as rebuilding
from custody.bundles import EntryBundles
from custody.checking import words
from custody.checking.entries import Position
from custody.proof import policy
from evidence_api import container, prepare
from evidence_api.paper.blocks import Language
from evidence_api.settings import Settings
from evidence_api.use_cases import check_paper, checking, erasing
from storage.ports import BUNDLES
from storage.tiles import StoreTiles

Say = Callable[[str], None]
SAME, DIFFERS = 0, 1


def fsck(settings: Settings, say: Say, *, deep: bool, out: Path | None, language: Language) -> int:
    """Check the whole ledger and say what was found. Returns the exit code: 0 unchanged, 1 differs.

    Raises DalelError when it could not be checked.
    """
    parts = container.services(settings)

    def progress(position: Position) -> None:
        say(f"{position.seq} / {position.end}")

    try:
        report = checking.check(parts, deep=deep, keep=progress)
        if out is not None:
            as_pdf = out.suffix.lower() == ".pdf"
            out.write_bytes(check_paper.signed(parts, report, language) if as_pdf else report.encode())
    finally:
        parts.database.close()
    for line in (*words.report(report, language), f"SHA-256 {report.sha256}"):
        say(line)
    return DIFFERS if report.difference else SAME


def rebuild(settings: Settings, say: Say, *, out: Path | None, dry_run: bool) -> int:
    """Restore missing entries and say honestly what was not restored. Returns the exit code: 0, nothing is missing now.

    Raises DalelError when it could not be done, ValueError without the settings it needs.
    """
    if settings.register_file is None or settings.policy_file is None:
        raise ValueError("DALEL_REGISTER_FILE and DALEL_POLICY_FILE are needed")
    database = container.sequencer_database(settings)
    bundles = EntryBundles(StoreTiles(container.object_store(settings), BUNDLES))
    try:
        register = settings.register_file.read_bytes() if settings.register_file.exists() else None
        head = rebuilding.head_of(register, policy.parse(settings.policy_file.read_bytes()))
        plan = rebuilding.plan(database, bundles, head)
        if not plan.entries:
            say(f"nothing is missing: {plan.start} entries, published {plan.size}")
            return SAME
        if not dry_run:
            rebuilding.apply(database, plan)
    finally:
        database.close()
    if out is not None:
        facts = {"v": 1, "type": "dalel-ledger-rebuild", "dry_run": dry_run, "from_size": plan.start}
        facts |= {"size": plan.size, "root": f"sha256:{head.root.hex()}", "lost": [asdict(one) for one in plan.lost]}
        out.write_text(json.dumps(facts, ensure_ascii=False, indent=1))
    _say_rebuilt(plan, say, dry_run=dry_run)
    return SAME


def erase(settings: Settings, say: Say, *, event_id: UUID, field: str, order: str) -> int:
    """Erase a personal value and say what that does not reach. Returns 0; raises DalelError when it is not erased."""
    parts = container.services(settings)
    try:
        recorded = erasing.erase(parts, prepare.OPERATOR, event_id, field, order=order)
    finally:
        parts.database.close()
    say(f"erased: {field} of event {event_id}; recorded as event {recorded}")
    say("NOT reached: backups of the database made before, copies that people made, packages that were handed out")
    return SAME


def _say_rebuilt(plan: rebuilding.Rebuilding, say: Say, *, dry_run: bool) -> None:
    verb = "would be restored" if dry_run else "restored"
    root = plan.head.root.hex()
    say(f"{verb}: entries {plan.start} to {plan.size - 1}, proved against the published root {root}")
    say(
        "NOT restored: business rows and openings of personal values. The keys of files that were sealed after the"
        " backup lie beside them in the store: bring them back with `dalel keys recover`."
    )
    say(f"entries whose row is missing: {len(plan.lost)}")
    for type, count in sorted(Counter(one.type for one in plan.lost).items()):
        say(f"  {count:6} {type}")
    for one in plan.lost:
        say(f"  {one.seq} {one.type} {one.item} {one.event_id}")
