"""Which modules hold tables. Explicit: a table nobody lists would escape the migrations in silence."""

from importlib import import_module

from sqlalchemy import MetaData

from custody.kernel.orm import Base, Recorded

TABLE_MODULES = (
    "custody.tables",
    "custody.checking.tables",
    "evidence_api.registry.tables",
    "evidence_api.access.tables",
    "evidence_api.http.tables",
    "storage.tables",
    "storage.care_tables",
    "evidence_api.disclosure.tables",
    "evidence_api.retention.tables",
    "redaction.tables",
    "transcription.tables",
)


def metadata() -> MetaData:
    """The tables of the whole program."""
    for module in TABLE_MODULES:
        import_module(module)
    return Base.metadata


def recorded_tables() -> set[str]:
    """Names of the tables under law 1."""
    metadata()
    return {str(mapper.local_table) for mapper in Base.registry.mappers if issubclass(mapper.class_, Recorded)}
