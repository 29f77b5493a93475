"""Sends many files: hashed beside the sending, asked about in batches, sent in parallel, then asked after until sealed.

Selected = sealed + already there + failed, each with its reason, always. What is durable at the server is never sent
again: after SIGKILL the same command goes on at the byte.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from evidence_api.sending.api import Api, Offline, Refused, Stopped
from evidence_api.sending.files import LocalFile, Unsendable, digest
from evidence_api.sending.groups import Group, body, contents, grouped
from evidence_api.sending.memory import Memory
from evidence_api.sending.progress import Progress

PART_BYTES = 16 << 20
PIECE_BYTES = 1 << 20
BATCH = 200
POLL_S = 0.5
OVER = ("upload.not_found", "upload.expired", "upload.terminated", "upload.refused", "access.not_found")


@dataclass
class Outcome:
    """What became of the files: exhibits sealed by this sender, exhibits that were there already, and codes by path.
    `again`: of what was sent although its bytes had been destroyed in this case, the number they had.
    """

    sealed: dict[str, str] = field(default_factory=dict)
    already: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    again: dict[str, int] = field(default_factory=dict)

    @property
    def chosen(self) -> int:
        """How many files were chosen: none is lost from the account."""
        return len(self.sealed) + len(self.already) + len(self.failed)


class Sender:
    """One run over some files. `said` is what is said of all: basis, purpose, retain_days."""

    def __init__(
        self, api: Api, memory: Memory, case_id: str, said: Mapping[str, str], progress: Progress, jobs: int
    ) -> None:
        self._api, self._memory, self._case_id, self._said = api, memory, case_id, dict(said)
        self._progress, self._jobs = progress, jobs
        self._outcome = Outcome()
        self._hashed: list[LocalFile] = []
        self._checking: dict[str, tuple[str, list[tuple[LocalFile, bool]]]] = {}
        self._in_flight: dict[str, LocalFile] = {}
        self._twins: dict[str, list[LocalFile]] = {}
        self._polled_at = 0.0

    def run(self, files: Sequence[LocalFile]) -> Outcome:
        """Send them all. Raises Stopped when asked to end; what was sent until then is remembered."""
        with ThreadPoolExecutor(1, "hash") as hashing, ThreadPoolExecutor(self._jobs, "send") as sending:
            try:
                self._loop(self._willing(files), hashing, sending)
            except BaseException:
                self._api.stop.set()
                hashing.shutdown(wait=True, cancel_futures=True)
                sending.shutdown(wait=True, cancel_futures=True)
                raise
        return self._outcome

    def _willing(self, files: Sequence[LocalFile]) -> list[LocalFile]:
        """Without those that a rule refuses before anything is read."""
        asked = []
        for file in files:
            if file.fault:
                self._fail(file, file.fault)
            else:
                asked.append(file)
        willing = []
        for start in range(0, len(asked), BATCH):
            batch = asked[start : start + BATCH]
            found = self._api.survey(self._case_id, [_named(file) for file in batch])["items"]
            for file, one in zip(batch, found, strict=True):
                if one["state"] == "refused":
                    self._fail(file, one["code"])
                else:
                    willing.append(file)
        return willing

    def _loop(self, files: Sequence[LocalFile], hashing: ThreadPoolExecutor, sending: ThreadPoolExecutor) -> None:
        waiting: dict[Future[Any], tuple[str, Group]] = {}
        for file in files:
            waiting[hashing.submit(self._hash, file)] = ("hash", [file])
        while waiting or self._checking or self._hashed:
            done, _ = wait(waiting, timeout=POLL_S, return_when=FIRST_COMPLETED) if waiting else (set(), set())
            if not done:
                self._api.pause(0 if waiting else POLL_S)
            for future in done:
                self._ended(future, *waiting.pop(future))
            hashes_left = any(kind == "hash" for kind, _ in waiting.values()) if len(self._hashed) < BATCH else True
            if len(self._hashed) >= BATCH or (self._hashed and (not hashes_left or not self._in_flight)):
                for group in grouped(self._ask()):
                    waiting[sending.submit(self._send_group, group)] = ("send", group)
            self._poll()

    def _ended(self, future: "Future[Any]", kind: str, files: Group) -> None:
        try:
            result = future.result()
        except (Unsendable, Refused, Offline) as fault:
            for file in files:
                self._lost(file, _code(fault))
            return
        if kind == "hash":
            self._outcome.digests[files[0].path] = result
            self._hashed += files
            return
        for file, sent in zip(files, result, strict=True):
            if isinstance(sent, str):
                self._arrived(file, sent)
            elif _code(sent) == "exhibit.duplicate":
                # Another sends the same bytes, or they came before: what awaits it now is asked anew.
                self._memory.keep(file, replace(self._memory.of(file), key=None))
                self._in_flight.pop(self._outcome.digests[file.path], None)
                self._hashed += [file, *self._twins.pop(self._outcome.digests[file.path], [])]
            else:
                self._lost(file, _code(sent))

    def _arrived(self, file: LocalFile, exhibit: str) -> None:
        self._check(file, exhibit, ours=True)
        for twin in self._twins.pop(self._outcome.digests[file.path], []):
            self._check(twin, exhibit, ours=False)
        self._in_flight.pop(self._outcome.digests[file.path], None)

    def _lost(self, file: LocalFile, code: str) -> None:
        """It failed; others with the same bytes, which waited for it, are asked about anew."""
        self._fail(file, code)
        sha256 = self._outcome.digests.get(file.path, "")
        if self._in_flight.get(sha256) is file:
            del self._in_flight[sha256]
            self._hashed += self._twins.pop(sha256, [])

    def _hash(self, file: LocalFile) -> str:
        known = self._memory.of(file)
        if known.sha256:
            self._progress.hashed(file.size_bytes)
            return known.sha256
        sha256 = digest(file, self._moved_hash)
        self._memory.keep(file, replace(known, sha256=sha256), durable=False)
        return sha256

    def _moved_hash(self, size_bytes: int) -> None:
        if self._api.stop.is_set():
            raise Stopped
        self._progress.hashed(size_bytes)

    def _ask(self) -> list[tuple[LocalFile, bool]]:
        """What awaits those that are hashed; returns those to send now, and of each whether it is new there."""
        batch, self._hashed = self._hashed[:BATCH], self._hashed[BATCH:]
        named = [_named(file) | {"sha256": self._outcome.digests[file.path]} for file in batch]
        found = self._api.survey(self._case_id, named)["items"]
        sending = []
        for file, one in zip(batch, found, strict=True):
            sha256 = self._outcome.digests[file.path]
            ours = self._is_ours(file, one)
            match one["state"]:
                case "refused":
                    self._fail(file, one["code"])
                case "elsewhere":
                    self._fail(file, "upload.elsewhere")
                case "sealed":
                    self._decided(file, one["exhibit"], {"state": "sealed", "sha256": sha256}, ours=ours)
                case "checking":
                    self._check(file, one["exhibit"], ours=ours)
                case "new" if one["destroyed"] and (before := self._memory.of(file).delivered):
                    # It was delivered from here and destroyed under an act: sending it anew is a person's decision.
                    self._check(file, before, ours=True)
                case _ if sha256 in self._in_flight:
                    self._twins.setdefault(sha256, []).append(file)
                case state:
                    if state == "begun" and not ours:
                        # Begun before by the same person, on another machine or with a memory now lost: go on.
                        known = self._memory.of(file)
                        address = f"/api/v1/uploads/{one['upload']}"
                        self._memory.keep(file, replace(known, upload=address, token=None, exhibit=one["exhibit"]))
                    self._in_flight[sha256] = file
                    sending.append((file, state == "new"))
                    if one["destroyed"]:
                        self._outcome.again[file.path] = one["destroyed"]
        return sending

    def _is_ours(self, file: LocalFile, found: Mapping[str, Any]) -> bool:
        """Whether this sender registered it: the exhibit is known, or its creation was sent and the answer was lost."""
        known = self._memory.of(file)
        if found["exhibit"] is None or known.exhibit == found["exhibit"]:
            return found["exhibit"] is not None
        return bool(found["mine"] and known.key and not known.exhibit)

    def _send_group(self, files: Group) -> list[str | Exception]:
        """The exhibit of each, whose bytes are all at the server then, or why it is not there."""
        return [self._send(files[0])] if len(files) == 1 else self._send_together(files)

    def _send_together(self, files: Group) -> list[str | Exception]:
        given: dict[str, tuple[LocalFile, bytes]] = {}
        sent: dict[str, str | Exception] = {}
        for file in files:
            try:
                given[self._outcome.digests[file.path]] = file, contents(file)
            except Unsendable as fault:
                sent[file.path] = fault
        key = uuid4().hex
        self._remember({file: {"key": key} for file, _ in given.values()})
        taken = self._api.small_files(self._case_id, body(self._said, given), key) if given else []
        for (file, data), one in zip(given.values(), taken, strict=True):
            sent[file.path] = one["exhibit"] or Refused(422, one["code"], one["params"])
            self._moved_send(len(data) if one["exhibit"] else 0)
        self._remember({file: {"exhibit": sent[file.path]} for file in files if isinstance(sent[file.path], str)})
        return [sent[file.path] for file in files]

    def _remember(self, changes: Mapping[LocalFile, Mapping[str, Any]]) -> None:
        """Of many files, on the disk when this returns: the last one's line takes the others along."""
        for number, (file, change) in enumerate(changes.items(), 1):
            self._memory.keep(file, replace(self._memory.of(file), **change), durable=number == len(changes))

    def _send(self, file: LocalFile) -> str:
        """All bytes are at the server when this returns the exhibit's id."""
        for _ in range(2):
            known = self._memory.of(file)
            try:
                if not known.upload:
                    known = self._create(file)
                self._append(file, known.upload or "", known.token)
                return known.exhibit or ""
            except Refused as refusal:
                if refusal.code == "upload.already_received":
                    return known.exhibit or ""
                if refusal.code == "upload.token_expired" and known.token:
                    self._memory.keep(file, replace(known, token=None))
                elif refusal.code in OVER and known.upload:
                    self._memory.forget_upload(file)
                else:
                    raise
        raise Refused(409, "upload.terminated")

    def _create(self, file: LocalFile) -> Any:
        known = self._memory.of(file)
        if not known.key:
            known = self._memory.keep(file, replace(known, key=uuid4().hex))
        metadata = self._said | {
            "case": self._case_id,
            "filename": file.name,
            "folder": file.folder,
            "sha256": known.sha256 or "",
            "recorded_at": file.recorded_at,
        }
        try:
            location, token, exhibit = self._api.create(metadata, file.size_bytes, known.key or "")
        except Refused:
            self._memory.keep(file, replace(known, key=None))
            raise
        return self._memory.keep(file, replace(known, upload=location, token=token, exhibit=exhibit))

    def _append(self, file: LocalFile, location: str, token: str | None) -> None:
        offset = self._api.offset(location, token)
        self._progress.sent(offset, before=True)
        reached = offset

        def moved(size_bytes: int) -> None:
            nonlocal reached
            reached += size_bytes
            self._moved_send(size_bytes)

        try:
            source = file.place.open("rb")
        except OSError:
            raise Unsendable("upload.unreadable") from None
        with source:
            while offset < file.size_bytes:
                if not file.unchanged():
                    raise Unsendable("upload.changed")
                length = min(PART_BYTES, file.size_bytes - offset)
                source.seek(offset)
                after = self._api.append(location, token, offset, _pieces(source, length, moved), length)
                if after is None:
                    after = self._api.offset(location, token)
                # What was counted while sending and did not arrive is taken back.
                self._progress.sent(after - reached, before=True)
                offset = reached = after

    def _moved_send(self, size_bytes: int) -> None:
        if self._api.stop.is_set():
            raise Stopped
        self._progress.sent(size_bytes)

    def _check(self, file: LocalFile, exhibit: str, *, ours: bool) -> None:
        _, files = self._checking.setdefault(exhibit, (exhibit, []))
        files.append((file, ours))

    def _poll(self) -> None:
        now = time.monotonic()
        if not self._checking or now - self._polled_at < POLL_S:
            return
        self._polled_at = now
        asked = list(self._checking)[:BATCH]
        told = self._api.states(self._case_id, asked)
        for exhibit in asked:
            state = told.get(exhibit, {"state": "discarded", "reason": "upload.not_found"})
            place = self._checking.pop(exhibit)
            if state["state"] in ("draft", "receiving", "checking"):
                self._checking[exhibit] = place
                continue
            for file, ours in place[1]:
                self._decided(file, exhibit, state, ours=ours)

    def _decided(self, file: LocalFile, exhibit: str, state: Mapping[str, Any], *, ours: bool) -> None:
        if state["state"] == "sealed" and state["sha256"] == self._outcome.digests[file.path]:
            (self._outcome.sealed if ours else self._outcome.already)[file.path] = exhibit
            if ours:
                known = self._memory.of(file)
                self._memory.keep(file, replace(known, exhibit=exhibit, upload=None, token=None, key=None))
            self._progress.ended(failed=False)
            return
        if state["state"] != "destroyed":  # of what is destroyed it stays known that it was delivered
            self._memory.forget_upload(file)
        self._fail(file, state["reason"] or "upload.digest_mismatch")

    def _fail(self, file: LocalFile, code: str) -> None:
        self._outcome.failed[file.path] = code
        self._outcome.again.pop(file.path, None)
        self._progress.say(f"failed: {file.path}: {code}")
        self._progress.ended(failed=True)


def _code(fault: Exception) -> str:
    return "upload.offline" if isinstance(fault, Offline) else str(fault)


def _named(file: LocalFile) -> dict[str, Any]:
    return {"filename": file.name, "folder": file.folder, "size_bytes": file.size_bytes}


def _pieces(source: Any, length: int, moved: Any) -> Iterator[bytes]:
    while length:
        piece = source.read(min(PIECE_BYTES, length))
        if not piece:
            raise Unsendable("upload.changed")
        length -= len(piece)
        moved(len(piece))
        yield piece
