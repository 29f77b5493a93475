"""Databases for tests: each a copy of one migrated template, so that a module begins with empty real tables."""

import importlib
import importlib.util
import secrets
import time
from dataclasses import dataclass

import psycopg
from psycopg import sql

from evidence_api.stack.endpoints import APP_ROLE, SEQUENCER_ROLE, Endpoints
from evidence_api.stack.stack import with_database, with_role

TEMPLATE = "dalel_template"


@dataclass(frozen=True)
class FreshDatabase:
    """One database, as its owner, as the application and as the sequencer."""

    name: str
    owner_url: str
    app_url: str
    sequencer_url: str


def conninfo(url: str) -> str:
    """An SQLAlchemy URL as libpq wants it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def make_template(endpoints: Endpoints) -> None:
    """A database with the real migrations applied; empty while there are none."""
    _run(endpoints, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    if importlib.util.find_spec("evidence_api.migrations") is None:
        return
    migrations = importlib.import_module("evidence_api.migrations.run")
    url = with_database(endpoints.owner_url, TEMPLATE)
    migrations.upgrade(url, endpoints.app_password, endpoints.sequencer_password)


def copy_template(endpoints: Endpoints) -> FreshDatabase:
    """A new database that nobody else has."""
    name = f"test_{secrets.token_hex(6)}"
    _run(endpoints, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    owner_url = with_database(endpoints.owner_url, name)
    return FreshDatabase(
        name,
        owner_url,
        with_role(owner_url, APP_ROLE, endpoints.app_password),
        with_role(owner_url, SEQUENCER_ROLE, endpoints.sequencer_password),
    )


def drop(endpoints: Endpoints, database: FreshDatabase) -> None:
    """Remove it once nobody is connected. One still held after ten seconds is left to go with the whole stack."""
    statement = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database.name))
    for _ in range(100):
        try:
            _run(endpoints, statement)
        except psycopg.errors.InsufficientPrivilege:
            # A session of another role or an autovacuum worker, which the owner may not end.
            time.sleep(0.1)
        else:
            return


def _run(endpoints: Endpoints, statement: sql.Composed) -> None:
    with psycopg.connect(conninfo(endpoints.owner_url), autocommit=True) as connection:
        connection.execute(statement)
