"""Where stores stand: `/authstatus`, App Home, and the facts an answer is built on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.consent import ConsentAttempt
from bot.domain.features import FEATURES, FeatureKey
from bot.domain.grants import Grant
from bot.domain.mirror import SisterWord
from bot.domain.status import StoreStatus, status_of
from bot.domain.stores import Store
from bot.ports import Clock, Database, Person
from bot.services.stores import own_store


@dataclass(frozen=True, slots=True)
class StoreReport:
    """One store as of `at`."""

    store: Store
    grants: Mapping[FeatureKey, Grant]
    status: StoreStatus
    at: datetime
    #: what the sister system last said of its features
    sister: Mapping[FeatureKey, SisterWord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoreHistory:
    """A report with the newest link of each feature: what the *still authorizing* answer looks at."""

    report: StoreReport
    attempts: Mapping[FeatureKey, ConsentAttempt]


class Reporting:
    """Reads only. What it says is what was last learned; *Check result* is what asks Amazon."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def stores(self, person: Person) -> Sequence[StoreReport]:
        """Every store of the person's account, in the order they were added."""
        now = self._clock()
        async with self._database.read() as work:
            seller = await work.sellers.of_member(person.team_id, person.user_id)
            if seller is None:
                return []
            stores = await work.stores.of_seller(seller)
            grants = await work.grants.of_seller(seller)
            words = await work.mirror.of_seller(seller)
        return [_report(store, grants[store.id], words.get(store.id, {}), now) for store in stores]

    async def histories(self, person: Person) -> Sequence[StoreHistory]:
        """Every store of the person's account with its newest links."""
        now = self._clock()
        async with self._database.read() as work:
            seller = await work.sellers.of_member(person.team_id, person.user_id)
            if seller is None:
                return []
            stores = await work.stores.of_seller(seller)
            grants = await work.grants.of_seller(seller)
            words = await work.mirror.of_seller(seller)
            attempts = await work.attempts.latest_of_seller(seller)
        return [
            StoreHistory(_report(store, grants[store.id], words.get(store.id, {}), now), attempts.get(store.id, {}))
            for store in stores
        ]

    async def store(self, person: Person, store_id: str) -> StoreReport:
        """One store. Raises UnknownStore."""
        return (await self.history(person, store_id)).report

    async def history(self, person: Person, store_id: str) -> StoreHistory:
        """One store and its newest links. Raises UnknownStore."""
        async with self._database.read() as work:
            _, store = await own_store(work, person, store_id)
            grants = await work.grants.of_store(store)
            words = await work.mirror.of_store(store)
            found = {feature: await work.attempts.latest(store, feature) for feature in FEATURES}
        attempts = {feature: attempt for feature, attempt in found.items() if attempt is not None}
        return StoreHistory(_report(store, grants, words, self._clock()), attempts)


def _report(
    store: Store, grants: Mapping[FeatureKey, Grant], words: Mapping[FeatureKey, SisterWord], now: datetime
) -> StoreReport:
    return StoreReport(store, grants, status_of(store, grants, now=now), now, words)
