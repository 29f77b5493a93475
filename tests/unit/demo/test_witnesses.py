"""The demonstration witnesses say what they are, and the package without them is refused at their step."""

import subprocess
import sys
from pathlib import Path

from custody.proof import policy
from custody.proof.refusal import Step
from evidence_api.demo import witnesses
from evidence_api.demo.tampering import without_cosignatures
from tests.attacks import forge


def test_the_policy_asks_for_both_and_says_that_they_are_a_demonstration(tmp_path: Path) -> None:
    both = [witnesses.made(title, tmp_path, 20_000 + number) for number, title in enumerate(witnesses.TITLES)]
    text = witnesses.policy_lines(both)
    trusted = policy.parse(text.encode())
    assert list(trusted.urls.values()) == ["http://127.0.0.1:20000", "http://127.0.0.1:20001"]
    assert trusted.reached(frozenset({"demonstration-court", "demonstration-bar"}))
    assert not trusted.reached(frozenset({"demonstration-court"}))
    assert not trusted.reached(frozenset({"demonstration-bar"}))
    assert text.splitlines()[0].startswith("# Demonstration")
    assert all("demonstration" in verifier.name for verifier in trusted.witnesses.values())
    assert "independent of nobody" in witnesses.NOTICE


def test_a_witness_is_made_once_and_anew_when_it_lost_its_state(tmp_path: Path) -> None:
    first = witnesses.made("demonstration court", tmp_path, 20_000)
    assert witnesses.made("demonstration court", tmp_path, 20_000) == first
    (first.directory / "state").unlink()
    assert witnesses.made("demonstration court", tmp_path, 20_000).vkey != first.vkey


def test_without_cosignatures_the_package_fails_at_the_witnesses(tmp_path: Path) -> None:
    package = tmp_path / "package.zip"
    package.write_bytes(forge.zipped(forge.entries(forge.tell())))
    without_cosignatures(package, tmp_path / "stripped.zip")
    forge.refused((tmp_path / "stripped.zip").read_bytes(), Step.WITNESSES, "witnesses.quorum")


def test_its_command_is_one_the_program_knows(tmp_path: Path) -> None:
    one = witnesses.made("demonstration bar", tmp_path, 20_000)
    done = subprocess.run([*one.command(tmp_path / "not a policy")], capture_output=True, text=True, check=False)
    assert (done.returncode, one.command(tmp_path)[0]) == (2, sys.executable)
    assert done.stderr.startswith("--policy: ")
