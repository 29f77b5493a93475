"""An exhibit's record: computed anew at each request, and found out wherever it was changed."""

import re
from dataclasses import replace
from uuid import UUID

import pytest

from custody.checking.difference import Step as CheckStep
from custody.kernel.errors import NotFound, Unavailable
from custody.proof import note
from custody.proof.refusal import Step
from evidence_api.queries import records
from evidence_api.queries.records import State
from tests import acts
from tests.whole import until

STEPS = [
    Step.EVENTS,
    Step.CHAINS,
    CheckStep.OBJECTS,
    Step.INCLUSION,
    Step.CHECKPOINT,
    Step.WITNESSES,
    Step.TIME_STAMPS,
]


@pytest.fixture(scope="module")
def exhibit_id(system):
    case_id = system.case()
    made = system.sealed(case_id, acts.picture(910), "record.png")
    system.api("prosecutor")("GET", f"/api/v1/exhibits/{made}/content")
    until(lambda: records.of_exhibit(system.services, UUID(made)).verdict == "complete")
    return UUID(made)


def test_three_answers_over_an_untouched_record(system, visit, exhibit_id):
    found = records.of_exhibit(system.services, exhibit_id)
    assert [one.step for one in found.steps] == STEPS
    assert {one.state for one in found.steps} == {State.HOLDS}
    assert (found.same.verdict, found.verdict, found.queued) == ("same", "complete", 0)
    assert found.covered == found.proved == len(found.chain)
    people = {found.names.get(one.account): (one.events, one.reads) for one in found.people}
    assert people["Test prosecutor"] == (1, 1)
    page = visit("auditor", f"/exhibits/{exhibit_id}/record")
    assert page.status_code == 200
    said = re.findall(r'<li class="notice notice--good"><p class="small">(.*?)</p><p><strong>(.*?)</strong>', page.text)
    assert [question for question, _ in said] == [
        "Is it the same as on day one?",
        "Who touched it?",
        "Is the record complete?",
    ]
    assert said[0][1].startswith("The file is the same as on day one: sealed ")
    assert (
        said[1][1] == "2 people touched it: Test investigator, Test prosecutor; its content was opened or taken 1 time."
    )
    assert said[2][1].startswith(f"The record is complete: all {len(found.chain)} events")
    assert page.text.count("<details") == len(found.chain)


def test_who_may_read_it(system, visit, exhibit_id):
    here = f"/exhibits/{exhibit_id}/record"
    statuses = {role: visit(role, here).status_code for role in ("supervising_prosecutor", "investigator", "defence")}
    assert statuses == {"supervising_prosecutor": 200, "investigator": 403, "defence": 404}
    assert 'href="' + here in visit("auditor", f"/exhibits/{exhibit_id}").text
    assert 'href="' + here not in visit("investigator", f"/exhibits/{exhibit_id}").text


def changed(system, exhibit_id, **fields):
    """The record as it is found when one entry in the middle of the chain is read changed."""
    chain = records.audit.chain
    at = 2

    def altered(session, item, **limited):
        entries = chain(session, item, **limited)
        entries[at] = replace(entries[at], **{name: change(entries[at]) for name, change in fields.items()})
        return entries

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records.audit, "chain", altered)
        return records.of_exhibit(system.services, exhibit_id)


@pytest.mark.parametrize(
    ("fields", "step", "code"),
    [
        ({"canonical": lambda one: one.canonical.replace(b'"v":1', b'"v":2')}, Step.EVENTS, "events.form"),
        ({"item_seq": lambda one: one.item_seq + 1}, Step.CHAINS, "chain.gap"),
        ({"canonical": lambda one: one.canonical.replace(b'"means":"', b'"means":"x')}, Step.CHAINS, "chain.prev"),
        ({"case_id": lambda one: UUID(int=1)}, Step.CHAINS, "chain.moved"),
        ({"seq": lambda one: one.seq - 1}, Step.INCLUSION, "proofs.invalid"),
    ],
    ids=["form", "gap", "bytes", "moved", "place"],
)
def test_the_first_place_that_differs_is_named(system, exhibit_id, fields, step, code):
    found = changed(system, exhibit_id, **fields)
    failing = [one for one in found.steps if one.state is State.FAILS]
    assert [(one.step, one.code) for one in failing] == [(step, code)]
    later = found.steps[found.steps.index(failing[0]) + 1 :]
    assert {one.state for one in later if not isinstance(one.step, CheckStep) or step is not Step.INCLUSION} <= {
        State.SKIPPED
    }
    assert found.verdict == "broken"
    assert found.same.verdict == ("same" if step is Step.INCLUSION else "unknown")


def test_a_store_that_does_not_answer_is_not_a_difference(system, exhibit_id):
    class Silent:
        def head(self, *_):
            raise Unavailable("store.unavailable")

    found = records.of_exhibit(system.variant(store=Silent()), exhibit_id)
    assert [one.state for one in found.steps if isinstance(one.step, CheckStep)] == [State.WAITS]
    assert (found.same.verdict, found.verdict) == ("unreachable", "complete")


def test_a_policy_of_another_log(system, exhibit_id, tmp_path):
    other = note.vkey("dalel.example/other", bytes(range(32)))
    elsewhere = tmp_path / "policy"
    elsewhere.write_text(f"log {other}\nquorum none\n")
    settings = system.settings.model_copy(update={"policy_file": elsewhere})
    found = records.of_exhibit(system.variant(settings=settings), exhibit_id)
    assert [(one.step, one.code) for one in found.steps if one.state is State.FAILS] == [
        (Step.CHECKPOINT, "checkpoint.signature")
    ]


def test_an_object_that_is_gone(system, exhibit_id):
    class Empty:
        def head(self, *_):
            raise NotFound("store.missing")

    found = records.of_exhibit(system.variant(store=Empty()), exhibit_id)
    assert (found.same.verdict, found.verdict) == ("differs", "complete")


def test_a_chain_too_long_to_wait_for_is_said_and_not_called_complete(system, exhibit_id, monkeypatch):
    monkeypatch.setattr(records, "MAX_EVENTS", 2)
    found = records.of_exhibit(system.services, exhibit_id)
    assert (found.steps[0].state, found.steps[0].code) == (State.WAITS, "record.too_long")
    assert found.verdict == "waits"
    assert len(found.chain) == 3
