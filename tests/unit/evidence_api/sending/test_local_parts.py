"""What `dalel upload` does without a server: what lies in a folder, what is remembered, what is shown."""

import io
import os
from dataclasses import replace

import pytest

from evidence_api.sending import files
from evidence_api.sending.api import read_login
from evidence_api.sending.command import _still
from evidence_api.sending.files import Unsendable, digest, walk
from evidence_api.sending.memory import Busy, Known, Memory
from evidence_api.sending.progress import Progress, size, span


def nothing(_):
    pass


def test_everything_in_a_folder_is_seen(tmp_path):
    top = tmp_path / "Тінту"
    (top / "ішкі" / "терең").mkdir(parents=True)
    (top / "ішкі" / "терең" / "қолхат 📷.txt").write_bytes(b"1")
    (top / "бос").touch()
    (top / "link").symlink_to(tmp_path)
    os.mkfifo(top / "pipe")
    (top / os.fsdecode(b"\xff.bin")).touch()
    seen = {file.path: file.fault for file in walk(top)}
    assert seen == {
        "Тінту/ішкі/терең/қолхат 📷.txt": None,
        "Тінту/бос": None,
        "Тінту/link": "upload.not_a_file",
        "Тінту/pipe": "upload.not_a_file",
        "Тінту/\\xff.bin": "upload.bad_name",
    }
    deep = next(file for file in walk(top) if "терең" in file.path)
    assert (deep.folder, deep.name) == ("Тінту/ішкі/терең", "қолхат 📷.txt")
    assert deep.recorded_at.endswith("+00:00")


def test_a_file_that_changes_or_goes_is_not_hashed_in_silence(tmp_path):
    place = tmp_path / "a"
    place.write_bytes(b"abc")
    (file,) = walk(tmp_path)
    assert digest(file, nothing) == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with place.open("ab") as more:
        more.write(b"d")
    with pytest.raises(Unsendable, match=r"upload\.changed"):
        digest(file, nothing)
    place.unlink()
    with pytest.raises(Unsendable, match=r"upload\.unreadable"):
        digest(file, nothing)


def test_memory_survives_a_kill_in_the_middle_of_a_line(tmp_path):
    (tmp_path / "in").mkdir()
    place = tmp_path / "in" / "a"
    place.write_bytes(b"abc")
    (file,) = walk(tmp_path / "in")
    state = tmp_path / "state.jsonl"
    memory = Memory(state)
    assert memory.of(file) == Known(3, file.mtime_ns)
    kept = memory.keep(file, replace(memory.of(file), sha256="sha256:x", upload="/u", token="t", exhibit="e"))
    assert memory.begun
    with pytest.raises(Busy):
        Memory(state)
    memory.close()
    with state.open("ab") as torn:
        torn.write(b'{"path": "in/a", "size_by')
    memory = Memory(state)
    assert memory.of(file) == kept
    assert memory.forget_upload(file) == replace(kept, upload=None, token=None, exhibit=None)
    memory.close()
    memory = Memory(state)
    assert memory.of(file).upload is None
    assert memory.of(replace(file, size_bytes=4)).sha256 is None
    memory.close()
    assert state.stat().st_mode & 0o077 == 0


def test_a_login_file_is_private_and_has_one_or_two_lines(tmp_path):
    place = tmp_path / "login"
    place.touch(mode=0o600)
    for text, found in (("token\n", ("token", None)), ("saule\nпароль\n", ("saule", "пароль"))):
        place.write_text(text)
        assert read_login(place) == found
    for text in ("", "a\nb\nc\n", "a\n\n"):
        place.write_text(text)
        with pytest.raises(ValueError, match="must hold"):
            read_login(place)
    place.chmod(0o640)
    with pytest.raises(ValueError, match="chmod 600"):
        read_login(place)


def test_only_what_rests_is_ready(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("evidence_api.sending.command.time.monotonic", lambda: now[0])
    file = files.LocalFile(tmp_path / "a", "in/a", 5, 1)
    seen = {}
    assert _still([file], seen, 10) == []
    now[0] = 109
    assert _still([replace(file, size_bytes=6)], seen, 10) == []
    now[0] = 118
    assert _still([replace(file, size_bytes=6)], seen, 10) == []
    now[0] = 119
    assert _still([replace(file, size_bytes=6)], seen, 10) == [replace(file, size_bytes=6)]
    assert _still([], seen, 10) == []
    assert seen == {}


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_on_a_terminal_and_in_a_log(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("evidence_api.sending.progress.time.monotonic", lambda: now[0])
    for out in (Terminal(), io.StringIO()):
        now[0] = 1000.0
        progress = Progress(3, 4 << 20, out)
        progress.hashed(1 << 20)
        progress.sent(1 << 20, before=True)
        now[0] += 2
        progress.sent(1 << 20)
        now[0] += 20
        progress.ended(failed=False)
        progress.ended(failed=True)
        progress.say("failed: a")
        now[0] += 1
        progress.sent(2 << 20)
        progress.close()
        told = out.getvalue()
        assert "1/3 sealed, 1 failed" in told
        assert "4.0 MiB of 4.0 MiB" in told
        assert ("[########################]" in told) == out.isatty()
        assert ("\r" in told) == out.isatty()
        assert "failed: a\n" in told


def test_sizes_and_times():
    assert (size(0), size(1023), size(1536), size(3 * 2**40)) == ("0 B", "1023 B", "1.5 KiB", "3.0 TiB")
    assert (span(59), span(3725)) == ("0:59", "1:02:05")
