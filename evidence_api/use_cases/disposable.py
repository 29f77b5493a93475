"""What a destruction act is about: exhibits, and packages of released rounds, each with its term, holds and objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from custody import event
from custody.kernel.clock import to_ms
from custody.kernel.errors import Conflict
from custody.kernel.outbox import EventDraft
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.disclosure import service as disclosures
from evidence_api.disclosure.service import Disclosure
from evidence_api.registry import holds, reads
from evidence_api.registry import service as registry
from evidence_api.registry.facts import Exhibit
from evidence_api.retention import blobs
from evidence_api.retention import service as retention
from evidence_api.retention.service import Disposal
from redaction import queries as plans
from redaction import service as redaction
from storage import disposal as storage
from storage import findings
from storage import service as stored
from storage.blob import BlobFacts
from transcription import service as transcripts

_WORK_ON = """
    SELECT EXISTS (
        SELECT FROM jobs WHERE state IN ('queued', 'running') AND task <> 'disposal.destroy'
            AND (args ->> 'exhibit' = :exhibit OR subject = 'exhibit:' || :exhibit)
    ) OR EXISTS (
        SELECT FROM disclosures WHERE state = 'releasing' AND renditions ?| CAST(:renditions AS text[])
    )
"""


@dataclass(frozen=True)
class OfExhibit:
    """An exhibit, with everything that its chain names as made from it."""

    exhibit: Exhibit

    @property
    def id(self) -> UUID:
        """The exhibit's."""
        return self.exhibit.id

    @property
    def case_id(self) -> UUID:
        """The exhibit's."""
        return self.exhibit.case_id

    @property
    def destroyed_at(self) -> datetime | None:
        """When its keys went."""
        return self.exhibit.destroyed_at

    @property
    def sha256(self) -> str:
        """Of the original."""
        return self.exhibit.sha256

    def check_over(self, session: Session, now: datetime) -> None:
        """Raises Conflict `disposal.held`, `disposal.term_stands`, `exhibit.not_sealed`, Gone `exhibit.destroyed`."""
        del session
        self.exhibit.check_content()
        number, until = self.exhibit.number, self.exhibit.retain_until
        if self.exhibit.held:
            raise Conflict("disposal.held", number=number)
        if until is None or until > now:
            raise Conflict("disposal.term_stands", number=number, until=_day(until))

    def check_free(self, session: Session) -> None:
        """Raises Conflict `disposal.in_an_act`."""
        if retention.open_act(session, self.id) is not None:
            raise Conflict("disposal.in_an_act", number=self.exhibit.number)

    def check_idle(self, session: Session) -> None:
        """No job reads it or makes something of it, no package that holds a part is being made. Raises Conflict
        `disposal.busy`.
        """
        renditions = [str(one.id) for one in plans.renditions_of_exhibits(session, [self.id])]
        values: dict[str, Any] = {"exhibit": str(self.id), "renditions": renditions}
        if session.execute(text(_WORK_ON), values).scalar_one():
            raise Conflict("disposal.busy", number=self.exhibit.number)

    def facts(self, session: Session) -> list[BlobFacts]:
        """Its stored objects, the original last."""
        found = [stored.blob_facts(session, blob_id) for blob_id in blobs.of_exhibit(session, self.id)]
        return sorted(found, key=lambda one: one.blob_id == self.exhibit.blob_id)

    def told(self, session: Session) -> dict[str, Any]:
        """As the act says it."""
        one = self.exhibit
        return {
            "exhibit": str(one.id),
            "number": one.number,
            "filename": one.filename,
            "sha256": one.sha256,
            "size_bytes": one.size_bytes,
            "basis": one.basis,
            "purpose": one.purpose,
            "category": one.category,
            "rule_version": one.rule_version,
            "registered_ms": to_ms(one.registered_at),
            "retain_until_ms": to_ms(one.retain_until) if one.retain_until else None,
            "objects": _objects([stored.blob_facts(session, blob_id) for blob_id in blobs.of_exhibit(session, one.id)]),
        }

    def draft(self, type: str, **data: Any) -> EventDraft:
        """An event on its chain."""
        item, case_id = f"exhibit:{self.id}", self.case_id
        return event.draft(type, item=item, case_id=case_id, personal=None, **{"exhibit": self.id, **data})

    def bury(self, work: UnitOfWork, disposal: Disposal, events: Sequence[UUID]) -> None:
        """The row becomes the tombstone; the words and claims go. The last event is that of the original."""
        registry.destroy_exhibit(work, self.id, disposal_id=disposal.id, number=disposal.number, event_id=events[-1])
        work.session.flush()
        transcripts.erase(work, self.id, events[-1])
        redaction.erase(work, self.id, events[-1])
        findings.erase(work, self.id, events[-1])


@dataclass(frozen=True)
class OfPackage:
    """The package of a round. The round itself, its manifest and digests, stays for ever."""

    round: Disclosure

    @property
    def id(self) -> UUID:
        """The round's."""
        return self.round.id

    @property
    def case_id(self) -> UUID:
        """The round's."""
        return self.round.case_id

    @property
    def destroyed_at(self) -> datetime | None:
        """When its key went."""
        return self.round.destroyed_at

    @property
    def sha256(self) -> str:
        """Of the package."""
        return self.round.package_sha256 or ""

    def check_over(self, session: Session, now: datetime) -> None:
        """A hold on the case, or on an exhibit that is inside, wins. Raises Conflict `disposal.package_held`,
        `disposal.package_term_stands`, `disclosure.not_ready`, Gone `disclosure.destroyed`.
        """
        self.round.check_package()
        (package,) = self.facts(session)
        if holds.standing(session, self.round.case_id, self.round.exhibits):
            raise Conflict("disposal.package_held", round=self.round.round)
        if package.retain_until > now:
            raise Conflict("disposal.package_term_stands", round=self.round.round, until=_day(package.retain_until))

    def check_free(self, session: Session) -> None:
        """Raises Conflict `disposal.package_in_an_act`."""
        if retention.open_package_act(session, self.id) is not None:
            raise Conflict("disposal.package_in_an_act", round=self.round.round)

    def check_idle(self, session: Session) -> None:
        """Nothing is made of a package."""

    def facts(self, session: Session) -> list[BlobFacts]:
        """Its one stored object."""
        return [stored.blob_facts(session, self.round.check_package(destroyed=True))]

    def told(self, session: Session) -> dict[str, Any]:
        """As the act says it."""
        facts = self.facts(session)
        return {
            "disclosure": str(self.id),
            "round": self.round.round,
            "recipient": str(self.round.recipient_id),
            "released_ms": to_ms(self.round.released_at) if self.round.released_at else None,
            "manifest_sha256": self.round.manifest_sha256,
            "sha256": self.round.package_sha256,
            "size_bytes": self.round.package_bytes,
            "retain_until_ms": to_ms(facts[0].retain_until),
            "objects": _objects(facts),
        }

    def draft(self, type: str, **data: Any) -> EventDraft:
        """An event on the round's chain."""
        item, about = f"disclosure:{self.id}", {} if type == "key.destroyed" else {"disclosure": self.id}
        return event.draft(type, item=item, case_id=self.round.case_id, personal=None, **{**about, **data})

    def bury(self, work: UnitOfWork, disposal: Disposal, events: Sequence[UUID]) -> None:
        """The round says under which act its package went."""
        disclosures.destroyed(work, self.id, disposal_id=disposal.id, number=disposal.number, event_id=events[-1])
        work.session.flush()


Thing = OfExhibit | OfPackage


def locked(work: UnitOfWork, exhibits: Sequence[UUID], packages: Sequence[UUID]) -> list[Thing]:
    """These, held until the unit of work ends: exhibits by number, then packages by the day of their release.

    Raises NotFound.
    """
    found = sorted((registry.lock_exhibit(work, one) for one in exhibits), key=lambda one: one.number)
    rounds = sorted((disclosures.locked(work, one) for one in packages), key=_by_release)
    return [*map(OfExhibit, found), *map(OfPackage, rounds)]


def seen(session: Session, exhibits: Sequence[UUID], packages: Sequence[UUID]) -> list[Thing]:
    """As `locked`, to look at. Raises NotFound."""
    found = sorted((reads.get_exhibit(session, one) for one in exhibits), key=lambda one: one.number)
    rounds = sorted((disclosures.get(session, one) for one in packages), key=_by_release)
    return [*map(OfExhibit, found), *map(OfPackage, rounds)]


def destroy(work: UnitOfWork, disposal: Disposal, thing: Thing) -> None:
    """Keys, words and claims of one thing, each key under its event; its row becomes the tombstone."""
    facts = thing.facts(work.session)
    events = work.record_all([thing.draft("key.destroyed", key=one.blob_id, purpose="data") for one in facts])
    thing.bury(work, disposal, events)
    for blob, event_id in zip(facts, events, strict=True):
        storage.destroy_key(work, blob.blob_id, event_id)
    storage.record_protection(work, [one.blob_id for one in facts], held=False)


def _by_release(one: Disclosure) -> tuple[str, str]:
    return (one.released_at.isoformat() if one.released_at else "", str(one.id))


def _objects(facts: Sequence[BlobFacts]) -> list[dict[str, str]]:
    return [
        {"blob": str(blob.blob_id), "sha256": blob.sha256, "ciphertext_sha256": blob.ciphertext_sha256}
        for blob in facts
    ]


def _day(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).date().isoformat() if moment else None
