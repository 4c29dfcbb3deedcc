"""The adapters together with what stands on their other side: the real database, the local Slack, the local Amazon."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from bot.adapters.amazon.client import HttpAmazon, open_http
from bot.adapters.slack.delivery import SlackDelivery
from bot.adapters.slack.install import SlackInstaller
from bot.adapters.slack.people import SlackPeople
from bot.adapters.slack.session import PACES, Pace, SlackApi, open_session
from bot.adapters.slack.workspaces import SingleWorkspace, Workspaces
from bot.domain.features import FeatureKey
from bot.domain.marketplaces import MARKETPLACES
from bot.domain.notices import Notice, StoreAdded, StoreRef
from bot.domain.verification import Reason, Refused
from bot.ports import Errand, Installation, Message, Person, Placement, Sending, Tokens
from bot.services.relay import Patience, RateLimited, Relay
from bot.settings import ApplicationSettings
from sandbox.server import Sandbox, SandboxSettings, running
from sandbox.slack.switches import Switch
from storage.database import SqlDatabase
from tests.conftest import AnotherReplica
from tests.storage.fakes import CountingEntropy, FakeClock

US = MARKETPLACES["US"]
BOT = "https://desk.example.com"
FAST = Pace(dict.fromkeys(PACES, (1000.0, 1000.0)))


def wall() -> datetime:
    return datetime.now(UTC)


def added(label: str) -> StoreAdded:
    return StoreAdded(store=StoreRef("s1", label, "US"))


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running(SandboxSettings(port=0, bot_url="http://127.0.0.1:9", bot_public_url=BOT)) as made:
        yield made


# --- the relay on the real outbox


async def test_relays_of_two_replicas_share_the_work_and_keep_each_persons_order(
    database: SqlDatabase, another_replica: AnotherReplica, clock: FakeClock
) -> None:
    delivered: list[tuple[str, str]] = []
    running_now: Counter[str] = Counter()

    async def deliver(errand: Errand) -> None:
        running_now[errand.recipient] += 1
        assert running_now[errand.recipient] == 1
        await asyncio.sleep(0.001)
        delivered.append((errand.recipient, errand.body["store"]["label"]))
        running_now[errand.recipient] -= 1

    async with database.begin() as work:
        for number in range(60):
            await work.outbox.tell("T1", f"U{number % 6}", added(f"{number:02}"))
    other = await another_replica()
    patience = Patience(batch=20)
    relays = [Relay(queue.errands, deliver, clock=clock, patience=patience) for queue in (database, other)]
    await asyncio.gather(*(relay.drain() for relay in relays))
    for relay in relays:
        await relay.drain()
    assert len(delivered) == len(set(delivered)) == 60
    for person in range(6):
        mine = [label for recipient, label in delivered if recipient == f"U{person}"]
        assert mine == sorted(mine)


async def test_a_pause_holds_for_every_replica_and_only_that_workspace(
    database: SqlDatabase, another_replica: AnotherReplica, clock: FakeClock
) -> None:
    delivered: list[str] = []
    limited = True

    async def deliver(errand: Errand) -> None:
        if errand.team_id == "TA" and limited:
            raise RateLimited(timedelta(seconds=30))
        delivered.append(errand.team_id)

    async with database.begin() as work:
        for team in ("TA", "TB"):
            for user in ("U1", "U2"):
                await work.outbox.tell(team, user, added("Acme"))
    await Relay(database.errands, deliver, clock=clock).drain()
    limited = False
    other = Relay((await another_replica()).errands, deliver, clock=clock)
    assert await other.drain() == 0
    assert delivered == ["TB", "TB"]
    clock.advance(timedelta(seconds=30))
    await other.drain()
    assert sorted(delivered) == ["TA", "TA", "TB", "TB"]


async def test_a_relay_that_died_loses_nothing(database: SqlDatabase, clock: FakeClock) -> None:
    delivered: list[str] = []

    in_hand = asyncio.Event()

    async def die(_errand: Errand) -> None:
        in_hand.set()
        await asyncio.sleep(60)

    async def deliver(errand: Errand) -> None:
        delivered.append(errand.recipient)

    async with database.begin() as work:
        await work.outbox.tell("T1", "U1", added("Acme"))
    dying = Relay(database.errands, die, clock=clock, patience=Patience(grace=timedelta(0)))
    task = asyncio.create_task(dying.run())
    await in_hand.wait()
    await dying.stop()
    await task
    survivor = Relay(database.errands, deliver, clock=clock)
    assert await survivor.drain() == 0  # its lease still stands
    clock.advance(timedelta(minutes=2))
    assert await survivor.drain() == 1
    assert delivered == ["U1"]


# --- the local Slack


def say(notice: Notice, reader: Person) -> list[Sending]:
    assert isinstance(notice, StoreAdded)
    text = f"{reader.locale} {notice.store.label}"
    return [
        Sending(Message(text), Placement.NEW_CARD, "s1", farewell=Message("replaced")),
        Sending(Message("line"), Placement.THREAD, "s1"),
    ]


async def test_a_notice_becomes_a_card_and_a_line_in_its_readers_language(
    sqlite_database: SqlDatabase, sandbox: Sandbox
) -> None:
    database = sqlite_database
    async with open_session() as session:
        api = SlackApi(session, f"{sandbox.settings.public_url}/api/")
        workspace = SingleWorkspace(database.installations, token="xoxb-sandbox", api=api, clock=wall)
        await workspace.start()
        assert workspace.team_id == "T0SANDBOX"
        delivery = SlackDelivery(
            api,
            tokens=workspace,
            cards=database.cards,
            people=SlackPeople(api, tokens=workspace, profiles=database.people, clock=wall),
            renderers={"store_added": say},
            clock=wall,
            pace=FAST,
        )

        def errand(number: int) -> Errand:
            facts = added(f"Acme {number}").facts()
            return Errand(f"e{number}", "T0SANDBOX", "U0LIN", "store_added", False, facts, wall(), 1)

        await delivery.deliver(errand(1))
        await delivery.deliver(errand(2))
        sandbox.slack.workspace.switches.set(Switch(method="chat.postMessage", mode="ratelimited"))
        with pytest.raises(RateLimited):
            await delivery.deliver(errand(3))
    card = await database.cards.get("T0SANDBOX", "U0LIN", "s1")
    assert card is not None
    said = [
        (message.text, message.thread_ts)
        for message in sandbox.slack.world.messages
        if message.channel == card.channel_id
    ]
    assert said.count(("replaced", None)) == 1
    assert ("zh-TW Acme 2", None) in said
    assert said.count(("line", card.ts)) == 1
    assert len(said) == 4


async def test_installing_from_the_local_slack(sqlite_database: SqlDatabase, sandbox: Sandbox) -> None:
    rows = sqlite_database.installations
    async with open_session() as session, httpx.AsyncClient(trust_env=False) as browser:
        api = SlackApi(session, f"{sandbox.settings.public_url}/api/")
        installer = SlackInstaller(
            rows,
            api=api,
            workspaces=Workspaces(rows, clock=wall),
            client_id=sandbox.settings.client_id,
            client_secret=sandbox.settings.client_secret,
            public_url=BOT,
            clock=wall,
            entropy=CountingEntropy(),
            authorize_url=f"{sandbox.settings.public_url}/oauth/v2/authorize",
        )
        departure = await installer.begin()
        answer = await browser.post(departure.url, data={"user": "U0MEI", "answer": "allow"})
        query = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
        done = await installer.finish(query, cookie=departure.cookie)
        assert isinstance(done, Installation)
        kept = await rows.get("T0SANDBOX")
        assert kept is not None
        assert kept.bot_token == "xoxb-sandbox"


# --- the local Amazon


class AmazonCase:
    def __init__(self, sandbox: Sandbox, amazon: HttpAmazon, http: httpx.AsyncClient) -> None:
        self.sandbox = sandbox
        self.amazon = amazon
        self.http = http

    def tokens_of(self, feature: FeatureKey, account: str) -> str:
        """A refresh token, as if that account had consented."""
        world = self.sandbox.amazon
        app, person = world.app(feature.value), world.account(account)
        assert app is not None
        assert person is not None
        return world.ledger.mint_refresh_token(world.grant(app, person, "US"))


@pytest.fixture
async def amazon(sandbox: Sandbox) -> AsyncIterator[AmazonCase]:
    base = f"{sandbox.settings.public_url}/amazon"
    applications = {
        feature: ApplicationSettings(
            application_id=f"amzn1.sp.solution.sandbox-{feature.value}",
            client_id=f"amzn1.application-oa2-client.sandbox-{feature.value}",
            client_secret=SecretStr(f"sandbox-{feature.value}-secret"),
        )
        for feature in FeatureKey
    }
    async with open_http() as http:
        client = HttpAmazon(
            applications,
            public_url=BOT,
            http=http,
            clock=lambda: datetime.fromtimestamp(sandbox.clock.now(), UTC),
            lwa_url=f"{base}/lwa",
            spapi_url=f"{base}/spapi",
            seller_central_url=f"{base}/sellercentral",
            total_seconds=1.0,
        )
        yield AmazonCase(sandbox, client, http)


def first_account(sandbox: Sandbox) -> Any:
    return next(
        account
        for account in sandbox.amazon.accounts.values()
        if "US" in account.marketplaces and account.professional and account.may_authorize
    )


@pytest.mark.parametrize("feature", FeatureKey)
async def test_a_consent_can_be_refreshed_and_probed(amazon: AmazonCase, feature: FeatureKey) -> None:
    account = first_account(amazon.sandbox)
    refresh_token = amazon.tokens_of(feature, account.key)
    tokens = await amazon.amazon.refresh(feature, refresh_token)
    assert isinstance(tokens, Tokens)
    assert tokens.refresh_token == refresh_token
    found = await amazon.amazon.participations(feature, US, tokens.access_token)
    assert not isinstance(found, Refused)
    assert US.id in [row.marketplace_id for row in found if row.participating]
    refused = await amazon.amazon.probe(
        feature, US, selling_partner_id=account.selling_partner_id, access_token=tokens.access_token
    )
    assert refused is None


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("invalid_client", Reason.OUR_CREDENTIALS),
        ("unauthorized_client", Reason.OUR_CREDENTIALS),
        ("html_503", Reason.AMAZON_UNAVAILABLE),
        ("json_500", Reason.AMAZON_UNAVAILABLE),
        ("throttled", Reason.THROTTLED),
        ("timeout", Reason.AMAZON_UNAVAILABLE),
        ("slow", Reason.AMAZON_UNAVAILABLE),
    ],
)
async def test_every_switch_of_login_with_amazon_has_its_reason(
    amazon: AmazonCase, status: str, reason: Reason
) -> None:
    amazon.sandbox.amazon.switches.set({"lwa_status": status, "slow_seconds": 1.2, "timeout_seconds": 1.2})
    assert await amazon.amazon.refresh(FeatureKey.ORDERS, "t") == Refused(reason)
    assert await amazon.amazon.exchange(FeatureKey.ORDERS, "c") == Refused(reason)


async def test_unknown_codes_and_tokens_are_told_apart(amazon: AmazonCase) -> None:
    assert await amazon.amazon.exchange(FeatureKey.ORDERS, "made-up") == Refused(Reason.CODE_REJECTED)
    assert await amazon.amazon.refresh(FeatureKey.ORDERS, "made-up") == Refused(Reason.REVOKED)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("403_empty", Reason.PERMISSION_PROBLEM),
        ("403_token", Reason.AMAZON_UNAVAILABLE),
        ("403_expired", Reason.AMAZON_UNAVAILABLE),
        ("403_secret", Reason.OUR_CREDENTIALS),
        ("429", Reason.THROTTLED),
        ("html_503", Reason.AMAZON_UNAVAILABLE),
        ("timeout", Reason.AMAZON_UNAVAILABLE),
    ],
)
async def test_every_switch_of_the_selling_partner_api_has_its_reason(
    amazon: AmazonCase, status: str, reason: Reason
) -> None:
    amazon.sandbox.amazon.switches.set(
        {"spapi_listings": status, "spapi_participations": status, "timeout_seconds": 1.2}
    )
    refused = await amazon.amazon.probe(FeatureKey.LISTING, US, selling_partner_id="A1", access_token="t")
    assert refused == Refused(reason)
    found = await amazon.amazon.participations(FeatureKey.LISTING, US, "t")
    assert found == (() if reason is Reason.PERMISSION_PROBLEM else Refused(reason))


async def test_the_links_lead_to_pages_that_exist(amazon: AmazonCase) -> None:
    for url in (
        amazon.amazon.consent_url(FeatureKey.ORDERS, US, state="s"),
        amazon.amazon.confirm_url(
            FeatureKey.ORDERS,
            "/apps/authorize/confirm/amzn1.sp.solution.sandbox-orders",
            amazon_state="as",
            state="s",
        ),
    ):
        assert url is not None
        answer = await amazon.http.get(re.sub(r"^https?://[^/]+", amazon.sandbox.settings.public_url, url))
        assert answer.status_code in (200, 302, 303, 400)
