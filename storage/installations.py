"""The bot's installations, one for each workspace, and the states of installing. Tokens are sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from bot.ports import Clock, Installation
from storage import statements
from storage.engine import Transactions
from storage.tables import (
    SEALED_BOT_TOKEN,
    answered_threads,
    installations,
    miss_counts,
    misses,
    oauth_states,
    open_channels,
    outbox,
    pauses,
)
from storage.vault import Vault


class SqlInstallations:
    def __init__(self, transactions: Transactions, *, vault: Vault, clock: Clock) -> None:
        self._transactions = transactions
        self._vault = vault
        self._clock = clock

    async def get(self, team_id: str) -> Installation | None:
        """Raises CannotDecrypt."""
        async with self._transactions.read() as connection:
            row = (
                await connection.execute(select(installations).where(installations.c.team_id == team_id))
            ).one_or_none()
        if row is None:
            return None
        return Installation(
            team_id=row.team_id,
            bot_token=self._vault.open(row.bot_token, SEALED_BOT_TOKEN, row.team_id),
            bot_user_id=row.bot_user_id,
            bot_id=row.bot_id,
            installed_at=row.installed_at,
            team_name=row.team_name,
            scopes=row.scopes,
        )

    async def first(self) -> str | None:
        """The workspace that was there first: the operator's own."""
        async with self._transactions.read() as connection:
            found: str | None = await connection.scalar(
                select(installations.c.team_id).order_by(installations.c.installed_at, installations.c.team_id).limit(1)
            )
        return found

    async def put(self, installation: Installation) -> None:
        values = {
            "bot_token": self._vault.seal(installation.bot_token, SEALED_BOT_TOKEN, installation.team_id),
            "bot_user_id": installation.bot_user_id,
            "bot_id": installation.bot_id,
            "installed_at": installation.installed_at,
            "team_name": installation.team_name,
            "scopes": installation.scopes,
        }
        async with self._transactions.single() as connection:
            await connection.execute(
                statements.insert(connection, installations)
                .values(team_id=installation.team_id, **values)
                .on_conflict_do_update(index_elements=["team_id"], set_=values)
            )

    async def remove(self, team_id: str, *, said_at: datetime | None = None) -> bool:
        async with self._transactions.write() as connection:
            if said_at is not None:
                installed_at: datetime | None = await connection.scalar(
                    select(installations.c.installed_at).where(installations.c.team_id == team_id).with_for_update()
                )
                if installed_at is not None and said_at < installed_at.replace(microsecond=0):
                    return False
            for table in (installations, outbox, pauses, misses, miss_counts, answered_threads, open_channels):
                await connection.execute(delete(table).where(table.c.team_id == team_id))
        return True

    async def mint_state(self, state_hash: str, *, expires_at: datetime) -> None:
        """Also clears away states that ran out: most installations are begun and never finished."""
        async with self._transactions.write() as connection:
            await connection.execute(delete(oauth_states).where(oauth_states.c.expires_at <= self._clock()))
            await connection.execute(
                statements.insert(connection, oauth_states).values(state_hash=state_hash, expires_at=expires_at)
            )

    async def consume_state(self, state_hash: str, *, now: datetime) -> bool:
        async with self._transactions.single() as connection:
            expires_at: datetime | None = await connection.scalar(
                delete(oauth_states).where(oauth_states.c.state_hash == state_hash).returning(oauth_states.c.expires_at)
            )
        return expires_at is not None and now < expires_at
