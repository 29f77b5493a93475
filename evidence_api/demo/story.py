"""The demonstration story: one case from intake to a disclosure verified offline, played through the public HTTP API.

Each step raises when something does not hold; nothing is asserted that was not read back from the running system.
"""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from evidence_api.demo import cast, people
from evidence_api.demo.client import Person, Refused
from evidence_api.demo.tampering import without_cosignatures

FILES = Path(__file__).parent / "files"
EVIDENCE = ("interrogation.flac", "protocol.pdf", "statement.docx", "scene.jpg")
TITLE = "Демо: көлік ұрлау / Демо: угон автомобиля"
BASIS, PURPOSE, RETAIN_DAYS = "seizure", "pretrial", 3650


class StepFailed(Exception):
    """A step of the story did not hold."""


@dataclass
class Report:
    """What happened: the content of the closing `DEMO {json}` line."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every step held."""
        return bool(self.steps) and all(step["ok"] for step in self.steps)

    def line(self) -> str:
        """The closing line."""
        return "DEMO " + json.dumps({"ok": self.ok, **self.facts, "steps": self.steps}, ensure_ascii=False)


class Story:
    """Plays the case against a running system. `say` prints progress; `out` receives package and policy."""

    def __init__(self, base_url: str, passwords: Mapping[str, str], out: Path, say: Callable[[str], None]) -> None:
        self._base_url = base_url
        self._out = out
        self._say = say
        self._passwords = passwords
        self.report = Report()
        self._people: dict[str, Person] = {}

    def play(self) -> Report:
        """The whole story. Stops at the first step that fails, which the report names."""
        try:
            case_id = self._open_case()
            exhibits = self._upload(case_id)
            renditions = self._testimony(exhibits["interrogation.flac"]) + self._document(exhibits["protocol.pdf"])
            disclosure_id = self._disclose(case_id, exhibits, renditions)
            self._defend(case_id, disclosure_id, exhibits)
            self._verify()
        except (StepFailed, Refused, TimeoutError, httpx.HTTPError) as error:
            self.report.facts["failed"] = str(error)
        finally:
            for person in self._people.values():
                person.close()
        return self.report

    def _as(self, who: cast.Cast) -> Person:
        if who.login not in self._people:
            self._people[who.login] = Person(self._base_url, who.login, self._passwords[who.login])
        return self._people[who.login]

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        ok = False
        try:
            yield
            ok = True
        finally:
            seconds = round(time.monotonic() - started, 2)
            self.report.steps.append({"name": name, "seconds": seconds, "ok": ok})
            self._say(f"  {'ok' if ok else 'FAILED'}  {name} ({seconds} s)")

    def _open_case(self) -> str:
        with self._step("the investigator opens the case"):
            case = self._as(cast.INVESTIGATOR).post("/api/v1/cases", erdr=people.ERDR, title=TITLE)
            grants = f"/api/v1/cases/{case['id']}/grants"
        with self._step("prosecutors and the defence are put on the case"):
            for member in (cast.PROSECUTOR, cast.SUPERVISOR):
                self._as(cast.ADMINISTRATOR).post(grants, login=member.login, role=member.role)
            self._as(cast.PROSECUTOR).post(grants, login=cast.DEFENCE.login, role=cast.DEFENCE.role)
        self.report.facts["case"] = case["id"]
        return str(case["id"])

    def _upload(self, case_id: str) -> dict[str, str]:
        investigator = self._as(cast.INVESTIGATOR)
        with self._step("the evidence is uploaded (tus)"):
            exhibits = {
                name: investigator.upload(case_id, FILES / name, basis=BASIS, purpose=PURPOSE, retain_days=RETAIN_DAYS)
                for name in EVIDENCE
            }
        with self._step("every exhibit is sealed: re-read, digests compared, Object Lock set"):
            for name, exhibit_id in exhibits.items():
                exhibit = investigator.wait(f"/api/v1/exhibits/{exhibit_id}", _settled)
                _expect(exhibit["state"] == "sealed", f"{name} is {exhibit['state']}: {exhibit['reason']}")
                expected = "sha256:" + hashlib.sha256((FILES / name).read_bytes()).hexdigest()
                _expect(exhibit["sha256"] == expected, f"{name} has another digest")
        self.report.facts["exhibits"] = exhibits
        return exhibits

    def _testimony(self, exhibit_id: str) -> list[str]:
        prosecutor = self._as(cast.PROSECUTOR)
        transcript_path = f"/api/v1/exhibits/{exhibit_id}/transcript"
        with self._step("Whisper drafts the transcript"):
            prosecutor.post(transcript_path)
            transcript = prosecutor.wait(transcript_path, lambda answer: answer["state"] != "requested")
            _expect(transcript["state"] == "draft" and transcript["turns"], f"transcript: {transcript['state']}")
        with self._step("the prosecutor corrects it and confirms"):
            confirmed = self._confirm(prosecutor, transcript)
        with self._step("suggestions are decided, a plan is submitted, a second person approves"):
            plan_id = self._plan(exhibit_id, with_text=True)
        with self._step("transcript and sound are burned and attacked by the leak check"):
            renditions = self._burn(exhibit_id, plan_id, {"transcript", "text", "sound"})
        self.report.facts["transcript_sha256"] = confirmed["sha256"]
        return renditions

    def _confirm(self, prosecutor: Person, transcript: dict[str, Any]) -> dict[str, Any]:
        truth = json.loads((FILES / "interrogation.json").read_text())
        edits = []
        for index, turn in enumerate(transcript["turns"]):
            line = max(truth, key=partial(_overlap_ms, turn))
            if turn["words"] and _overlap_ms(line, turn) > 0.8 * (line["end_ms"] - line["start_ms"]):
                edits.append({"turn": index, "text": line["text"], "speaker": line["speaker"]})
        _expect(bool(edits), "no turn of the transcript meets a line of the script")
        path = f"/api/v1/transcripts/{transcript['id']}"
        corrected = prosecutor.post(f"{path}/revisions", parent=transcript["revision"], edits=edits)
        return dict(prosecutor.post(f"{path}/confirm", revision=corrected["revision"], sha256=corrected["sha256"]))

    def _plan(self, exhibit_id: str, *, with_text: bool) -> str:
        prosecutor, supervisor = self._as(cast.PROSECUTOR), self._as(cast.SUPERVISOR)
        requested = prosecutor.post(f"/api/v1/exhibits/{exhibit_id}/plan")
        path = f"/api/v1/plans/{requested['id']}"
        plan = prosecutor.wait(path, lambda answer: answer["state"] != "requested")
        _expect(bool(plan["suggestions"]), "nothing was suggested")
        found = {suggestion["entity"] for suggestion in plan["suggestions"]}
        _expect({"PERSON", "IIN"} <= found if not with_text else "PERSON" in found, f"suggested only {found}")
        decisions = [
            {"suggestion": suggestion["id"], "accept": True, "reason": "witness_safety"}
            for suggestion in plan["suggestions"]
        ]
        decided = prosecutor.post(f"{path}/decisions", version=plan["version"], decisions=decisions)
        version = prosecutor.post(f"{path}/submit", version=decided["version"])["version"]
        self._refused("plan.self_approval", lambda: prosecutor.post(f"{path}/approve", version=version))
        approved = supervisor.post(f"{path}/approve", version=version)
        self.report.facts.setdefault("plans", []).append(approved["sha256"])
        return str(requested["id"])

    def _burn(self, exhibit_id: str, plan_id: str, kinds: set[str]) -> list[str]:
        prosecutor = self._as(cast.PROSECUTOR)
        path = f"/api/v1/exhibits/{exhibit_id}/renditions"
        answer = prosecutor.wait(path, lambda seen: kinds <= {one["kind"] for one in _checked(seen, plan_id)})
        ready = _checked(answer, plan_id)
        for rendition in ready:
            _expect(rendition["leak_result"] == "passed", f"{rendition['kind']} leaks")
        self.report.facts.setdefault("renditions", {}).update({one["kind"]: one["sha256"] for one in ready})
        return [one["id"] for one in ready]

    def _document(self, exhibit_id: str) -> list[str]:
        with self._step("the PDF's suggestions are decided and approved by a second person"):
            plan_id = self._plan(exhibit_id, with_text=False)
        with self._step("the PDF is burned and attacked by the leak check"):
            return self._burn(exhibit_id, plan_id, {"pdf"})

    def _disclose(self, case_id: str, exhibits: dict[str, str], renditions: list[str]) -> str:
        prosecutor, supervisor = self._as(cast.PROSECUTOR), self._as(cast.SUPERVISOR)
        withheld = [
            {"exhibit": exhibits["statement.docx"], "ground": "under_review"},
            {"exhibit": exhibits["scene.jpg"], "ground": "under_review"},
        ]
        with self._step("an incomplete round is refused; the complete one is released"):
            path = f"/api/v1/cases/{case_id}/disclosures"
            recipient = {"recipient": cast.DEFENCE.login, "renditions": renditions}
            partial = prosecutor.post(path, **recipient, withheld=withheld[:1])
            self._refused(
                "disclosure.incomplete", lambda: supervisor.post(f"/api/v1/disclosures/{partial['id']}/release")
            )
            draft = prosecutor.post(path, **recipient, withheld=withheld)
            supervisor.post(f"/api/v1/disclosures/{draft['id']}/release")
        with self._step("the package is made with its proofs and sealed"):
            ready = prosecutor.wait(f"/api/v1/disclosures/{draft['id']}", lambda answer: answer["state"] != "releasing")
            _expect(ready["state"] == "ready", f"the package is {ready['state']}")
        self.report.facts |= {"disclosure": draft["id"], "manifest_sha256": ready["manifest_sha256"]}
        return str(draft["id"])

    def _defend(self, case_id: str, disclosure_id: str, exhibits: dict[str, str]) -> None:
        defence = self._as(cast.DEFENCE)
        path = f"/api/v1/disclosures/{disclosure_id}"
        with self._step("the defence reads the list, and is refused everything else"):
            listed = defence.get("/api/v1/disclosures")["items"]
            _expect([one["id"] for one in listed] == [disclosure_id], "the list is not the one round")
            contents = defence.get(path)
            _expect(len(contents["files"]) == 4 and len(contents["withheld"]) == 2, "the contents do not balance")
            exhibit = exhibits["interrogation.flac"]
            for closed in (f"/api/v1/exhibits/{exhibit}/content", f"/api/v1/cases/{case_id}/trail"):
                self._refused(None, partial(defence.get, closed))
        with self._step("the defence downloads the package by ranges and signs for it"):
            self._out.mkdir(parents=True, exist_ok=True)
            package = self._out / f"disclosure-{people.ERDR}-{contents['round']}.zip"
            digest = "sha256:" + defence.download(f"{path}/package", package)
            _expect(digest == contents["package_sha256"], "the package arrived with another digest")
            defence.post(f"{path}/receipt", package_sha256=digest)
        self.report.facts |= {
            "package": str(package),
            "package_sha256": digest,
            "files": len(contents["files"]),
            "withheld": len(contents["withheld"]),
        }

    def _verify(self) -> None:
        with self._step("the package verifies offline, with the policy alone"):
            policy = self._out / "policy"
            policy.write_bytes(httpx.get(f"{self._base_url}/log/policy", timeout=30).raise_for_status().content)
            self.report.facts["policy"] = str(policy)
            self._say(_verified(Path(self.report.facts["package"]), policy))
        with self._step("its time stamp verifies under the authority's root"):
            roots = self._out / "tsa-roots.pem"
            roots.write_bytes(httpx.get(f"{self._base_url}/log/tsa-roots", timeout=30).raise_for_status().content)
            self.report.facts["tsa_roots"] = str(roots)
            _verified(Path(self.report.facts["package"]), policy, "--tsa-roots", str(roots))
        package = Path(self.report.facts["package"])
        with self._step("without its witnesses' signatures it is refused"):
            stripped = self._out / "without-witnesses.zip"
            without_cosignatures(package, stripped)
            outcome = _run_verifier(stripped, policy)
            stripped.unlink()
            _expect(outcome.returncode == 1, "a checkpoint without witnesses was accepted")
        with self._step("one flipped byte is refused"):
            broken = self._out / "one-byte-flipped.zip"
            data = bytearray(package.read_bytes())
            data[len(data) // 2] ^= 1
            broken.write_bytes(data)
            outcome = _run_verifier(broken, policy)
            broken.unlink()
            _expect(outcome.returncode in (1, 2), "a flipped byte went unnoticed")

    def _refused(self, code: str | None, act: Callable[[], Any]) -> None:
        """The act must be refused, with this code when one is given."""
        try:
            act()
        except Refused as refusal:
            _expect(code in (None, refusal.code), f"refused with {refusal.code} instead of {code}")
            return
        raise StepFailed(f"what must be refused ({code or 'denied'}) went through")


def _expect(held: bool, otherwise: str) -> None:
    if not held:
        raise StepFailed(otherwise)


def _settled(exhibit: Mapping[str, Any]) -> bool:
    return exhibit["state"] in ("sealed", "refused", "discarded")


def _checked(answer: Mapping[str, Any], plan_id: str) -> list[dict[str, Any]]:
    return [one for one in answer["items"] if one["plan"] == plan_id and one["leak_result"]]


def _overlap_ms(line: Mapping[str, Any], turn: Mapping[str, Any]) -> int:
    return int(min(line["end_ms"], turn["end_ms"]) - max(line["start_ms"], turn["start_ms"]))


def _run_verifier(package: Path, policy: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "custody", "verify", str(package), "--policy", str(policy), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603 own command


def _verified(package: Path, policy: Path, *options: str) -> str:
    outcome = _run_verifier(package, policy, *options)
    _expect(outcome.returncode == 0, f"the verifier refused: {outcome.stdout}{outcome.stderr}")
    return outcome.stdout.rstrip()
