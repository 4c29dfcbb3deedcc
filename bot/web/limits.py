"""How often one visitor may call the public routes: a token bucket for each address and class of route, in bounded memory."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

log = structlog.get_logger()

_MOST_VISITORS = 50_000
_TOO_MANY = 429
#: an IPv6 visitor usually has a whole /64 to write from
_V6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class RouteClass:
    """Routes that share an allowance: those whose path begins with one of `prefixes`."""

    name: str
    prefixes: tuple[str, ...]
    #: calls a second in the long run, and how many at once
    rate: float
    burst: int


#: Slack's own traffic is signed, and not limited here. A result page asks every two seconds or so, hence its own row. Probes
#: ask every second, several of them from one address; `/healthz` costs nothing and stays free. Slack fetches the pictures of
#: everybody's digests from a few addresses, all in one morning.
PUBLIC_ROUTES: Sequence[RouteClass] = (
    RouteClass("connect", ("/connect/",), rate=4.0, burst=60),
    RouteClass("amazon", ("/amazon/",), rate=1.0, burst=30),
    RouteClass("install", ("/slack/install", "/slack/oauth_redirect"), rate=0.2, burst=10),
    RouteClass("mirror", ("/mirror/",), rate=50.0, burst=200),
    RouteClass("ready", ("/readyz",), rate=20.0, burst=100),
    RouteClass("pictures", ("/digest/calendar/", "/desk/week/"), rate=50.0, burst=500),
)


class Allowances:
    """The buckets: those used longest ago are forgotten first, which is to say, they are full again."""

    def __init__(self, *, now: Callable[[], float], most: int = _MOST_VISITORS) -> None:
        self._now = now
        self._most = most
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def spend(self, route: RouteClass, visitor: str) -> float:
        """Takes one; 0 when there was one, otherwise the seconds until there is."""
        key = (route.name, visitor)
        now = self._now()
        tokens, at = self._buckets.get(key, (float(route.burst), now))
        tokens = min(float(route.burst), tokens + (now - at) * route.rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / route.rate
        self._buckets[key] = (tokens if wait else tokens - 1, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return wait


#: a page for people who were too fast, given the seconds to wait
Page = Callable[[Scope, int], Response]


def _plain_page(_scope: Scope, seconds: int) -> Response:
    return PlainTextResponse(f"Too many requests. Please wait {seconds} s and try again.\n", _TOO_MANY)


class RateLimit:
    """Answers 429 with Retry-After in place of the app. `trusted_proxies` counts the proxies of ours in front of it."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        now: Callable[[], float],
        routes: Sequence[RouteClass] = PUBLIC_ROUTES,
        trusted_proxies: int = 0,
        page: Page = _plain_page,
        most: int = _MOST_VISITORS,
    ) -> None:
        self._app = app
        self._routes = tuple(routes)
        self._trusted_proxies = trusted_proxies
        self._page = page
        self._allowances = Allowances(now=now, most=most)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._class_of(scope["path"]) if scope["type"] == "http" else None
        if route is not None:
            wait = self._allowances.spend(route, visitor_of(scope, trusted_proxies=self._trusted_proxies))
            if wait:
                seconds = math.ceil(wait)
                log.info("limits.too_many", route=route.name)
                response = self._page(scope, seconds)
                response.headers["retry-after"] = str(seconds)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _class_of(self, path: str) -> RouteClass | None:
        return next((route for route in self._routes if path.startswith(route.prefixes)), None)


def visitor_of(scope: Mapping[str, object], *, trusted_proxies: int) -> str:
    """The visitor's address. X-Forwarded-For counts only as far as our own proxies wrote it: whoever sends a request can put
    anything in front of that.
    """
    client = scope.get("client")
    peer = str(client[0]) if isinstance(client, tuple | list) and client else "unknown"
    if trusted_proxies > 0:
        forwarded = ",".join(Headers(scope=dict(scope)).getlist("x-forwarded-for"))
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        if len(hops) >= trusted_proxies:
            peer = hops[-trusted_proxies]
    return _network(peer)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _V6_PREFIX), strict=False).network_address)
    return str(parsed)
