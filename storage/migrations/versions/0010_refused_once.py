"""Which stores of an authorization were refused access at a first look: the second look is theirs, not their siblings'."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("authorizations", sa.Column("refused_once", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("authorizations", "refused_once")
