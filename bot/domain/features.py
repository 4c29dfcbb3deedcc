"""The features a store can be granted for. Adding one is adding a row to `FEATURES`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class FeatureKey(StrEnum):
    """What is stored, put into routes (`/amazon/{feature}/…`) and typed after `/grant`."""

    ORDERS = "orders"
    LISTING = "listing"


class Probe(StrEnum):
    """The cheapest call that proves a feature's access."""

    #: `GET /orders/2026-01-01/orders`: 0.0056/s, burst 20, shared with the real order import
    ORDERS = "orders"
    #: `GET /listings/2021-08-01/items/{selling_partner_id}`: 5/s
    LISTINGS = "listings"


@dataclass(frozen=True, slots=True)
class Feature:
    """One Amazon application's worth of access, granted on its own."""

    key: FeatureKey
    #: the platform's own name for it, used as it stands in every language
    platform_label: str
    #: what Seller Central lists it under ("Manage Your Apps"), unless configuration says otherwise
    developer_name: str
    application_name: str
    probe: Probe


FEATURES: Mapping[FeatureKey, Feature] = MappingProxyType(
    {
        feature.key: feature
        for feature in (
            Feature(
                key=FeatureKey.ORDERS,
                platform_label="【载单功能】",
                developer_name="SHENZHEN MINXING TECHNOLOGY CO.,LTD",
                application_name="Ushops",
                probe=Probe.ORDERS,
            ),
            Feature(
                key=FeatureKey.LISTING,
                platform_label="【刊登/库存同步功能】",
                developer_name="福州云赞网络科技有限公司",
                application_name="Feikan",
                probe=Probe.LISTINGS,
            ),
        )
    }
)


def other_feature(key: FeatureKey) -> FeatureKey | None:
    """The next feature to offer once `key` is granted; None when there is no other."""
    return next((other for other in FEATURES if other is not key), None)
