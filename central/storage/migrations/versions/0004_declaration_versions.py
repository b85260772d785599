"""Versions of declarations: a correction after certification is kept beside what it corrects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "declaration_versions",
        sa.Column("site_id", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("person_id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("certified_at", sa.BigInteger(), nullable=True),
        sa.Column("witnessed_by", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "version = 1 OR (certified_at IS NULL) = (witnessed_by IS NULL)", name="declarations_are_witnessed"
        ),
        sa.PrimaryKeyConstraint("site_id", "record_id", "person_id", "version"),
    )


def downgrade() -> None:
    op.drop_table("declaration_versions")
