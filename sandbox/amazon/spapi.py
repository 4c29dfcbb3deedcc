"""The three Selling Partner API operations that a grant is probed with, on one host for every region."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.amazon import goods
from sandbox.amazon.accounts import SellerAccount
from sandbox.amazon.apps import SELLERS
from sandbox.amazon.geography import MARKETPLACES_BY_ID, Marketplace
from sandbox.amazon.ledger import Authorization
from sandbox.amazon.limits import UsagePlan
from sandbox.amazon.lwa import SORRY
from sandbox.amazon.world import AmazonWorld

ROOT = "/amazon/spapi"

# The `details` by which one 403 can be told from another. An empty one means role, region or account.
TOKEN_EXPIRED = "The access token you provided has expired."
TOKEN_INVALID = "The access token you provided is revoked, malformed or invalid."
TOKEN_MISSING = "Access token is missing in the request header."
SECRET_EXPIRED = "The client secret of the application has expired."

_DENIALS = {
    "403_empty": "",
    "403_token": TOKEN_INVALID,
    "403_expired": TOKEN_EXPIRED,
    "403_secret": SECRET_EXPIRED,
}


class _RefusedError(Exception):
    """An answer that is not 200, with the error list of the published models."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"errors": [{"code": code, "message": message, "details": details}]}


def _denied(details: str = "") -> _RefusedError:
    return _RefusedError(403, "Unauthorized", "Access to requested resource is denied.", details)


def _invalid(message: str) -> _RefusedError:
    return _RefusedError(400, "InvalidInput", message)


def _throttled() -> _RefusedError:
    return _RefusedError(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")


@dataclass(frozen=True)
class _Seen:
    """A request that passed the token, the role and the quota."""

    request: Request
    held: Authorization
    account: SellerAccount | None

    def covered(self) -> list[Marketplace]:
        """The marketplaces of this account that the token's region covers."""
        places = self.account.places if self.account is not None else ()
        return [place for place in places if place.region == self.held.region]

    def asked_for(self) -> list[Marketplace]:
        """The marketplaces in the query, which may be repeated or separated by commas."""
        raw = ",".join(self.request.query_params.getlist("marketplaceIds"))
        ids = [part for part in raw.split(",") if part]
        unknown = [wrong for wrong in ids if wrong not in MARKETPLACES_BY_ID]
        if unknown:
            raise _invalid(f"Invalid marketplace id: {unknown[0][:40]}")
        places = [MARKETPLACES_BY_ID[known] for known in ids]
        if any(place not in self.covered() for place in places):
            raise _denied()
        return places

    def size(self, name: str, *, default: int, most: int) -> int:
        raw = self.request.query_params.get(name, str(default))
        if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw) <= most:
            raise _invalid(f"{name} must be between 1 and {most}.")
        return int(raw)


def _participations(world: AmazonWorld, seen: _Seen) -> dict[str, Any]:
    suspended = world.switches.is_on("suspended_listings")
    if seen.account is None:
        return {"payload": []}
    account = seen.account
    return {"payload": [goods.participation(account, place, suspended=suspended) for place in seen.covered()]}


def _listings(world: AmazonWorld, seen: _Seen) -> dict[str, Any]:
    places = seen.asked_for()
    if not places:
        raise _invalid("Missing required parameter: marketplaceIds")
    if seen.request.path_params["selling_partner_id"] != seen.held.selling_partner_id:
        raise _denied()
    found = goods.listings(places, now=world.now())
    size = seen.size("pageSize", default=10, most=20)
    return _page({"numberOfResults": len(found), "items": found}, "items", size)


def _orders(world: AmazonWorld, seen: _Seen) -> dict[str, Any]:
    query = seen.request.query_params
    raw = query.get("createdAfter") or query.get("lastUpdatedAfter")
    if not raw:
        raise _invalid("createdAfter or lastUpdatedAfter is required.")
    try:
        since = datetime.fromisoformat(raw)
    except ValueError:
        raise _invalid("createdAfter is not an ISO 8601 date.") from None
    since = since if since.tzinfo else since.replace(tzinfo=UTC)
    if since.timestamp() > world.now():
        raise _invalid("createdAfter must not lie in the future.")
    places = seen.asked_for() or seen.covered()
    size = seen.size("maxResultsPerPage", default=100, most=100)
    found = goods.orders(places, since=since.timestamp(), now=world.now())
    return _page({"orders": found}, "orders", size)


def _page(body: dict[str, Any], items: str, size: int) -> dict[str, Any]:
    """The first page; probes never ask for a second."""
    if len(body[items]) > size:
        body[items] = body[items][:size]
        body["pagination"] = {"nextToken": secrets.token_urlsafe(24)}
    return body


@dataclass(frozen=True)
class Operation:
    """One row: where it lies, who may call it, how often, and what it answers."""

    name: str
    path: str
    role: str
    plan: UsagePlan
    answers: Callable[[AmazonWorld, _Seen], dict[str, Any]]


OPERATIONS = (
    Operation(
        "participations",
        "/sellers/v1/marketplaceParticipations",
        SELLERS,
        UsagePlan(rate=0.016, burst=15),
        _participations,
    ),
    Operation(
        "listings",
        "/listings/2021-08-01/items/{selling_partner_id}",
        "listing",
        UsagePlan(rate=5, burst=5),
        _listings,
    ),
    Operation("orders", "/orders/2026-01-01/orders", "orders", UsagePlan(rate=0.0056, burst=20), _orders),
)


async def _misbehave(world: AmazonWorld, operation: Operation) -> Response | None:
    switches = world.switches
    status = switches.text(f"spapi_{operation.name}")
    if status == "ok":
        return None
    switches.use_up("spapi_next_n", *(f"spapi_{row.name}" for row in OPERATIONS))
    if status == "429":
        raise _throttled()
    if status in _DENIALS:
        raise _denied(_DENIALS[status])
    if status == "timeout":
        await asyncio.sleep(switches.number("timeout_seconds"))
        return HTMLResponse(SORRY, status_code=504)
    return HTMLResponse(SORRY, status_code=503)


def _authorization_of(world: AmazonWorld, request: Request) -> Authorization:
    raw = request.headers.get("x-amz-access-token", "")
    if not raw:
        raise _denied(TOKEN_MISSING)
    token = world.ledger.access(raw)
    if token is None:
        raise _denied(TOKEN_INVALID)
    if world.now() >= token.ends_at:
        raise _denied(TOKEN_EXPIRED)
    return token.authorization


def _serve(world: AmazonWorld, operation: Operation, request: Request, held: Authorization) -> Response:
    if operation.role not in world.apps[held.app_key].roles:
        raise _denied()
    bucket = (operation.name, held.app_key, held.selling_partner_id, held.region)
    if not world.quotas.spends(bucket, operation.plan, at=world.now()):
        raise _throttled()
    seen = _Seen(request, held, world.account(held.selling_partner_id))
    return JSONResponse(operation.answers(world, seen), headers={"x-amzn-RateLimit-Limit": str(operation.plan.rate)})


def _route(world: AmazonWorld, operation: Operation) -> Route:
    async def endpoint(request: Request) -> Response:
        held = None
        try:
            answer = await _misbehave(world, operation)
            if answer is None:
                held = _authorization_of(world, request)
                answer = _serve(world, operation, request, held)
        except _RefusedError as refused:
            answer = JSONResponse(refused.body, status_code=refused.status)
        answer.headers["x-amzn-RequestId"] = secrets.token_hex(16)
        world.log(
            f"spapi.{operation.name}",
            answer.status_code,
            app=held.app_key if held else "",
            partner=held.selling_partner_id if held else "",
        )
        return answer

    return Route(f"{ROOT}{operation.path}", endpoint)


def routes(world: AmazonWorld) -> list[BaseRoute]:
    return [_route(world, operation) for operation in OPERATIONS]
