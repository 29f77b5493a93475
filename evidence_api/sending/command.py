"""`dalel upload`: sends a folder to a case, has it compared with a provider's list, saves the receipt; or watches."""

import json
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from custody.kernel.errors import Invalid
from evidence_api.http.messages import sentence
from evidence_api.registry import hashlists
from evidence_api.sending.api import Api, Offline, Refused, Stopped, read_credential, read_login
from evidence_api.sending.files import LocalFile, walk
from evidence_api.sending.memory import Busy, Memory, default_place
from evidence_api.sending.progress import Progress, size
from evidence_api.sending.sender import Outcome, Sender

ALL_SEALED, SOME_FAILED, UNUSABLE = 0, 1, 2
MOST_FILES = 10_000
MANIFEST = "manifest-sha256.txt"
_LOCAL = ("127.0.0.1", "::1", "localhost")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """What was asked for. Receipts are saved in `receipts`; `memory` is the state file (None: its own place). Without
    `login` a device's credential is used: of `credential_file`, else of the environment.
    """

    folder: Path
    case: str
    url: str
    login: Path | None
    said: Mapping[str, str]
    receipts: Path
    credential_file: Path | None = None
    memory: Path | None = None
    hash_list: Path | None = None
    list_format: str | None = None
    jobs: int = 4
    patience_s: float = 600.0
    language: str = "kk"
    ca: Path | None = None
    plain_http: bool = False
    watch: bool = False
    settle_s: float = 10.0


@dataclass(frozen=True)
class Provided:
    """A provider's list, read: its text, format, the folder its paths are relative to, and its own path below that."""

    text: str
    form: str
    root: str
    name: str


class Unusable(Exception):
    """What was asked for cannot be begun."""


def run(asked: Asked, say: Say) -> int:
    """Do it; returns the exit code: 0 all sealed, 1 some failed or the list differs, 2 nothing could be begun."""
    try:
        provided = _begin(asked)
        memory = Memory(asked.memory or default_place(asked.url, asked.case, asked.folder))
    except Unusable as fault:
        say(str(fault))
        return UNUSABLE
    except Busy:
        say("another process is sending this folder to this case")
        return UNUSABLE
    try:
        return _signed_in(asked, provided, memory, say)
    finally:
        memory.close()


def _begin(asked: Asked) -> Provided | None:
    parts = urlsplit(asked.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unusable(f"{asked.url} is no address of a server")
    if parts.scheme == "http" and parts.hostname not in _LOCAL and not asked.plain_http:
        raise Unusable(f"{asked.url} is not encrypted: use https, or --plain-http on a closed network")
    if not asked.folder.is_dir():
        raise Unusable(f"{asked.folder} is no folder")
    return _provided(asked)


def _provided(asked: Asked) -> Provided | None:
    bag = asked.folder / MANIFEST
    place = asked.hash_list or (bag if (asked.folder / "bagit.txt").is_file() and bag.is_file() else None)
    if place is None:
        return None
    form = asked.list_format or (
        "bagit" if place.name == MANIFEST else "csv" if place.suffix == ".csv" else "sha256sum"
    )
    top = asked.folder.resolve()
    try:
        text = place.read_bytes().decode("utf-8")
        hashlists.parse(text, form)
    except (OSError, UnicodeDecodeError) as fault:
        raise Unusable(f"{place} cannot be read: {type(fault).__name__}") from None
    except Invalid as refusal:
        raise Unusable(f"{place}: {sentence(refusal.code, asked.language, refusal.params)} ({refusal.code})") from None
    if top in place.resolve().parents:
        below = place.resolve().relative_to(top.parent)
        return Provided(text, form, below.parent.as_posix(), below.name)
    return Provided(text, form, top.name, "")


def _signed_in(asked: Asked, provided: Provided | None, memory: Memory, say: Say) -> int:
    try:
        login = read_login(asked.login) if asked.login else read_credential(asked.credential_file)
    except (OSError, ValueError) as fault:
        say(f"the login file: {fault}")
        return UNUSABLE
    try:
        verify = str(asked.ca) if asked.ca else True
        api = Api(asked.url, login, patience_s=asked.patience_s, language=asked.language, verify=verify)
    except (Refused, Offline) as fault:
        say(f"signing in: {_reason(fault, asked.language)}")
        return UNUSABLE
    old = {number: signal.signal(number, lambda *_: api.stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        case_id = api.case_id(asked.case)
        work = _Work(asked, api, memory, case_id, provided, say)
        return work.watch() if asked.watch else work.once()
    except (Refused, Offline) as fault:
        say(f"the server: {_reason(fault, asked.language)}; what was sent is kept, run the same command again")
        return SOME_FAILED if memory.begun else UNUSABLE
    except Stopped:
        say("stopped; run the same command again to go on where it stopped")
        return SOME_FAILED
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
        api.close()


class _Work:
    """Sending, telling and keeping the receipt."""

    def __init__(
        self, asked: Asked, api: Api, memory: Memory, case_id: str, provided: Provided | None, say: Say
    ) -> None:
        self._asked, self._api, self._memory, self._case_id = asked, api, memory, case_id
        self._provided, self._say = provided, say

    def once(self) -> int:
        """The whole folder, one receipt."""
        files = list(walk(self._asked.folder))
        if not files:
            self._say(f"{self._asked.folder} is empty: there is nothing to send")
            return UNUSABLE
        outcome = self._send(files)
        holds = self._receipts(outcome)
        self._tell(outcome, files)
        return ALL_SEALED if not outcome.failed and holds else SOME_FAILED

    def watch(self) -> int:
        """Files that stopped growing, again and again until told to end; a receipt after every round that had some.

        Moves and deletes nothing. What was sent is known by its digest: a copy under another name is not sent twice.
        """
        seen: dict[str, tuple[tuple[int, int], float]] = {}
        done: set[tuple[str, int, int]] = set()
        failed = False
        self._say(f"watching {self._asked.folder}")
        while not self._api.stop.is_set():
            ready = [
                file for file in _still(walk(self._asked.folder), seen, self._asked.settle_s) if _mark(file) not in done
            ]
            ready = [file for file in ready if not self._memory.of(file).receipted]
            if ready:
                outcome = self._send(ready)
                self._receipts(outcome)
                self._tell(outcome, ready)
                failed = failed or bool(outcome.failed)
                # What the server could not be reached for is tried again; what a rule refuses would be refused again.
                done |= {_mark(file) for file in ready if outcome.failed.get(file.path) != "upload.offline"}
            self._api.stop.wait(min(1.0, self._asked.settle_s))
        return SOME_FAILED if failed else ALL_SEALED

    def _send(self, files: list[LocalFile]) -> Outcome:
        progress = Progress(len(files), sum(file.size_bytes for file in files if not file.fault))
        try:
            sender = Sender(self._api, self._memory, self._case_id, self._asked.said, progress, self._asked.jobs)
            return sender.run(files)
        finally:
            progress.close()

    def _receipts(self, outcome: Outcome) -> bool:
        """Get and save receipts (one, unless there are very many files); whether the provider's list holds."""
        sealed = sorted(set(outcome.sealed.values()))
        already = sorted(set(outcome.already.values()) - set(sealed))
        failed = [{"path": path[:5000], "code": code} for path, code in sorted(outcome.failed.items())]
        if not (sealed or already or failed):
            return True
        whole = len(sealed) + len(already) + len(failed) <= MOST_FILES
        body: dict[str, Any] = {"exhibits": sealed, "already": already, "failed": failed}
        if whole:
            if self._provided:
                body["list"] = {
                    "text": self._provided.text,
                    "format": self._provided.form,
                    "root": self._provided.root,
                    "name": self._provided.name,
                }
            return self._save(self._issue(body))
        for start in range(0, len(sealed), MOST_FILES):
            self._save(self._issue({"exhibits": sealed[start : start + MOST_FILES]}))
        return self._locally(outcome)

    def _issue(self, body: Mapping[str, Any]) -> Any:
        while True:
            try:
                return self._api.json("POST", f"/api/v1/cases/{self._case_id}/receipts", json=body)
            except Refused as refusal:
                if refusal.code != "receipt.not_ready":
                    raise
                self._api.pause(1.0)

    def _save(self, receipt: Mapping[str, Any]) -> bool:
        self._asked.receipts.mkdir(parents=True, exist_ok=True)
        stem = self._asked.receipts / f"dalel-{receipt['says']['erdr']}-receipt-{receipt['id'].replace('-', '')[-8:]}"
        pdf = self._api.request("GET", receipt["pdf"]).content
        stem.with_suffix(".pdf").write_bytes(pdf)
        stem.with_suffix(".json").write_text(json.dumps(receipt, ensure_ascii=False, indent=1), encoding="utf-8")
        self._say(f"receipt: {stem.with_suffix('.pdf')} ({receipt['sha256']}) and .json")
        found = receipt["says"]["list"]
        if not found:
            return True
        return self._compared(
            found["listed"],
            found["matched"],
            [one["path"] for one in found["differing"]],
            found["missing"],
            found["extra"],
        )

    def _locally(self, outcome: Outcome) -> bool:
        """Too many files for one receipt: the list is held against the digests of what was sealed, here."""
        if self._provided is None:
            return True
        top = f"{self._provided.root}/"
        stored = [path for path in (*outcome.sealed, *outcome.already) if path.startswith(top)]
        arrived = {path.removeprefix(top): outcome.digests[path] for path in stored}
        listed = hashlists.parse(self._provided.text, self._provided.form)
        found = hashlists.compare(listed, arrived, self._provided.form, self._provided.name)
        return self._compared(
            found.listed, found.matched, [one.path for one in found.differing], found.missing, found.extra
        )

    def _compared(
        self, listed: int, matched: int, differing: Iterable[str], missing: Iterable[str], extra: Iterable[str]
    ) -> bool:
        lines = [
            f"{word}: {path}"
            for word, paths in (("differing", differing), ("missing", missing), ("not listed", extra))
            for path in paths
        ]
        self._say(f"the provider's list: {listed} listed, {matched} matching")
        for line in lines:
            self._say(line)
        return not lines

    def _tell(self, outcome: Outcome, files: list[LocalFile]) -> None:
        for path, code in sorted(outcome.failed.items()):
            self._say(f"failed: {path}: {sentence(code, self._asked.language, {})} ({code})")
        for path, number in sorted(outcome.again.items()):
            self._say(f"{path}: {sentence('upload.sent_again', self._asked.language, {'number': number})}")
        total = size(sum(file.size_bytes for file in files))
        self._say(
            f"chosen {len(files)} = sealed {len(outcome.sealed)} + already in the case {len(outcome.already)}"
            f" + failed {len(outcome.failed)}; {total}"
        )
        for file in files:
            if file.path not in outcome.failed:
                self._memory.keep(file, replace(self._memory.of(file), receipted=True), durable=False)


def _still(
    files: Iterable[LocalFile], seen: dict[str, tuple[tuple[int, int], float]], settle_s: float
) -> list[LocalFile]:
    """Those whose size and time have not changed for `settle_s`; `seen` is kept from round to round."""
    now, ready, there = time.monotonic(), [], set()
    for file in files:
        there.add(file.path)
        facts = (file.size_bytes, file.mtime_ns)
        before = seen.get(file.path)
        if before is None or before[0] != facts:
            seen[file.path] = (facts, now)
        elif now - before[1] >= settle_s and not file.fault:
            ready.append(file)
    for path in seen.keys() - there:
        del seen[path]
    return ready


def _mark(file: LocalFile) -> tuple[str, int, int]:
    return file.path, file.size_bytes, file.mtime_ns


def _reason(fault: Refused | Offline, language: str) -> str:
    code, params = (fault.code, fault.params) if isinstance(fault, Refused) else ("upload.offline", {})
    return f"{sentence(code, language, params)} ({code})"
