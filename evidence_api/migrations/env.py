"""Alembic's environment. Run through `evidence_api.migrations.run`, which hands over the connection."""

from typing import Any

from alembic import context
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, ops

from evidence_api.migrations import models


class UnderLaw(MigrateOperation):
    """The lines that put a new table under the laws, in a generated migration."""

    def __init__(self, table: str, recorded: bool) -> None:
        self.table = table
        self.recorded = recorded

    def reverse(self) -> MigrateOperation:
        """Nothing to undo: triggers and grants go with their table."""
        return ops.ExecuteSQLOp("SELECT 1")


@renderers.dispatch_for(UnderLaw)
def _render(autogen: AutogenContext, operation: UnderLaw) -> list[str]:
    autogen.imports.add("from evidence_api.migrations import law1")
    attach = [f"law1.attach(op, {operation.table!r})"] if operation.recorded else []
    return [*attach, f"law1.open_to_app(op, {operation.table!r})"]


def _add_laws(_context: Any, _revision: Any, directives: list[ops.MigrationScript]) -> None:
    for script in directives:
        if script.upgrade_ops is not None:
            created = [each for each in script.upgrade_ops.ops if isinstance(each, ops.CreateTableOp)]
            laws = [UnderLaw(each.table_name, each.table_name in models.recorded_tables()) for each in created]
            script.upgrade_ops.ops.extend(laws)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=models.metadata(),
    compare_type=True,
    process_revision_directives=_add_laws,
)
with context.begin_transaction():
    context.run_migrations()
