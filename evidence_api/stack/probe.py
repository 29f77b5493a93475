"""Does an HTTP port answer as it should? `python -m evidence_api.stack.probe URL STATUS`: slim images lack curl."""

import http.client
import sys
from urllib.parse import urlsplit


def answers(url: str, status: int, *, timeout_s: float = 2.0) -> bool:
    """Whether GET of this http URL gives this status. Never raises; redirects are not followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not answers(sys.argv[1], int(sys.argv[2])))
