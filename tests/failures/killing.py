"""A process that must die by SIGKILL, and the moment from which its death is known to the database."""

import multiprocessing
import signal
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from pydantic import SecretStr
from sqlalchemy import NullPool, create_engine, make_url, text

from evidence_api.settings import Settings

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "tests.failures.doomed",
        "tests.failures.strikes",
        "redaction.suggest.engine",
        "transcription.engines.whisper",
    ]
)
PATIENCE_S = 240


def killed(what: Callable[..., None], settings: Settings, *args: Any) -> None:
    """Run `what(settings, *args)` in a process of its own, which must be killed by itself.

    Returns when the database has ended its sessions, which it does a moment after the death: until then it keeps the
    locks of the dead, and the next worker is told «busy». In life the dispatcher asks again; a test asks once.
    """
    name = f"doomed-{uuid4()}"
    url = make_url(settings.database_url.get_secret_value())
    named = url.update_query_dict({"application_name": name}).render_as_string(hide_password=False)
    told = settings.model_copy(update={"database_url": SecretStr(named)})
    process = PROCESSES.Process(target=what, args=(told, *args))
    process.start()
    process.join(PATIENCE_S)
    assert process.exitcode == -signal.SIGKILL, f"it ended with {process.exitcode}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    query = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name")
    end = time.monotonic() + PATIENCE_S
    with engine.connect() as connection:
        while connection.execute(query, {"name": name}).scalar_one():
            assert time.monotonic() < end, "the database does not notice the death"
            time.sleep(0.02)
