"""What the database itself refuses about terms, keys and destruction, whoever asks."""

from custody.kernel.laws import IMMUTABLE
from evidence_api.migrations import law3
from evidence_api.migrations.law1 import Executes, open_to_app

_BY_AN_ACT = """
CREATE FUNCTION destroyed_by_an_act() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM disposals JOIN disposal_items ON disposal_items.disposal_id = disposals.id
        WHERE disposals.id = NEW.disposal_id AND disposals.number = NEW.disposal_number
            AND disposals.state = 'approved' AND disposals.approved_by <> disposals.signed_by
            AND disposal_items.exhibit_id = NEW.id
    ) OR EXISTS (
        SELECT FROM holds WHERE case_id = NEW.case_id AND lifted_at IS NULL
            AND (exhibit_id IS NULL OR exhibit_id = NEW.id)
    ) THEN
        RAISE EXCEPTION 'an exhibit is destroyed by an approved act and under no hold' USING ERRCODE = 'immutable';
    END IF;
    RETURN NEW;
END $$
"""

_PACKAGE_BY_AN_ACT = """
CREATE FUNCTION package_destroyed_by_an_act() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM disposals JOIN disposal_packages ON disposal_packages.disposal_id = disposals.id
        WHERE disposals.id = NEW.disposal_id AND disposals.number = NEW.disposal_number
            AND disposals.state = 'approved' AND disposals.approved_by <> disposals.signed_by
            AND disposal_packages.disclosure_id = NEW.id
    ) OR EXISTS (
        SELECT FROM holds WHERE case_id = NEW.case_id AND lifted_at IS NULL AND (
            exhibit_id IS NULL
            OR NEW.manifest::jsonb -> 'files' @> jsonb_build_array(jsonb_build_object('exhibit', exhibit_id))
        )
    ) THEN
        RAISE EXCEPTION 'a package is destroyed by an approved act and under no hold' USING ERRCODE = 'immutable';
    END IF;
    RETURN NEW;
END $$
"""

_ON_THE_RECORD = """
CREATE FUNCTION key_destroyed_on_the_record() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM event_outbox WHERE event_id = NEW.event_id AND txid = pg_current_xact_id()
            AND body::jsonb ->> 'type' = 'key.destroyed' AND body::jsonb -> 'data' ->> 'key' = NEW.id::text
    ) THEN
        RAISE EXCEPTION 'a key is destroyed under the event that says so' USING ERRCODE = 'immutable';
    END IF;
    RETURN NEW;
END $$
"""

_ERASED_WITH_ITS_EXHIBIT = """
CREATE FUNCTION erased_with_its_exhibit() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.content <> '' OR NOT EXISTS (
        SELECT FROM transcripts JOIN exhibits ON exhibits.id = transcripts.exhibit_id
        WHERE transcripts.id = NEW.transcript_id AND exhibits.destroyed_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'content of revisions: this never changes' USING ERRCODE = 'immutable';
    END IF;
    RETURN NEW;
END $$
"""


_STORED_OBJECTS = """
CREATE VIEW stored_objects AS
    SELECT item, (convert_from(canonical, 'UTF8')::jsonb -> 'data' ->> 'blob')::uuid AS blob_id
    FROM ledger_entries WHERE type IN ('exhibit.sealed', 'rendition.made', 'rendition.burned')
    UNION
    SELECT item, (body::jsonb -> 'data' ->> 'blob')::uuid
    FROM event_outbox WHERE body::jsonb ->> 'type' IN ('exhibit.sealed', 'rendition.made', 'rendition.burned')
"""


def create_functions(op: Executes) -> None:
    """The trigger functions, and the view of which objects each exhibit's chain names. Once."""
    for body in (_BY_AN_ACT, _ON_THE_RECORD, _ERASED_WITH_ITS_EXHIBIT):
        op.execute(body.replace("'immutable'", f"'{IMMUTABLE}'"))
    op.execute(_STORED_OBJECTS)
    open_to_app(op, "stored_objects", "SELECT")


def guard(op: Executes) -> None:
    """Put exhibits, blobs and revisions under them. A confirmed text may only become empty, with its exhibit."""
    _before(
        op, "exhibits", "by_an_act", "OLD.destroyed_at IS NULL AND NEW.destroyed_at IS NOT NULL", "destroyed_by_an_act"
    )
    law3.keep(
        op,
        "exhibits",
        "OLD.destroyed_at IS NOT NULL",
        "disposal_id disposal_number destroyed_at retain_until category rule_version",
        name="keep_tombstone",
    )
    for table in ("exhibits", "blobs"):
        _before(op, table, "never_shorter", "NEW.retain_until < OLD.retain_until", "refuse_change")
    _before(
        op,
        "blobs",
        "on_the_record",
        "OLD.destroyed_at IS NULL AND NEW.destroyed_at IS NOT NULL",
        "key_destroyed_on_the_record",
    )
    law3.keep(op, "blobs", "OLD.destroyed_at IS NOT NULL", "wrapped_key key_id destroyed_at", name="keep_destroyed")
    op.execute("DROP TRIGGER keep ON revisions")
    law3.keep(op, "revisions", "true", "transcript_id number parent sha256 author_id created_at")
    _before(op, "revisions", "keep_content", "OLD.content IS DISTINCT FROM NEW.content", "erased_with_its_exhibit")


def guard_packages(op: Executes) -> None:
    """Put rounds under the same: a package goes under an approved act, and what says so never changes."""
    op.execute(_PACKAGE_BY_AN_ACT.replace("'immutable'", f"'{IMMUTABLE}'"))
    destroyed = "OLD.destroyed_at IS NULL AND NEW.destroyed_at IS NOT NULL"
    _before(op, "disclosures", "by_an_act", destroyed, "package_destroyed_by_an_act")
    tombstone = "disposal_id disposal_number destroyed_at"
    law3.keep(op, "disclosures", "OLD.destroyed_at IS NOT NULL", tombstone, name="keep_tombstone")


def _before(op: Executes, table: str, name: str, when: str, function: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {function}()"
    )
