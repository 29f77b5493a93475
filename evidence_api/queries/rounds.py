"""Disclosure rounds as pages need them: what may be chosen, what was released, what was downloaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from custody import audit
from custody.audit import EntryView
from custody.kernel.errors import DalelError, Invalid, NotFound
from custody.kernel.outbox import Actor
from custody.proof import disclosure as manifests
from custody.proof.disclosure import DisclosedFile, Manifest
from evidence_api.disclosure.model import Candidate, check_candidate
from evidence_api.disclosure.service import Disclosure
from evidence_api.registry import reads
from evidence_api.registry.facts import Exhibit, Grant
from evidence_api.registry.model import Role
from evidence_api.services import Services
from evidence_api.use_cases import disclosing
from redaction import queries as plans
from redaction.queries import RenditionView


@dataclass(frozen=True)
class Choice:
    """An exhibit and its renditions, each with the code of what keeps it back, or None."""

    exhibit: Exhibit
    renditions: tuple[tuple[RenditionView, str | None], ...]


@dataclass(frozen=True)
class Choices:
    """What a round of a case can be made of."""

    recipients: tuple[Grant, ...]
    items: tuple[Choice, ...]
    next_round: int


def choices(services: Services, case_id: UUID) -> Choices:
    """Recipients, sealed exhibits with what was burned from them, and the number a first round would get."""
    with services.database.read() as session:
        grants = reads.grants_in(session, case_id, services.database.clock.now())
        exhibits = [one for one in reads.sealed_exhibits(session, case_id) if one.destroyed_at is None]
        burned = plans.renditions_of_exhibits(session, [exhibit.id for exhibit in exhibits])
        items = tuple(
            Choice(
                exhibit,
                tuple(
                    (one, _kept_back(disclosing.candidate(session, case_id, one.id)))
                    for one in burned
                    if one.exhibit_id == exhibit.id
                ),
            )
            for exhibit in exhibits
        )
    released = [one.round for one in disclosing.of_case(services, case_id) if one.round]
    recipients = tuple(grant for grant in grants if grant.role is Role.DEFENCE)
    return Choices(recipients, items, max(released, default=0) + 1)


def _kept_back(candidate: Candidate) -> str | None:
    try:
        check_candidate(candidate)
    except DalelError as refusal:
        return refusal.code
    return None


def draft_from_form(
    services: Services,
    actor: Actor,
    case_id: UUID,
    recipient: str,
    files: Sequence[str],
    fields: Mapping[str, str],
) -> Disclosure:
    """Draft a round from a form: `recipient` an account id, `files` rendition ids, `ground.<exhibit id>` grounds.

    Raises what `disclosing.draft` raises, Invalid `request.invalid` for what is no id.
    """
    grounds = [
        (_id(name.removeprefix("ground.")), ground)
        for name, ground in fields.items()
        if name.startswith("ground.") and ground
    ]
    with services.database.read() as session:
        try:
            login = reads.get_account(session, _id(recipient)).login
        except (NotFound, Invalid):
            raise Invalid("disclosure.not_a_recipient") from None
    return disclosing.draft(
        services, actor, case_id, recipient=login, renditions=[_id(file) for file in files], withheld=grounds
    )


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("request.invalid", field="id") from None


def files_of_draft(services: Services, disclosure: Disclosure) -> tuple[DisclosedFile, ...]:
    """The files a draft would hand over, as its manifest would list them."""
    with services.database.read() as session:
        return disclosing.files(session, disclosure)


def manifest_of(disclosure: Disclosure) -> Manifest:
    """The manifest of a released round. Raises NotFound `disclosure.not_found` before the release."""
    if disclosure.manifest is None:
        raise NotFound("disclosure.not_found")
    return manifests.parse(disclosure.manifest.encode())


def downloads(services: Services, disclosure_id: UUID) -> list[EntryView]:
    """The reads of a package, oldest first: that it was downloaded, and no more (U10)."""
    with services.database.read() as session:
        chain = audit.chain(session, f"disclosure:{disclosure_id}")
    return [entry for entry in chain if entry.type == "content.downloaded"]


def package_name(disclosure: Disclosure) -> str:
    """The package's file name: it tells the round, nothing of the case."""
    return f"dalel-disclosure-{disclosure.round}-{disclosure.id.hex[-8:]}.zip"
