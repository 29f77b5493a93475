"""A person at the HTTP API with the thinnest client there is, so that what is measured is the server.

http.client and nothing else: the peer, the minio SDK, stands on urllib3, which stands on http.client too.
"""

import base64
import hashlib
import http.client
import json
from collections.abc import Iterator
from typing import Any

PIECE_BYTES = 256 * 1024


class Client:
    """One kept connection. Not for sharing between threads."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers: dict[str, str] = {}

    def sign_in(self, login: str, password: str) -> str:
        """Open a session; returns its token, which `use` gives to other clients."""
        token: str = self.post("/api/v1/session", {"login": login, "password": password})["token"]
        self.use(token)
        return token

    def use(self, token: str) -> None:
        """Go on as the session's person."""
        self._headers = {"Authorization": f"Bearer {token}"}

    def post(self, path: str, body: dict[str, str]) -> Any:
        """JSON of a POST."""
        headers = self._headers | {"Content-Type": "application/json"}
        return json.loads(self._ask("POST", path, json.dumps(body).encode(), headers)[1])

    def get(self, path: str) -> Any:
        """JSON of a GET."""
        return json.loads(self._ask("GET", path, None, self._headers)[1])

    def announce(self, case_id: str, name: str, data: bytes) -> tuple[str, str, str]:
        """The upload's path, its token and its exhibit; the client's digest is part of what it says."""
        return self.announce_size(case_id, name, len(data), hashlib.sha256(data).hexdigest())

    def announce_size(self, case_id: str, name: str, size_bytes: int, sha256: str) -> tuple[str, str, str]:
        """As `announce`, of bytes that are not at hand."""
        headers = self._create(case_id, name, size_bytes, sha256, b"")
        return headers["Location"], headers["Upload-Token"], headers["Dalel-Exhibit"]

    def _create(self, case_id: str, name: str, size_bytes: int, sha256: str, body: bytes) -> Any:
        said = {
            "filename": name,
            "sha256": sha256,
            "case": case_id,
            "basis": "search",
            "purpose": "pretrial",
            "retain_days": "365",
        }
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())
        tus = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size_bytes), "Upload-Metadata": metadata}
        brings = {"Content-Type": "application/offset+octet-stream"} if body else {}
        return self._ask("POST", "/api/v1/uploads", body, self._headers | tus | brings)[0]

    def send(self, location: str, token: str, data: bytes) -> None:
        """With the upload's own token, the whole body in one PATCH, as tus clients do when nothing interrupts."""
        self.send_pieces(location, token, _pieces(data), len(data))

    def send_pieces(self, location: str, token: str, pieces: Iterator[Any], size_bytes: int) -> None:
        """As `send`, of bytes that come one piece after another."""
        tus = {
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": "0",
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(size_bytes),
            "Authorization": f"Upload {token}",
        }
        self._ask("PATCH", location, pieces, tus)

    def upload(self, case_id: str, name: str, data: bytes) -> str:
        """Announce and send a small file in one request (tus «Creation With Upload»); returns the exhibit."""
        sha256 = hashlib.sha256(data).hexdigest()
        exhibit: str = self._create(case_id, name, len(data), sha256, data)["Dalel-Exhibit"]
        return exhibit

    def upload_folder(self, case_id: str, files: list[bytes]) -> None:
        """Send many small files in one request, as `dalel upload` and the desk do."""
        listed = [
            {"filename": f"{number}", "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for number, data in enumerate(files)
        ]
        listing = {"basis": "search", "purpose": "pretrial", "retain_days": 365, "files": listed}
        body = json.dumps(listing).encode() + b"\n" + b"".join(files)
        headers = self._headers | {"Content-Type": "application/vnd.dalel.small-files"}
        answer = json.loads(self._ask("POST", f"/api/v1/cases/{case_id}/small-files", body, headers)[1])
        if any(one["state"] != "checking" for one in answer["items"]):
            raise RuntimeError(f"small files: {answer}")

    def download(self, exhibit: str, start: int | None = None, length: int = 0) -> int:
        """How many bytes came: the whole original, or `length` bytes from `start`."""
        span = {} if start is None else {"Range": f"bytes={start}-{start + length - 1}"}
        self._connection.request("GET", f"/api/v1/exhibits/{exhibit}/content", headers=self._headers | span)
        answer = self._connection.getresponse()
        if answer.status not in (200, 206):
            raise RuntimeError(f"download: {answer.status} {answer.read()[:200]!r}")
        total = 0
        buffer = bytearray(PIECE_BYTES)
        while count := answer.readinto(buffer):
            total += count
        return total

    def _ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[Any, bytes]:
        self._connection.request(method, path, body=body, headers=headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return answer.headers, content


def _pieces(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    return (view[start : start + PIECE_BYTES] for start in range(0, len(data), PIECE_BYTES))
