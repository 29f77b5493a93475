"""Outside anchors: every head with who stands behind it, the tokens as anybody else can check them."""

import re
import subprocess
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from custody import heads as published
from custody.heads import HeadFilter
from custody.proof import checkpoint, note, timestamp
from evidence_api.queries import anchors
from evidence_api.stack import authority
from tests.whole import until


@pytest.fixture(scope="module")
def heads(system):
    """Some published heads; the first of them stamped by an authority and cosigned, the second withheld."""
    for _ in range(3):
        before = system.rows("SELECT coalesce(max(size), 0) FROM checkpoints")[0][0]
        system.case()
        until(lambda before=before: system.rows("SELECT coalesce(max(size), 0) FROM checkpoints")[0][0] > before)
    return [row[0] for row in system.rows("SELECT size FROM checkpoints ORDER BY size")]


@pytest.fixture(scope="module")
def stamped(system, heads, tmp_path_factory):
    """A head with a token of a development authority, as `custody.anchor` keeps it; (size, root certificate file)."""
    now = system.services.database.clock.now()
    root, issuer = authority.issue(now)
    said = note.parse(anchors.checkpoint(system.services, heads[0])).text.encode()
    token = timestamp.response_token(issuer.respond(timestamp.request(said, 7), now))
    time_s = timestamp.verify(token, said, [root]).time_s
    row = "INSERT INTO checkpoint_timestamps (size, authority, time_s, token, received_at) VALUES (:s, :a, :t, :k, :r)"
    engine = create_engine(system.settings.sequencer_database_url.get_secret_value())
    with engine.begin() as connection:
        connection.execute(text(row), {"s": heads[0], "a": "Test TSA", "t": time_s, "k": token, "r": now})
    engine.dispose()
    path = tmp_path_factory.mktemp("tsa") / "root.pem"
    path.write_bytes(root.public_bytes(Encoding.PEM))
    return heads[0], path


def test_pages_of_heads_go_down_without_a_gap(system, heads):
    seen, before = [], None
    while True:
        page = anchors.anchors(system.services, HeadFilter(), before_size=before, limit=2).page
        seen += [head.size for head in page.heads]
        before = page.next_size
        if before is None:
            break
    # the log may have grown while it was read
    known = system.rows("SELECT size FROM checkpoints WHERE size <= :top ORDER BY size DESC", top=seen[0])
    assert seen == [row[0] for row in known]


def test_filters_are_of_the_day_and_of_what_is_there(system, visit, heads, stamped):
    size, _ = stamped
    only = visit("auditor", "/ledger/anchors?show=stamped").text
    assert re.findall(r"/ledger/anchors/(\d+)/checkpoint", only) == [str(size)]
    yesterday = (system.services.database.clock.now() - timedelta(days=2)).date().isoformat()
    assert "No checkpoints" in visit("auditor", f"/ledger/anchors?until={yesterday}").text
    assert str(heads[-1]) in visit("defence", f"/ledger/anchors?since={yesterday}").text


def test_a_checkpoint_and_its_token_stand_alone(visit, stamped, tmp_path):
    """OpenSSL, which knows nothing of us, finds the token over the text true under the authority's root."""
    size, root = stamped
    signed = note.parse(visit("auditor", f"/ledger/anchors/{size}/checkpoint").content)
    assert checkpoint.parse(signed.text).size == size
    (tmp_path / "token.tsr").write_bytes(visit("auditor", f"/ledger/anchors/{size}/0.tsr").content)
    (tmp_path / "text").write_bytes(visit("auditor", f"/ledger/anchors/{size}/stamped-text").content)
    command = ["openssl", "ts", "-verify", "-token_in", "-in", "token.tsr", "-data", "text", "-CAfile", str(root)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verification: OK" in ran.stdout + ran.stderr


@pytest.mark.parametrize("path", ["999999999/checkpoint", "0/0.tsr", "99999999999999999999/checkpoint", "1/7.tsr"])
def test_what_is_not_there(visit, path):
    assert visit("auditor", f"/ledger/anchors/{path}").status_code == 404


def test_a_witness_that_never_cosigned_is_named(system, heads, tmp_path):
    key = note.vkey("court.example/dalel", bytes(range(32)), note.COSIGNATURE_V1)
    elsewhere = tmp_path / "policy"
    elsewhere.write_text(system.services.policy.replace("quorum none", f"witness court {key}\nquorum court"))
    settings = system.settings.model_copy(update={"policy_file": elsewhere})
    found = anchors.anchors(system.variant(settings=settings), HeadFilter(), before_size=None, limit=5)
    assert [(one.name, one.key, one.size) for one in found.witnesses] == [("court", "court.example/dalel", None)]
    assert found.quorum == "court"


def test_a_head_without_the_quorum_is_found(system, heads):
    """In a transaction that is never committed: the log of all the other tests stays whole."""
    head = "INSERT INTO checkpoints SELECT size + 1, root, note, published_at FROM checkpoints WHERE size = :size"
    engine = create_engine(system.settings.sequencer_database_url.get_secret_value())
    with Session(engine) as session:
        assert published.page(session, HeadFilter(without_quorum=True)).heads == ()
        session.execute(text(head), {"size": heads[0]})
        (withheld,) = published.page(session, HeadFilter(without_quorum=True)).heads
        assert (withheld.size, withheld.witnessed_at) == (heads[0] + 1, None)
    engine.dispose()


def test_a_halted_ledger_says_so_and_why(system, visit):
    engine = create_engine(system.settings.sequencer_database_url.get_secret_value())
    halt = text("UPDATE ledger_state SET halted = :code")
    assert "The ledger is halted" not in visit("defence", "/ledger").text
    try:
        with engine.begin() as connection:
            connection.execute(halt, {"code": "outbox.malformed"})
        page = visit("defence", "/ledger").text
    finally:
        with engine.begin() as connection:
            connection.execute(halt, {"code": None})
        engine.dispose()
    assert "The ledger is halted." in page
    assert "A waiting event (…) is damaged." in page
