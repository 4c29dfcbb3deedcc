"""Whether the process lives, whether it can work, and its numbers. Never says anything about anybody."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.services.relay import Ending

log = structlog.get_logger()

#: True when all is well; raising, or taking too long, counts as not
Check = Callable[[], Awaitable[bool]]
_CHECK_SECONDS = 2.0
#: how long an answer of a check that costs something counts
_REMEMBERED_SECONDS = 5.0
_UNAVAILABLE = 503
_NOT_FOUND = 404
#: what proxies add to what they pass on
_PASSED_ON = ("x-forwarded-for", "forwarded", "x-real-ip")

#: an acknowledgement must come within three seconds, and should within a few milliseconds
_ACK_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)


class Metrics:
    """What is counted. Each method fits an observer of the part that calls it; labels come from closed sets of words."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._acks = Histogram(
            "grantdesk_ack_seconds",
            "Time until a delivery of Slack's was acknowledged.",
            ["kind"],
            buckets=_ACK_BUCKETS,
            registry=self.registry,
        )
        self._errands = Counter(
            "grantdesk_errands", "Tries of the relay, by what came of them.", ["kind", "ending"], registry=self.registry
        )
        self._errand_age = Gauge(
            "grantdesk_errand_age_seconds",
            "How long the errand tried last had been waiting.",
            ["kind"],
            registry=self.registry,
        )
        self._amazon = Counter(
            "grantdesk_amazon_calls", "Calls to Amazon.", ["endpoint", "outcome"], registry=self.registry
        )
        self._consents = Counter(
            "grantdesk_consents", "Consents that ended.", ["outcome", "reason"], registry=self.registry
        )
        self._slack = Counter("grantdesk_slack_calls", "Calls to Slack.", ["method", "outcome"], registry=self.registry)

    def ack(self, kind: str, seconds: float) -> None:
        self._acks.labels(kind).observe(seconds)

    def errand(self, kind: str, ending: Ending, age: timedelta) -> None:
        self._errands.labels(kind, ending.value).inc()
        self._errand_age.labels(kind).set(age.total_seconds())

    def amazon_call(self, endpoint: str, outcome: str) -> None:
        self._amazon.labels(endpoint, outcome).inc()

    def consent(self, outcome: str, reason: str = "") -> None:
        self._consents.labels(outcome, reason).inc()

    def slack_call(self, method: str, outcome: str) -> None:
        self._slack.labels(method, outcome).inc()

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)


async def report(checks: Mapping[str, Check], *, seconds: float = _CHECK_SECONDS) -> dict[str, bool]:
    """Every check by name, all at once, none longer than `seconds`."""

    async def passes(name: str, check: Check) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await check()
        except Exception as error:  # noqa: BLE001  # whatever went wrong, the answer is no
            log.warning("health.failed", check=name, error=type(error).__name__)
            return False

    results = await asyncio.gather(*(passes(name, check) for name, check in checks.items()))
    return dict(zip(checks, results, strict=True))


def remembered(check: Check, *, now: Callable[[], float], seconds: float = _REMEMBERED_SECONDS) -> Check:
    """The check, asked once in `seconds` however many want to know; one that raises is asked again. `now` counts seconds."""
    turn = asyncio.Lock()
    known: tuple[float, bool] | None = None

    async def answer() -> bool:
        nonlocal known
        async with turn:
            if known is None or now() - known[0] >= seconds:
                known = now(), await check()
            return known[1]

    return answer


def health_routes(checks: Mapping[str, Check], metrics: Metrics) -> list[Route]:
    """`checks` say whether the process is ready: database, migrations, relay, …"""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        results = await report(checks)
        ready = all(results.values())
        body = {"ready": ready, "checks": {name: "ok" if passed else "failed" for name, passed in results.items()}}
        return JSONResponse(body, 200 if ready else _UNAVAILABLE)

    async def numbers(request: Request) -> Response:
        if not _is_near(request):
            return PlainTextResponse("not found\n", _NOT_FOUND)
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", numbers)]


def _is_near(request: Request) -> bool:
    """Whether it comes from this machine or its network, and not by way of a proxy: what a proxy passes on is the public's."""
    if any(name in request.headers for name in _PASSED_ON):
        return False
    if request.client is None:  # a Unix socket
        return True
    try:
        peer = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    peer = getattr(peer, "ipv4_mapped", None) or peer
    return peer.is_loopback or peer.is_private


def relay_check(is_alive: Callable[[], bool]) -> Check:
    """The relay's heartbeat as a check."""

    async def check() -> bool:
        return is_alive()

    return check
