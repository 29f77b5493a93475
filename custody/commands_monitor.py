"""`python -m custody monitor --policy POLICY --state FILE URL`: follow a public log and catch it if it turns back.

Run it from time to time (cron), or with `--every SECONDS`. Needs the network and nothing but Python and `cryptography`.
A log that is closed stays
watched, and the one that follows it is followed when the policy names its key too (`STATE.next`, and so on).
Exit 0: the log continues what was seen; 1: it does not, and the proof lies beside the state; 2: the log cannot be
reached, or the policy or the state cannot be used, so nothing is known. `--confirm PROOF` checks a kept proof again.
"""

import argparse
import http.client
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urljoin

from custody.proof import monitor, policy
from custody.proof.handover import Handover
from custody.proof.monitor import Followed, Misbehaviour
from custody.proof.policy import Policy
from custody.proof.strict import ProofError
from custody.proof.words import because, monitoring

CONTINUES, MISBEHAVES, UNUSABLE = 0, 1, 2
TIMEOUT_S = 20.0
MAX_FETCH_BYTES = 1_000_000


class Unreachable(Exception):
    """The log does not answer, or not as a log."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", languages: list[str], language: str) -> None:
    """The command's own options."""
    parser = commands.add_parser("monitor", help="follow a public log; catch it if it forgets or forks")
    parser.add_argument("url", nargs="?", help="the log's address, below which /checkpoint and /tile/ lie")
    parser.add_argument("--policy", type=Path, required=True, help="whom you trust (C2SP tlog-policy)")
    parser.add_argument("--state", type=Path, help="where the last head that was seen is kept")
    parser.add_argument("--every", type=_seconds, metavar="SECONDS", help="go on looking, until the log misbehaves")
    parser.add_argument("--confirm", type=Path, metavar="PROOF", help="check a kept proof of misbehaviour again")
    parser.add_argument("--lang", choices=languages, default=language)


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 < float(text) < threading.TIMEOUT_MAX:
            return float(text)
    raise argparse.ArgumentTypeError("not a number of seconds above 0")


def run(options: argparse.Namespace, now_s: Callable[[], int]) -> int:
    """Runs the command and returns its exit code. Cosignatures of a time after `now_s()` are refused."""
    try:
        trusted = policy.parse(options.policy.read_bytes())
        if options.confirm is not None:
            return _confirm(options, trusted)
    except (OSError, ProofError) as error:
        return _unusable(options, error)
    if options.url is None or options.state is None:
        _say(options, "usage")
        return UNUSABLE
    code = UNUSABLE
    with suppress(KeyboardInterrupt):  # told to stop: what the last look said stands
        while True:
            code = _look(options, trusted, now_s())
            if options.every is None or code == MISBEHAVES:
                break
            time.sleep(options.every)
    return code


def _look(options: argparse.Namespace, trusted: Policy, now_s: int) -> int:
    """Look at the log, and once it is closed at the next one, and so on. The states lie side by side."""
    url, state = str(options.url), Path(options.state)
    before: Handover | None = None
    try:
        while True:
            found = _follow(options, trusted, now_s, url, state, before)
            if found is None:
                return CONTINUES
            before, url = found
            if before.next_key not in trusted.logs:
                _say(options, "next_unknown", origin=before.next_key.name)
                return UNUSABLE
            state = state.with_name(state.name + ".next")
    except Misbehaviour as found_out:
        kept = _keep(state, found_out)
        _say(options, found_out.kind.value, reason=because(found_out.reason, options.lang), proof=str(kept))
        return MISBEHAVES
    except (OSError, ProofError, Unreachable) as error:
        return _unusable(options, error)


def _follow(
    options: argparse.Namespace, trusted: Policy, now_s: int, url: str, state: Path, before: Handover | None
) -> tuple[Handover, str] | None:
    """Look at one log; how it was handed over and where the next one is, None while it is open."""

    def read(path: str) -> bytes | None:
        return fetch(url, path)

    seen = state.read_bytes() if state.exists() else None
    if before is not None and seen is None and read("checkpoint") is None:
        _say(options, "next_empty", origin=before.next_key.name)  # opened a moment ago: it has no head yet
        return None
    followed = monitor.follow(read, trusted, seen, now_s)
    if before is not None:
        monitor.begun(read, before, followed)
    end = state.with_name(state.name + ".closed")
    found = monitor.closed(read, end.read_bytes() if end.exists() else None, followed)
    _replace(state, followed.note)
    _say_followed(options, followed)
    if found is None:
        return None
    handed, address, data = found
    _replace(end, data)
    _say(options, "closed", origin=handed.head.origin, following=handed.next_key.name)
    return handed, urljoin(url.rstrip("/") + "/", address)


def _confirm(options: argparse.Namespace, trusted: Policy) -> int:
    kind = monitor.confirm(options.confirm.read_bytes(), trusted)
    _say(options, f"confirmed.{kind.value}")
    return MISBEHAVES


def fetch(url: str, path: str) -> bytes | None:
    """A file of the log; None when the log says that there is none. Raises Unreachable."""
    if not url.startswith(("http://", "https://")):
        raise Unreachable("http, https")
    request = urllib.request.Request(f"{url.rstrip('/')}/{path}", headers={"User-Agent": "dalel-monitor"})  # noqa: S310  http(s) only, as above
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310  http and https only, see above
            data: bytes = answer.read(MAX_FETCH_BYTES + 1)
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (404, 410):
                return None
            raise Unreachable(f"HTTP {error.code}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(str(error)) from error
    if len(data) > MAX_FETCH_BYTES:
        raise Unreachable(f"> {MAX_FETCH_BYTES}")
    return data


def _replace(state: Path, data: bytes) -> None:
    """Write beside, sync, rename: a crash leaves the old head or the new one."""
    beside = state.with_name(state.name + ".new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(state)


def _keep(state: Path, found: Misbehaviour) -> Path:
    """Keep the proof beside the state, under a name of its own; the state stays at the last good head."""
    number = 1
    while True:
        path = state.with_name(f"{state.name}.{found.kind.value}-{number}.json")
        try:
            with path.open("xb") as file:
                file.write(found.encode())
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            if path.read_bytes() == found.encode():
                return path
            number += 1
            continue
        return path


def _say_followed(options: argparse.Namespace, followed: Followed) -> None:
    old, head = followed.old, followed.head
    if old is None:
        _say(options, "first", origin=head.origin, size=head.size)
    elif old.size == head.size:
        _say(options, "unchanged", origin=head.origin, size=head.size)
    else:
        _say(options, "grown", origin=head.origin, size=head.size, old=old.size)
    if not followed.quorum:
        _say(options, "no_quorum")


def _unusable(options: argparse.Namespace, error: Exception) -> int:
    reason = because(error.reason, options.lang) if isinstance(error, ProofError) else str(error)
    _say(options, "unusable", reason=reason)
    return UNUSABLE


def _say(options: argparse.Namespace, key: str, **values: str | int) -> None:
    sys.stdout.write(monitoring.said(key, options.lang, **values) + "\n")
