"""Versions of the law with their activations and effects, and imports of exchange rates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=200), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "law_versions",
        _text("site_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("label"),
        _text("sha256"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("layers", sa.JSON(), nullable=False),
        sa.Column("unverified", sa.Integer(), nullable=False),
        _text("note"),
        _text("proposed_by"),
        _moment("proposed_at"),
        sa.PrimaryKeyConstraint("site_id", "version"),
        sa.UniqueConstraint("site_id", "sha256", name="law_once"),
        sa.UniqueConstraint("site_id", "label", name="law_label"),
    )
    op.create_table(
        "law_activations",
        _text("site_id"),
        sa.Column("activation", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("kind"),
        _text("state"),
        _text("effective_on", nullable=True),
        _moment("effective_at", nullable=True),
        _text("asked_by"),
        _moment("asked_at"),
        _text("decided_by", nullable=True),
        _moment("decided_at", nullable=True),
        _text("withdrawn_by", nullable=True),
        _moment("withdrawn_at", nullable=True),
        sa.CheckConstraint(
            "state <> 'approved' OR kind = 'shipped' OR (decided_by IS NOT NULL AND decided_by <> asked_by)",
            name="law_needs_two",
        ),
        sa.CheckConstraint("state <> 'approved' OR effective_at IS NOT NULL", name="law_has_a_moment"),
        sa.ForeignKeyConstraint(["site_id", "version"], ["law_versions.site_id", "law_versions.version"]),
        sa.PrimaryKeyConstraint("site_id", "activation"),
    )
    op.create_table(
        "law_effects",
        _text("site_id"),
        sa.Column("effect", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("compared_with", sa.Integer(), nullable=False),
        _text("state"),
        sa.Column("result", sa.JSON(), nullable=False),
        _text("asked_by"),
        _moment("asked_at"),
        _moment("ended_at"),
        sa.PrimaryKeyConstraint("site_id", "effect"),
    )
    op.create_table(
        "rate_versions",
        _text("site_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("date"),
        _text("source"),
        _text("sha256"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _text("origin"),
        _text("imported_by"),
        _moment("imported_at"),
        sa.PrimaryKeyConstraint("site_id", "version"),
    )
    op.create_index("rate_versions_date", "rate_versions", ["site_id", "date"])


def downgrade() -> None:
    for table in ("rate_versions", "law_effects", "law_activations", "law_versions"):
        op.drop_table(table)
