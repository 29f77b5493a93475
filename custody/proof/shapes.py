"""The closed set of custody events and the fields each must have: one list for who writes events and who verifies them.

Who may cause an event is not a verifier's matter: that stands in `custody.event`. An event's data holds ids, digests,
codes and numbers; what is personal is named under `personal` and reaches the event only as a salted digest (law 10).
A verifier older than a log meets types it does not know and refuses: take the newer verifier.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """The fields of an event type's data, and the names its salted digests may have."""

    required: frozenset[str]
    optional: frozenset[str]
    personal: frozenset[str]


def shape(required: str, *, optional: str = "", personal: str = "") -> Shape:
    """A shape from words; any event may say from which address it was caused."""
    return Shape(frozenset(required.split()), frozenset(optional.split()), frozenset({"address", *personal.split()}))


SHAPES: Mapping[str, Shape] = {
    # cases and people
    "case.opened": shape("erdr_digest", personal="erdr"),
    "case.held": shape("ground hold"),
    "case.hold_lifted": shape("ground hold"),
    "account.created": shape("account role", optional="until_ms", personal="login name"),
    "account.changed": shape("account change"),
    "access.granted": shape("account role", optional="until_ms"),
    "access.revoked": shape("account role"),
    "access.denied": shape("action predicate", optional="route"),
    "act.refused": shape("action code"),
    "session.opened": shape("account"),
    "session.closed": shape("account reason"),
    "session.failed": shape("reason", personal="login"),
    # intake
    "exhibit.registered": shape(
        "basis exhibit number purpose retain_days sha256 size_bytes",
        optional="category folder_sha256 rule_version source",
        personal="filename",
    ),
    "exhibit.described": shape("exhibit metadata_sha256"),
    "exhibit.discarded": shape("exhibit reason"),
    "upload.expired": shape("received_bytes upload", optional="exhibit"),
    "upload.finished": shape("exhibit size_bytes upload"),
    "upload.refused": shape("exhibit reason upload"),
    "exhibit.sealed": shape(
        "blob ciphertext_bytes ciphertext_sha256 exhibit media_type retain_until_ms sha256 size_bytes",
        optional="object version",
    ),
    "exhibit.seal_failed": shape("exhibit reason", optional="expected found"),
    "intake.checked": shape("differing extra format listed manifest_sha256 matched missing", optional="intake"),
    "receipt.issued": shape("files receipt sha256 size_bytes"),
    # what it is, light copies
    "exhibit.identified": shape("exhibit facts_sha256 media_type tool tool_version", optional="c2pa flags"),
    "exhibit.not_identified": shape("exhibit reason"),
    "exhibit.scanned": shape("definitions engine exhibit result", optional="signature"),
    "rendition.made": shape(
        "exhibit kind parameters_sha256 rendition sha256 size_bytes source_sha256 tool tool_version", optional="blob"
    ),
    "rendition.not_made": shape("exhibit kind reason"),
    # care: still the same, where it lies, how long
    "fixity.checked": shape("blob ciphertext_sha256 result", optional="deep exhibit expected found place subject what"),
    "fixity.swept": shape("checked deep differences size_bytes"),
    "exhibit.moved": shape("blob ciphertext_sha256 destination version", optional="exhibit"),
    "exhibit.retained": shape("exhibit retain_until_ms rule rule_version"),
    "exhibit.held": shape("exhibit ground hold"),
    "exhibit.hold_lifted": shape("exhibit ground hold"),
    "disposal.proposed": shape("act_sha256 disposal ground", optional="disclosure exhibit"),
    "disposal.signed": shape("act_sha256 disposal", optional="disclosure exhibit"),
    "disposal.approved": shape("act_sha256 disposal signed_by", optional="disclosure exhibit"),
    "disposal.rejected": shape("disposal reason", optional="disclosure exhibit"),
    "disposal.done": shape(
        "act_sha256 disposal keys_destroyed objects_removed sha256", optional="disclosure exhibit objects_locked"
    ),
    # reading
    "content.viewed": shape("sha256 subject", optional="range"),
    "content.downloaded": shape("sha256 subject", optional="range"),
    "content.copied": shape("medium purpose sha256 subject", personal="recipient"),
    "content.printed": shape("sha256 subject", optional="pages"),
    "page.viewed": shape("page"),
    "trail.exported": shape("format"),
    "personal.erased": shape("event field order"),
    # transcription
    "transcript.requested": shape("exhibit transcript"),
    "transcript.drafted": shape(
        "audio_sha256 duration_ms engine exhibit machine_ms model model_sha256 parameters_sha256 revision sha256"
        " transcript"
    ),
    "transcript.failed": shape("exhibit reason transcript"),
    "transcript.corrected": shape("exhibit parent revision sha256 transcript"),
    "transcript.confirmed": shape("exhibit revision sha256 transcript"),
    # redaction
    "plan.requested": shape("exhibit plan"),
    "plan.suggested": shape("exhibit plan rules rules_sha256 source_sha256 suggestions"),
    "plan.decided": shape("accepted added decisions_sha256 exhibit plan rejected"),
    "plan.submitted": shape("exhibit plan plan_sha256"),
    "plan.returned": shape("exhibit plan reason"),
    "plan.approved": shape("exhibit plan plan_sha256 submitted_by"),
    "rendition.burned": shape(
        "exhibit kind parameters_sha256 plan plan_sha256 rendition sha256 size_bytes source_sha256 tool tool_version",
        optional="blob",
    ),
    "rendition.leak_checked": shape("checks exhibit rendition report_sha256 result sha256"),
    "rendition.failed": shape("exhibit plan reason"),
    # disclosure
    "disclosure.drafted": shape("disclosure recipient"),
    "disclosure.released": shape("disclosed disclosure manifest_sha256 recipient round withheld"),
    "exhibit.disclosed": shape("disclosure exhibit files manifest_sha256 round"),
    "disclosure.packaged": shape("checkpoint_size disclosure package_sha256 size_bytes", optional="blob"),
    "disclosure.opened": shape("disclosure"),
    "disclosure.received": shape("disclosure package_sha256"),
    "disclosure.failed": shape("disclosure reason"),
    # the system itself
    "system.started": shape("version"),
    "store.self_tested": shape("result", optional="detail"),
    "config.changed": shape("setting sha256"),
    "key.created": shape("key purpose"),
    "key.rotated": shape("key previous purpose", optional="count"),
    "key.recovered": shape("count key"),
    "key.destroyed": shape("key purpose", optional="exhibit"),
    "key.compromised": shape("key purpose", optional="since_ms"),
    "ledger.checked": shape("deep report_sha256 result root size", optional="code requested_by"),
    "ledger.rebuilt": shape("from_size restored root size without_row"),
    "log.closed": shape("next next_key reason"),
    "log.opened": shape("checkpoint closed"),
}
