"""Brings a database to head, with its roles. Used by `dalel up`, by the `migrate` service, and by the tests."""

import os
import sys
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, create_engine, text

from evidence_api.migrations import models
from evidence_api.migrations.law1 import APP, SEQUENCER

_ONE_MIGRATION_AT_A_TIME = 0x44414C454C0001


def upgrade(owner_url: str, app_password: str, sequencer_password: str) -> None:
    """Create or update the two roles, then migrate to head, in one transaction under a lock.

    `owner_url` (`postgresql+psycopg://…`) is a role that owns the database and may create roles. Safe to run again and
    from two processes at once. Passwords are sent to the server as SCRAM verifiers only.
    """
    engine = create_engine(owner_url)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_MIGRATION_AT_A_TIME})
            _ensure_role(connection, APP, app_password)
            _ensure_role(connection, SEQUENCER, sequencer_password)
            _close_to_the_public(connection)
            command.upgrade(_config(connection), "head")
    finally:
        engine.dispose()


def differences(owner_url: str) -> list[str]:
    """Where the database differs from the models, one line each; empty at head."""
    engine = create_engine(owner_url)
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            return [str(difference) for difference in compare_metadata(context, models.metadata())]
    finally:
        engine.dispose()


def generate(owner_url: str, message: str) -> Path:
    """Write the next numbered migration from the difference between the database at `owner_url` and the models."""
    engine = create_engine(owner_url)
    try:
        with engine.connect() as connection:
            config = _config(connection)
            number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
            script = command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")
    finally:
        engine.dispose()
    if script is None or isinstance(script, list):
        raise RuntimeError("Alembic wrote no migration")
    return Path(script.path)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _ensure_role(connection: Connection, role: str, password: str) -> None:
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection is closed")
    verifier = driver.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    exists = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar()
    statement = "ALTER ROLE {} LOGIN PASSWORD {}" if exists else "CREATE ROLE {} LOGIN PASSWORD {}"
    query = sql.SQL(statement).format(sql.Identifier(role), sql.Literal(verifier)).as_string(driver)
    connection.exec_driver_sql(query.replace("%", "%%"))


def _close_to_the_public(connection: Connection) -> None:
    name = connection.execute(text("SELECT quote_ident(current_database())")).scalar_one()
    connection.exec_driver_sql(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    connection.exec_driver_sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {name} TO {APP}, {SEQUENCER}")
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {APP}, {SEQUENCER}")


def main(arguments: list[str]) -> int:
    """`new MESSAGE`: write the next migration against the database in DALEL_OWNER_URL."""
    match arguments:
        case ["new", message]:
            sys.stdout.write(f"{generate(os.environ['DALEL_OWNER_URL'], message)}\n")
            return 0
        case _:
            sys.stderr.write("usage: DALEL_OWNER_URL=… python -m evidence_api.migrations.run new MESSAGE\n")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
