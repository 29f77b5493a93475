"""Migrations of the database, by Alembic.

A room gets its tables so:

1. Add its module to `TABLE_MODULES` in `models.py`.
2. `python -m evidence_api.migrations.run new "storage: blobs"` with `DALEL_OWNER_URL` naming a database at head. It
   writes `versions/NNNN_….py` from the difference, and for each new table the lines that put it under the laws:
   `law1.attach(op, table)` where the model is `Recorded`, and `law1.open_to_app(op, table)` with the rights of the
   application's role (SELECT, INSERT, UPDATE). Read it. Where rows may go (sessions, idempotency keys) add `"DELETE"`;
   where they may never change (revisions, certificates) write `law1.immutable(op, table)` and grant no UPDATE.
3. `tests/integration/ledger/test_migrations.py` compares head with the models, triggers included.

The roles: the owner migrates and nothing else; `dalel_app` is what the application, the workers and the portal connect
as; `dalel_sequencer` moves events into the ledger.
"""
