"""Events edited, removed, inserted, swapped, duplicated, moved, cut off; with the chain left as it was, or remade."""

from typing import Any

import pytest

from custody.proof import bundle, canonical
from custody.proof.refusal import Step
from tests.attacks import forge

EXHIBIT = f"exhibit:{forge.DOCUMENT}"


def lines(package: dict[str, bytes]) -> list[bytes]:
    return package[bundle.EVENTS].splitlines()


def with_lines(package: dict[str, bytes], events: list[bytes], proofs: list[bytes] | None = None) -> dict[str, bytes]:
    proofs = proofs if proofs is not None else package[bundle.PROOFS].splitlines()
    changed = {
        **package,
        bundle.EVENTS: b"".join(line + b"\n" for line in events),
        bundle.PROOFS: b"".join(line + b"\n" for line in proofs),
    }
    return forge.relisted(changed)


@pytest.fixture
def package() -> dict[str, bytes]:
    return forge.entries(forge.tell())


def test_edited(package: dict[str, bytes]) -> None:
    events = lines(package)
    assert b"3650" in events[0]
    forge.refused(with_lines(package, [events[0].replace(b"3650", b"3651"), *events[1:]]), Step.CHAINS, "chain.prev")


def test_edited_and_chained_anew(package: dict[str, bytes]) -> None:
    story = forge.tell()
    story.find("exhibit.registered", EXHIBIT)["data"]["retain_days"] = 1
    remade = forge.entries(story)
    attacked = forge.relisted({**package, bundle.EVENTS: remade[bundle.EVENTS]})
    forge.refused(attacked, Step.INCLUSION, "proofs.invalid")


@pytest.mark.parametrize("position", [0, 1])
def test_removed(package: dict[str, bytes], position: int) -> None:
    events, proofs = lines(package), package[bundle.PROOFS].splitlines()
    at = [number for number, line in enumerate(events) if EXHIBIT.encode() in line][position]
    del events[at], proofs[at]
    forge.refused(with_lines(package, events, proofs), Step.CHAINS, "chain.gap")


def test_removed_and_chained_anew(package: dict[str, bytes]) -> None:
    """The log itself still has it: the remade events stand nowhere in it."""
    story = forge.tell()
    story.events.remove(story.find("upload.finished", EXHIBIT))
    remade = forge.entries(story)
    proofs = package[bundle.PROOFS].splitlines()
    attacked = with_lines(package, lines(remade), proofs[: len(lines(remade))])
    forge.refused(attacked, Step.INCLUSION, "proofs.invalid")


def test_inserted(package: dict[str, bytes]) -> None:
    events, proofs = lines(package), package[bundle.PROOFS].splitlines()
    forge.refused(with_lines(package, [*events, events[-1]], [*proofs, proofs[-1]]), Step.CHAINS, "chain.gap")


def test_inserted_and_chained_anew(package: dict[str, bytes]) -> None:
    story = forge.tell()
    story.events.insert(-3, forge.event("exhibit.described", EXHIBIT, exhibit=forge.DOCUMENT, metadata_sha256="x"))
    forge.refused(forge.entries(story), Step.BINDING, "bind.last")


def test_swapped_in_one_chain(package: dict[str, bytes]) -> None:
    events = lines(package)
    first, second = [number for number, line in enumerate(events) if EXHIBIT.encode() in line][:2]
    events[first], events[second] = events[second], events[first]
    forge.refused(with_lines(package, events), Step.CHAINS, "chain.gap")


def test_swapped_between_chains(package: dict[str, bytes]) -> None:
    """Each chain is still whole; the order of the log is not."""
    events, proofs = lines(package), package[bundle.PROOFS].splitlines()
    for rows in (events, proofs):
        rows[0], rows[1] = rows[1], rows[0]
    forge.refused(with_lines(package, events, proofs), Step.INCLUSION, "proofs.invalid")
    forge.refused(with_lines(package, events), Step.INCLUSION, "proofs.invalid")


def test_duplicated_id() -> None:
    story = forge.tell()
    twin = forge.identity("twin")
    for event in story.chain(EXHIBIT)[:2]:
        event["id"] = twin
    forge.refused(forge.entries(story), Step.CHAINS, "chain.twice")


def test_moved_from_another_exhibit(package: dict[str, bytes]) -> None:
    story = forge.tell()
    story.find("exhibit.sealed", EXHIBIT)["item"] = f"exhibit:{forge.PICTURE}"
    forge.refused(forge.entries(story), Step.CHAINS, "chain.moved")


def test_moved_from_another_case() -> None:
    story = forge.tell()
    story.find("upload.finished", EXHIBIT)["case"] = forge.identity("another case")
    forge.refused(forge.entries(story), Step.CHAINS, "chain.moved")


def test_chain_that_was_not_disclosed() -> None:
    story = forge.tell()
    log = forge.Log(forge.chained(story.events))
    everything = [log.proven(index) for index in range(len(story.events))]
    forge.refused(forge.entries(story, log, everything), Step.CHAINS, "chain.foreign")


def test_chain_missing() -> None:
    story = forge.tell()
    log = forge.Log(forge.chained(story.events))
    some = [log.proven(index) for index, event in enumerate(story.events) if event["item"] == EXHIBIT]
    forge.refused(forge.entries(story, log, some), Step.CHAINS, "chain.missing")


def test_tail_truncated(package: dict[str, bytes]) -> None:
    """Without its last event the chain is whole, signed and logged, and still refused."""
    events, proofs = lines(package), package[bundle.PROOFS].splitlines()
    forge.refused(with_lines(package, events[:-1], proofs[:-1]), Step.BINDING, "bind.last")


def test_later_event_after_the_disclosure_is_left_out_by_the_writer() -> None:
    """What happened after the release is not in the package; what is in it must end with the release."""
    story = forge.tell()
    story.events.append(
        forge.event("content.viewed", EXHIBIT, forge.SUPERVISOR, "supervising_prosecutor", subject="x", sha256="y")
    )
    log = forge.Log(forge.chained(story.events))
    items = forge.named_items(story)
    before = [log.proven(index) for index, event in enumerate(story.events[:-1]) if event["item"] in items]
    assert forge.checked(forge.zipped(forge.entries(story, log, before))).checkpoint_size == len(story.events)
    forge.refused(forge.entries(story, log), Step.BINDING, "bind.last")


@pytest.mark.parametrize(
    ("type", "change"),
    [
        ("exhibit.disclosed", {"round": 2}),
        ("exhibit.disclosed", {"disclosure": forge.identity("another disclosure")}),
        ("disclosure.released", {"round": 2}),
    ],
)
def test_last_event_about_another_disclosure(type: str, change: dict[str, Any]) -> None:
    story = forge.tell()
    story.find(type)["data"].update(change)
    forge.refused(forge.entries(story), Step.BINDING, "bind.other")


def test_released_by_nobody() -> None:
    story = forge.tell()
    story.find("disclosure.released")["actor"]["id"] = None
    forge.refused(forge.entries(story), Step.BINDING, "bind.nobody")


def test_manifest_of_another_release() -> None:
    story = forge.tell()
    story.manifest["recipient"] = "somebody else"
    forge.refused(forge.entries(story), Step.BINDING, "bind.digest")


def test_last_event_without_a_case() -> None:
    story = forge.tell()
    story.find("exhibit.disclosed")["case"] = None
    forge.refused(forge.entries(story), Step.BINDING, "bind.other")


def test_leaf_forms_are_what_the_forge_says(package: dict[str, bytes]) -> None:
    for line in lines(package):
        assert canonical.encode(canonical.decode(line)) == line
