"""The laws as the database keeps them: functions every migration uses to put its tables under them."""

from typing import Protocol

from custody.kernel.laws import IMMUTABLE, NO_EVENT, READ_ONLY

APP = "dalel_app"
SEQUENCER = "dalel_sequencer"


class Executes(Protocol):
    """What of `alembic.op` is needed here."""

    def execute(self, sqltext: str) -> None:
        """Run one statement."""
        ...


_REQUIRE_EVENT = f"""
CREATE FUNCTION require_event() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM event_outbox WHERE event_id = NEW.event_id AND txid = pg_current_xact_id()
    ) THEN
        RAISE EXCEPTION 'a row of % has no event in its own transaction', TG_TABLE_NAME USING ERRCODE = '{NO_EVENT}';
    END IF;
    RETURN NULL;
END $$
"""

_REFUSE_CHANGE = f"""
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of %: its rows never change', TG_OP, TG_TABLE_NAME USING ERRCODE = '{IMMUTABLE}';
END $$
"""

# While the ledger is halted, reading goes on (its events wait in the outbox) and nothing else is accepted.
_WHILE_HALTED = (
    *("content.viewed", "content.downloaded", "page.viewed", "trail.exported", "access.denied"),
    *("session.opened", "session.closed", "session.failed"),
)

_REFUSE_WHILE_HALTED = """
CREATE OR REPLACE FUNCTION refuse_while_halted() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM ledger_state WHERE halted IS NOT NULL) AND EXISTS (
        SELECT FROM appended WHERE body::jsonb ->> 'type' NOT IN ({types})
    )
    THEN
        RAISE EXCEPTION 'the ledger is halted: read-only' USING ERRCODE = '{code}';
    END IF;
    RETURN NULL;
END $$
"""


def create_functions(op: Executes) -> None:
    """The trigger functions. Once, in the first migration."""
    for body in (_REQUIRE_EVENT, _REFUSE_CHANGE):
        op.execute(body)
    accept_while_halted(op)


def accept_while_halted(op: Executes, *more: str) -> None:
    """What a halted ledger still takes: events of reading, and those of the types `more`. They wait in the outbox."""
    types = ", ".join(f"'{type}'" for type in (*_WHILE_HALTED, *more))
    op.execute(_REFUSE_WHILE_HALTED.format(types=types, code=READ_ONLY))


def attach(op: Executes, table: str) -> None:
    """Law 1: at commit, every inserted or updated row of `table` needs its event in the same transaction."""
    op.execute(
        f"CREATE CONSTRAINT TRIGGER require_event AFTER INSERT OR UPDATE ON {table}"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_event()"
    )


def immutable(op: Executes, table: str, operations: str = "UPDATE OR DELETE OR TRUNCATE") -> None:
    """Refuse `operations` on `table` to everyone, the owner's slips included (who could drop the trigger, visibly)."""
    op.execute(
        f"CREATE TRIGGER refuse_change BEFORE {operations} ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def guard_outbox(op: Executes) -> None:
    """Put the event outbox under the halt, and forbid to change what waits in it."""
    op.execute(
        "CREATE TRIGGER refuse_while_halted AFTER INSERT ON event_outbox REFERENCING NEW TABLE AS appended"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_while_halted()"
    )
    immutable(op, "event_outbox", "UPDATE OR TRUNCATE")


def open_to_app(op: Executes, table: str, *rights: str) -> None:
    """Give the application's role its rights on `table`: SELECT, INSERT and UPDATE unless `rights` says otherwise."""
    grant(op, APP, table, *(rights or ("SELECT", "INSERT", "UPDATE")))


def grant(op: Executes, role: str, table: str, *rights: str) -> None:
    """Give `role` exactly `rights` on `table` (a right may name columns: `INSERT (a, b)`)."""
    op.execute(f"GRANT {', '.join(rights)} ON {table} TO {role}")
