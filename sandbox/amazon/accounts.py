"""The people who can sign in to this Seller Central, and the selling accounts they act for."""

from dataclasses import dataclass

from sandbox.amazon.geography import MARKETPLACES, Marketplace


@dataclass(frozen=True)
class SellerAccount:
    """One user of one selling partner; two users may share a selling partner."""

    key: str
    person: str
    store_name: str
    selling_partner_id: str
    marketplaces: tuple[str, ...]
    professional: bool = True
    #: The primary user may authorize; a secondary user only with two permissions that are off by default.
    may_authorize: bool = True

    @property
    def places(self) -> tuple[Marketplace, ...]:
        return tuple(MARKETPLACES[code] for code in self.marketplaces)

    @property
    def standing(self) -> str:
        plan = "Professional" if self.professional else "Individual"
        user = "primary user" if self.may_authorize else "secondary user without permissions"
        return f"{plan} plan, {user}"


def default_accounts() -> tuple[SellerAccount, ...]:
    return (
        SellerAccount(
            key="mei",
            person="Mei",
            store_name="Mei Acme",
            selling_partner_id="A1MEIACME0001",
            marketplaces=("US", "CA", "MX", "UK", "DE", "FR", "IT", "ES", "JP"),
        ),
        SellerAccount(
            key="mei-home",
            person="Mei",
            store_name="Mei Home",
            selling_partner_id="A2MEIHOME0002",
            marketplaces=("US",),
        ),
        SellerAccount(
            key="lin",
            person="Lin",
            store_name="Lin Taiwan",
            selling_partner_id="A3LINTAIWAN03",
            marketplaces=("US", "JP", "DE"),
        ),
        SellerAccount(
            key="alex",
            person="Alex",
            store_name="Alex Outdoors",
            selling_partner_id="A4ALEXUS00004",
            marketplaces=("US", "CA"),
        ),
        SellerAccount(
            key="individual",
            person="Ivy",
            store_name="Ivy's Attic",
            selling_partner_id="A5INDIVIDUAL5",
            marketplaces=("US",),
            professional=False,
        ),
        SellerAccount(
            key="mei-assistant",
            person="Bo, Mei's assistant",
            store_name="Mei Acme",
            selling_partner_id="A1MEIACME0001",
            marketplaces=("US", "CA", "MX", "UK", "DE", "FR", "IT", "ES", "JP"),
            may_authorize=False,
        ),
    )
