"""Which distributor an Amazon account belongs to. One, across all workspaces: the table's key says so."""

from __future__ import annotations

from sqlalchemy import Select, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import statements
from storage.tables import authorizations, consent_attempts, selling_partners, stores


async def hold(connection: AsyncConnection, team_id: str, seller_id: str, selling_partner_id: str) -> bool:
    """Takes hold of the account for a seller, and locks it until the transaction ends; False when another seller has it."""
    while True:
        await connection.execute(
            statements.insert(connection, selling_partners)
            .values(selling_partner_id=selling_partner_id, team_id=team_id, seller_id=seller_id)
            # Either of its unique indexes may be the one that notices.
            .on_conflict_do_nothing()
        )
        found = await lock(connection, selling_partner_id)
        # Nobody: it was let go between the two statements.
        if found is not None:
            return found == seller_id


async def holder(connection: AsyncConnection, selling_partner_id: str) -> str | None:
    """The id of the seller who has the account."""
    found: str | None = await connection.scalar(_holder(selling_partner_id))
    return found


async def lock(connection: AsyncConnection, selling_partner_id: str) -> str | None:
    """Waits for everybody who is changing which stores are this account's, and makes the next ones wait. Whose it is."""
    found: str | None = await connection.scalar(_holder(selling_partner_id).with_for_update())
    return found


async def let_go(connection: AsyncConnection, selling_partner_id: str) -> None:
    """Frees the account, and its authorizations with it, when no store of it is left."""
    await connection.execute(
        delete(selling_partners).where(
            selling_partners.c.selling_partner_id == selling_partner_id,
            ~exists().where(stores.c.selling_partner_id == selling_partner_id),
        )
    )


async def let_go_unused(connection: AsyncConnection, seller_id: str) -> None:
    """Frees what a seller holds without a store: an account whose consent was kept for a store that is gone.

    One that a remaining store's link still waits to complete stays held.
    """
    waited_for = (
        select(consent_attempts.c.id)
        .join(authorizations, authorizations.c.id == consent_attempts.c.authorization_id)
        .where(authorizations.c.selling_partner_id == selling_partners.c.selling_partner_id)
        .correlate(selling_partners)
    )
    await connection.execute(
        delete(selling_partners).where(
            selling_partners.c.seller_id == seller_id,
            ~exists().where(stores.c.selling_partner_id == selling_partners.c.selling_partner_id),
            ~waited_for.exists(),
        )
    )


def _holder(selling_partner_id: str) -> Select[str]:
    return select(selling_partners.c.seller_id).where(selling_partners.c.selling_partner_id == selling_partner_id)
