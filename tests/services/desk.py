"""The whole desk without its edges: services on a real database, an Amazon in memory, and people who use them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from bot.domain.consent import ConsentAttempt, Outcome, fingerprint
from bot.domain.deadlines import Targets
from bot.domain.features import FEATURES, FeatureKey
from bot.domain.grants import Grant
from bot.domain.notices import ConsentCard, Notice
from bot.domain.stores import Seller, Store
from bot.domain.verification import Reason
from bot.ports import Person
from bot.services.amazon_answers import AmazonAnswer
from bot.services.answering import Answering
from bot.services.checking import Checking
from bot.services.digesting import Digesting
from bot.services.granting import Arrival, Granting
from bot.services.intake import Intake
from bot.services.naming import Names
from bot.services.nudging import Nudging
from bot.services.reporting import Reporting
from bot.services.stores import StoreDraft, StoreKeeping
from bot.services.support import Support
from bot.services.sweeping import Sweeping
from faq.live import LiveKnowledge
from storage.database import SqlDatabase
from storage.tables import metadata
from tests import fakes
from tests.fakes import SUPPORT, FakeAmazon
from tests.storage.fakes import CountingEntropy, FakeClock

ORDERS, LISTING = FeatureKey.ORDERS, FeatureKey.LISTING

MEI = Person("T0SALEYEE", "U0MEI", "zh-CN", "Asia/Shanghai")
LIN = Person("T0SALEYEE", "U0LIN", "zh-TW", "Asia/Taipei")
ALEX = Person("T0ELSEWHERE", "U0ALEX", "en", "America/New_York")

ACME, BOLT = "A2ACMEPARTNER", "A3BOLTPARTNER"


@cache
def knowledge() -> LiveKnowledge:
    """The articles and their matcher, read once."""
    return LiveKnowledge()


class FakePeople:
    """`People` whom it was told of; `asked` is whom it was asked for."""

    def __init__(self, *known: Person) -> None:
        self.known = {(person.team_id, person.user_id): person for person in known}
        self.asked: list[str] = []

    async def get(self, team_id: str, user_id: str) -> Person:
        self.asked.append(user_id)
        return self.known.get((team_id, user_id)) or Person(team_id, user_id, "en", "UTC")


class KeptEntropy(CountingEntropy):
    """Remembers the secrets it gave out, so that a test can look for them where they must not be."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[str] = []

    def secret(self) -> str:
        self.given.append(super().secret())
        return self.given[-1]


class Desk:
    """What a test plays on."""

    def __init__(self, database: SqlDatabase, clock: FakeClock) -> None:
        self.database = database
        self.clock = clock
        self.entropy = KeptEntropy()
        self.amazon = FakeAmazon(clock)
        self.amazon.opens(ACME, "US", "CA", "UK", "DE", "JP", "AU")
        self.amazon.opens(BOLT, "US", "MX")
        self.stores = StoreKeeping(database, clock=clock, entropy=self.entropy)
        self.targets = Targets()
        self.intake = Intake(clock=clock, entropy=self.entropy, targets=self.targets)
        self.granting = Granting(database, self.amazon, clock=clock, entropy=self.entropy, intake=self.intake)
        self.checking = Checking(database, self.amazon, self.granting, clock=clock)
        self.reporting = Reporting(database, clock=clock)
        self.people = FakePeople(MEI, LIN, ALEX)
        self.digesting = Digesting(database, self.people, clock=clock, channel=SUPPORT, page=3)
        self.sweeping = Sweeping(database, self.amazon, self._home, self.intake, clock=clock)
        self.names = Names(
            platform="SaleYee",
            sister="Feikan",
            developers={key: row.developer_name for key, row in FEATURES.items()},
            applications={key: row.application_name for key, row in FEATURES.items()},
        )

    @staticmethod
    async def _home() -> str | None:
        return MEI.team_id

    def nudging(self) -> Nudging:
        return Nudging(self.database, self.answering(), self.people, clock=self.clock)

    def answering(self) -> Answering:
        return Answering(
            knowledge(),
            self.database,
            names=self.names,
            reporting=self.reporting,
            checking=self.checking,
            clock=self.clock,
        )

    @property
    def support(self) -> Support:
        return Support(
            self.database,
            intake=self.intake,
            answering=self.answering(),
            reporting=self.reporting,
            clock=self.clock,
        )

    # --- what people do ----------------------------------------------------------------------------------------------

    async def store(self, person: Person = MEI, label: str = "Acme US", marketplace: str = "US", **more: str) -> Store:
        draft = StoreDraft(label, marketplace, more.pop("day", "2026-01-31"), **more)
        return (await self.stores.add(person, draft)).store

    async def card(self, store: Store, feature: FeatureKey = ORDERS, *, person: Person = MEI) -> ConsentCard:
        """`/grant`: the card that arrives."""
        await self.granting.prepare(person, feature, store.id)
        found = (await self.told(person.user_id))[-1]
        assert isinstance(found, ConsentCard)
        return found

    async def press(self, secret: str) -> str:
        """The page's button: the state that goes to Amazon."""
        departure = await self.granting.press(secret)
        return parse_qs(urlsplit(departure.url).query)["state"][0]

    async def leave(self, store: Store, feature: FeatureKey = ORDERS, *, person: Person = MEI) -> str:
        """From `/grant` to Amazon's page: the state."""
        return await self.press((await self.card(store, feature, person=person)).secret)

    async def come_back(
        self, state: str, feature: FeatureKey = ORDERS, *, account: str = ACME, code: str = "", **more: Any
    ) -> Arrival:
        """Amazon's redirect; without a `code` the account agrees first."""
        code = code or self.amazon.agree(feature, account, await self._marketplace(state))
        browser = more.pop("browser", None)
        return await self.granting.answer(feature, AmazonAnswer(state, account, code, **more), browser=browser)

    async def consent(
        self, store: Store, feature: FeatureKey = ORDERS, *, person: Person = MEI, account: str = ACME
    ) -> Arrival:
        """The whole trip: link, button, Amazon, back."""
        return await self.come_back(await self.leave(store, feature, person=person), feature, account=account)

    async def granted(self, label: str = "Acme US", marketplace: str = "US", feature: FeatureKey = ORDERS) -> Store:
        """A store of Mei's whose feature is granted; what was told of it is thrown away."""
        store = await self.store(MEI, label, marketplace)
        arrival = await self.consent(store, feature)
        assert arrival.verdict
        await self.told(MEI.user_id)
        return await self.stores.get(MEI, store.id)

    # --- what there is then ------------------------------------------------------------------------------------------

    async def told(self, user_id: str = MEI.user_id) -> list[Notice]:
        return await fakes.told(self.database, user_id)

    async def support_told(self) -> list[Notice]:
        return await fakes.told(self.database, SUPPORT)

    async def grant(self, store: Store, feature: FeatureKey = ORDERS) -> Grant:
        async with self.database.read() as work:
            return (await work.grants.of_store(store))[feature]

    async def grants(self, *stores: Store) -> list[Grant]:
        return [await self.grant(store, feature) for store in stores for feature in FEATURES]

    async def attempt(self, secret: str) -> ConsentAttempt:
        async with self.database.read() as work:
            found = await work.attempts.by_secret(fingerprint(secret))
        assert found is not None
        return found

    async def latest(self, store: Store, feature: FeatureKey = ORDERS) -> ConsentAttempt:
        async with self.database.read() as work:
            found = await work.attempts.latest(store, feature)
        assert found is not None
        return found

    async def ending(self, store: Store, feature: FeatureKey = ORDERS) -> tuple[Outcome | None, Reason | None]:
        attempt = await self.latest(store, feature)
        return attempt.outcome, attempt.reason

    async def seller(self, person: Person = MEI) -> Seller:
        async with self.database.read() as work:
            found = await work.sellers.of_member(person.team_id, person.user_id)
        assert found is not None
        return found

    async def token_of(self, store: Store, feature: FeatureKey = ORDERS) -> str:
        """The refresh token that the grant rests on."""
        grant = await self.grant(store, feature)
        assert grant.authorization_id is not None
        async with self.database.read() as work:
            authorization = await work.authorizations.get(await self.seller(), grant.authorization_id)
            assert authorization is not None
            return await work.authorizations.refresh_token(authorization)

    async def rows(self) -> str:
        """Everything in the database as text."""
        async with self.database.engine.connect() as connection:
            tables = [(await connection.execute(select(table))).all() for table in metadata.sorted_tables]
        return repr(tables)

    async def nothing_leaked(self, *notices: Notice) -> None:
        """No code, token, state or secret in clear: not in the database, and in no notice but the link of a card."""
        written = await self.rows()
        for notice in notices:
            facts = notice.facts()
            if isinstance(notice, ConsentCard):
                facts.pop("secret")
            written += json.dumps(facts) + repr(notice)
        leaked = [secret for secret in (*self.amazon.secrets, *self.entropy.given) if secret in written]
        assert leaked == []

    async def _marketplace(self, state: str) -> str:
        async with self.database.read() as work:
            known = await work.attempts.state(fingerprint(state))
            attempt = None if known is None else await work.attempts.get(known.attempt_id)
            seller = None if attempt is None else await work.sellers.get(attempt.team_id, attempt.seller_id)
            store = None if attempt is None or seller is None else await work.stores.get(seller, attempt.store_id)
        return "US" if store is None else store.marketplace_code
