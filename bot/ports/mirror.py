"""What mirroring asks of persistence. A part of the ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.domain.features import FeatureKey
from bot.domain.mirror import MirrorEvent, SisterWord
from bot.domain.stores import Seller, Store


class Mirror(Protocol):
    """Both directions: what the sister system is told with a change, and what it has said."""

    async def tell(self, event: MirrorEvent) -> None:
        """Puts it into the outbox, for after the commit, in the order of its store; nothing when there is no mirror."""
        ...

    async def hear(self, word: SisterWord) -> bool:
        """Keeps a word; False when a later one about the same is there already.

        Raises ConcurrentChange when the store is gone.
        """
        ...

    async def of_store(self, store: Store) -> Mapping[FeatureKey, SisterWord]:
        """The last words about its features."""
        ...

    async def of_seller(self, seller: Seller) -> Mapping[str, Mapping[FeatureKey, SisterWord]]:
        """`of_store` for every store of a seller that something was said of, by store id; one query."""
        ...

    async def stores(self, *, team_id: str, after: str, limit: int) -> Sequence[Store]:
        """Stores whose id comes after that one, by id; of every workspace when `team_id` is empty. For whoever runs the bot."""
        ...

    async def count(self, *, team_id: str) -> int:
        """How many stores `stores` would go through."""
        ...
