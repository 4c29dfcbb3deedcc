"""What the tests of the sandbox's Amazon share: a clock to move, a developer's site that listens, and a browser."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from starlette.applications import Starlette

from sandbox.amazon.app import AmazonWorld, default_apps, routes
from sandbox.amazon.browser import Page, SellerBrowser

AMAZON = "http://amazon.test"
BOT = "http://bot.test"
SELLER_CENTRAL = f"{AMAZON}/amazon/sellercentral"
CALLBACK = f"{BOT}/amazon/orders/callback"
MEI = "A1MEIACME0001"
LIN = "A3LINTAIWAN03"
DAY = 24 * 60 * 60


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    seconds: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def passes(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Developer(httpx.AsyncBaseTransport):
    """The developer's own site: remembers who came, and at its login URI sends the seller back to Amazon."""

    visits: list[httpx.URL] = field(default_factory=list)
    version: str = ""
    takes: Callable[[], None] = field(default=lambda: None)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.visits.append(request.url)
        if not request.url.path.endswith("/login"):
            return httpx.Response(200, html="<title>Thanks</title><p>You are connected.</p>")
        self.takes()
        sent = dict(request.url.params)
        feature = request.url.path.split("/")[2]
        answer = {
            "amazon_state": sent["amazon_state"],
            "state": "our-own-state",
            "redirect_uri": f"{BOT}/amazon/{feature}/callback",
            **({"version": self.version} if self.version else {}),
        }
        target = sent["amazon_callback_uri"]
        target = target if target.startswith("http") else f"{SELLER_CENTRAL}{target}"
        return httpx.Response(302, headers={"location": f"{target}?{urlencode(answer)}"})


class Case:
    """One Amazon, one developer, as many browsers as a test wants."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.world = AmazonWorld(default_apps(BOT), self.clock)
        self.amazon = httpx.ASGITransport(app=Starlette(routes=routes(self.world)))
        self.developer = Developer()
        self.http = httpx.AsyncClient(transport=self.amazon, base_url=AMAZON)

    def browser(self) -> SellerBrowser:
        return SellerBrowser(AMAZON, mounts={"all://amazon.test": self.amazon, "all://bot.test": self.developer})

    def link(self, app: str = "orders", **changes: str) -> str:
        query = {
            "application_id": f"amzn1.sp.solution.sandbox-{app}",
            "state": "state-1",
            "redirect_uri": f"{BOT}/amazon/{app}/callback",
        } | changes
        return f"{SELLER_CENTRAL}/apps/authorize/consent?{urlencode({k: v for k, v in query.items() if v})}"

    async def consent_page(self, account: str = MEI, place: str = "", **link: str) -> tuple[SellerBrowser, Page]:
        browser = self.browser()
        await browser.opens(self.link(**link))
        return browser, await browser.signs_in(account, place)

    async def code(self, account: str = MEI, place: str = "", app: str = "orders") -> str:
        browser, _ = await self.consent_page(account, place, app=app)
        page = await browser.consents()
        return params(page.url)["spapi_oauth_code"]

    async def token(self, *, app: str = "orders", **form: str) -> httpx.Response:
        credentials = {
            "client_id": f"amzn1.application-oa2-client.sandbox-{app}",
            "client_secret": f"sandbox-{app}-secret",
        }
        return await self.http.post("/amazon/lwa/auth/o2/token", data={**credentials, **form})

    async def exchange(self, code: str, app: str = "orders", **changes: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"{BOT}/amazon/{app}/callback",
        }
        return await self.token(app=app, **(form | changes))

    async def refresh(self, refresh_token: str, app: str = "orders") -> httpx.Response:
        return await self.token(app=app, grant_type="refresh_token", refresh_token=refresh_token)

    async def tokens(self, account: str = MEI, place: str = "", app: str = "orders") -> dict[str, Any]:
        answer = await self.exchange(await self.code(account, place, app), app)
        body: dict[str, Any] = answer.json()
        return body

    async def probe(self, path: str, access_token: str, **query: str) -> httpx.Response:
        headers = {"x-amz-access-token": access_token} if access_token else {}
        return await self.http.get(f"/amazon/spapi{path}", params=query, headers=headers)

    async def control(self, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        if body is None:
            return await self.http.get(f"/control/amazon{path}")
        headers = {"content-type": "application/json"}
        return await self.http.post(f"/control/amazon{path}", content=json.dumps(body), headers=headers)


def params(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))
