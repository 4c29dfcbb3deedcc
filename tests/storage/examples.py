"""Small, vivid things to keep: Mei's store, Lin's store, a link, a token."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from bot.domain.consent import LINK_LIFETIME, STATE_LIFETIME, ConsentAttempt, ConsentState, fingerprint, receipt_of
from bot.domain.features import FeatureKey
from bot.domain.grants import GRANT_LIFETIME, Authorization, AuthorizationKey
from bot.domain.stores import Seller, Store
from storage.database import SqlDatabase
from tests.storage.fakes import CountingEntropy, FakeClock

TEAM = "T0SALEYEE"
OTHER_TEAM = "T0ELSEWHERE"
MEI, LIN, ALEX = "U0MEI", "U0LIN", "U0ALEX"
ACME = "A2ACMEPARTNER"


class World:
    """Makes examples, and keeps them where a test asks for it."""

    def __init__(self, database: SqlDatabase, clock: FakeClock, entropy: CountingEntropy) -> None:
        self.database = database
        self.clock = clock
        self.entropy = entropy

    async def seller(self, user_id: str = MEI, *, team_id: str = TEAM) -> Seller:
        async with self.database.begin() as work:
            return await work.sellers.add(self.new_seller(team_id), user_id=user_id)

    async def store(self, seller: Seller, label: str = "Acme US", marketplace: str = "US", **more: Any) -> Store:
        store = self.new_store(seller, label, marketplace, **more)
        async with self.database.begin() as work:
            await work.stores.add(store)
        return store

    async def bound_store(self, seller: Seller, label: str = "Acme US", *, account: str = ACME) -> Store:
        store = await self.store(seller, label)
        async with self.database.begin() as work:
            assert await work.stores.bind(store, account) is None
            found = await work.stores.get(seller, store.id)
        assert found is not None
        return found

    async def authorization(self, seller: Seller, *, token: str = "Atzr|token", **more: Any) -> Authorization:  # noqa: S107
        async with self.database.begin() as work:
            return await work.authorizations.put(self.new_authorization(seller, **more), refresh_token=token)

    async def attempt(self, store: Store, user_id: str = MEI, **more: Any) -> ConsentAttempt:
        attempt = self.new_attempt(store, user_id, **more)
        async with self.database.begin() as work:
            await work.attempts.add(attempt)
        return attempt

    async def state(self, attempt: ConsentAttempt) -> tuple[str, ConsentState]:
        secret = self.entropy.secret()
        state = ConsentState(
            state_hash=fingerprint(secret),
            attempt_id=attempt.id,
            feature=attempt.feature,
            receipt_hash=fingerprint(receipt_of(secret)),
            minted_at=self.clock(),
            expires_at=self.clock() + STATE_LIFETIME,
            pressed_by="primary_user",
        )
        async with self.database.begin() as work:
            await work.attempts.mint(state)
        return secret, state

    def new_seller(self, team_id: str = TEAM) -> Seller:
        return Seller(self.entropy.new_id(), team_id, self.clock())

    def new_store(self, seller: Seller, label: str = "Acme US", marketplace: str = "US", **more: Any) -> Store:
        facts: dict[str, Any] = {
            "id": self.entropy.new_id(),
            "team_id": seller.team_id,
            "seller_id": seller.id,
            "label": label,
            "marketplace_code": marketplace,
            "initial_order_date": date(2026, 1, 31),
            "created_at": self.clock(),
            "created_by": MEI,
        }
        return Store(**(facts | more))

    def new_attempt(self, store: Store, user_id: str = MEI, **more: Any) -> ConsentAttempt:
        facts: dict[str, Any] = {
            "id": self.entropy.new_id(),
            "team_id": store.team_id,
            "user_id": user_id,
            "seller_id": store.seller_id,
            "store_id": store.id,
            "feature": FeatureKey.ORDERS,
            "secret_hash": fingerprint(self.entropy.secret()),
            "created_at": self.clock(),
            "expires_at": self.clock() + LINK_LIFETIME,
        }
        return ConsentAttempt(**(facts | more))

    def new_authorization(
        self, seller: Seller, *, account: str = ACME, region: str = "NA", **more: Any
    ) -> Authorization:
        facts: dict[str, Any] = {
            "id": self.entropy.new_id(),
            "team_id": seller.team_id,
            "seller_id": seller.id,
            "feature": FeatureKey.ORDERS,
            "key": AuthorizationKey("amzn1.sp.solution.orders", account, region),
            "consented_at": self.clock(),
            "ends_at": self.clock() + GRANT_LIFETIME,
        }
        return Authorization(**(facts | more))

    def minutes_later(self, minutes: float) -> None:
        self.clock.advance(timedelta(minutes=minutes))
