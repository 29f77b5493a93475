"""Erasing a personal value by law: its opening goes, event and hashes stay, and the erasure is itself an event.

Not reached: backups made before, copies that people made, and what was handed out. Whoever orders it must know that.
"""

from uuid import UUID

from custody import audit, event, personal
from custody.kernel.errors import Conflict, Invalid, NotFound
from custody.kernel.outbox import Actor
from evidence_api.services import Services

_MAX_ORDER_CHARS = 200


def erase(services: Services, actor: Actor, event_id: UUID, field: str, *, order: str) -> UUID:
    """Erase one personal value of one event; the id of the event that says so, on the same chain.

    `order` names the act that orders it (a court's number and date), never a person. Raises Invalid
    `personal.no_order`, NotFound `ledger.not_sequenced` or `personal.no_such_field`, Conflict
    `personal.already_erased`.
    """
    order = order.strip()
    if not order or len(order) > _MAX_ORDER_CHARS or not order.isprintable():
        raise Invalid("personal.no_order", most=_MAX_ORDER_CHARS)
    with services.database.begin(actor) as work:
        entry = audit.entry(work.session, event_id)
        if field not in entry.personal:
            raise NotFound("personal.no_such_field")
        if not personal.erase(work, event_id, field):
            raise Conflict("personal.already_erased")
        said = event.draft(
            personal.ERASED, item=entry.item, case_id=entry.case_id, event=event_id, field=field, order=order
        )
        recorded = work.record(said)
        work.commit()
        return recorded
