"""what never changes: law 3 as the database keeps it."""

from alembic import op

from evidence_api.migrations import law3

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. There is no way back: evidence is not deleted by a migration."""
    law3.create_function(op)
    law3.keep(
        op,
        "exhibits",
        "OLD.state = 'sealed'",
        "case_id number filename folder state sha256 size_bytes blob_id basis purpose sealed_at",
    )
    law3.keep(
        op, "blobs", "true", "bucket key version_id format sha256 size_bytes segment_bytes ciphertext_sha256 created_at"
    )
    law3.keep(op, "revisions", "true", "transcript_id number parent content sha256 author_id created_at")
    law3.keep(op, "revisions", "OLD.state = 'confirmed'", "state confirmed_by confirmed_at", name="keep_confirmed")
    law3.keep(
        op,
        "redaction_plans",
        "OLD.state = 'approved'",
        "state body plan_sha256 source_sha256 text_sha256 submitted_by approved_by approved_at",
    )
    law3.keep(
        op,
        "redaction_renditions",
        "true",
        "plan_id exhibit_id kind blob_id sha256 size_bytes source_sha256 plan_sha256",
    )
    law3.keep(
        op,
        "redaction_renditions",
        "OLD.leak_result IS NOT NULL",
        "leak_result leak_sha256 leak_report",
        name="keep_checked",
    )
    law3.keep(
        op,
        "disclosures",
        "OLD.manifest IS NOT NULL",
        "case_id recipient_id round renditions withheld released_by released_at manifest manifest_sha256",
    )
    law3.keep(
        op,
        "disclosures",
        "OLD.package_sha256 IS NOT NULL",
        "package_blob_id package_sha256 package_bytes checkpoint_size",
        name="keep_package",
    )
    for table in (
        "accounts",
        "cases",
        "grants",
        "exhibits",
        "blobs",
        "transcripts",
        "revisions",
        "redaction_plans",
        "redaction_suggestions",
        "redaction_persons",
        "redaction_renditions",
        "disclosures",
    ):
        law3.never_deleted(op, table)
