"""The pages on real services and a migrated SQLite file, in front of the sandbox's Amazon; all in this process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.middleware import Middleware

from bot.adapters.amazon.client import HttpAmazon
from bot.domain.consent import ConsentAttempt, fingerprint
from bot.domain.features import FEATURES, FeatureKey
from bot.domain.grants import Grant
from bot.domain.stores import Store
from bot.ports import Person
from bot.services.checking import Checking
from bot.services.granting import Granting
from bot.services.naming import Names
from bot.services.reporting import Reporting
from bot.services.stores import StoreDraft, StoreKeeping
from bot.services.support import Support
from bot.settings import ApplicationSettings
from bot.web.headers import SecurityHeaders, amazon_form_targets
from handlers import consent_page
from handlers.routing import Registry
from handlers.stories import Stories
from sandbox.amazon.app import AmazonWorld, default_apps, routes
from sandbox.amazon.browser import Page, SellerBrowser
from storage.database import SqlDatabase
from storage.tables import audit, consent_states
from tests.storage.fakes import CountingEntropy, FakeClock

AMAZON = "http://amazon.test"
SELLER_CENTRAL = f"{AMAZON}/amazon/sellercentral"
BOT = "https://bot.test"
ALEX = Person("T1", "UALEX", "en", "America/Los_Angeles")
MEI = Person("T1", "UMEI", "zh-CN", "Asia/Shanghai")
LIN = Person("T1", "ULIN", "zh-TW", "Asia/Taipei")
EVERYBODY = {person.user_id: person for person in (ALEX, MEI, LIN)}


class KnownPeople:
    """A `People` port that asks nobody."""

    async def get(self, team_id: str, user_id: str) -> Person:
        return EVERYBODY.get(user_id, Person(team_id, user_id, "en", "UTC"))

    async def forget(self, team_id: str, user_id: str) -> None:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Told:
    """An errand that was put into the outbox."""

    recipient: str
    kind: str
    body: Mapping[str, Any] = field(repr=False)


@dataclass
class Site:
    """The pages, and everything that a test wants to look at behind them."""

    database: SqlDatabase
    stories: Stories
    clock: FakeClock
    entropy: CountingEntropy
    amazon: AmazonWorld
    _bot: httpx.ASGITransport
    _sandbox: httpx.ASGITransport

    def browser(self, **headers: str) -> SellerBrowser:
        mounts = {"all://amazon.test": self._sandbox, "all://bot.test": self._bot}
        return SellerBrowser(AMAZON, mounts=mounts, headers={name.replace("_", "-"): it for name, it in headers.items()})

    def http(self, **headers: str) -> httpx.AsyncClient:
        """Requests one by one, without a browser's habits."""
        return httpx.AsyncClient(transport=self._bot, base_url=BOT, headers=headers)

    def passes(self, time: timedelta) -> None:
        self.clock.advance(time)

    async def store(self, person: Person = ALEX, label: str = "Acme US", marketplace: str = "US") -> Store:
        draft = StoreDraft(label, marketplace, self.clock().date().isoformat())
        return (await self.stories.stores.add(person, draft)).store

    async def secret(
        self, store: Store, person: Person = ALEX, feature: FeatureKey = FeatureKey.ORDERS
    ) -> str:
        secret = self.entropy.secret()
        await self.stories.granting.prepare(person, feature, store.id, secret=secret)
        return secret

    async def link(self, store: Store, person: Person = ALEX, feature: FeatureKey = FeatureKey.ORDERS) -> str:
        return f"{BOT}/connect/{await self.secret(store, person, feature)}"

    async def consent(
        self, store: Store, *, person: Person = ALEX, account: str = "alex", feature: FeatureKey = FeatureKey.ORDERS
    ) -> tuple[SellerBrowser, Page]:
        """From the link to the result, all in one browser without JavaScript."""
        browser = self.browser()
        await browser.opens(await self.link(store, person, feature))
        await press(browser)
        await browser.signs_in(account, store.marketplace_code)
        return browser, await browser.consents()

    async def grant(
        self, store: Store, person: Person = ALEX, feature: FeatureKey = FeatureKey.ORDERS
    ) -> Grant:
        return (await self.stories.reporting.store(person, store.id)).grants[feature]

    async def attempt(self, secret: str) -> ConsentAttempt:
        async with self.database.read() as work:
            found = await work.attempts.by_secret(fingerprint(secret))
        assert found is not None
        return found

    async def states_minted(self) -> int:
        async with self.database.engine.connect() as connection:
            return int((await connection.execute(select(func.count()).select_from(consent_states))).scalar_one())

    async def audited(self, action: str) -> list[Any]:
        async with self.database.engine.connect() as connection:
            return list(await connection.execute(select(audit).where(audit.c.action == action)))

    async def told(self) -> list[Told]:
        """Empties the outbox."""
        found = []
        while errands := await self.database.errands.claim(now=self.clock(), lease=timedelta(minutes=1), limit=50):
            for errand in errands:
                found.append(Told(errand.recipient, errand.kind, errand.body))
                await self.database.errands.done(errand)
        return found

    @contextmanager
    def switched(self, **switches: Any) -> Iterator[None]:
        before = self.amazon.switches.all()
        self.amazon.switches.set(switches)
        yield
        self.amazon.switches.set({name: before[name] for name in switches})


async def press(browser: SellerBrowser) -> Page:
    """The page's one big button."""
    return await browser.presses("Yes, continue to Amazon")


def state_of(page: Page) -> str:
    """The state that a page was written in."""
    return page.html.partition('data-state="')[2].partition('"')[0]


def token_in(page: Page) -> str:
    return dict(next(form for form in page.forms if form.method == "post").fields)["token"]


@pytest.fixture
async def site(sqlite_database: SqlDatabase, clock: FakeClock, entropy: CountingEntropy) -> AsyncIterator[Site]:
    world = AmazonWorld(default_apps(BOT), lambda: clock().timestamp())
    sandbox = httpx.ASGITransport(app=Starlette(routes=routes(world)))
    applications = {
        feature: ApplicationSettings(
            _env_file=None,
            application_id=app.application_id,
            client_id=app.client_id,
            client_secret=SecretStr(app.client_secret),
            developer_name=app.developer_name,
        )
        for feature, app in zip(FEATURES, default_apps(BOT), strict=True)
    }
    async with httpx.AsyncClient(transport=sandbox) as http:
        amazon = HttpAmazon(
            applications,
            public_url=BOT,
            http=http,
            clock=clock,
            lwa_url=f"{AMAZON}/amazon/lwa",
            spapi_url=f"{AMAZON}/amazon/spapi",
            seller_central_url=SELLER_CENTRAL,
        )
        granting = Granting(sqlite_database, amazon, clock=clock, entropy=entropy)
        stories = Stories(
            stores=StoreKeeping(sqlite_database, clock=clock, entropy=entropy),
            granting=granting,
            checking=Checking(sqlite_database, amazon, granting, clock=clock),
            reporting=Reporting(sqlite_database, clock=clock),
            support=Support(sqlite_database, clock=clock),
            answering=cast("Any", None),
            people=KnownPeople(),
            clock=clock,
            names=Names(
                platform="SaleYee",
                sister="Feikan",
                developers={feature: amazon.developer_name(feature) for feature in FEATURES},
                applications={feature: amazon.application_name(feature) for feature in FEATURES},
            ),
            public_url=BOT,
            workspaces=cast("Any", None),
            installer=None,
        )
        registry = Registry()
        consent_page.register(registry, stories)
        app = Starlette(
            routes=registry.routes,
            middleware=[Middleware(SecurityHeaders, https=True, form_targets=amazon_form_targets(SELLER_CENTRAL))],
        )
        yield Site(sqlite_database, stories, clock, entropy, world, httpx.ASGITransport(app=app), sandbox)


def as_json(response: httpx.Response) -> dict[str, Any]:
    body = json.loads(response.text)
    assert isinstance(body, dict)
    return body
