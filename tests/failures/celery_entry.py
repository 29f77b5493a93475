"""The real Celery worker, but its first run of a job stops at a step, says its process id and waits to be killed."""

import os
import sys
import time
from pathlib import Path

from evidence_api import container
from evidence_api import settings as configuration
from evidence_api.jobs import Job, Runner
from evidence_api.use_cases import handlers
from evidence_api.workers import app


class Pausing(Job):
    """At `inspected and locked`: writes the process id to `<directory>/<job>` once, and then waits for its end."""

    directory: Path

    def step(self, name: str) -> None:
        super().step(name)
        mark = self.directory / str(self.facts.id)
        if name == "inspected and locked" and not mark.exists():
            written = mark.with_suffix(".new")
            written.write_text(str(os.getpid()))
            written.rename(mark)
            time.sleep(300)


def main() -> None:
    settings = configuration.load()
    Pausing.directory = Path(sys.argv[1])

    def runner() -> Runner:
        parts = container.services(settings)
        return Runner(parts.database, handlers.of(parts), Pausing)

    app.serve(container.celery(settings), runner, "fast", 1)


if __name__ == "__main__":
    main()
