"""The control API: JSON by which tests and the tour look at this Amazon and bend it.

It takes JSON only, so that no page of another origin can press its buttons with a plain form.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.amazon.accounts import SellerAccount
from sandbox.amazon.apps import SELLERS, AmazonApp
from sandbox.amazon.world import AmazonWorld

ROOT = "/control/amazon"

_TYPES: dict[str, type] = {
    "draft": bool,
    "listed": bool,
    "enabled": bool,
    "login_uri": str,
    "client_secret": str,
    "app_name": str,
    "developer_name": str,
}


class _BadRequestError(Exception):
    """A sentence for whoever wrote the request."""


def _text(body: dict[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or (default is None and not value):
        raise _BadRequestError(f"{name} must be a text")
    return value


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _BadRequestError(f"{name} must be a list of texts")
    return tuple(value)


def _changes(app: AmazonApp, body: dict[str, Any]) -> dict[str, Any]:
    """What of an app's registration the request changes."""
    changes: dict[str, Any] = {}
    for name, value in body.items():
        if name == "redirect_uris":
            changes[name] = _texts(value, name)
        elif name == "roles":
            changes[name] = frozenset(_texts(value, name))
        elif name == "sellers_role":
            changes["roles"] = app.with_role(SELLERS, held=bool(value))
        elif name in _TYPES and isinstance(value, _TYPES[name]):
            changes[name] = value
        else:
            takes = "redirect_uris, roles, sellers_role, " + ", ".join(_TYPES)
            raise _BadRequestError(f"{name} is unknown or of the wrong type; an app takes {takes}")
    return changes


def account_of(body: dict[str, Any]) -> SellerAccount:
    """A new person at the sign-in page."""
    partner = _text(body, "selling_partner_id")
    for name in ("professional", "may_authorize"):
        if not isinstance(body.get(name, True), bool):
            raise _BadRequestError(f"{name} must be true or false")
    return SellerAccount(
        key=_text(body, "key", partner),
        person=_text(body, "person"),
        store_name=_text(body, "store_name", body.get("person", "")),
        selling_partner_id=partner,
        marketplaces=_texts(body.get("marketplaces"), "marketplaces"),
        professional=body.get("professional", True),
        may_authorize=body.get("may_authorize", True),
    )


async def _body(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise _BadRequestError("send application/json")
    try:
        body = await request.json()
    except ValueError:
        raise _BadRequestError("the body is not JSON") from None
    if not isinstance(body, dict):
        raise _BadRequestError("the body must be an object")
    return body


Act = Callable[[dict[str, Any]], dict[str, Any]]


def _post(path: str, act: Act) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(act({**await _body(request), **request.path_params}))
        except (_BadRequestError, ValueError) as wrong:
            return JSONResponse({"error": str(wrong)}, status_code=400)

    return Route(f"{ROOT}{path}", endpoint, methods=["POST"])


def _get(path: str, tell: Callable[[Request], Awaitable[Response]]) -> Route:
    return Route(f"{ROOT}{path}", tell)


class _Control:
    """The endpoints of the control API."""

    def __init__(self, world: AmazonWorld) -> None:
        self._world = world

    async def state(self, _request: Request) -> Response:
        world = self._world
        return JSONResponse(world.state())

    async def calls(self, request: Request) -> Response:
        world = self._world
        endpoint = request.query_params.get("endpoint", "")
        found = [asdict(call) for call in world.calls if not endpoint or call.endpoint == endpoint]
        return JSONResponse({"calls": found})

    def set_switches(self, body: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        world.switches.set(body)
        return {"switches": world.switches.all()}

    def reset(self, _body: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        world.reset()
        return world.state()

    def change_app(self, body: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        app = world.app(body.pop("app"))
        if app is None:
            raise _BadRequestError(f"no such app; there are {', '.join(world.apps)}")
        world.change_app(app.key, **_changes(app, body))
        return world.state()

    def add_account(self, body: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        account = account_of(body)
        world.add_account(account)
        return asdict(account)

    def revoke(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._ends(body, self._world.ledger.revoke)

    def expire(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._ends(body, self._world.ledger.expire)

    def _ends(self, body: dict[str, Any], how: Callable[..., object]) -> dict[str, Any]:
        world = self._world
        held = world.authorization(_text(body, "application"), _text(body, "partner"), _text(body, "region"))
        if held is None:
            raise _BadRequestError("no such authorization")
        how(held.key, at=world.now())
        return {"authorizations": list(world.authorizations())}

    def fill(self, body: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        app, count = world.app(_text(body, "application")), body.get("count")
        if app is None or type(count) is not int:
            raise _BadRequestError("application must name an app, count must be a whole number")
        world.fill(app, count)
        return {"authorizations": list(world.authorizations())}

    def clear_calls(self, _body: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        world.calls.clear()
        return {"calls": []}


def routes(world: AmazonWorld) -> list[BaseRoute]:
    edge = _Control(world)
    return [
        _get("/state", edge.state),
        _get("/calls", edge.calls),
        _post("/calls/clear", edge.clear_calls),
        _post("/switches", edge.set_switches),
        _post("/reset", edge.reset),
        _post("/apps/{app}", edge.change_app),
        _post("/accounts", edge.add_account),
        _post("/revoke", edge.revoke),
        _post("/expire", edge.expire),
        _post("/fill", edge.fill),
    ]
