"""The sandbox as a real child process: what it may do, what it may cost, and that whoever started it goes on."""

import os
from pathlib import Path

import pytest

from custody.kernel.errors import Corrupt, TooLarge
from storage.sandbox import launch
from storage.sandbox.launch import Limits, Refused, Room, room, run
from storage.workroom import PREFIX, sweep
from tests import hostile_files as files

LIMITS = Limits(cpu_s=30, wall_s=200, memory_bytes=3 << 30, disk_bytes=4 << 20)
BRIEF = Limits(cpu_s=2, wall_s=200, memory_bytes=3 << 30, disk_bytes=4 << 20)


def probe(tmp_path, act: str, limits: Limits = LIMITS, data: bytes = b"hello"):
    with room(tmp_path, 1) as place:
        place.source.write_bytes(data)
        return run(place, "probe", {"act": act}, limits)


def test_what_a_hostile_file_could_try(tmp_path):
    found, held = probe(tmp_path, "look")
    assert found.pop("read") == "hello"
    assert set(found.values()) == {"PermissionError"}, found
    assert {"limits", "files", "system-calls"} <= set(held)
    assert not may_lower() or {"other-user", "no-network"} <= set(held)


def may_lower() -> bool:
    """Whether this process is root with its rights (CAP_SETUID and CAP_SYS_ADMIN): elsewhere two layers are missing."""
    effective = int(Path("/proc/self/status").read_text().partition("CapEff:")[2].split()[0], 16)
    return os.geteuid() == 0 and bool(effective >> 7 & 1) and bool(effective >> 21 & 1)


@pytest.mark.parametrize(
    ("act", "kind", "code"),
    [
        ("spin", TooLarge, "sandbox.time"),
        ("hoard", TooLarge, "sandbox.memory"),
        ("fill", TooLarge, "sandbox.disk"),
        ("flood", TooLarge, "sandbox.disk"),
        ("crash", Corrupt, "sandbox.crashed"),
    ],
)
def test_what_costs_too_much_is_ended_and_named(tmp_path, act, kind, code):
    with pytest.raises(kind) as refusal:
        probe(tmp_path, act, BRIEF if act == "spin" else LIMITS)
    assert refusal.value.code == code
    assert list(tmp_path.glob(f"{PREFIX}*")) == []


def test_one_that_only_waits_is_ended_by_the_clock(tmp_path):
    with pytest.raises(TooLarge, match=r"sandbox\.time"):
        probe(tmp_path, "sleep", Limits(cpu_s=5, wall_s=1, memory_bytes=3 << 30, disk_bytes=1 << 20))


def test_a_refusal_of_the_task_keeps_its_code(tmp_path):
    with room(tmp_path, 1) as place:
        place.source.write_bytes(files.huge_png())
        with pytest.raises(Refused) as refusal:
            run(place, "light", {"recipe": "picture", "media_type": "image/png"}, LIMITS)
    assert refusal.value.code == "light.too_many_pixels"


@pytest.mark.parametrize(
    "make",
    [
        files.photo,
        files.mail,
        files.video,
        files.office,
        files.zip_bomb,
        files.signed_picture,
        files.rar,
        files.seven_zip,
    ],
)
def test_every_reader_works_with_the_doors_shut(tmp_path, make):
    """A library that imports or opens something late would fail here and nowhere else."""
    types = {
        files.photo: "image/jpeg",
        files.mail: "message/rfc822",
        files.video: "video/mp4",
        files.office: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        files.zip_bomb: "application/zip",
        files.signed_picture: "image/jpeg",
        files.outlook: "application/vnd.ms-outlook",
        files.old_office: "application/x-ole-storage",
        files.rar: "application/vnd.rar",
        files.seven_zip: "application/x-7z-compressed",
    }
    with room(tmp_path, 1) as place:
        place.source.write_bytes(make())
        args = {"media_type": types[make], "filename": "x"}
        found, _ = run(place, "identify", args, LIMITS)
    assert found["media_type"] == types[make]
    assert "unreadable" not in found["flags"], found
    assert found["claims"]


@pytest.mark.parametrize(
    ("make", "media_type"), [(files.mail, "message/rfc822"), (files.outlook, "application/vnd.ms-outlook")]
)
def test_a_message_is_set_with_the_doors_shut(tmp_path, make, media_type):
    with room(tmp_path, 1) as place:
        place.source.write_bytes(make())
        found, _ = run(place, "light", {"recipe": "mail", "media_type": media_type}, LIMITS)
        assert [one["kind"] for one in found["files"]] == ["light_pdf", "light_pages", "light_text"]
        assert (place.out / "light.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    "said", ["nothing", "[]", '{"made": 1}', '{"refused": "<b>x</b>"}', '{"refused": 5}', "{}" * 9]
)
def test_what_a_taken_over_child_leaves_is_no_result(tmp_path, said):
    with room(tmp_path, 1) as place:
        (place.out / "result.json").write_text(said)
        with pytest.raises(Corrupt, match=r"sandbox\.crashed"):
            launch._result(0, place)
        (place.out / "result.json").unlink()
        (place.out / "result.json").symlink_to("/etc/passwd")
        with pytest.raises(Corrupt, match=r"sandbox\.crashed"):
            launch._result(0, place)


def test_rooms_of_the_dead_are_removed_and_those_in_use_are_not(tmp_path):
    dead = tmp_path / f"{PREFIX}dead"
    (dead / "in").mkdir(parents=True)
    (dead / "in" / "original").write_bytes(b"evidence in the clear")
    with room(tmp_path, 1) as alive:
        assert not dead.exists()
        sweep(tmp_path)
        assert isinstance(alive, Room)
        assert alive.out.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_does_not_fit_is_refused_before_it_is_written(tmp_path):
    with pytest.raises(TooLarge, match=r"sandbox\.no_space"), room(tmp_path, 1 << 60):
        raise AssertionError
