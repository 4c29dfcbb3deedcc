"""Putting every sealed value under the newest key, in batches, while the service runs."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import CannotDecrypt
from storage.columns import SealedColumn
from storage.tables import SEALED
from storage.vault import Vault

_BATCH = 200


async def rotate_keys(engine: AsyncEngine, vault: Vault) -> int:
    """How many values were sealed anew. Raises CannotDecrypt after all the others, when one could not be read."""
    turned = 0
    unreadable: CannotDecrypt | None = None
    for place in SEALED:
        after: str | None = ""
        while after is not None:
            after, count, problem = await _batch(engine, vault, place, after)
            turned += count
            unreadable = unreadable or problem
    if unreadable is not None:
        raise unreadable
    return turned


async def _batch(
    engine: AsyncEngine, vault: Vault, place: SealedColumn, after: str
) -> tuple[str | None, int, CannotDecrypt | None]:
    """Where to go on (None at the end), how many were turned, and the first that could not be read."""
    turned = 0
    unreadable: CannotDecrypt | None = None
    async with engine.begin() as connection:
        rows = (
            await connection.execute(
                select(place.row_id, place.column)
                .where(place.row_id > after, place.column.is_not(None))
                .order_by(place.row_id)
                .limit(_BATCH)
            )
        ).all()
        for row_id, sealed in rows:
            if vault.is_current(sealed):
                continue
            try:
                secret = vault.open(sealed, place, row_id)
            except CannotDecrypt as error:
                unreadable = unreadable or error
                continue
            anew = await connection.execute(
                # Only what was read: a value written in between is under the newest key already.
                update(place.column.table)
                .where(place.row_id == row_id, place.column == sealed)
                .values({place.column.name: vault.seal(secret, place, row_id)})
            )
            turned += anew.rowcount
    return (rows[-1][0] if len(rows) == _BATCH else None), turned, unreadable
