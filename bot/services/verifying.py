"""Whose account is it, does it sell there, does the feature work: what is asked of Amazon before a grant counts.

Shared by the consent's answer, the confirmation of a held authorization, and *Check result*. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.features import FeatureKey
from bot.domain.marketplaces import Marketplace
from bot.domain.verification import Reason, Refused
from bot.ports import Amazon, Participation, Tokens


class Verifier:
    """Asks Amazon with an access token in hand."""

    def __init__(self, amazon: Amazon) -> None:
        self._amazon = amazon

    async def sells_on(self, feature: FeatureKey, marketplace: Marketplace, tokens: Tokens) -> Refused | None:
        """None when the account sells on the marketplace, or when its application may not ask."""
        return covers(await self.sold(feature, marketplace, tokens), marketplace)

    async def sold(
        self, feature: FeatureKey, marketplace: Marketplace, tokens: Tokens
    ) -> Sequence[Participation] | Refused:
        """The account's marketplaces in the region of this one: one call of few for all of them (0.016/s, burst 15)."""
        return await self._amazon.participations(feature, marketplace, tokens.access_token)

    async def works(
        self, feature: FeatureKey, marketplace: Marketplace, *, selling_partner_id: str, tokens: Tokens
    ) -> Refused | None:
        """None when the feature's own probe is answered."""
        return await self._amazon.probe(
            feature, marketplace, selling_partner_id=selling_partner_id, access_token=tokens.access_token
        )


def covers(sold: Sequence[Participation] | Refused, marketplace: Marketplace) -> Refused | None:
    """None when the marketplace is among those sold on; an empty answer means that nobody may know."""
    if isinstance(sold, Refused):
        return sold
    if sold and not any(row.marketplace_id == marketplace.id and row.participating for row in sold):
        return Refused(Reason.MARKETPLACE_NOT_COVERED)
    return None
