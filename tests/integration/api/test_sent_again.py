"""`dalel upload` when what it sent was destroyed since: it says so, and a person decides whether it is sent again."""

import hashlib

import pytest

from evidence_api.sending.command import ALL_SEALED, SOME_FAILED, Asked
from evidence_api.sending.files import walk
from evidence_api.sending.memory import Known, Memory
from tests import ended
from tests.integration.api.test_sending import send, worker
from tests.whole import PASSWORD

DATA = b"delivered, and destroyed since"


@pytest.fixture
def asked(system, server, tmp_path):
    """A folder whose one file was delivered, as the state file remembers, and destroyed under an act."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "gone.txt").write_bytes(DATA)
    login = tmp_path / "login"
    login.touch(mode=0o600)
    login.write_text(f"{system.members['investigator'].login}\n{PASSWORD}\n")
    case_id = system.case()
    gone = ended.sealed_briefly(system, case_id, DATA, "gone.txt")
    memory = Memory(tmp_path / "state.jsonl")
    (file,) = walk(tmp_path / "folder")
    digest = "sha256:" + hashlib.sha256(DATA).hexdigest()
    memory.keep(file, Known(file.size_bytes, file.mtime_ns, sha256=digest, exhibit=gone))
    memory.close()
    ended.wait_for_end(system, gone)
    ended.destroyed(system, case_id, gone)
    return Asked(
        folder=tmp_path / "folder",
        case=case_id,
        url=server,
        login=login,
        said={"basis": "seizure", "purpose": "pretrial", "retain_days": "30"},
        receipts=tmp_path / "receipts",
        memory=tmp_path / "state.jsonl",
        language="ru",
    )


def test_destroyed_it_is_said_and_not_sent_again_by_itself(system, asked, tmp_path):
    count = "SELECT count(*) FROM exhibits WHERE case_id = :id"
    with worker(system):
        for _ in range(2):
            code, said = send(asked)
            assert (code, "уничтожен там по акту" in said, "(upload.destroyed)" in said) == (SOME_FAILED, True, True)
            assert system.rows(count, id=asked.case) == [(1,)]
        anew = Asked(**vars(asked) | {"memory": tmp_path / "anew.jsonl"})
        code, said = send(anew)
        assert (code, "как доказательство № 1" in said) == (ALL_SEALED, True), said
        assert system.rows(count, id=asked.case) == [(2,)]
