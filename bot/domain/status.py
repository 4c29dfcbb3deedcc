"""A store's status: derived from its grants whenever it is asked for, never stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.features import FeatureKey
from bot.domain.grants import Grant, GrantState
from bot.domain.stores import Store


class StatusKind(StrEnum):
    """The platform's five, then what the platform does not show. Values are keys of the catalogs (`status.<value>`)."""

    NOT_AUTHORIZED = "not_authorized"
    AUTHORIZING = "authorizing"
    ORDERS_ONLY = "orders_only"
    LISTING_ONLY = "listing_only"
    AUTHORIZED = "authorized"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    REVOKED = "revoked"
    PERMISSION_PROBLEM = "permission_problem"
    DISABLED = "disabled"


#: the platform's own names, used as they stand in every language
PLATFORM_LABELS: Mapping[StatusKind, str] = {
    StatusKind.NOT_AUTHORIZED: "【未授权】",
    StatusKind.AUTHORIZING: "【授权中】",
    StatusKind.ORDERS_ONLY: "【载单功能已授权，刊登/库存同步功能未授权】",
    StatusKind.LISTING_ONLY: "【刊登/库存同步功能已授权，载单功能未授权】",
    StatusKind.AUTHORIZED: "【已授权】",
}

#: what needs somebody's attention, worst first
_ATTENTION = (
    (GrantState.REVOKED, StatusKind.REVOKED),
    (GrantState.EXPIRED, StatusKind.EXPIRED),
    (GrantState.PERMISSION_PROBLEM, StatusKind.PERMISSION_PROBLEM),
)


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """`base` is one of the platform's five; `attention` is the worst further condition, if any."""

    base: StatusKind
    attention: StatusKind | None = None

    @property
    def kind(self) -> StatusKind:
        """The one word for the store."""
        return self.attention or self.base

    @property
    def platform_label(self) -> str:
        return PLATFORM_LABELS[self.base]


def status_of(store: Store, grants: Mapping[FeatureKey, Grant], *, now: datetime) -> StoreStatus:
    """The status as of `now`. A grant that has run out or was withdrawn does not count as granted."""
    standings = {key: grant.standing(now) for key, grant in grants.items()}
    orders = standings.get(FeatureKey.ORDERS) is GrantState.GRANTED
    listing = standings.get(FeatureKey.LISTING) is GrantState.GRANTED
    if orders and listing:
        base = StatusKind.AUTHORIZED
    elif orders:
        base = StatusKind.ORDERS_ONLY
    elif listing:
        base = StatusKind.LISTING_ONLY
    elif GrantState.AUTHORIZING in standings.values():
        base = StatusKind.AUTHORIZING
    else:
        base = StatusKind.NOT_AUTHORIZED
    if store.disabled_at is not None:
        return StoreStatus(base, StatusKind.DISABLED)
    for state, kind in _ATTENTION:
        if state in standings.values():
            return StoreStatus(base, kind)
    if any(grant.is_expiring(now) for grant in grants.values()):
        return StoreStatus(base, StatusKind.EXPIRING)
    return StoreStatus(base)
