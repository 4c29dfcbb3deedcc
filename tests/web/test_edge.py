"""Security headers, rate limits and health, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.domain.marketplaces import MARKETPLACES
from bot.services.relay import Ending
from bot.web.headers import SecurityHeaders, amazon_form_targets, content_security_policy
from bot.web.health import Metrics, health_routes, relay_check, remembered, report
from bot.web.limits import PUBLIC_ROUTES, Allowances, RateLimit, RouteClass, visitor_of
from tests.adapters.loopback import serving


async def page(_request: Request) -> Response:
    return HTMLResponse("<p>hello</p>")


async def asset(_request: Request) -> Response:
    return PlainTextResponse("", headers={"cache-control": "public, max-age=31536000, immutable"})


APP = Starlette(routes=[Route("/", page), Route("/static/x.css", asset), Route("/connect/{secret}", page)])


@asynccontextmanager
async def browsing(app: Any, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving(app) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, headers=headers) as browser,
    ):
        yield browser


# --- headers


async def test_every_page_keeps_its_secrets() -> None:
    app = SecurityHeaders(APP, https=True, form_targets=["https://sellercentral.amazon.com"])
    async with browsing(app) as browser:
        for path in ("/", "/nowhere"):
            headers = (await browser.get(path)).headers
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert headers["strict-transport-security"].startswith("max-age=31536000")
            assert headers["cross-origin-opener-policy"] == "same-origin-allow-popups"
            assert "camera=()" in headers["permissions-policy"]
            assert headers["content-security-policy"] == (
                "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
                "form-action 'self' https://sellercentral.amazon.com; frame-ancestors 'none'; base-uri 'none'"
            )


async def test_a_route_that_knows_better_has_the_last_word_and_http_promises_nothing() -> None:
    async with browsing(SecurityHeaders(APP, https=False)) as browser:
        headers = (await browser.get("/static/x.css")).headers
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "strict-transport-security" not in headers


def test_the_consent_button_may_lead_to_every_seller_central() -> None:
    targets = amazon_form_targets()
    assert set(targets) == {f"https://{row.host}" for row in MARKETPLACES.values()}
    assert amazon_form_targets("http://127.0.0.1:8900/amazon/sellercentral") == ("http://127.0.0.1:8900",)
    policy = content_security_policy(targets)
    assert "unsafe" not in policy
    assert "*" not in policy


# --- limits

SLOW = RouteClass("connect", ("/connect/",), rate=0.5, burst=3)


class Ticks:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_the_fourth_call_is_asked_to_wait_and_then_served() -> None:
    ticks = Ticks()
    async with browsing(RateLimit(APP, now=ticks, routes=[SLOW])) as browser:
        assert [(await browser.get("/connect/x")).status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = await browser.get("/connect/y")
        assert refused.headers["retry-after"] == "2"
        assert "2 s" in refused.text
        assert (await browser.get("/")).status_code == 200  # another class of routes
        ticks.now = 2.0
        assert (await browser.get("/connect/x")).status_code == 200
        assert (await browser.get("/connect/x")).status_code == 429


async def test_a_page_of_the_houses_own_can_say_it() -> None:
    def own(_scope: Any, seconds: int) -> Response:
        return HTMLResponse(f"<p>{seconds}</p>", 429)

    async with browsing(RateLimit(APP, now=Ticks(), routes=[SLOW], page=own)) as browser:
        for _ in range(3):
            await browser.get("/connect/x")
        assert (await browser.get("/connect/x")).text == "<p>2</p>"


async def test_nobody_escapes_by_claiming_to_be_somebody_else() -> None:
    async with browsing(RateLimit(APP, now=Ticks(), routes=[SLOW])) as browser:
        answers = [
            (await browser.get("/connect/x", headers={"x-forwarded-for": f"9.9.9.{n}"})).status_code for n in range(4)
        ]
        assert answers[-1] == 429


async def test_behind_a_trusted_proxy_each_visitor_has_their_own() -> None:
    app = RateLimit(APP, now=Ticks(), routes=[SLOW], trusted_proxies=1)
    async with browsing(app) as browser:
        for visitor in ("9.9.9.1", "9.9.9.2"):
            for n in range(3):
                forged = {"x-forwarded-for": f"1.1.1.{n}, {visitor}"}
                assert (await browser.get("/connect/x", headers=forged)).status_code == 200
        forged = {"x-forwarded-for": "1.1.1.9, 9.9.9.1"}
        assert (await browser.get("/connect/x", headers=forged)).status_code == 429


def scope(client: str, forwarded: str = "") -> dict[str, Any]:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return {"type": "http", "client": (client, 1), "headers": headers}


@pytest.mark.parametrize(
    ("client", "forwarded", "proxies", "visitor"),
    [
        ("1.2.3.4", "", 0, "1.2.3.4"),
        ("1.2.3.4", "9.9.9.9", 0, "1.2.3.4"),
        ("1.2.3.4", "9.9.9.9", 1, "9.9.9.9"),
        ("1.2.3.4", "8.8.8.8, 9.9.9.9", 1, "9.9.9.9"),
        ("1.2.3.4", "8.8.8.8, 9.9.9.9", 2, "8.8.8.8"),
        ("1.2.3.4", "9.9.9.9", 2, "1.2.3.4"),
        ("1.2.3.4", "", 1, "1.2.3.4"),
        ("1.2.3.4", "garbage", 1, "unknown"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::", "", 0, "2001:db8:1:2::"),
        ("::ffff:1.2.3.4", "", 0, "1.2.3.4"),
    ],
)
def test_a_visitor_is_an_address_that_cannot_be_made_up(
    client: str, forwarded: str, proxies: int, visitor: str
) -> None:
    assert visitor_of(scope(client, forwarded), trusted_proxies=proxies) == visitor


def test_visitors_are_counted_in_bounded_memory() -> None:
    allowances = Allowances(now=Ticks(), most=100)
    for number in range(1000):
        allowances.spend(SLOW, str(number))
    assert len(allowances) == 100


@given(st.lists(st.floats(0, 10), max_size=60))
def test_nobody_gets_more_than_the_burst_and_what_time_adds(pauses: list[float]) -> None:
    ticks = Ticks()
    allowances = Allowances(now=ticks)
    served = 0
    for pause in pauses:
        ticks.now += pause
        served += allowances.spend(SLOW, "x") == 0
        assert served <= SLOW.burst + ticks.now * SLOW.rate + 1e-6


def test_a_page_that_looks_every_two_seconds_is_never_refused() -> None:
    ticks = Ticks()
    allowances = Allowances(now=ticks)
    connect = next(row for row in PUBLIC_ROUTES if row.name == "connect")
    for _ in range(600):
        ticks.now += 2
        assert allowances.spend(connect, "x") == 0


async def test_whether_the_process_lives_may_be_asked_without_end_whether_it_can_work_every_second() -> None:
    ticks = Ticks()
    app = Starlette(routes=list(health_routes({}, Metrics())))
    transport = httpx.ASGITransport(app=RateLimit(app, now=ticks))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot.example.com") as browser:
        assert {(await browser.get("/healthz")).status_code for _ in range(300)} == {200}
        flood = [(await browser.get("/readyz")).status_code for _ in range(300)]
        assert set(flood) == {200, 429}
        for _ in range(60):
            ticks.now += 1
            assert (await browser.get("/readyz")).status_code == 200


@pytest.mark.parametrize("path", ["/digest/calendar/x.png", "/desk/week/x.png"])
async def test_pictures_come_as_fast_as_slack_fetches_them_and_no_faster(path: str) -> None:
    ticks = Ticks()
    transport = httpx.ASGITransport(app=RateLimit(PlainTextResponse("here"), now=ticks))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot.example.com") as browser:
        assert {(await browser.get(path)).status_code for _ in range(300)} == {200}
        assert 429 in {(await browser.get(path)).status_code for _ in range(300)}
        ticks.now = 1.0
        assert {(await browser.get(path)).status_code for _ in range(30)} == {200}


# --- health


async def test_a_process_that_lives_says_so_even_when_it_cannot_work() -> None:
    async def yes() -> bool:
        return True

    async def no() -> bool:
        raise ConnectionError("postgresql://user:password@db")

    app = Starlette(routes=list(health_routes({"database": no, "relay": yes}, Metrics())))
    async with browsing(app) as browser:
        assert (await browser.get("/healthz")).status_code == 200
        ready = await browser.get("/readyz")
        assert ready.status_code == 503
        assert ready.json() == {"ready": False, "checks": {"database": "failed", "relay": "ok"}}


async def test_ready_when_every_check_passes() -> None:
    app = Starlette(routes=list(health_routes({"relay": relay_check(lambda: True)}, Metrics())))
    async with browsing(app) as browser:
        ready = await browser.get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"ready": True, "checks": {"relay": "ok"}})


async def test_a_check_that_hangs_has_failed() -> None:
    async def hang() -> bool:
        await asyncio.sleep(60)
        return True

    assert await report({"database": hang}, seconds=0.02) == {"database": False}


async def test_an_answer_is_remembered_for_a_few_seconds_and_a_failure_is_not() -> None:
    ticks = Ticks()
    asked: list[float] = []

    async def current() -> bool:
        asked.append(ticks.now)
        await asyncio.sleep(0)
        if ticks.now >= 20:
            raise ConnectionError
        return ticks.now < 10

    check = remembered(current, now=ticks, seconds=5)
    assert await asyncio.gather(*(check() for _ in range(50))) == [True] * 50
    ticks.now = 4.9
    assert await check()
    assert asked == [0.0], "fifty at once and one later are one question"
    ticks.now = 10.0
    assert not await check()
    ticks.now = 20.0
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await check()
    assert asked == [0.0, 10.0, 20.0, 20.0]


async def test_one_who_gives_up_waiting_leaves_the_way_free() -> None:
    goes_on = asyncio.Event()

    async def slow() -> bool:
        return await goes_on.wait()

    check = remembered(slow, now=Ticks(), seconds=5)
    assert await report({"migrations": check}, seconds=0.02) == {"migrations": False}
    goes_on.set()
    assert await report({"migrations": check}, seconds=1) == {"migrations": True}


async def test_the_numbers_are_there_for_prometheus() -> None:
    metrics = Metrics()
    metrics.ack("command", 0.002)
    metrics.errand("consent_card", Ending.DONE, timedelta(seconds=3))
    metrics.amazon_call("lwa.refresh", "revoked")
    metrics.consent("refused", "too_late")
    metrics.slack_call("chat.postMessage", "ok")
    app = Starlette(routes=list(health_routes({}, metrics)))
    async with browsing(app) as browser:
        answer = await browser.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    for line in (
        'grantdesk_ack_seconds_bucket{kind="command",le="0.0025"} 1.0',
        'grantdesk_errands_total{ending="done",kind="consent_card"} 1.0',
        'grantdesk_errand_age_seconds{kind="consent_card"} 3.0',
        'grantdesk_amazon_calls_total{endpoint="lwa.refresh",outcome="revoked"} 1.0',
        'grantdesk_consents_total{outcome="refused",reason="too_late"} 1.0',
        'grantdesk_slack_calls_total{method="chat.postMessage",outcome="ok"} 1.0',
    ):
        assert line in answer.text.splitlines()


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("::ffff:10.2.3.4", {}, 200),
        ("192.168.7.9", {}, 200),
        ("fd00::7", {}, 200),
        ("93.184.216.34", {}, 404),
        ("2606:2800:220:1::1", {}, 404),
        ("::ffff:93.184.216.34", {}, 404),
        ("nonsense", {}, 404),
        ("127.0.0.1", {"x-forwarded-for": "93.184.216.34"}, 404),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, 404),
        ("10.0.0.1", {"forwarded": "for=93.184.216.34"}, 404),
        ("10.0.0.1", {"x-real-ip": "93.184.216.34"}, 404),
    ],
)
async def test_the_numbers_are_for_this_machine_and_its_network(
    peer: str, headers: dict[str, str], status: int
) -> None:
    app = Starlette(routes=list(health_routes({}, Metrics())))
    transport = httpx.ASGITransport(app=app, client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot.example.com") as browser:
        answer = await browser.get("/metrics", headers=headers)
        assert (answer.status_code, "grantdesk_" in answer.text) == (status, status == 200)
        assert (await browser.get("/healthz", headers=headers)).status_code == 200


def test_two_sets_of_numbers_do_not_meet() -> None:
    Metrics()
    Metrics()
