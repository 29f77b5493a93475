import hashlib

import pytest

from custody.kernel.errors import Corrupt, Unavailable
from transcription.engine import EngineFacts
from transcription.engines import weights
from transcription.engines.whisper import Settings, WhisperEngine, choose_language


@pytest.mark.parametrize(
    ("scores", "language"),
    [
        ({"ru": 0.9, "kk": 0.05, "en": 0.01}, "kk"),
        ({"ru": 0.99, "kk": 0.005, "en": 0.01}, "ru"),
        ({"ru": 0.2, "kk": 0.1, "en": 0.6}, "en"),
        ({"tr": 0.9, "kk": 0.05}, "kk"),
        ({}, "kk"),
    ],
)
def test_kazakh_is_preferred_to_russian_within_the_bias(scores, language):
    assert choose_language(scores, ("kk", "ru", "en"), 4000) == language


def test_a_language_that_is_not_asked_for_is_not_chosen():
    assert choose_language({"ru": 0.5, "kk": 0.5}, ("ru", "en"), 4000) == "ru"


def test_parameters_have_one_digest_whatever_their_order():
    facts = [
        EngineFacts("e", "1", "m", "sha256:0", dict(order)) for order in ((("a", 1), ("b", 2)), (("b", 2), ("a", 1)))
    ]
    assert facts[0].parameters_sha256 == facts[1].parameters_sha256
    assert facts[0].parameters_sha256 == "sha256:" + hashlib.sha256(b'{"a":1,"b":2}').hexdigest()


def test_every_setting_is_a_parameter():
    changed = Settings(beam=1).parameters()
    assert changed != Settings().parameters()
    assert changed["temperature"] == 0


def model_directory(path, content=b"weights"):
    path.mkdir()
    (path / "model.bin").write_bytes(content)
    (path / "tokenizer.json").write_text("{}")
    return path


def test_only_the_agreed_weights_are_accepted(tmp_path):
    directory = model_directory(tmp_path / "model")
    agreed = hashlib.sha256(b"weights").hexdigest()
    facts = WhisperEngine(directory, "large", agreed).facts()
    assert facts.model_sha256 == f"sha256:{agreed}"
    assert facts.parameters["file_tokenizer.json"] == "sha256:" + hashlib.sha256(b"{}").hexdigest()
    with pytest.raises(Corrupt, match=r"speech\.model_damaged"):
        WhisperEngine(directory, "large", "0" * 64).facts()


def test_a_missing_model_is_said(tmp_path):
    with pytest.raises(Unavailable, match=r"speech\.model_missing"):
        weights.file_digests(tmp_path, "0" * 64)


def parts(tmp_path, monkeypatch, first=b"wei", second=b"ghts"):
    for number, content in ((1, first), (2, second)):
        folder = tmp_path / f"part{number}"
        folder.mkdir()
        (folder / f"model.bin.part{number}").write_bytes(content)
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (folder / name).write_text("{}")
    monkeypatch.setattr(weights, "BASE_PACKAGES", ("part1", "part2"))
    monkeypatch.setattr(weights, "_package_data", lambda package: tmp_path / package)
    monkeypatch.setattr(weights, "BASE_SHA256", hashlib.sha256(b"weights").hexdigest())


def test_the_parts_are_joined_once(tmp_path, monkeypatch):
    parts(tmp_path, monkeypatch)
    made = weights.base(tmp_path / "cache")
    assert (made / "model.bin").read_bytes() == b"weights"
    assert weights.base(tmp_path / "cache") == made
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [made.name]


def test_other_weights_leave_nothing_behind(tmp_path, monkeypatch):
    parts(tmp_path, monkeypatch, second=b"ghtS")
    with pytest.raises(Corrupt, match=r"speech\.model_damaged"):
        weights.base(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_incomplete_package_is_a_missing_model(tmp_path, monkeypatch):
    parts(tmp_path, monkeypatch)
    (tmp_path / "part1" / "tokenizer.json").unlink()
    with pytest.raises(Unavailable, match=r"speech\.model_missing"):
        weights.base(tmp_path / "cache")


def test_a_package_that_is_not_installed_is_a_missing_model(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "BASE_PACKAGES", ("no_such_package_of_weights",))
    with pytest.raises(Unavailable, match=r"speech\.model_missing"):
        weights.base(tmp_path / "cache")


@pytest.mark.parametrize("raced", [True, False])
def test_two_processes_at_once_make_one_directory(tmp_path, monkeypatch, raced):
    parts(tmp_path, monkeypatch)
    join = weights._join

    def join_while_another_finishes(*args):
        found = join(*args)
        if raced:
            model_directory(tmp_path / "cache" / f"whisper-base-{found[:16]}")
        return found

    monkeypatch.setattr(weights, "_join", join_while_another_finishes)
    made = weights.base(tmp_path / "cache")
    assert (made / "model.bin").read_bytes() == b"weights"
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [made.name]


@pytest.mark.parametrize("other_was_faster", [True, False])
def test_a_rename_that_fails_is_fine_only_if_another_made_it(tmp_path, monkeypatch, other_was_faster):
    parts(tmp_path, monkeypatch)

    def rename(self, target):
        if other_was_faster:
            model_directory(target)
        raise OSError("not empty")

    monkeypatch.setattr(weights.Path, "rename", rename)
    if other_was_faster:
        assert weights.base(tmp_path / "cache").is_dir()
    else:
        with pytest.raises(OSError, match="not empty"):
            weights.base(tmp_path / "cache")
