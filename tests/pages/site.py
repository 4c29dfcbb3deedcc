"""The pages on real services, in front of the sandbox's Amazon; all in this process. A browser here runs no script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import func, select

from bot.domain.consent import ConsentAttempt, fingerprint
from bot.domain.features import FeatureKey
from bot.domain.grants import Grant
from bot.domain.stores import Store
from bot.ports import Person
from bot.services.stores import StoreDraft
from handlers.stories import Stories
from sandbox.amazon.app import AmazonWorld
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
    bot_transport: httpx.ASGITransport
    amazon_transport: httpx.ASGITransport

    def browser(self, **headers: str) -> SellerBrowser:
        mounts = {"all://amazon.test": self.amazon_transport, "all://bot.test": self.bot_transport}
        return SellerBrowser(
            AMAZON, mounts=mounts, headers={name.replace("_", "-").title(): it for name, it in headers.items()}
        )

    def http(self, **headers: str) -> httpx.AsyncClient:
        """Requests one by one, without a browser's habits."""
        return httpx.AsyncClient(transport=self.bot_transport, base_url=BOT, headers=headers)

    def passes(self, time: timedelta) -> None:
        self.clock.advance(time)

    async def store(self, person: Person = ALEX, label: str = "Acme US", marketplace: str = "US") -> Store:
        draft = StoreDraft(label, marketplace, self.clock().date().isoformat())
        return (await self.stories.stores.add(person, draft)).store

    async def secret(self, store: Store, person: Person = ALEX, feature: FeatureKey = FeatureKey.ORDERS) -> str:
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

    async def grant(self, store: Store, person: Person = ALEX, feature: FeatureKey = FeatureKey.ORDERS) -> Grant:
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


def as_json(response: httpx.Response) -> dict[str, Any]:
    body = json.loads(response.text)
    assert isinstance(body, dict)
    return body
