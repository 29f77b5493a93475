"""A person at the public HTTP API: what the demonstration uses, and nothing more than anyone has."""

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

PART_BYTES = 4 * 2**20
POLL_S = 0.25


class Refused(Exception):
    """The API answered with a problem (RFC 9457). `code` is its stable code, `status` the HTTP status."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code


class Person:
    """One signed-in account. Not thread-safe."""

    def __init__(self, base_url: str, login: str, password: str) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=60)
        answer = self.post("/api/v1/session", login=login, password=password)
        self.account: dict[str, Any] = answer["account"]
        self._http.headers["Authorization"] = f"Bearer {answer['token']}"

    def get(self, path: str, **query: Any) -> Any:
        """JSON of a GET. Raises Refused."""
        return _checked(self._http.get(path, params=query)).json()

    def post(self, path: str, **body: Any) -> Any:
        """JSON of a POST with a JSON body. Raises Refused."""
        return _checked(self._http.post(path, json=body)).json()

    def upload(self, case_id: str, file: Path, *, basis: str, purpose: str, retain_days: int) -> str:
        """Upload a file by tus 1.0 in parts; returns the exhibit's id. Raises Refused."""
        data = file.read_bytes()
        values = {
            "filename": file.name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "case": case_id,
            "basis": basis,
            "purpose": purpose,
            "retain_days": str(retain_days),
        }
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data)), "Upload-Metadata": metadata}
        created = _checked(self._http.post("/api/v1/uploads", headers=headers))
        for start in range(0, len(data), PART_BYTES):
            self._send_part(created.headers["Location"], start, data[start : start + PART_BYTES])
        return created.headers["Dalel-Exhibit"]

    def _send_part(self, location: str, offset: int, part: bytes) -> None:
        checksum = base64.b64encode(hashlib.sha256(part).digest()).decode()
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(offset),
            "Upload-Checksum": f"sha256 {checksum}",
            "Content-Type": "application/offset+octet-stream",
        }
        _checked(self._http.patch(location, content=part, headers=headers))

    def download(self, path: str, target: Path, part_bytes: int = PART_BYTES) -> str:
        """Download by ranges, as over a line that breaks; returns the SHA-256 of what arrived. Raises Refused."""
        digest = hashlib.sha256()
        with target.open("wb") as file:
            for part in self._ranges(path, part_bytes):
                digest.update(part)
                file.write(part)
        return digest.hexdigest()

    def _ranges(self, path: str, part_bytes: int) -> Iterator[bytes]:
        start, total = 0, 1
        while start < total:
            header = {"Range": f"bytes={start}-{start + part_bytes - 1}"}
            answer = _checked(self._http.get(path, headers=header))
            total = int(answer.headers["Content-Range"].rpartition("/")[2])
            start += len(answer.content)
            yield answer.content

    def wait(self, path: str, ready: Callable[[Any], bool], timeout_s: float = 300) -> Any:
        """Poll a resource until `ready(json)`; raises TimeoutError with the last answer."""
        end = time.monotonic() + timeout_s
        while True:
            answer = self.get(path)
            if ready(answer):
                return answer
            if time.monotonic() > end:
                raise TimeoutError(f"{path} did not become ready: {answer}")
            time.sleep(POLL_S)

    def close(self) -> None:
        """Close the connection; the session stays valid until it expires."""
        self._http.close()


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    raise Refused(answer.status_code, problem.get("code", "unknown"), problem.get("detail", answer.text[:200]))
