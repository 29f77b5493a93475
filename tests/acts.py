"""What people do before the thing a test is about: through the public API, jobs run in this process."""

import io
from pathlib import Path
from typing import Any
from uuid import UUID

import av
from PIL import Image

import evidence_api.demo
from evidence_api.services import Services
from tests.whole import System
from transcription.engine import EngineFacts, Progress
from transcription.model import Transcript, Turn, Word
from transcription.sound import Sound

FILES = Path(evidence_api.demo.__file__).parent / "files"
SAID = "Моя фамилия Петров Игорь Николаевич, телефон плюс семь 709 123 45 67."
REASON = "witness_safety"


class Scripted:
    """An engine that hears what it is told to: for tests that are not about hearing."""

    def facts(self) -> EngineFacts:
        return EngineFacts("scripted", "1", "none", "sha256:" + "0" * 64, {"beam": 1})

    def transcribe(self, sound: Sound, progress: Progress) -> Transcript:
        progress(sound.duration_ms, sound.duration_ms)
        words = SAID.split()
        step = sound.duration_ms // (len(words) + 1)
        heard = tuple(Word(one, at * step, at * step + step // 2, 900_000) for at, one in enumerate(words))
        return Transcript(sound.duration_ms, (Turn("1", "ru", heard, 0, heard[-1].end_ms),))


def sound(seconds: float = 3.0, from_s: float = 0.0, *, number: int = 0) -> bytes:
    """The first seconds of the demonstration's recording as FLAC, real speech; `number` makes the bytes differ."""
    made = io.BytesIO()
    source = av.open(str(FILES / "interrogation.flac"))
    with source, av.open(made, "w", format="flac") as target:
        target.metadata["comment"] = str(number)
        stream: Any = target.add_stream("flac", rate=source.streams.audio[0].rate, layout="mono")
        stream.codec_context.format = "s16"
        resampler = av.AudioResampler("s16", "mono", stream.rate)
        for frame in source.decode(audio=0):
            if frame.time < from_s:
                continue
            if frame.time >= from_s + seconds:
                break
            for piece in resampler.resample(frame):
                piece.pts = None
                target.mux(stream.encode(piece))
        target.mux(stream.encode(None))
    return made.getvalue()


def picture(number: int = 0) -> bytes:
    """A small white picture; `number` makes the bytes differ."""
    made = io.BytesIO()
    Image.new("RGB", (160, 120), (255, 255, number % 256)).save(made, "PNG")
    return made.getvalue()


def scripted(system: System) -> Services:
    """The system with the scripted engine."""
    return system.variant(engine=Scripted)


def drafted(system: System, exhibit_id: str, services: Services | None = None) -> dict[str, Any]:
    """The exhibit's drafted transcript."""
    prosecutor = system.api("prosecutor")
    asked = prosecutor.post(f"/api/v1/exhibits/{exhibit_id}/transcript")
    assert system.work_off(f"transcript:{asked['id']}", services or scripted(system)) == ["done"]
    return dict(prosecutor.get(f"/api/v1/exhibits/{exhibit_id}/transcript"))


def confirmed(system: System, exhibit_id: str) -> dict[str, Any]:
    """The exhibit's transcript, its one speaker named, confirmed by the prosecutor."""
    transcript = drafted(system, exhibit_id)
    prosecutor = system.api("prosecutor")
    path = f"/api/v1/transcripts/{transcript['id']}"
    edits = [{"turn": 0, "speaker": "Петров И. Н.", "text": SAID}]
    corrected = prosecutor.post(f"{path}/revisions", parent=transcript["revision"], edits=edits)
    prosecutor.post(f"{path}/confirm", revision=corrected["revision"], sha256=corrected["sha256"])
    return transcript | {"revision": corrected["revision"], "sha256": corrected["sha256"]}


def suggested(system: System, exhibit_id: str) -> dict[str, Any]:
    """A drafted plan of the exhibit."""
    prosecutor = system.api("prosecutor")
    asked = prosecutor.post(f"/api/v1/exhibits/{exhibit_id}/plan")
    assert system.work_off(f"plan:{asked['id']}") == ["done"]
    return dict(prosecutor.get(f"/api/v1/plans/{asked['id']}"))


def submitted(system: System, exhibit_id: str) -> dict[str, Any]:
    """A plan with every suggestion accepted, a box added to a picture's, put before a second person."""
    prosecutor = system.api("prosecutor")
    plan = suggested(system, exhibit_id)
    path = f"/api/v1/plans/{plan['id']}"
    decisions = [{"suggestion": one["id"], "accept": True, "reason": REASON} for one in plan["suggestions"]]
    box = {"kind": "box", "page": 0, "left_ppm": 0, "top_ppm": 0, "right_ppm": 500_000, "bottom_ppm": 500_000}
    additions = [] if plan["suggestions"] else [{"regions": [box], "reason": REASON}]
    plan = prosecutor.post(f"{path}/decisions", version=plan["version"], decisions=decisions, additions=additions)
    return dict(prosecutor.post(f"{path}/submit", version=plan["version"]))


def approved(system: System, exhibit_id: str) -> str:
    """A plan approved by the supervising prosecutor; its burning waits."""
    plan = submitted(system, exhibit_id)
    system.api("supervising_prosecutor").post(f"/api/v1/plans/{plan['id']}/approve", version=plan["version"])
    return str(plan["id"])


def burned(system: System, exhibit_id: str) -> list[str]:
    """The renditions of a newly approved plan."""
    plan_id = approved(system, exhibit_id)
    assert set(system.work_off(f"plan:{plan_id}")) == {"done"}
    items = system.api("prosecutor").get(f"/api/v1/exhibits/{exhibit_id}/renditions")["items"]
    return [one["id"] for one in items if one["plan"] == plan_id]


def draft_round(system: System, case_id: str, renditions: list[str], **withheld: str) -> str:
    """A drafted round to the defence. `withheld` are grounds by exhibit id."""
    answer = system.api("prosecutor").post(
        f"/api/v1/cases/{case_id}/disclosures",
        recipient=system.members["defence"].login,
        renditions=renditions,
        withheld=[{"exhibit": exhibit, "ground": ground} for exhibit, ground in withheld.items()],
    )
    return str(answer["id"])


def released(system: System, case_id: str, renditions: list[str], **withheld: str) -> str:
    """A released round; its package is not made yet."""
    disclosure_id = draft_round(system, case_id, renditions, **withheld)
    system.api("supervising_prosecutor").post(f"/api/v1/disclosures/{disclosure_id}/release")
    return disclosure_id


def ready(system: System, case_id: str, renditions: list[str], **withheld: str) -> str:
    """A round with its package."""
    disclosure_id = released(system, case_id, renditions, **withheld)
    assert system.work_off(f"disclosure:{disclosure_id}") == ["done"]
    return disclosure_id


def lightened(system: System, data: bytes, name: str) -> tuple[str, str]:
    """A sealed exhibit and the first of its light copies."""
    exhibit_id = system.sealed(system.case(), data, name)
    for task in ("identify", "light"):
        assert system.work_off(f"{task}:{exhibit_id}") == ["done"]
    facts = system.api("prosecutor").get(f"/api/v1/exhibits/{exhibit_id}/facts")
    return exhibit_id, str(facts["light_copies"][0]["id"])


def job_of(system: System, subject: str) -> UUID:
    """The one open job about a subject."""
    (job_id,) = system.open_jobs(subject)
    return job_id
