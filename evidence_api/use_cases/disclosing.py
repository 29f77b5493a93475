"""Disclosure: a round is drafted, checked as a whole, released by a named person, packaged by a worker, received."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from custody import event
from custody.kernel.clock import to_ms
from custody.kernel.errors import Denied, Invalid, NotFound
from custody.kernel.outbox import Actor, EventDraft
from custody.proof.disclosure import DisclosedFile, Manifest, Withheld
from evidence_api.disclosure import service as disclosures
from evidence_api.disclosure.model import (
    Candidate,
    check_grounds,
    check_release,
    destroyed_ground,
    ordered,
    path_of,
)
from evidence_api.disclosure.service import Disclosure
from evidence_api.registry import reads
from evidence_api.registry.facts import Exhibit
from evidence_api.registry.model import Role, parse_login
from evidence_api.services import Services
from evidence_api.use_cases import reading
from redaction import queries as plans
from storage.reader import BlobReader
from transcription import service as transcripts

PACKAGE = "disclosure.package"


def draft(
    services: Services,
    actor: Actor,
    case_id: UUID,
    *,
    recipient: str,
    renditions: Sequence[UUID],
    withheld: Sequence[tuple[UUID, str]],
) -> Disclosure:
    """Draft a round to a person of the defence on this case. `withheld` pairs exhibits with grounds.

    Raises NotFound `account.not_found`, `exhibit.not_found`, Invalid `disclosure.not_a_recipient`,
    `disclosure.unknown_ground`. Whether the round is complete and clean is asked at release.
    """
    with services.database.begin(actor) as work:
        recipient_id = _recipient(work.session, case_id, recipient, services)
        kept = [_withheld(work.session, case_id, exhibit, ground) for exhibit, ground in withheld]
        check_grounds(kept)
        disclosure_id = work.ids.new()
        drafted = _event("disclosure.drafted", disclosure_id, case_id, recipient=recipient_id)
        disclosures.draft(
            work,
            disclosure_id=disclosure_id,
            case_id=case_id,
            recipient_id=recipient_id,
            author_id=_person(actor),
            renditions=renditions,
            withheld=kept,
            event_id=work.record(drafted),
        )
        work.session.flush()
        made = disclosures.get(work.session, disclosure_id)
        work.commit()
    return made


def release(services: Services, actor: Actor, disclosure_id: UUID) -> Disclosure:
    """Let a round out: number it, bind its manifest into the chain of every disclosed exhibit, have it packaged.

    Raises Conflict `disclosure.already_released` and whatever `disclosure.model.check_release` raises.
    """
    with services.database.begin(actor) as work:
        disclosure = disclosures.locked(work, disclosure_id)
        disclosures.hold_rounds(work, disclosure.case_id, disclosure.recipient_id)
        manifest = _manifest(work.session, disclosure, to_ms(work.clock.now()))
        sha256 = _digest(manifest.encode())
        said = {"disclosure": disclosure_id, "round": manifest.round, "manifest_sha256": sha256}
        for exhibit in manifest.exhibits:
            count = sum(file.exhibit == exhibit for file in manifest.files)
            work.record(
                event.draft(
                    "exhibit.disclosed",
                    item=f"exhibit:{exhibit}",
                    case_id=disclosure.case_id,
                    personal=None,
                    exhibit=exhibit,
                    files=count,
                    **said,
                )
            )
        released = _event(
            "disclosure.released",
            disclosure_id,
            disclosure.case_id,
            round=manifest.round,
            manifest_sha256=sha256,
            disclosed=len(manifest.exhibits),
            withheld=len(manifest.withheld),
            recipient=disclosure.recipient_id,
        )
        disclosures.release(
            work,
            disclosure_id,
            manifest=manifest,
            manifest_sha256=sha256,
            author_id=_person(actor),
            event_id=work.record(released),
        )
        work.enqueue(PACKAGE, subject=f"disclosure:{disclosure_id}", disclosure=disclosure_id)
        work.session.flush()
        done = disclosures.get(work.session, disclosure_id)
        work.commit()
    return done


def open_contents(services: Services, actor: Actor, disclosure_id: UUID) -> Disclosure:
    """The contents as their recipient sees them; the first look is an event, later ones are their own business (U10).

    Raises NotFound `disclosure.not_found` before the release.
    """
    with services.database.begin(actor) as work:
        disclosure = disclosures.locked(work, disclosure_id)
        if not disclosure.released:
            raise NotFound("disclosure.not_found")
        if disclosure.opened_at is None and disclosure.recipient_id == actor.id:
            opened = _event("disclosure.opened", disclosure_id, disclosure.case_id)
            disclosures.opened(work, disclosure_id, event_id=work.record(opened))
            work.session.flush()
            disclosure = disclosures.get(work.session, disclosure_id)
            work.commit()
    return disclosure


def package(services: Services, disclosure_id: UUID) -> tuple[Disclosure, BlobReader]:
    """The sealed package, opened but not read: record the download before the first byte.

    Raises Conflict `disclosure.not_ready` while it is being made, Gone `disclosure.destroyed`.
    """
    with services.database.read() as session:
        disclosure = disclosures.get(session, disclosure_id)
    return disclosure, reading.blob(services, disclosure.check_package())


def receive(services: Services, actor: Actor, disclosure_id: UUID, package_sha256: str) -> Disclosure:
    """The recipient acknowledges the package it holds by its digest.

    Raises Invalid `disclosure.other_package` for another digest, Conflict `disclosure.already_received`.
    """
    with services.database.begin(actor) as work:
        disclosure = disclosures.locked(work, disclosure_id)
        if package_sha256 != disclosure.package_sha256:
            raise Invalid("disclosure.other_package")
        received = _event("disclosure.received", disclosure_id, disclosure.case_id, package_sha256=package_sha256)
        disclosures.received(work, disclosure_id, event_id=work.record(received))
        work.session.flush()
        done = disclosures.get(work.session, disclosure_id)
        work.commit()
    return done


def get(services: Services, disclosure_id: UUID) -> Disclosure:
    """One round. Raises NotFound `disclosure.not_found`."""
    with services.database.read() as session:
        return disclosures.get(session, disclosure_id)


def of_case(services: Services, case_id: UUID) -> tuple[Disclosure, ...]:
    """Every round of a case, newest first."""
    with services.database.read() as session:
        return disclosures.of_case(session, case_id)


def released_to(services: Services, account_id: UUID) -> tuple[Disclosure, ...]:
    """Every round released to this person, newest first."""
    with services.database.read() as session:
        return disclosures.released_to(session, account_id)


def files(session: Session, disclosure: Disclosure) -> tuple[DisclosedFile, ...]:
    """The files a round hands over, as its manifest lists them."""
    found = (candidate(session, disclosure.case_id, rendition) for rendition in disclosure.renditions)
    return ordered([one.file for one in found])


def _manifest(session: Session, disclosure: Disclosure, released_ms: int) -> Manifest:
    exhibits = reads.sealed_exhibits(session, disclosure.case_id)
    candidates = [candidate(session, disclosure.case_id, rendition) for rendition in disclosure.renditions]
    withheld = _with_destroyed(disclosure.withheld, exhibits)
    check_release(candidates, withheld, [exhibit.id for exhibit in exhibits])
    return Manifest(
        disclosure=str(disclosure.id),
        case=str(disclosure.case_id),
        erdr=reads.get_case(session, disclosure.case_id).erdr,
        round=disclosures.next_round(session, disclosure.case_id, disclosure.recipient_id),
        recipient=reads.get_account(session, disclosure.recipient_id).display_name,
        released_ms=released_ms,
        files=ordered([one.file for one in candidates]),
        withheld=tuple(sorted(withheld, key=lambda item: item.number)),
        previous=disclosures.last_released(session, disclosure.case_id, disclosure.recipient_id),
        exhibits_total=len(exhibits),
    )


def _with_destroyed(withheld: Sequence[Withheld], exhibits: Sequence[Exhibit]) -> list[Withheld]:
    """What is withheld, and what nobody can hand over any more, with its act as the ground."""
    acts = {str(one.id): Withheld(str(one.id), one.number, _act_of(one)) for one in exhibits if one.destroyed_at}
    return [*(item for item in withheld if item.exhibit not in acts), *acts.values()]


def _act_of(exhibit: Exhibit) -> str:
    return destroyed_ground(f"{exhibit.destroyed_at:%Y-%m-%d}", exhibit.disposal_number)


def candidate(session: Session, case_id: UUID, rendition_id: UUID) -> Candidate:
    """One rendition with everything a release asks of it.

    Raises Invalid `disclosure.foreign_exhibit`, Gone `exhibit.destroyed`.
    """
    rendition = plans.get_rendition(session, rendition_id)
    plan = plans.get_plan(session, rendition.plan_id)
    exhibit = reads.get_exhibit(session, rendition.exhibit_id)
    if exhibit.case_id != case_id:
        raise Invalid("disclosure.foreign_exhibit")
    exhibit.check_content()
    said = transcripts.confirmed(session, exhibit.id)
    file = DisclosedFile(
        path=path_of(exhibit.number, rendition.kind),
        exhibit=str(exhibit.id),
        number=exhibit.number,
        kind=rendition.kind,
        sha256=rendition.sha256,
        size_bytes=rendition.size_bytes,
        source_sha256=rendition.source_sha256,
        rendition=str(rendition.id),
    )
    return Candidate(
        file=file,
        plan_approved=plan.state == "approved",
        leak_result=rendition.leak_result,
        transcript_confirmed=said is not None and said.revision.sha256 == plan.text_sha256,
    )


def _recipient(session: Session, case_id: UUID, login: str, services: Services) -> UUID:
    found = reads.find_credentials(session, parse_login(login))
    if found is None:
        raise NotFound("account.not_found")
    grants = reads.cases_of(session, found.account.id, services.database.clock.now())
    if (case_id, Role.DEFENCE) not in grants:
        raise Invalid("disclosure.not_a_recipient")
    return found.account.id


def _withheld(session: Session, case_id: UUID, exhibit_id: UUID, ground: str) -> Withheld:
    exhibit: Exhibit = reads.get_exhibit(session, exhibit_id)
    if exhibit.case_id != case_id:
        raise Invalid("disclosure.foreign_exhibit")
    return Withheld(str(exhibit.id), exhibit.number, ground)


def _event(type: str, disclosure_id: UUID, case_id: UUID, **data: object) -> EventDraft:
    return event.draft(
        type,
        item=f"disclosure:{disclosure_id}",
        case_id=case_id,
        personal=None,
        **{"disclosure": disclosure_id, **data},
    )


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _person(actor: Actor) -> UUID:
    if actor.id is None:
        raise Denied("actor.person_needed")
    return actor.id
