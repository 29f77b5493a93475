"""The scanner's protocol, against a real clamd."""

import socket
import threading

import pytest

from custody.kernel.errors import Unavailable
from storage.clamd import Clamd
from tests.clamd import MALWARE, NAME, STREAM_BYTES


def test_clean_infected_and_too_long(scanner):
    clamd = Clamd(scanner)
    clean = clamd.scan([b"nothing ", b"of interest"])
    assert (clean.result, clean.signature) == ("clean", None)
    assert clean.engine.startswith("ClamAV ")
    half = len(MALWARE) // 2
    found = clamd.scan([b"before " + MALWARE[:half], MALWARE[half:] + b" after"])
    assert (found.result, found.signature) == ("infected", NAME)
    long = clamd.scan([bytes(STREAM_BYTES // 4)] * 40)
    assert (long.result, long.signature) == ("not_scanned", "size_limit")


@pytest.mark.parametrize("address", ["127.0.0.1:9", "/nowhere/clamd.sock"])
def test_one_that_is_away_is_waited_for(address):
    with pytest.raises(Unavailable, match=r"scanner\.unreachable"):
        Clamd(address, 2).scan([b"x"])


def test_words_that_are_none_of_its_own_are_no_verdict():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            for said in (b"ClamAV 1/2\0", b"stream: HELLO\0"):
                line, _ = listening.accept()
                with line:
                    line.recv(1 << 16)
                    line.sendall(said)

        talking = threading.Thread(target=answer)
        talking.start()
        with pytest.raises(Unavailable, match=r"scanner\.unreachable"):
            Clamd(f"127.0.0.1:{listening.getsockname()[1]}", 5).scan([b"x"])
        talking.join()
