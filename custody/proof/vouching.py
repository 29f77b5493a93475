"""Step 7: every file of the disclosure is vouched for by the events of its own exhibit, in the order the law asks.

An original: sealed with this digest. A rendition: burned with this digest from a plan that a second person approved
before, and attacked by the leak check without success after. A transcript: confirmed by a person before that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from custody.proof.disclosure import ORIGINAL, SPOKEN, DisclosedFile
from custody.proof.grammar import Event, same
from custody.proof.refusal import Step, VerificationError

PASSED = "passed"


@dataclass(frozen=True)
class _Burn:
    """A rendition as burned, and what was true at that moment."""

    sha256: object
    kind: object
    source_sha256: object
    approved: bool
    confirmed: bool


@dataclass
class History:
    """What the chain of one exhibit has said so far, event by event."""

    number: object = None
    sealed: object = None
    confirmed: set[str] = field(default_factory=set)
    submitted: dict[str, tuple[object, str | None]] = field(default_factory=dict)
    approved: dict[str, object] = field(default_factory=dict)
    burned: dict[str, _Burn] = field(default_factory=dict)
    checked: dict[str, tuple[object, object]] = field(default_factory=dict)


def told(chain: Sequence[Event]) -> History:
    """What an exhibit's whole chain says of its files."""
    history = History()
    for event in chain:
        learn = _LEARN.get(event.type)
        if learn is not None:
            learn(history, event)
    return history


def vouched(file: DisclosedFile, history: History) -> None:
    """Raises VerificationError unless the chain of the file's exhibit vouches for the file."""
    if not same(history.number, file.number):
        raise _refusal("vouch.number", file)
    if file.kind == ORIGINAL:
        if history.sealed != file.sha256:
            raise _refusal("vouch.sealed", file)
        return
    _rendition(file, history)


def _rendition(file: DisclosedFile, history: History) -> None:
    rendition = file.rendition or ""
    burn = history.burned.get(rendition)
    if burn is None or (burn.sha256, burn.kind, burn.source_sha256) != (file.sha256, file.kind, file.source_sha256):
        raise _refusal("vouch.burned", file)
    if not burn.approved:
        raise _refusal("vouch.approved", file)
    if history.checked.get(rendition) != (file.sha256, PASSED):
        raise _refusal("vouch.leak", file)
    if file.kind in SPOKEN and not burn.confirmed:
        raise _refusal("vouch.confirmed", file)


def _registered(history: History, event: Event) -> None:
    history.number = event.data["number"]


def _sealed(history: History, event: Event) -> None:
    history.sealed = event.data["sha256"]


def _confirmed(history: History, event: Event) -> None:
    if event.actor is not None:
        history.confirmed.add(event.data["transcript"])


def _drafted(history: History, event: Event) -> None:
    history.confirmed.discard(event.data["transcript"])  # a newer draft or correction is not what was confirmed


def _submitted(history: History, event: Event) -> None:
    history.submitted[event.data["plan"]] = (event.data["plan_sha256"], event.actor)
    history.approved.pop(event.data["plan"], None)


def _returned(history: History, event: Event) -> None:
    history.submitted.pop(event.data["plan"], None)
    history.approved.pop(event.data["plan"], None)


def _approved(history: History, event: Event) -> None:
    """Counts only when this very plan lies submitted, by somebody, and somebody else approves it."""
    submission = (event.data["plan_sha256"], event.data["submitted_by"])
    second = event.actor is not None and submission[1] is not None and event.actor != submission[1]
    lies = history.submitted.get(event.data["plan"])
    if second and lies is not None and all(map(same, lies, submission)):
        history.approved[event.data["plan"]] = event.data["plan_sha256"]


def _burned(history: History, event: Event) -> None:
    data = event.data
    approved = data["plan"] in history.approved and same(history.approved[data["plan"]], data["plan_sha256"])
    history.burned[data["rendition"]] = _Burn(
        data["sha256"], data["kind"], data["source_sha256"], approved, bool(history.confirmed)
    )
    history.checked.pop(data["rendition"], None)


def _leak_checked(history: History, event: Event) -> None:
    if event.data["rendition"] in history.burned:
        history.checked[event.data["rendition"]] = (event.data["sha256"], event.data["result"])


_LEARN: Mapping[str, Callable[[History, Event], None]] = {
    "exhibit.registered": _registered,
    "exhibit.sealed": _sealed,
    "transcript.drafted": _drafted,
    "transcript.corrected": _drafted,
    "transcript.confirmed": _confirmed,
    "plan.submitted": _submitted,
    "plan.returned": _returned,
    "plan.approved": _approved,
    "rendition.burned": _burned,
    "rendition.leak_checked": _leak_checked,
}


def _refusal(code: str, file: DisclosedFile) -> VerificationError:
    return VerificationError(Step.VOUCHING, code, entry=file.path)
