"""The Selling Partner API in the sandbox: regions, roles, rates, and the many meanings of 403."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.amazon.geography import MARKETPLACES
from tests.sandbox.amazon_case import LIN, MEI, Case

PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"
LISTINGS = f"/listings/2021-08-01/items/{MEI}"
ORDERS = "/orders/2026-01-01/orders"
US, DE, JP = (MARKETPLACES[code].id for code in ("US", "DE", "JP"))


@pytest.fixture
def case() -> Case:
    return Case()


def since(case: Case, **ago: float) -> str:
    return (datetime.fromtimestamp(case.clock(), UTC) - timedelta(**ago)).isoformat()


def details(answer: httpx.Response) -> str:
    assert answer.status_code == 403
    (error,) = answer.json()["errors"]
    assert error["code"] == "Unauthorized"
    return str(error["details"])


async def access(case: Case, place: str = "", app: str = "orders", account: str = MEI) -> str:
    return str((await case.tokens(account, place, app))["access_token"])


@pytest.mark.parametrize(
    ("place", "expected"),
    [("US", ["US", "CA", "MX"]), ("DE", ["GB", "DE", "FR", "IT", "ES"]), ("JP", ["JP"])],
)
async def test_participations_are_those_of_the_consents_region(case: Case, place: str, expected: list[str]) -> None:
    answer = await case.probe(PARTICIPATIONS, await access(case, place))
    rows = answer.json()["payload"]
    assert [row["marketplace"]["countryCode"] for row in rows] == expected
    assert all(row["participation"] == {"isParticipating": True, "hasSuspendedListings": False} for row in rows)
    assert answer.headers["x-amzn-ratelimit-limit"] == "0.016"


async def test_listings_can_be_suspended(case: Case) -> None:
    case.world.switches.set({"suspended_listings": True})
    rows = (await case.probe(PARTICIPATIONS, await access(case))).json()["payload"]
    assert rows[0]["participation"]["hasSuspendedListings"] is True


async def test_the_listing_probe(case: Case) -> None:
    answer = await case.probe(LISTINGS, await access(case, app="listing"), marketplaceIds=US, pageSize="1")
    body = answer.json()
    assert body["numberOfResults"] == 3
    (item,) = body["items"]
    assert item["summaries"][0]["marketplaceId"] == US
    assert body["pagination"]["nextToken"]


async def test_the_orders_probe(case: Case) -> None:
    answer = await case.probe(
        ORDERS,
        await access(case),
        createdAfter=since(case, days=2),
        marketplaceIds=US,
        maxResultsPerPage="1",
    )
    (order,) = answer.json()["orders"]
    assert order["salesChannel"]["marketplaceId"] == US
    assert answer.json()["pagination"]["nextToken"]
    everything = await case.probe(ORDERS, await access(case), createdAfter=since(case, days=2), marketplaceIds=US)
    assert len(everything.json()["orders"]) == 2


async def test_403_says_what_is_wrong_with_the_token(case: Case) -> None:
    token = await access(case)
    assert "missing" in details(await case.probe(PARTICIPATIONS, ""))
    assert "revoked, malformed or invalid" in details(await case.probe(PARTICIPATIONS, "Atza|made-up"))
    case.clock.passes(3599)
    assert (await case.probe(PARTICIPATIONS, token)).status_code == 200
    case.clock.passes(1)
    assert "expired" in details(await case.probe(PARTICIPATIONS, token))


async def test_a_missing_role_is_a_403_with_empty_details(case: Case) -> None:
    orders, listing = await access(case), await access(case, app="listing")
    assert details(await case.probe(LISTINGS, orders, marketplaceIds=US)) == ""
    assert details(await case.probe(ORDERS, listing, createdAfter=since(case, days=1), marketplaceIds=US)) == ""
    await case.control("/apps/orders", {"sellers_role": False})
    assert details(await case.probe(PARTICIPATIONS, orders)) == ""
    assert (await case.probe(PARTICIPATIONS, listing)).status_code == 200


@pytest.mark.parametrize("marketplace", [DE, JP, f"{US},{DE}", MARKETPLACES["BR"].id])
async def test_a_token_reaches_no_marketplace_beyond_its_region_and_account(case: Case, marketplace: str) -> None:
    token = await access(case, "US", "listing")
    assert details(await case.probe(LISTINGS, token, marketplaceIds=marketplace)) == ""


async def test_somebody_elses_account_is_out_of_reach(case: Case) -> None:
    token = await access(case, "US", "listing", LIN)
    assert details(await case.probe(LISTINGS, token, marketplaceIds=US)) == ""


BAD_ORDERS: dict[str, dict[str, str]] = {
    "no date": {"createdAfter": ""},
    "not a date": {"createdAfter": "yesterday"},
    "a day to come": {"createdAfter": "2030-01-01T00:00:00Z"},
    "no such marketplace": {"marketplaceIds": "ATLANTIS"},
    "nothing to a page": {"maxResultsPerPage": "0"},
    "too much to a page": {"maxResultsPerPage": "101"},
    "not a number": {"maxResultsPerPage": "many"},
}


@pytest.mark.parametrize("wrong", BAD_ORDERS.values(), ids=BAD_ORDERS)
async def test_a_wrong_parameter_is_a_400(case: Case, wrong: dict[str, str]) -> None:
    query = {"createdAfter": since(case, days=1), "marketplaceIds": US} | wrong
    answer = await case.probe(ORDERS, await access(case), **query)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "InvalidInput"


async def test_the_listing_probe_needs_a_marketplace(case: Case) -> None:
    assert (await case.probe(LISTINGS, await access(case, app="listing"))).status_code == 400


@pytest.mark.parametrize(
    ("path", "app", "burst", "refill"),
    [(PARTICIPATIONS, "orders", 15, 63), (LISTINGS, "listing", 5, 0.2), (ORDERS, "orders", 20, 179)],
)
async def test_a_bucket_empties_and_fills_again(case: Case, path: str, app: str, burst: int, refill: float) -> None:
    token = await access(case, app=app)
    query = {"createdAfter": since(case, days=1), "marketplaceIds": US}
    statuses = [(await case.probe(path, token, **query)).status_code for _ in range(burst + 1)]
    assert statuses == [200] * burst + [429]
    case.clock.passes(refill)
    assert (await case.probe(path, token, **query)).status_code == 200
    refused = await case.probe(path, token, **query)
    assert refused.json()["errors"][0]["code"] == "QuotaExceeded"
    assert "x-amzn-ratelimit-limit" not in refused.headers


async def test_each_seller_has_a_bucket_of_their_own(case: Case) -> None:
    mei, lin = await access(case), await access(case, account=LIN)
    for _ in range(16):
        last = await case.probe(PARTICIPATIONS, mei)
    assert last.status_code == 429
    assert (await case.probe(PARTICIPATIONS, lin)).status_code == 200


FAULTS: dict[str, tuple[int, Any]] = {
    "403_empty": (403, ""),
    "403_token": (403, "The access token you provided is revoked, malformed or invalid."),
    "403_expired": (403, "The access token you provided has expired."),
    "403_secret": (403, "The client secret of the application has expired."),
    "429": (429, ""),
    "html_503": (503, None),
    "timeout": (504, None),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", ["participations", "listings", "orders"])
async def test_an_operation_misbehaves_as_told(case: Case, operation: str, fault: str) -> None:
    app = "listing" if operation == "listings" else "orders"
    token = await access(case, app=app)
    path = {"participations": PARTICIPATIONS, "listings": LISTINGS, "orders": ORDERS}[operation]
    query = {"createdAfter": since(case, days=1), "marketplaceIds": US}
    case.world.switches.set({f"spapi_{operation}": fault, "spapi_next_n": 1, "timeout_seconds": 0})
    answer = await case.probe(path, token, **query)
    status, text = FAULTS[fault]
    assert answer.status_code == status
    if text is None:
        assert answer.headers["content-type"].startswith("text/html")
    else:
        assert answer.json()["errors"][0]["details"] == text
    assert (await case.probe(path, token, **query)).status_code == 200
    assert [call.status for call in case.world.calls_of(f"spapi.{operation}")] == [status, 200]
