"""The witness over HTTP: statuses, bounds, and that SIGKILL makes it forget nothing."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from custody import witness
from custody.proof import cosignature, note
from tests.integration.witness.support import RunningWitness, running
from tests.unit.custody.test_witness import LOG, ORIGIN, leaves, signed, submission

VKEY = note.vkey(ORIGIN, LOG.public_key().public_bytes_raw())


@pytest.fixture
def court(tmp_path: Path) -> Iterator[RunningWitness]:
    with running("court.example", tmp_path / "court", VKEY) as started:
        yield started


def test_the_protocol(court: RunningWitness) -> None:
    status, line, _ = court.ask("POST", "/add-checkpoint", submission(0, leaves(5)))
    assert status == 200
    whole = note.parse(signed(leaves(5)) + line)
    assert cosignature.verify(whole.text, whole.signatures[1], note.parse_vkey(court.vkey)).time_s > 1_700_000_000
    assert court.ask("POST", "/add-checkpoint", submission(0, leaves(5))) == (409, b"5\n", "text/x.tlog.size")
    bad = witness.encode_submission(5, [b"\0" * 32] * 3, signed(leaves(8)))
    assert court.ask("POST", "/add-checkpoint", bad)[0] == 422
    assert court.ask("POST", "/add-checkpoint", b"junk")[0] == 400
    other = witness.encode_submission(0, [], signed(leaves(1), "other.example"))
    assert court.ask("POST", "/add-checkpoint", other)[0] == 404
    assert court.ask("POST", "/elsewhere", submission(0, leaves(5)))[0] == 404
    assert court.ask("GET", "/add-checkpoint")[0] == 404
    assert court.ask("PUT", "/add-checkpoint", b"x")[0] == 501
    assert court.ask("POST", "/add-checkpoint", submission(5, leaves(8)))[0] == 200


def test_bodies_are_bounded(court: RunningWitness) -> None:
    assert court.ask("POST", "/add-checkpoint", b"x" * (witness.MAX_BODY_BYTES + 1))[0] == 413
    for headers in (["Transfer-Encoding: chunked"], ["Content-Length: -1"], ["Content-Length: ٥"], []):
        with socket.create_connection(("127.0.0.1", court.port), timeout=60) as raw:
            raw.sendall("\r\n".join(["POST /add-checkpoint HTTP/1.1", "Host: x", *headers, "", ""]).encode())
            assert raw.recv(100).startswith(b"HTTP/1.1 411 ")
    assert court.ask("GET", "/")[0] == 200


def test_a_connection_serves_many_requests(court: RunningWitness) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", court.port, timeout=60)
    for size in range(1, 5):
        connection.request("POST", "/add-checkpoint", submission(size - 1, leaves(size)))
        answer = connection.getresponse()
        assert (answer.status, len(answer.read().splitlines())) == (200, 1)
    connection.close()


def test_too_many_connections_do_not_stop_it(court: RunningWitness) -> None:
    held = [socket.create_connection(("127.0.0.1", court.port), timeout=60) for _ in range(40)]
    for one in held:
        one.close()
    for _ in range(200):
        try:
            assert court.ask("GET", "/")[0] == 200
            break
        except (ConnectionError, http.client.HTTPException):
            continue
    else:
        pytest.fail("it never answered again")


def test_killed_it_remembers(court: RunningWitness) -> None:
    assert court.ask("POST", "/add-checkpoint", submission(0, leaves(6)))[0] == 200
    court.kill()
    court.start()
    assert court.ask("POST", "/add-checkpoint", submission(0, leaves(6, "b")))[:2] == (409, b"6\n")
    assert court.ask("POST", "/add-checkpoint", submission(6, leaves(7)))[0] == 200
