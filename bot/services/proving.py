"""Whether it is the store's own account that answered, when nobody of ours is known to have asked.

Amazon's redirect names a selling partner, but neither the redirect nor the code says that they belong together: whoever comes
in from Amazon's side could send somebody else's id with a code of their own. A link is followed by its person, who could harm
none but their own store; a stranger must not put another account's token in the place of one that works.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.features import FEATURES, FeatureKey, Probe
from bot.domain.grants import AuthorizationKey, AuthorizationState
from bot.domain.stores import Seller, Store
from bot.domain.verification import Reason, Refused
from bot.errors import ConcurrentChange
from bot.ports import Amazon, Database, Participation
from bot.services.verifying import Verifier

#: probes that are addressed to one account, and refused to the token of another
_NAMES_THE_ACCOUNT = frozenset({Probe.LISTINGS})


class Proving:
    """Asks Amazon about the new token and one that is held already; writes nothing but tokens that came back changed."""

    def __init__(self, database: Database, amazon: Amazon, verifier: Verifier) -> None:
        self._database = database
        self._amazon = amazon
        self._verifier = verifier

    async def doubt(
        self,
        feature: FeatureKey,
        seller: Seller,
        store: Store,
        selling_partner_id: str,
        sold: Sequence[Participation] | Refused,
        *,
        works: bool,
    ) -> Refused | None:
        """None when it is proved that the new token is the account's: the feature's probe named it and works, or the account
        sells where, and under the names, that a token of the store's own account sees. `sold` is what the new token sees.
        """
        if works and FEATURES[feature].probe in _NAMES_THE_ACCOUNT:
            return None
        if isinstance(sold, Refused):
            return sold
        for held in FEATURES:
            known = await self._seen_by_held(held, seller, store, selling_partner_id)
            if known:
                return None if known == _faces(sold) else Refused(Reason.WRONG_ACCOUNT)
        return Refused(Reason.UNPROVEN)

    async def _seen_by_held(
        self, feature: FeatureKey, seller: Seller, store: Store, selling_partner_id: str
    ) -> frozenset[tuple[str, str]]:
        """What a token that the seller holds for this account sees; empty without one that works and may ask."""
        key = AuthorizationKey.of(self._amazon.application_id(feature), selling_partner_id, store.marketplace)
        async with self._database.read() as work:
            held = await work.authorizations.find(key)
            if held is None or held.seller_id != seller.id or held.state is not AuthorizationState.LIVE:
                return frozenset()
            token = await work.authorizations.refresh_token(held)
        tokens = await self._amazon.refresh(feature, token)
        if isinstance(tokens, Refused):
            return frozenset()
        if tokens.refresh_token != token:
            try:
                async with self._database.begin() as work:
                    await work.authorizations.update(held, refresh_token=tokens.refresh_token)
            except ConcurrentChange:  # its stores were deleted meanwhile: what is not held any more proves nothing
                return frozenset()
        sold = await self._verifier.sold(feature, store.marketplace, tokens)
        return frozenset() if isinstance(sold, Refused) else _faces(sold)


def _faces(sold: Sequence[Participation]) -> frozenset[tuple[str, str]]:
    """An account as it shows: its marketplaces, with the names of its stores there."""
    return frozenset((row.marketplace_id, row.store_name) for row in sold if row.store_name)
