"""Both directions of mirroring: events for the sister system go into the outbox, its words are kept by store and feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.features import FeatureKey
from bot.domain.mirror import MIRROR_TASK, SAYS, Happening, MirrorEvent, SisterState, SisterWord
from bot.domain.stores import Seller, Store
from bot.errors import ConcurrentChange
from bot.ports import Entropy
from storage import statements
from storage.outbox import SqlOutbox
from storage.stores import as_store
from storage.tables import stores
from storage.tables_mirror import sister_words

#: stands for the store itself where a feature's key would stand
_STORE = "store"


class SqlMirror:
    def __init__(self, connection: AsyncConnection, outbox: SqlOutbox, *, entropy: Entropy, mirrored: bool) -> None:
        self._connection = connection
        self._outbox = outbox
        self._entropy = entropy
        self._mirrored = mirrored

    async def tell(self, event: MirrorEvent) -> None:
        if not self._mirrored:
            return
        store = event.store
        if event.happening in (Happening.STORE_DISABLED, Happening.STORE_ENABLED):
            # so that a word that was said before, and comes after, does not turn it back
            await self.hear(SisterWord(store.id, None, SAYS[event.happening], event.at))
        # the id goes with every try: the sister system knows a repetition by it
        await self._outbox.ask(
            store.team_id,
            MIRROR_TASK,
            {"id": self._entropy.new_id(), "event": event.facts()},
            lane=f"mirror:{store.id}",
        )

    async def hear(self, word: SisterWord) -> bool:
        said = statements.insert(self._connection, sister_words).values(
            store_id=word.store_id,
            about=_STORE if word.feature is None else word.feature.value,
            state=word.state.value,
            said_at=word.at,
            consented_at=word.consented_at,
            expires_at=word.expires_at,
        )
        newer = said.on_conflict_do_update(
            index_elements=["store_id", "about"],
            set_={name: said.excluded[name] for name in ("state", "said_at", "consented_at", "expires_at")},
            # of the same moment too: clocks that count whole seconds say on and off within one, and messages come in order
            where=sister_words.c.said_at <= said.excluded.said_at,
        )
        try:
            async with self._connection.begin_nested():
                written = await self._connection.execute(newer)
        except IntegrityError:
            raise ConcurrentChange from None
        return written.rowcount == 1

    async def of_store(self, store: Store) -> Mapping[FeatureKey, SisterWord]:
        seller = stores.c.team_id == store.team_id, stores.c.seller_id == store.seller_id
        return (await self._words(stores.c.id == store.id, *seller)).get(store.id, {})

    async def of_seller(self, seller: Seller) -> Mapping[str, Mapping[FeatureKey, SisterWord]]:
        return await self._words(stores.c.team_id == seller.team_id, stores.c.seller_id == seller.id)

    async def stores(self, *, team_id: str, after: str, limit: int) -> Sequence[Store]:
        rows = await self._connection.execute(
            select(stores).where(stores.c.id > after, *_of(team_id)).order_by(stores.c.id).limit(limit)
        )
        return [as_store(row) for row in rows]

    async def count(self, *, team_id: str) -> int:
        found = await self._connection.scalar(select(func.count()).select_from(stores).where(*_of(team_id)))
        return int(found or 0)

    async def _words(self, *which: ColumnElement[bool]) -> dict[str, dict[FeatureKey, SisterWord]]:
        rows = await self._connection.execute(
            select(sister_words)
            .join(stores, stores.c.id == sister_words.c.store_id)
            .where(sister_words.c.about != _STORE, *which)
        )
        found: dict[str, dict[FeatureKey, SisterWord]] = {}
        for row in rows:
            found.setdefault(row.store_id, {})[FeatureKey(row.about)] = _word(row)
        return found


def _of(team_id: str) -> tuple[ColumnElement[bool], ...]:
    return (stores.c.team_id == team_id,) if team_id else ()


def _word(row: Row[Any]) -> SisterWord:
    return SisterWord(
        store_id=row.store_id,
        feature=FeatureKey(row.about),
        state=SisterState(row.state),
        at=row.said_at,
        consented_at=row.consented_at,
        expires_at=row.expires_at,
    )
