"""A parent to be killed: starts a stack and a program of its own, says where they are, stays until stopped.

`python -m tests.integration.stack.holder DIRECTORY` prints one line of JSON when everything is up.
"""

import json
import signal
import sys
from contextlib import suppress
from pathlib import Path

from evidence_api.stack.stack import Stack


def main() -> None:
    # A shell lets what it starts in the background ignore SIGINT, and whoever ran the tests may be such.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Stack(Path(sys.argv[1])) as stack:
        endpoints = stack.start()
        stack.run([stack.program("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"], {})])
        pids = {name: pid for name, (_, pid, _) in stack.supervisor.status().items()}
        sys.stdout.write(json.dumps({"pids": pids, "owner_url": endpoints.owner_url}) + "\n")
        sys.stdout.flush()
        stack.hold()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
