"""Step 7: files that the events of their exhibit do not carry, or carry in the wrong order."""

from collections.abc import Callable
from typing import Any

import pytest

from custody.proof.refusal import Step
from tests.attacks import forge
from tests.attacks.forge import Story

INTERROGATION = f"exhibit:{forge.INTERROGATION}"
SOUND = "data/0003/sound.opus"
TRANSCRIPT = "data/0003/сұрақ-жауап.txt"


def find(story: Story, type: str, **data: Any) -> dict[str, Any]:
    return next(
        event
        for event in story.chain(INTERROGATION)
        if event["type"] == type and all(event["data"].get(name) == value for name, value in data.items())
    )


def remove(type: str, **data: Any) -> Callable[[Story], None]:
    return lambda story: story.events.remove(find(story, type, **data))


def change(type: str, **values: Any) -> Callable[[Story], None]:
    def apply(story: Story) -> None:
        find(story, type)["data"].update(values)

    return apply


def act_as(type: str, actor: str | None) -> Callable[[Story], None]:
    def apply(story: Story) -> None:
        find(story, type)["actor"]["id"] = actor

    return apply


def move(type: str, after: str, **data: Any) -> Callable[[Story], None]:
    """Moves an event behind the last of another type on the chain."""

    def apply(story: Story) -> None:
        event = find(story, type, **data)
        story.events.remove(event)
        last = max(index for index, other in enumerate(story.events) if other["type"] == after)
        story.events.insert(last + 1, event)

    return apply


def add(event: dict[str, Any], before: str) -> Callable[[Story], None]:
    def apply(story: Story) -> None:
        story.events.insert(story.events.index(find(story, before)), event)

    return apply


def manifest(number: int, **values: Any) -> Callable[[Story], None]:
    def apply(story: Story) -> None:
        story.manifest["files"][number].update(values)
        story.rebind()

    return apply


def staff(type: str, actor: str, **data: Any) -> dict[str, Any]:
    return forge.event(type, INTERROGATION, actor, "prosecutor", exhibit=forge.INTERROGATION, **data)


SUBMITTED_AGAIN = staff("plan.submitted", forge.SUPERVISOR, plan=forge.PLAN, plan_sha256=forge.PLAN_SHA256)
RETURNED = staff("plan.returned", forge.SUPERVISOR, plan=forge.PLAN, reason="incomplete")
CORRECTED = staff(
    "transcript.corrected",
    forge.PROSECUTOR,
    transcript=forge.identity("transcription"),
    revision="r3",
    parent="r2",
    sha256=forge.digest(b"3"),
)

ORIGINAL = b"RIFF original interrogation"

ATTACKS: dict[str, tuple[str, Callable[[Story], None]]] = {
    "never approved": ("vouch.approved", remove("plan.approved")),
    "never submitted": ("vouch.approved", remove("plan.submitted")),
    "approved by the submitter": ("vouch.approved", act_as("plan.approved", forge.PROSECUTOR)),
    "approved by nobody": ("vouch.approved", act_as("plan.approved", None)),
    "submitted by nobody": ("vouch.approved", act_as("plan.submitted", None)),
    "submitted by another than the approval says": ("vouch.approved", act_as("plan.submitted", forge.INVESTIGATOR)),
    "submitter lied about in the approval": (
        "vouch.approved",
        lambda story: (act_as("plan.submitted", forge.SUPERVISOR)(story), None)[1],
    ),
    "approval names no submitter": ("vouch.approved", change("plan.approved", submitted_by=None)),
    "another plan approved": ("vouch.approved", change("plan.approved", plan=forge.identity("other plan"))),
    "another form of the plan approved": ("vouch.approved", change("plan.approved", plan_sha256=forge.digest(b"x"))),
    "another form of the plan burned": ("vouch.approved", change("rendition.burned", plan_sha256=forge.digest(b"x"))),
    "approved before submitted": ("vouch.approved", move("plan.submitted", "plan.approved")),
    "approved after burned": ("vouch.approved", move("plan.approved", "rendition.burned")),
    "approved after the leak check": ("vouch.approved", move("plan.approved", "rendition.leak_checked")),
    "submitted again after the approval": ("vouch.approved", add(SUBMITTED_AGAIN, "rendition.burned")),
    "returned after the approval": ("vouch.approved", add(RETURNED, "rendition.burned")),
    "never burned": ("vouch.burned", remove("rendition.burned", rendition=forge.SOUND)),
    "burned with another digest": ("vouch.burned", change("rendition.burned", sha256=forge.digest(b"x"))),
    "burned from another source": ("vouch.burned", change("rendition.burned", source_sha256=forge.digest(b"x"))),
    "burned as another kind": ("vouch.burned", change("rendition.burned", kind="pdf")),
    "manifest names another rendition": ("vouch.burned", manifest(3, rendition=forge.identity("x"))),
    "manifest names the other rendition": ("vouch.burned", manifest(3, rendition=forge.TRANSCRIPT)),
    "manifest names another kind": ("vouch.burned", manifest(2, kind="text")),
    "manifest names another source": ("vouch.burned", manifest(3, source_sha256=forge.digest(b"x"))),
    "rendition handed over as an original": (
        "vouch.sealed",
        lambda story: manifest(3, kind="original", rendition=None, source_sha256=story.manifest["files"][3]["sha256"])(
            story
        ),
    ),
    "never leak-checked": ("vouch.leak", remove("rendition.leak_checked", rendition=forge.SOUND)),
    "leak check failed": ("vouch.leak", change("rendition.leak_checked", result="failed")),
    "leak check of other bytes": ("vouch.leak", change("rendition.leak_checked", sha256=forge.digest(b"x"))),
    "leak check before the burn": (
        "vouch.leak",
        lambda story: add(forge.leak_checked(forge.SOUND, story.files[SOUND]), "rendition.burned")(
            (remove("rendition.leak_checked", rendition=forge.SOUND)(story), story)[1]
        ),
    ),
    "leak check failed later": (
        "vouch.leak",
        lambda story: story.events.append(forge.leak_checked(forge.SOUND, story.files[SOUND], "failed")),
    ),
    "burned again after the leak check": (
        "vouch.leak",
        lambda story: story.events.append(forge.burned(forge.SOUND, "sound", story.files[SOUND], ORIGINAL)),
    ),
    "transcript never confirmed": ("vouch.confirmed", remove("transcript.confirmed")),
    "transcript confirmed by no person": ("vouch.confirmed", act_as("transcript.confirmed", None)),
    "transcript confirmed after the burn": ("vouch.confirmed", move("transcript.confirmed", "rendition.burned")),
    "transcript corrected after it was confirmed": ("vouch.confirmed", add(CORRECTED, "rendition.burned")),
    "exhibit never registered": ("vouch.number", remove("exhibit.registered")),
    "exhibit of another number": ("vouch.number", change("exhibit.registered", number=30)),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name: str) -> None:
    code, attack = ATTACKS[name]
    story = forge.tell()
    attack(story)
    disclosed = story.find("exhibit.disclosed", INTERROGATION)  # it stays the last event of its chain
    story.events.remove(disclosed)
    story.events.append(disclosed)
    refusal = forge.refused(forge.entries(story), Step.VOUCHING, code)
    assert str(refusal.values["entry"]).startswith("data/0003/")


def test_original_never_sealed() -> None:
    story = forge.tell()
    story.events.remove(story.find("exhibit.sealed", f"exhibit:{forge.DOCUMENT}"))
    forge.refused(forge.entries(story), Step.VOUCHING, "vouch.sealed")


def test_burned_twice_and_checked_again_is_verified() -> None:
    story = forge.tell()
    at = story.events.index(story.find("exhibit.disclosed"))
    again = [
        forge.burned(forge.SOUND, "sound", story.files[SOUND], ORIGINAL),
        forge.leak_checked(forge.SOUND, story.files[SOUND]),
    ]
    story.events[at:at] = again
    assert forge.checked(forge.zipped(forge.entries(story))).events == 24


def test_returned_then_submitted_and_approved_anew_is_verified() -> None:
    story = forge.tell()
    at = story.events.index(story.find("plan.submitted"))
    story.events[at:at] = [
        forge.event(
            "plan.submitted",
            INTERROGATION,
            forge.PROSECUTOR,
            "prosecutor",
            exhibit=forge.INTERROGATION,
            plan=forge.PLAN,
            plan_sha256=forge.digest(b"first plan"),
        ),
        RETURNED,
    ]
    assert forge.checked(forge.zipped(forge.entries(story))).exhibits == 3
