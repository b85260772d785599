"""The first schema: personal data is ciphertext from the start (rule 11)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("station_id", sa.String(length=200), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=False),
        sa.Column("body_sha256", sa.String(length=200), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "station_id", "idempotency_key"),
    )
    op.create_table(
        "artifacts",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=200), nullable=False),
        sa.Column("suite", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "kind", "sha256"),
    )
    op.create_table(
        "audit_events",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("chain", sa.String(length=200), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("tag", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("payload_sha256", sa.String(length=200), nullable=True),
        sa.Column("previous_hash", sa.String(length=200), nullable=False),
        sa.Column("hash", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "event_id"),
        sa.UniqueConstraint("site_id", "chain", "sequence", name="audit_sequence"),
    )
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.create_index("audit_record", ["site_id", "record_id"], unique=False)

    op.create_table(
        "audit_heads",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("chain", sa.String(length=200), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=200), nullable=False),
        sa.Column("suite", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.String(length=200), nullable=False),
        sa.Column("signature", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "chain"),
    )
    op.create_table(
        "counters",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "name"),
    )
    op.create_table(
        "data_keys",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("retention", sa.String(length=200), nullable=False),
        sa.Column("suite", sa.String(length=200), nullable=False),
        sa.Column("master_key_id", sa.String(length=200), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "record_id", "retention"),
    )
    with op.batch_alter_table("data_keys", schema=None) as batch_op:
        batch_op.create_index("data_keys_expiry", ["site_id", "expires_at"], unique=False)

    op.create_table(
        "decisions",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("desk", sa.String(length=200), nullable=True),
        sa.Column("receipt_number", sa.String(length=200), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("sampling_commitment", sa.String(length=200), nullable=False),
        sa.Column("sampling_population", sa.Integer(), nullable=False),
        sa.Column("sampling_drawn", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "record_id", "version"),
    )
    op.create_table(
        "dispositions",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("agency", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=200), nullable=False),
        sa.Column("finding", sa.Boolean(), nullable=False),
        sa.Column("reason_code", sa.String(length=200), nullable=False),
        sa.Column("hand_over_to", sa.String(length=200), nullable=True),
        sa.Column("officer_id", sa.String(length=200), nullable=False),
        sa.Column("second_officer_id", sa.String(length=200), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("suite", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.String(length=200), nullable=False),
        sa.Column("signature", sa.String(length=200), nullable=False),
        sa.Column("second_key_id", sa.String(length=200), nullable=True),
        sa.Column("second_signature", sa.String(length=200), nullable=True),
        sa.CheckConstraint("length(signature) = 86 AND length(officer_id) > 0", name="dispositions_are_signed"),
        sa.PrimaryKeyConstraint("site_id", "record_id", "agency"),
    )
    op.create_table(
        "document_index",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("blind", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "blind", "record_id"),
    )
    op.create_table(
        "erasures",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("retention", sa.String(length=200), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.Column("ciphertext_sha256", sa.String(length=200), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "record_id", "retention"),
    )
    op.create_table(
        "evidence",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("suite", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.String(length=200), nullable=False),
        sa.Column("ciphertext_sha256", sa.String(length=200), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "record_id"),
    )
    op.create_table(
        "nonces",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.String(length=200), nullable=False),
        sa.Column("nonce", sa.String(length=200), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "key_id", "nonce"),
    )
    with op.batch_alter_table("nonces", schema=None) as batch_op:
        batch_op.create_index("nonces_seen", ["site_id", "seen_at"], unique=False)

    op.create_table(
        "reasons",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(length=200), nullable=True),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("reason_class", sa.String(length=200), nullable=False),
        sa.Column("severity", sa.String(length=200), nullable=False),
        sa.Column("rule_id", sa.String(length=200), nullable=True),
        sa.Column("rule_version", sa.String(length=200), nullable=True),
        sa.Column("detail", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "record_id", "position"),
    )
    op.create_table(
        "receipts",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("receipt_id", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("desk", sa.String(length=200), nullable=True),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("used_by", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "receipt_id"),
        sa.UniqueConstraint("site_id", "record_id", name="receipts_record"),
    )
    with op.batch_alter_table("receipts", schema=None) as batch_op:
        batch_op.create_index("receipts_number", ["site_id", "number"], unique=False)

    op.create_table(
        "referrals",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("agency", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("severity", sa.String(length=200), nullable=False),
        sa.Column("desk", sa.String(length=200), nullable=False),
        sa.Column("receipt_number", sa.String(length=200), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_by", sa.String(length=200), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("may_leave", sa.Boolean(), nullable=True),
        sa.Column("no_show_at", sa.BigInteger(), nullable=True),
        sa.Column("exit_alarm_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "record_id", "agency"),
    )
    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.create_index("referrals_state", ["site_id", "state"], unique=False)

    op.create_table(
        "sealed_parts",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("retention", sa.String(length=200), nullable=False),
        sa.Column("suite", sa.String(length=200), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "record_id", "name"),
    )
    op.create_table(
        "sessions",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("token_sha256", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "token_sha256"),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("attempt_id", sa.String(length=200), nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "subject", "attempt_id"),
    )
    op.create_table(
        "stations",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("station_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("bank", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.String(length=200), nullable=False),
        sa.Column("public_key", sa.String(length=200), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("suspended_reason", sa.String(length=200), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=True),
        sa.Column("heartbeat", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "station_id"),
        sa.UniqueConstraint("site_id", "key_id", name="stations_key"),
    )
    op.create_table(
        "transactions",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("kiosk_id", sa.String(length=200), nullable=False),
        sa.Column("contracts_version", sa.String(length=200), nullable=False),
        sa.Column("body_sha256", sa.String(length=200), nullable=False),
        sa.Column("direction", sa.String(length=200), nullable=False),
        sa.Column("finished", sa.String(length=200), nullable=False),
        sa.Column("declared_channel", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("minors", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=200), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("completed_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("machine_seconds", sa.Float(), nullable=True),
        sa.Column("step_seconds", sa.JSON(), nullable=False),
        sa.Column("evidence_sha256", sa.String(length=200), nullable=True),
        sa.Column("evidence_size", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "record_id"),
    )
    with op.batch_alter_table("transactions", schema=None) as batch_op:
        batch_op.create_index("transactions_received", ["site_id", "received_at"], unique=False)

    op.create_table(
        "users",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("signing_suite", sa.String(length=200), nullable=False),
        sa.Column("signing_key_id", sa.String(length=200), nullable=False),
        sa.Column("signing_public_key", sa.String(length=200), nullable=False),
        sa.Column("signing_key_wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "user_id"),
    )
    op.create_table(
        "grants",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=200), nullable=False),
        sa.Column("agency", sa.String(length=200), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("granted_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "user_id"],
            ["users.site_id", "users.user_id"],
        ),
        sa.PrimaryKeyConstraint("site_id", "user_id", "role", "agency"),
    )


def downgrade() -> None:
    op.drop_table("grants")
    op.drop_table("users")
    with op.batch_alter_table("transactions", schema=None) as batch_op:
        batch_op.drop_index("transactions_received")

    op.drop_table("transactions")
    op.drop_table("stations")
    op.drop_table("sign_in_failures")
    op.drop_table("sessions")
    op.drop_table("sealed_parts")
    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.drop_index("referrals_state")

    op.drop_table("referrals")
    with op.batch_alter_table("receipts", schema=None) as batch_op:
        batch_op.drop_index("receipts_number")

    op.drop_table("receipts")
    op.drop_table("reasons")
    with op.batch_alter_table("nonces", schema=None) as batch_op:
        batch_op.drop_index("nonces_seen")

    op.drop_table("nonces")
    op.drop_table("evidence")
    op.drop_table("erasures")
    op.drop_table("document_index")
    op.drop_table("dispositions")
    op.drop_table("decisions")
    with op.batch_alter_table("data_keys", schema=None) as batch_op:
        batch_op.drop_index("data_keys_expiry")

    op.drop_table("data_keys")
    op.drop_table("counters")
    op.drop_table("audit_heads")
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.drop_index("audit_record")

    op.drop_table("audit_events")
    op.drop_table("artifacts")
    op.drop_table("answers")
