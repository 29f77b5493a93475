"""The migrated database is what the models say, its triggers included."""

import psycopg
import pytest

from evidence_api.migrations import models, run
from tests.databases import FreshDatabase, conninfo

IMMUTABLE = {"ledger_entries", "checkpoints", "checkpoint_cosignatures", "checkpoint_quorums"} | {
    "anchors",
    "checkpoint_timestamps",
}


def test_head_equals_the_models(fresh_database: FreshDatabase) -> None:
    assert run.differences(fresh_database.owner_url) == []


def test_a_difference_would_be_seen(fresh_database: FreshDatabase) -> None:
    with psycopg.connect(conninfo(fresh_database.owner_url), autocommit=True) as owner:
        owner.execute("CREATE TABLE left_over (id int)")
        assert any("left_over" in line for line in run.differences(fresh_database.owner_url))
        owner.execute("DROP TABLE left_over")


def test_every_recorded_table_and_no_other_requires_its_event(fresh_database: FreshDatabase) -> None:
    assert _tables_with("require_event", fresh_database) == models.recorded_tables()


def test_require_event_is_checked_at_commit(fresh_database: FreshDatabase) -> None:
    query = "SELECT 1 FROM pg_trigger WHERE tgname = 'require_event' AND NOT (tgdeferrable AND tginitdeferred)"
    with psycopg.connect(conninfo(fresh_database.owner_url)) as owner:
        assert owner.execute(query).fetchall() == []


def test_rows_that_never_change_are_guarded(fresh_database: FreshDatabase) -> None:
    assert _tables_with("refuse_change", fresh_database) >= IMMUTABLE


def test_every_table_is_open_to_the_application_and_none_belongs_to_it(fresh_database: FreshDatabase) -> None:
    with psycopg.connect(conninfo(fresh_database.owner_url)) as owner:
        for table in models.metadata().tables:
            for right, held in (("SELECT", True), ("TRUNCATE", False)):
                query = "SELECT has_table_privilege('dalel_app', %s, %s)"
                assert owner.execute(query, (table, right)).fetchone() == (held,), (table, right)


def test_upgrading_twice_changes_nothing(fresh_database: FreshDatabase) -> None:
    with psycopg.connect(conninfo(fresh_database.owner_url)) as owner:
        roles = owner.execute("SELECT rolname, rolsuper, rolcreaterole FROM pg_roles WHERE rolname LIKE 'dalel_%'")
        assert {("dalel_app", False, False), ("dalel_sequencer", False, False)} <= set(roles.fetchall())
    app_password, sequencer_password = _password(fresh_database.app_url), _password(fresh_database.sequencer_url)
    run.upgrade(fresh_database.owner_url, app_password, sequencer_password)
    assert run.differences(fresh_database.owner_url) == []


def _password(url: str) -> str:
    return psycopg.conninfo.conninfo_to_dict(conninfo(url))["password"] or pytest.fail("the URL has no password")


def _tables_with(trigger: str, fresh: FreshDatabase) -> set[str]:
    query = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = %s AND tgenabled = 'O'"
    with psycopg.connect(conninfo(fresh.owner_url)) as owner:
        return {table for (table,) in owner.execute(query, (trigger,))}
