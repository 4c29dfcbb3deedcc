"""Visits to a link that do not press its button: following it, forwarding it, and coming in from Amazon's side.

Also whose browser it is: a badge in a cookie says which attempt was pressed in it, and nobody can write one for another's.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from bot.domain.consent import LINK_LIFETIME, ConsentAttempt, fingerprint
from bot.domain.features import FeatureKey
from bot.domain.marketplaces import MARKETPLACES
from bot.domain.stores import Store
from bot.errors import LinkExpired, LinkUnknown
from bot.ports import Amazon, AuditEvent, Clock, Database, Entropy, Work
from bot.services.linking import Departure, Link, linked, mint, require_usable, shown

#: who acts in the audit when it is nobody we know by name
PRIMARY_USER = "primary_user"
SELLER_CENTRAL = "seller_central"


class Visiting:
    """What browsers do around a consent."""

    def __init__(self, database: Database, amazon: Amazon, *, clock: Clock, entropy: Entropy) -> None:
        self._database = database
        self._amazon = amazon
        self._clock = clock
        self._entropy = entropy

    async def follow(self, secret: str) -> Link:
        """How a link stands now; writes nothing. Raises LinkUnknown or LinkExpired."""
        async with self._database.read() as work:
            attempt, store, _ = await linked(work, secret)
            if attempt.outcome is None and self._clock() >= attempt.expires_at:
                raise LinkExpired
            return await shown(work, attempt, store)

    async def forward(self, secret: str) -> Link:
        """The person hands the link to the account's primary user: noted, nothing else changes.

        Raises LinkUnknown, LinkExpired, LinkSpent or StoreDisabled.
        """
        now = self._clock()
        async with self._database.begin() as work:
            attempt, store, _ = await linked(work, secret)
            require_usable(attempt, store, now)
            await work.audit.record(
                AuditEvent(
                    now,
                    attempt.team_id,
                    attempt.user_id,
                    "link.forwarded",
                    store.id,
                    details={"attempt": attempt.id, "feature": attempt.feature.value, "to": PRIMARY_USER},
                )
            )
            return await shown(work, attempt, store)

    # --- whose browser -----------------------------------------------------------------------------------------------

    @staticmethod
    def badge(attempt: ConsentAttempt) -> str:
        """What the browser that pressed an attempt's button is given to show later."""
        return f"{attempt.id}.{_proof(attempt)}"

    async def whose(self, badge: str) -> ConsentAttempt | None:
        """The attempt that a browser's badge speaks of; None for one that is not ours or speaks of nothing any more."""
        attempt_id, _, proof = badge.partition(".")
        if not proof.isascii():
            return None
        async with self._database.read() as work:
            attempt = await work.attempts.get(attempt_id)
        return attempt if attempt and hmac.compare_digest(proof, _proof(attempt)) else None

    # --- from Amazon's side ------------------------------------------------------------------------------------------

    async def arrive(
        self, feature: FeatureKey, *, callback_uri: str, amazon_state: str, selling_partner_id: str
    ) -> Departure | None:
        """A seller who came by the login URI goes back to Amazon with a state of ours; None when we do not know the seller.

        Raises LinkUnknown when `callback_uri` is not Amazon's. Anybody can make such a request: nothing about the store is
        told, nothing of it moves, no link's attempt is touched, and what comes of it needs a proof (`bot.services.proving`).
        """
        now = self._clock()
        state = self._entropy.secret()
        url = self._amazon.confirm_url(feature, callback_uri, amazon_state=amazon_state, state=state)
        if url is None or not amazon_state:
            raise LinkUnknown
        async with self._database.begin() as work:
            found = await self._meant(work, feature, selling_partner_id, host=urlsplit(callback_uri).hostname or "")
            if found is None:
                return None
            store = found
            attempt = await self._arrived(work, store, feature, now)
            attempt = await mint(work, attempt, state, now=now, pressed_by=SELLER_CENTRAL)
            await work.audit.record(
                AuditEvent(
                    now,
                    store.team_id,
                    SELLER_CENTRAL,
                    "link.arrived",
                    store.id,
                    on_behalf_of=attempt.user_id,
                    details={"attempt": attempt.id, "feature": feature.value},
                )
            )
        return Departure(url, attempt)

    async def _meant(self, work: Work, feature: FeatureKey, selling_partner_id: str, *, host: str) -> Store | None:
        """Of the account's stores the one whose grant is most likely meant: this Seller Central's, granted, ending first."""
        every = await work.stores.of_selling_partner(selling_partner_id) if selling_partner_id else []
        stores: Sequence[Store] = [store for store in every if store.disabled_at is None]
        regions = {row.consent_region for row in MARKETPLACES.values() if row.host == host}
        ranked = []
        for place, store in enumerate(stores):
            grant = (await work.grants.of_store(store))[feature]
            rank = (
                store.marketplace.consent_region not in regions,
                grant.authorization_id is None,
                store.marketplace.host != host,
                grant.ends_at or datetime.max.replace(tzinfo=UTC),
                place,
            )
            ranked.append((rank, store))
        return min(ranked, key=lambda row: row[0])[1] if ranked else None

    async def _arrived(self, work: Work, store: Store, feature: FeatureKey, now: datetime) -> ConsentAttempt:
        """An attempt of the visit's own, without a link, for whoever was last at it."""
        last = await work.attempts.latest(store, feature)
        attempt = ConsentAttempt(
            id=self._entropy.new_id(),
            team_id=store.team_id,
            user_id=last.user_id if last else store.created_by,
            seller_id=store.seller_id,
            store_id=store.id,
            feature=feature,
            secret_hash=fingerprint(self._entropy.secret()),
            created_at=now,
            expires_at=now + LINK_LIFETIME,
            arrived=True,
        )
        await work.attempts.add(attempt, replacing=False)
        return attempt


def _proof(attempt: ConsentAttempt) -> str:
    """The attempt's own fingerprint is the key: it never leaves the database, so nothing needs configuring."""
    return hmac.new(attempt.secret_hash.encode(), f"browser {attempt.id}".encode(), hashlib.sha256).hexdigest()
