"""Step 6 of a check: no business row without its event, and the law that sees to it still in force."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from custody.checking.difference import Differs, Step
from custody.kernel.orm import Base, Recorded

_TRIGGER = text(
    "SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND tgname = 'require_event'"
    " AND tgenabled IN ('O', 'A')"
)


def recorded_tables() -> list[str]:
    """The tables under law 1 that this program knows."""
    mappers = Base.registry.mappers
    return sorted(str(mapper.local_table) for mapper in mappers if issubclass(mapper.class_, Recorded))


def check_rows(session: Session) -> Iterator[tuple[str, int]]:
    """Each table under law 1 with its number of rows, once every row was found to name an event that is there.

    An event may still wait for its place. Raises Differs at the first row whose event is nowhere, or at a table whose
    trigger is off. Not proved: that a row says what its event says; that a row which should be there is.
    """
    for table in recorded_tables():
        if not session.scalar(_TRIGGER, {"table": table}):
            raise Differs(Step.ROWS, "rows.trigger", table)
        row = session.execute(text(_orphan(table))).first()
        if row is not None:
            raise Differs(Step.ROWS, "rows.event", table, "", row.event_id)
        yield table, session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  our own names


def _orphan(table: str) -> str:
    """The first row of a table whose event is in neither place. Names of our own tables only."""
    return (
        f"SELECT event_id FROM {table} thing"  # noqa: S608  our own names
        " WHERE NOT EXISTS (SELECT FROM ledger_entries entry WHERE entry.event_id = thing.event_id)"
        " AND NOT EXISTS (SELECT FROM event_outbox waiting WHERE waiting.event_id = thing.event_id)"
        " ORDER BY event_id LIMIT 1"
    )
