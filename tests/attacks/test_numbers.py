"""JSON's `true` where a number must be: Python takes it for 1, the browser does not, and neither may here."""

import pytest

from custody.proof.refusal import Step
from tests.attacks import forge


@pytest.mark.parametrize("value", [True, "1", None, [1]])
def test_the_number_of_an_exhibit(value: object) -> None:
    story = forge.tell()
    story.find("exhibit.registered", f"exhibit:{forge.DOCUMENT}")["data"]["number"] = value
    forge.refused(forge.entries(story), Step.VOUCHING, "vouch.number")


@pytest.mark.parametrize("type", ["exhibit.disclosed", "disclosure.released"])
@pytest.mark.parametrize("value", [True, "1", [1]])
def test_the_round_of_a_disclosure(type: str, value: object) -> None:
    story = forge.tell()
    story.find(type)["data"]["round"] = value
    forge.refused(forge.entries(story), Step.BINDING, "bind.other")


@pytest.mark.parametrize(("submitted", "approved", "burned"), [(1, True, 1), (True, True, 1), ([1], [1], [1])])
def test_the_digest_of_a_plan(submitted: object, approved: object, burned: object) -> None:
    """What was approved is not what was submitted, or not what was burned."""
    story = forge.tell()
    for type, value in (("plan.submitted", submitted), ("plan.approved", approved), ("rendition.burned", burned)):
        for event in story.events:
            if event["type"] == type:
                event["data"]["plan_sha256"] = value
    forge.refused(forge.entries(story), Step.VOUCHING, "vouch.approved")
