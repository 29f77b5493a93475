"""The commands that make the next key and rotate, and what of several logs the public and packages get to see."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from custody import audit, heads, logs
from custody import signer as keys
from custody.kernel.errors import Conflict, NotFound
from custody.proof import checkpoint, handover, merkle, note, policy
from evidence_api import log_keys, prepare, rotation
from evidence_api.log_keys import KeyPlace
from evidence_api.queries import log as public
from evidence_api.settings import Settings, load
from evidence_api.use_cases import proving
from tests.databases import FreshDatabase
from tests.hsm import soft_token
from tests.integration.ledger.support import described, record, sequence_all
from tests.integration.ledger.test_rotation import Logs, check, everything, rotating

__all__ = ["rotating"]


@pytest.fixture
def settings(rotating: Logs, ledger_database: FreshDatabase, tmp_path: Path) -> Settings:
    """The first log's key where `rotating` has it, and a policy that names it."""
    place = tmp_path / "log-1"
    (tmp_path / "policy").write_text(f"log {keys.vkey(rotating.signer('log/1'))}\nquorum none\n")
    return load(
        data_dir=tmp_path,
        database_url=ledger_database.app_url,
        sequencer_database_url=ledger_database.sequencer_url,
        log_key_file=place / "key.pem",
        log_key_passphrase_file=place / "passphrase",
        log_keys_file=tmp_path / "log-keys.json",
        policy_file=tmp_path / "policy",
        log_origin="log/1",
    )


@pytest.fixture
def publishing(rotating: Logs, settings: Settings) -> Iterator[None]:
    """The sequencer's process beside the command, its signers found as the settings say."""
    rotating.signer = lambda origin: log_keys.signer(settings, origin)  # type: ignore[method-assign]
    rotating.publishing = rotating.again()
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.05):
            sequence_all(rotating.database)
            rotating.publishing.publish_once()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stop.set()
    thread.join()


def in_file(tmp_path: Path) -> KeyPlace:
    return KeyPlace("file", key_file=str(tmp_path / "next.pem"), passphrase_file=str(tmp_path / "secrets" / "next"))


def test_from_the_first_key_to_one_in_a_token(
    rotating: Logs, settings: Settings, publishing: None, tmp_path: Path
) -> None:
    said: list[str] = []
    (tmp_path / "hsm").mkdir()
    with soft_token(tmp_path / "hsm") as token:
        place = KeyPlace(
            "pkcs11", module=str(token.place.module), token="dalel", key="log-2", pin_file=str(token.pin_file)
        )
        for _ in range(2):  # safe to run again
            assert rotation.make_key(settings, said.append, "log/2", place) == rotation.DONE
        assert "sekret" not in "".join(said) + settings.log_keys_file.read_text()  # type: ignore[union-attr]
        vkey = said[0]
        assert note.parse_vkey(vkey) in policy.parse(settings.policy_file.read_bytes()).logs  # type: ignore[union-attr]
        for _ in range(2):
            assert rotation.rotate(settings, said.append, "log/2", "hardware") == rotation.DONE
        assert said[-1] == f"log/2 is open: {vkey}"
        rotating.settle()
        check(rotating)


def test_a_key_that_nobody_was_told_of_opens_nothing(rotating: Logs, settings: Settings, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(NotFound, match=r"ledger\.no_signer"):
        rotation.rotate(settings, said.append, "log/2", "scheduled")
    before = settings.policy_file.read_text()  # type: ignore[union-attr]
    assert rotation.make_key(settings, said.append, "log/2", in_file(tmp_path)) == rotation.DONE
    settings.policy_file.write_text(before)  # type: ignore[union-attr]
    with pytest.raises(Conflict, match=r"log\.next_unknown"):
        rotation.rotate(settings, said.append, "log/2", "scheduled")
    with pytest.raises(Conflict, match=r"key\.noted"):
        log_keys.note(settings, "log/2", "another", in_file(tmp_path))
    with pytest.raises(Conflict, match=r"key\.noted"):
        rotation.make_key(settings, said.append, "log/1", in_file(tmp_path))
    assert len(rotating.opened()) == 1


def test_what_is_not_finished_in_time_is_finished_later(rotating: Logs, settings: Settings, tmp_path: Path) -> None:
    said: list[str] = []
    rotation.make_key(settings, said.append, "log/2", in_file(tmp_path))
    assert rotation.rotate(settings, said.append, "log/2", "scheduled", wait_s=0) == rotation.WAITING
    rotating.signer = lambda origin: log_keys.signer(settings, origin)  # type: ignore[method-assign]
    rotating.publishing = rotating.again()
    rotating.settle()
    assert rotation.rotate(settings, said.append, "log/2", "scheduled", wait_s=0) == rotation.DONE
    check(rotating)


def test_a_start_after_a_rotation_needs_the_first_key_no_more(
    rotating: Logs, settings: Settings, tmp_path: Path
) -> None:
    """It was destroyed: no new one takes its name, the policy goes on naming both, and the open log grows."""
    said: list[str] = []
    rotation.make_key(settings, said.append, "log/2", in_file(tmp_path))
    rotation.rotate(settings, said.append, "log/2", "scheduled", wait_s=0)
    rotating.signer = lambda origin: log_keys.signer(settings, origin)  # type: ignore[method-assign]
    rotating.publishing = rotating.again()
    rotating.settle()
    known = [note.parse_vkey(log.vkey) for log in rotating.opened()]
    assert settings.log_key_file is not None
    with pytest.raises(Conflict, match=r"key\.exists"):
        rotation.destroyed(settings, said.append, "log/1")
    settings.log_key_file.unlink()
    with pytest.raises(NotFound, match=r"log\.not_closed"):
        rotation.destroyed(settings, said.append, "log/2")
    assert rotation.destroyed(settings, said.append, "log/1") == rotation.DONE
    prepare.keys(settings)
    assert not settings.log_key_file.exists()
    assert set(policy.parse(prepare.policy(settings).encode()).logs) == set(known)
    assert len(known) == 2
    rotating.publishing = rotating.again()
    record(rotating.app, described(uuid4()))
    rotating.settle()
    check(rotating)
    (gone,) = [entry for entry in everything(rotating.app) if entry.type == "key.destroyed"]
    assert note.parse_vkey(gone.data["key"]) == known[0]


def test_packages_and_the_public_see_each_log_at_its_place(rotating: Logs) -> None:
    exhibit, item = uuid4(), "exhibit:"
    for number in (2, 3):
        record(rotating.app, described(exhibit))
        rotating.close(rotating.key(f"log/{number}"))
        rotating.settle()
    record(rotating.app, described(exhibit), described(exhibit))
    rotating.settle()
    with rotating.app.read() as session:
        chain = audit.chain(session, f"{item}{exhibit}")
        head = heads.latest_checkpoint(session)
        assert head is not None
        plan = proving.plan(session, chain, head)
        recent = proving.plan(session, chain[-1:], head)
    leaves, closed = proving.proven(rotating.store, plan, chain)
    assert [len(log.leaves) for log in closed] + [len(leaves)] == [1, 1, 2]
    assert proving.proven(rotating.store, recent, chain[-1:])[1] == []
    signed = [checkpoint.parse(note.parse(log.checkpoint).text) for log in closed]
    signed.append(checkpoint.parse(note.parse(head.note.encode()).text))
    for place, log in enumerate(closed):
        for leaf, under in (
            *((one, signed[place]) for one in (*log.leaves, log.closed)),
            (log.opened, signed[place + 1]),
        ):
            merkle.verify_inclusion(merkle.leaf_hash(leaf.leaf), leaf.index, under.size, leaf.proof, under.root)
    services = SimpleNamespace(database=rotating.app, tiles=rotating.store)
    for number, address in ((1, "2"), (2, "../3")):
        handed, where = handover.decode(public.handover(services, number))  # type: ignore[arg-type]
        handover.verify_last(handed)
        handover.verify_signature(handed)
        assert where == address
        assert public.checkpoint(services, number).decode().startswith(f"log/{number}\n")  # type: ignore[arg-type]
        assert public.tile(services, number, "0/000.p/" + str(handed.head.size)) is not None  # type: ignore[arg-type]
    with pytest.raises(NotFound, match=r"log\.not_closed"):
        public.handover(services, 3)  # type: ignore[arg-type]
    with pytest.raises(NotFound, match=r"log\.no_such"):
        public.checkpoint(services, 4)  # type: ignore[arg-type]
    with rotating.app.read() as session:
        assert [log.address for log in logs.opened(session)] == ["", "2/", "3/"]
