"""Sending folders to a case from another machine: `dalel upload`. It knows the public HTTP API, nothing else of us."""
