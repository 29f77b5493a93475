"""Time stamps: missing, over other data, of a wrong chain, long before, long after, from the future, not tokens."""

from datetime import UTC, datetime, timedelta

import pytest

from custody.proof import bundle, timestamp
from custody.proof.refusal import Step
from evidence_api.stack import authority
from evidence_api.stack.authority import Authority
from tests.attacks import forge

STORY = forge.tell()
LOG = forge.Log(forge.chained(STORY.events))
TEXT = LOG.head().text().encode()
NOW = datetime.fromtimestamp(forge.NOW_S, UTC)
ROOT, TRUSTED = authority.issue(NOW - timedelta(days=365))
OTHER_ROOT, UNKNOWN = authority.issue(NOW - timedelta(days=365))


def token(message: bytes = TEXT, by: Authority = TRUSTED, at: datetime = NOW) -> bytes:
    return timestamp.response_token(by.respond(timestamp.request(message, 1), at))


def stamped(*tokens: bytes, log: forge.Log = LOG) -> dict[str, bytes]:
    return forge.entries(STORY, log, timestamps=tokens)


def refused(code: str, *tokens: bytes) -> None:
    forge.refused(stamped(*tokens), Step.TIME_STAMPS, code, tsa_roots=[ROOT])


def test_one_by_an_authority_of_the_reader_is_enough() -> None:
    verified = forge.checked(forge.zipped(stamped(token(by=UNKNOWN), token())), tsa_roots=[ROOT])
    assert [stamp.time_s for stamp in verified.timestamps] == [forge.NOW_S]
    assert "DEVELOPMENT" in verified.timestamps[0].authority
    assert verified.steps[-1].code == "passed.time_stamps"
    assert "custody/timestamps/1.tst" not in verified.unsigned


def test_not_asked() -> None:
    """Without roots nothing about time is believed, and the token is said to be unchecked."""
    verified = forge.checked(forge.zipped(stamped(b"junk")))
    assert (verified.steps[-1].code, verified.timestamps) == ("passed.not_asked", ())
    assert "custody/timestamps/1.tst" in verified.unsigned


def test_missing() -> None:
    refused("timestamps.missing")


def test_wrong_chain() -> None:
    refused("timestamps.missing", token(by=UNKNOWN))


@pytest.mark.parametrize(
    "bad",
    [
        token(TEXT + b"x"),
        token(forge.Log(LOG.leaves[:-1]).head().text().encode()),
        token()[:-1] + b"\0",
        token(by=Authority(TRUSTED.certificate, UNKNOWN.key)),
        token(at=NOW - timedelta(days=400)),
        b"junk",
        b"",
    ],
    ids=["other data", "another checkpoint", "flipped", "own key", "certificate not valid yet", "junk", "empty"],
)
def test_false_token(bad: bytes) -> None:
    """It spoils the package even beside a good one."""
    refused("timestamps.invalid", bad)
    refused("timestamps.invalid", token(), bad)


def test_long_before() -> None:
    first = datetime.fromtimestamp(1_790_000_000, UTC)
    refused("timestamps.early", token(at=first - timedelta(minutes=10)))
    forge.checked(forge.zipped(stamped(token(at=first - timedelta(minutes=4)))), tsa_roots=[ROOT])


def test_long_after_and_from_the_future() -> None:
    refused("timestamps.late", token(at=NOW + timedelta(seconds=1)))
    early = forge.Log(LOG.leaves, witness_time_s=forge.NOW_S - 8 * 86_400)
    package = stamped(token(), log=early)
    forge.refused(package, Step.TIME_STAMPS, "timestamps.late", tsa_roots=[ROOT])


@pytest.mark.parametrize("name", ["custody/timestamps/0.tst", "custody/timestamps/10.tst", "custody/timestamps/x"])
def test_other_files_beside_tokens(name: str) -> None:
    package = forge.relisted({**stamped(token()), name: token()})
    forge.refused(package, Step.FILES, "files.extra", tsa_roots=[ROOT])


def test_unlisted_token() -> None:
    package = {**stamped(), bundle.timestamp_entry(1): token()}
    forge.refused(package, Step.FILES, "files.extra", tsa_roots=[ROOT])
