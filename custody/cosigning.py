"""Asking the witnesses of a policy to cosign a head: side by side, within a deadline, never in publishing's way."""

import http.client
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from custody.proof import cosignature, note
from custody.proof.checkpoint import Checkpoint
from custody.proof.note import Verifier
from custody.proof.policy import Policy
from custody.proof.strict import ProofError, decimal
from custody.witness import encode_submission

CLOCK_TOLERANCE_S = 60
"""How far ahead of ours a witness's clock may be: what readers would refuse as the future is not attached."""
_GRACE_S = 0.25
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_MAX_ANSWER_BYTES = 64 * 1024

Proof = Callable[[int], list[bytes]]
"""The consistency proof from an older size to the head's."""
Post = Callable[[str, bytes, float], tuple[int, bytes]]
"""Sends a body to an address within seconds; status and answer."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cosigned:
    """A verified cosignature of the head of `size`: by which witness of the policy, under which key (its label), when,
    and the line as it stands in a note.
    """

    size: int
    witness: str
    name: str
    time_s: int
    line: str


class _NotCosigned(Exception):
    """The witness answered something else."""


class _Witness:
    """One witness of the policy: where it is, what it cosigned last, whether it is worth asking now."""

    def __init__(self, name: str, verifier: Verifier, url: str) -> None:
        self.name = name
        self.verifier = verifier
        self.url = url
        self.size = 0
        self.cosigned = -1
        self.busy = False
        self.pause_s = 0.0
        self.not_before = 0.0

    def worth_asking(self, size: int) -> bool:
        return not self.busy and self.cosigned != size and time.monotonic() >= self.not_before

    def answered(self, size: int) -> None:
        if self.pause_s:
            log.warning("witness %s: cosigns again", self.verifier.name)
        self.size = self.cosigned = size
        self.pause_s = 0.0

    def failed(self, why: str) -> None:
        if not self.pause_s:
            log.warning("witness %s: did not cosign (%s)", self.verifier.name, why)
        self.pause_s = min(max(_FIRST_PAUSE_S, self.pause_s * 2), _LONGEST_PAUSE_S)
        self.not_before = time.monotonic() + self.pause_s


class Witnesses:
    """The witnesses of a policy that have an address in it. Used by one thread at a time.

    A witness that fails is left alone for 1, 2, 4 … 30 s. `now_s` is our clock, seconds since 1970. Not guaranteed:
    an answer; the caller goes on without.
    """

    def __init__(
        self, policy: Policy, now_s: Callable[[], int], *, deadline_s: float = 2.0, post: Post | None = None
    ) -> None:
        self.policy = policy
        self._now_s = now_s
        self._deadline_s = deadline_s
        self._post = post or http_post
        self._witnesses = [_Witness(name, policy.witnesses[name], url) for name, url in policy.urls.items()]
        self._answers: SimpleQueue[tuple[int, Cosigned | None]] = SimpleQueue()

    def ask(self, signed: bytes, head: Checkpoint, proof: Proof) -> list[Cosigned]:
        """What came in until all have answered, the deadline has passed, or shortly after the quorum was reached.

        What came too late for an earlier head is among it.
        """
        end = time.monotonic() + self._deadline_s
        found, pending = self._late(), 0
        for witness in self._witnesses:
            if witness.worth_asking(head.size):
                witness.busy = True
                pending += 1
                asked = (witness, signed, head, proof, end)
                threading.Thread(target=self._ask_one, args=asked, name="ask-witness", daemon=True).start()
        while pending and (left_s := end - time.monotonic()) > 0:
            try:
                size, cosigned = self._answers.get(timeout=left_s)
            except Empty:
                break
            pending -= size == head.size
            if cosigned is not None:
                found.append(cosigned)
                if self.policy.reached(frozenset(one.witness for one in found if one.size == head.size)):
                    end = min(end, time.monotonic() + _GRACE_S)
        return found

    def _late(self) -> list[Cosigned]:
        late = []
        while not self._answers.empty():
            _, cosigned = self._answers.get()
            if cosigned is not None:
                late.append(cosigned)
        return late

    def _ask_one(self, witness: _Witness, signed: bytes, head: Checkpoint, proof: Proof, end: float) -> None:
        cosigned = None
        try:
            cosigned = self._cosigned(witness, signed, head, proof, end)
            witness.answered(head.size)
        except (_NotCosigned, ProofError) as error:
            witness.failed(str(error))
        except Exception as error:  # whatever a network or a store can raise: the next round asks again
            witness.failed(type(error).__name__)
        finally:
            witness.busy = False
            self._answers.put((head.size, cosigned))

    def _cosigned(self, witness: _Witness, signed: bytes, head: Checkpoint, proof: Proof, end: float) -> Cosigned:
        status, answer = self._submit(witness, signed, head, proof, end)
        if status == http.HTTPStatus.CONFLICT:
            size = decimal(answer.decode("ascii", "replace").removesuffix("\n"))
            if size > head.size or size == witness.size:
                raise _NotCosigned(f"it holds another tree, of {size} leaves; ours has {head.size}")
            witness.size = size
            status, answer = self._submit(witness, signed, head, proof, end)
        if status != http.HTTPStatus.OK:
            raise _NotCosigned(f"status {status}")
        whole = note.parse(signed + answer)
        if whole.text != head.text():
            raise _NotCosigned("its answer is not signature lines")
        found = cosignature.verify_all(whole, witness.verifier)
        if not found or found[0].time_s > self._now_s() + CLOCK_TOLERANCE_S:
            raise _NotCosigned("its clock is ahead of ours" if found else "no line of its key")
        line = next(line for line in whole.signatures if witness.verifier.signed(line))
        return Cosigned(head.size, witness.name, witness.verifier.label, found[0].time_s, line.line())

    def _submit(
        self, witness: _Witness, signed: bytes, head: Checkpoint, proof: Proof, end: float
    ) -> tuple[int, bytes]:
        old = min(witness.size, head.size)
        body = encode_submission(old, proof(old) if 0 < old < head.size else [], signed)
        return self._post(witness.url.rstrip("/") + "/add-checkpoint", body, max(0.05, end - time.monotonic()))


def http_post(
    url: str, body: bytes, timeout_s: float, content_type: str = "text/plain; charset=utf-8"
) -> tuple[int, bytes]:
    """POST without redirects or proxies; at most 64 KiB of the answer. Raises OSError or HTTPException."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=timeout_s)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target or "/", body, {"Content-Type": content_type})
        answer = connection.getresponse()
        return answer.status, answer.read(_MAX_ANSWER_BYTES)
    finally:
        connection.close()
