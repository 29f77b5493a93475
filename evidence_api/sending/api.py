"""The public HTTP API as `dalel upload` uses it: signing in, asking, tus 1.0, receipts. Safe to use from threads."""

import base64
import contextlib
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event, Lock
from typing import Any

import httpx

_PATIENT = (429, 502, 503, 504)
_TUS = {"Tus-Resumable": "1.0.0"}
PAUSES_S = (0.5, 1, 2, 5, 10, 20)


class Refused(Exception):
    """The server said no. `code` is its stable code."""

    def __init__(self, status: int, code: str, params: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.params = dict(params or {})


class Offline(Exception):
    """No answer, for longer than one is willing to wait."""


class Stopped(Exception):
    """Somebody asked this program to end."""


def read_login(place: Path) -> tuple[str, str | None]:
    """A login file: one line is a session's token, two lines are login and password.

    Raises ValueError, also for a file that others can read.
    """
    lines = _private(place).splitlines()
    if not 1 <= len(lines) <= 2 or not all(lines):
        raise ValueError(f"{place} must hold a token, or a login and a password on two lines")
    return lines[0], lines[1] if len(lines) == 2 else None


def read_credential(place: Path | None) -> tuple[str, str]:
    """A device's credential, `login:secret`: from a file, else from the environment's DALEL_CREDENTIAL. Raises
    ValueError, also for a file that others can read.
    """
    text = _private(place) if place else os.environ.get("DALEL_CREDENTIAL", "")
    login, _, secret = text.strip().partition(":")
    if not login or not secret or len(text.split()) != 1:
        raise ValueError(f"{place or 'DALEL_CREDENTIAL'} must hold a device's credential on one line")
    return login, secret


def _private(place: Path) -> str:
    if stat.S_IMODE(place.stat().st_mode) & 0o077:
        raise ValueError(f"{place} can be read by others: chmod 600 {place}")
    return place.read_text(encoding="utf-8")


class Api:
    """One person at one server. Waits out a lost connection for `patience_s` seconds; signs in again when it must."""

    def __init__(
        self, url: str, login: tuple[str, str | None], *, patience_s: float, language: str, verify: Any
    ) -> None:
        headers = {"Accept-Language": language, "User-Agent": "dalel-upload"}
        limits = httpx.Limits(max_connections=64)
        self._http = httpx.Client(
            base_url=url, timeout=httpx.Timeout(120, connect=10), headers=headers, verify=verify, limits=limits
        )
        self._login = login
        self._patience_s = patience_s
        self._lock = Lock()
        self._shut_out: Refused | None = None
        self.stop = Event()
        try:
            self._token = login[0] if login[1] is None else self._sign_in()
        except BaseException:
            self._http.close()
            raise

    def close(self) -> None:
        """End the connections; a session that was opened here ends too."""
        if self._login[1] is not None:
            with contextlib.suppress(httpx.HTTPError):
                self._http.delete("/api/v1/session", headers=self._bearer())
        self._http.close()

    def json(self, method: str, path: str, **options: Any) -> Any:
        """JSON of a request. Raises Refused, Offline, Stopped."""
        return self.request(method, path, **options).json()

    def request(self, method: str, path: str, *, token: str | None = None, **options: Any) -> httpx.Response:
        """An answer that is no refusal. Only for requests that may be sent twice. Raises Refused, Offline, Stopped."""
        given = dict(options.pop("headers", {}))
        end, pauses = time.monotonic() + self._patience_s, iter(PAUSES_S)
        while True:
            used = self._token
            answer = self._once(method, path, given | (_upload(token) if token else self._bearer()), options)
            if answer is not None and answer.status_code == 401 and not token and self._login[1] is not None:
                self._sign_in_again(used)
                answer = None
            elif answer is not None and answer.is_success:
                return answer
            elif answer is not None and answer.status_code not in _PATIENT:
                refusal = _refusal(answer)
                if refusal.code != "idempotency.in_progress":  # the first sending, whose answer was lost, still acts
                    raise refusal
            if time.monotonic() > end:
                raise Offline
            self.pause(_retry_after(answer) or next(pauses, PAUSES_S[-1]))

    def pause(self, seconds: float) -> None:
        """Wait. Raises Stopped."""
        if self.stop.wait(seconds):
            raise Stopped

    def case_id(self, case: str) -> str:
        """The id of a case by its ЕРДР number, or the id itself. Raises Refused `case.not_found`."""
        cursor: str | None = None
        while True:
            page = self.json("GET", "/api/v1/cases", params={"limit": 100} | ({"cursor": cursor} if cursor else {}))
            for found in page["items"]:
                if case in (found["erdr"], found["id"]):
                    return str(found["id"])
            cursor = page.get("next")
            if not cursor:
                raise Refused(404, "case.not_found")

    def survey(self, case_id: str, files: Sequence[Mapping[str, Any]]) -> Any:
        """What awaits these files, in their order."""
        return self.json("POST", f"/api/v1/cases/{case_id}/survey", json={"files": list(files)})

    def states(self, case_id: str, exhibits: Sequence[str]) -> dict[str, Any]:
        """States by exhibit."""
        answer = self.json("POST", f"/api/v1/cases/{case_id}/states", json={"exhibits": list(exhibits)})
        return {one["id"]: one for one in answer["items"]}

    def small_files(self, case_id: str, body: bytes, key: str) -> Any:
        """Send many small files at once; what became of each, in their order. The same `key` again acts once."""
        headers = {"Content-Type": "application/vnd.dalel.small-files", "Idempotency-Key": key}
        return self.json("POST", f"/api/v1/cases/{case_id}/small-files", headers=headers, content=body)["items"]

    def create(self, metadata: Mapping[str, str], size_bytes: int, key: str) -> tuple[str, str | None, str]:
        """Announce an upload: address, token and exhibit. The same `key` again finds the same upload."""
        said = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items())
        headers = _TUS | {"Upload-Length": str(size_bytes), "Upload-Metadata": said, "Idempotency-Key": key}
        answer = self.request("POST", "/api/v1/uploads", headers=headers)
        location = answer.headers["Location"]
        exhibit = answer.headers.get("Dalel-Exhibit")
        # A replayed answer has the address alone.
        return location, answer.headers.get("Upload-Token"), exhibit or self._head(location, None)["Dalel-Exhibit"]

    def offset(self, location: str, token: str | None) -> int:
        """How far an upload durably is."""
        return int(self._head(location, token)["Upload-Offset"])

    def append(self, location: str, token: str | None, offset: int, pieces: Iterator[bytes], length: int) -> int | None:
        """Send one part; the new offset, None when nothing is known of what arrived: ask. Raises Refused."""
        headers = _TUS | {
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(length),
        }
        options = {"content": pieces}
        answer = self._once("PATCH", location, headers | (_upload(token) if token else self._bearer()), options)
        if answer is None or answer.status_code in _PATIENT:
            return None
        if answer.is_success:
            return int(answer.headers["Upload-Offset"])
        refusal = _refusal(answer)
        if refusal.code in ("upload.wrong_offset", "upload.superseded") or (answer.status_code == 401 and not token):
            return None
        raise refusal

    def _head(self, location: str, token: str | None) -> httpx.Headers:
        return self.request("HEAD", location, headers=_TUS, token=token).headers

    def _once(
        self, method: str, path: str, headers: Mapping[str, str], options: Mapping[str, Any]
    ) -> httpx.Response | None:
        if self.stop.is_set():
            raise Stopped
        try:
            return self._http.request(method, path, headers=dict(headers), **options)
        except httpx.TransportError:
            return None

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _sign_in(self) -> str:
        login, password = self._login
        end = time.monotonic() + self._patience_s
        while True:
            answer = self._once("POST", "/api/v1/session", {}, {"json": {"login": login, "password": password}})
            if answer is not None and answer.is_success:
                return str(answer.json()["token"])
            if answer is not None and answer.status_code not in _PATIENT:
                raise _refusal(answer)
            if time.monotonic() > end:
                raise Offline
            self.pause(_retry_after(answer) or PAUSES_S[2])

    def _sign_in_again(self, used: str) -> None:
        """Of many threads whose session ended, one signs in. Refused once, none tries again: the account is shut."""
        with self._lock:
            if self._shut_out is not None:
                raise self._shut_out
            if self._token == used:
                try:
                    self._token = self._sign_in()
                except Refused as refusal:
                    self._shut_out = refusal
                    raise


def _upload(token: str) -> dict[str, str]:
    return {"Authorization": f"Upload {token}"}


def _retry_after(answer: httpx.Response | None) -> float | None:
    said = answer.headers.get("Retry-After", "") if answer is not None else ""
    return float(said) if said.isascii() and said.isdigit() else None


def _refusal(answer: httpx.Response) -> Refused:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    code = problem.get("code") or ("upload.not_found" if answer.status_code == 404 else "unknown")
    code = "upload.expired" if answer.status_code == 410 and "code" not in problem else code
    return Refused(answer.status_code, code, problem.get("params"))
