"""What the sandbox's sellers sell and have sold: small, the same every time, shaped by the published models."""

from typing import Any

from sandbox.amazon.accounts import SellerAccount
from sandbox.amazon.clockface import iso
from sandbox.amazon.geography import Marketplace

_HOUR = 3600.0

_PRODUCTS = (
    ("LAMP-01", "B0SANDBOX1", "LAMP", "Reading lamp with a linen shade"),
    ("MUG-02", "B0SANDBOX2", "DRINKING_CUP", "Stoneware mug, 350 ml"),
    ("TENT-03", "B0SANDBOX3", "TENT", "Two-person tent"),
)
_SOLD_HOURS_AGO = (6, 30, 240)


def participation(account: SellerAccount, place: Marketplace, *, suspended: bool) -> dict[str, Any]:
    return {
        "marketplace": {
            "id": place.id,
            "name": place.name,
            "countryCode": place.country_code,
            "defaultCurrencyCode": place.currency,
            "defaultLanguageCode": place.language,
            "domainName": place.domain,
        },
        "storeName": account.store_name,
        "participation": {"isParticipating": True, "hasSuspendedListings": suspended},
    }


def listings(places: list[Marketplace], *, now: float) -> list[dict[str, Any]]:
    created, updated = iso(now - 90 * 24 * _HOUR), iso(now - 24 * _HOUR)
    return [
        {
            "sku": sku,
            "summaries": [
                {
                    "marketplaceId": place.id,
                    "asin": asin,
                    "productType": product_type,
                    "conditionType": "new_new",
                    "status": ["BUYABLE", "DISCOVERABLE"],
                    "itemName": name,
                    "createdDate": created,
                    "lastUpdatedDate": updated,
                }
                for place in places
            ],
        }
        for sku, asin, product_type, name in _PRODUCTS
    ]


def orders(places: list[Marketplace], *, since: float, now: float) -> list[dict[str, Any]]:
    """Newest first, as Amazon lists them."""
    found = []
    for hours, (sku, asin, _, _) in zip(_SOLD_HOURS_AGO, _PRODUCTS, strict=True):
        sold_at = now - hours * _HOUR
        if sold_at < since:
            continue
        for number, place in enumerate(places, start=1):
            found.append(
                {
                    "orderId": f"123-{hours:07}-{number:07}",
                    "createdTime": iso(sold_at),
                    "lastUpdatedTime": iso(sold_at + _HOUR),
                    "salesChannel": {
                        "channelName": "AMAZON",
                        "marketplaceId": place.id,
                        "marketplaceName": place.name,
                    },
                    "fulfillment": {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT"},
                    "orderItems": [
                        {
                            "orderItemId": f"{hours:07}{number:07}",
                            "quantityOrdered": 1,
                            "product": {"asin": asin, "sellerSku": sku},
                        }
                    ],
                }
            )
    return found
