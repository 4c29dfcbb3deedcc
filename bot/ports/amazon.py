"""Amazon: consent links, Login with Amazon, the Selling Partner API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from bot.domain.features import FeatureKey
from bot.domain.marketplaces import Marketplace
from bot.domain.verification import Refused


@dataclass(frozen=True, slots=True)
class Tokens:
    """What Login with Amazon returns. `refresh_token` may differ from the one sent: the new one is to be kept."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    lifetime: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Participation:
    """One marketplace an Amazon account sells on."""

    marketplace_id: str
    participating: bool
    suspended_listings: bool = False
    #: the store's name there, as buyers see it; no two accounts have the same
    store_name: str = ""


class Amazon(Protocol):
    """Consent links, Login with Amazon, and the probes. Expected failures are `Refused` values; nothing is retried here."""

    def application_id(self, feature: FeatureKey) -> str: ...

    def developer_name(self, feature: FeatureKey) -> str: ...

    def application_name(self, feature: FeatureKey) -> str: ...

    def consent_url(self, feature: FeatureKey, marketplace: Marketplace, *, state: str) -> str:
        """Seller Central's consent page for the feature's application."""
        ...

    def confirm_url(self, feature: FeatureKey, callback_uri: str, *, amazon_state: str, state: str) -> str | None:
        """Where to send a seller who came by the login URI; None when `callback_uri` is not Amazon's own page for our app."""
        ...

    async def exchange(self, feature: FeatureKey, code: str) -> Tokens | Refused:
        """An authorization code for tokens. The code works once and for five minutes."""
        ...

    async def refresh(self, feature: FeatureKey, refresh_token: str) -> Tokens | Refused:
        """A fresh access token: proves that the grant was not revoked and that it is the right application."""
        ...

    async def participations(
        self, feature: FeatureKey, marketplace: Marketplace, access_token: str
    ) -> Sequence[Participation] | Refused:
        """The marketplaces of the account, in the region of `marketplace`."""
        ...

    async def probe(
        self, feature: FeatureKey, marketplace: Marketplace, *, selling_partner_id: str, access_token: str
    ) -> Refused | None:
        """The feature's cheapest real call; None when it works."""
        ...
