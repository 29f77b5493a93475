"""Law 3 as the database keeps it: columns that never change once a fact stands, rows that are never deleted."""

from custody.kernel.laws import IMMUTABLE
from evidence_api.migrations.law1 import Executes, immutable

_KEEP_COLUMNS = f"""
CREATE FUNCTION keep_columns() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY TG_ARGV LOOP
        IF to_jsonb(OLD) -> kept IS DISTINCT FROM to_jsonb(NEW) -> kept THEN
            RAISE EXCEPTION '% of %: this never changes', kept, TG_TABLE_NAME USING ERRCODE = '{IMMUTABLE}';
        END IF;
    END LOOP;
    RETURN NEW;
END $$
"""


def create_function(op: Executes) -> None:
    """The trigger function. Once."""
    op.execute(_KEEP_COLUMNS)


def keep(op: Executes, table: str, when: str, columns: str, *, name: str = "keep") -> None:
    """While `when` (SQL over OLD) holds, an UPDATE of any of `columns` is refused to everyone."""
    arguments = ", ".join(f"'{column}'" for column in columns.split())
    op.execute(
        f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({when})"
        f" EXECUTE FUNCTION keep_columns({arguments})"
    )


def never_deleted(op: Executes, table: str) -> None:
    """Refuse DELETE and TRUNCATE to everyone: destruction of evidence is an act, not a statement."""
    immutable(op, table, "DELETE OR TRUNCATE")
