"""Where the servers are: the one value that the composition root needs from the stack."""

from dataclasses import dataclass, field
from pathlib import Path

OWNER_ROLE = "dalel_owner"
APP_ROLE = "dalel_app"
SEQUENCER_ROLE = "dalel_sequencer"
DATABASE = "dalel"


@dataclass(frozen=True)
class ObjectStoreAddress:
    """An S3 endpoint (`host:port`, no scheme) and one identity in it. Secrets stay out of `repr`."""

    endpoint: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    secure: bool = False


@dataclass(frozen=True)
class External:
    """Servers that somebody else runs. What is None is started as a child instead.

    `owner_url` must name a role that may create roles and owns its database (PostgreSQL 15 or later).
    """

    owner_url: str | None = field(default=None, repr=False)
    object_store: ObjectStoreAddress | None = None
    broker_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Endpoints:
    """Every address and secret a program of ours needs to reach the servers. Secrets stay out of `repr`.

    URLs are SQLAlchemy's (`postgresql+psycopg://…`) and Celery's (`redis://…`). `app_password` and
    `sequencer_password` are for the migrations, which create these two roles.
    """

    data_dir: Path
    owner_url: str = field(repr=False)
    app_url: str = field(repr=False)
    sequencer_url: str = field(repr=False)
    app_password: str = field(repr=False)
    sequencer_password: str = field(repr=False)
    object_store: ObjectStoreAddress
    broker_url: str = field(repr=False)
