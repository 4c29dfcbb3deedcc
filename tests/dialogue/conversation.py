"""People who talk to the running system: what they do, and everything they then see, over real signed HTTP."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import text

from bot.demo import Running
from bot.i18n import Speaker, locale_for
from sandbox.amazon.browser import Page, SellerBrowser
from sandbox.client import Message, Person, Said, SandboxClient, View
from sandbox.slack.people import Channel
from tests.dialogue.content import missing_from_text, shown

_PATIENCE = 60.0
_count = itertools.count(1)

#: name → Slack's locale, time zone
PEOPLE = {
    "mei": ("zh-CN", "Asia/Shanghai"),
    "lin": ("zh-TW", "Asia/Taipei"),
    "alex": ("en-US", "America/Los_Angeles"),
}


@dataclass(frozen=True, slots=True)
class News:
    """What came of something that a person did, once everything it caused has been sent."""

    said: Said
    messages: tuple[Message, ...]
    modal: View | None

    def plain(self) -> str:
        parts = [message.plain() for message in self.messages]
        return "\n\n".join([*parts, self.modal.plain()] if self.modal else parts)

    def one(self, fragment: str) -> Message:
        """The newest message that says this."""
        for message in reversed(self.messages):
            if message.contains(fragment):
                return message
        raise AssertionError(f"nobody says {fragment!r}; there is:\n{self.plain() or '(silence)'}")

    @property
    def only(self) -> Message:
        """The one message there is."""
        assert len(self.messages) == 1, f"{len(self.messages)} messages:\n{self.plain()}"
        return self.messages[0]


@dataclass(slots=True)
class System:
    """The bot and both stand-ins, running, as a test sees them from outside; the outbox is looked at to know when to go on."""

    running: Running
    client: SandboxClient
    #: fragments of problems that a test has provoked on purpose
    tolerated: list[str] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.running.sandbox.clock.now(), UTC)

    def day(self, days: int = 0) -> date:
        """A day counted from today, in the time zone that is farthest behind: valid everywhere."""
        return (self.now - timedelta(hours=12)).date() + timedelta(days=days)

    async def passes(self, **time: float) -> None:
        """Time, for everybody. What is under way is finished first: leases live by the same clock."""
        await self.settled()
        await self.client.advance(timedelta(**time).total_seconds())

    async def run_job(self, name: str) -> None:
        await self.running.desk.run_job(name)
        await self.settled()

    async def count(self, query: str, **values: object) -> int:
        async with self.running.desk.database.engine.connect() as connection:
            return int(await connection.scalar(text(query), values) or 0)

    async def settled(self) -> None:
        """Returns when nothing waits to be sent and nobody is being told anything."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while await self.count("SELECT count(*) FROM outbox WHERE dead_at IS NULL") or self.client_is_busy:
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError("messages are still waiting to be sent")
            await asyncio.sleep(0.01)

    @property
    def client_is_busy(self) -> bool:
        return self.running.sandbox.slack.courier.busy > 0

    async def amazon(self, path: str = "switches", /, **body: Any) -> dict[str, Any]:
        """Bends the local Amazon."""
        return await self.client.post(f"/control/amazon/{path}", body)

    @asynccontextmanager
    async def bent(self, **switches: Any) -> AsyncIterator[None]:
        """Amazon misbehaves for as long as the block lasts."""
        normal = {
            name: switch for name, switch in self.running.sandbox.amazon.switches.all().items() if name in switches
        }
        await self.amazon(**switches)
        try:
            yield
        finally:
            await self.settled()
            await self.amazon(**normal)

    async def amazon_account(self, *marketplaces: str, **details: Any) -> str:
        """A selling partner of its own; the key and the id are the same."""
        partner = f"A{next(_count):04d}DIALOGUE"
        await self.amazon(
            "accounts",
            selling_partner_id=partner,
            person="Somebody",
            store_name=partner.title(),
            marketplaces=list(marketplaces),
            **details,
        )
        return partner

    async def person(self, name: str) -> Seller:
        """Somebody nobody has met yet, in the language of mei, lin or alex."""
        locale, tz = PEOPLE[name]
        handle = f"{name}{next(_count)}"
        person = await self.client.add_person(handle, locale=locale, tz=tz)
        return Seller(self, person, Speaker(locale_for(locale), tz=tz), f"U0{handle.upper()}")

    def outside_channel(self, *members: str) -> str:
        """A conversation that the bot is not in."""
        channel = Channel(id=f"C0OUT{next(_count)}", name=f"outside-{next(_count)}", members=set(members))
        self.running.sandbox.slack.world.channels[channel.id] = channel
        return channel.id

    def private_channel(self, *members: str) -> str:
        """A private channel that the bot was invited to."""
        channel = Channel(
            id=f"C0PRIV{next(_count)}", name=f"private-{next(_count)}", members={"U0BOT", *members}, private=True
        )
        self.running.sandbox.slack.world.channels[channel.id] = channel
        return channel.id

    def mark(self) -> int:
        """A place in Slack's journal, for `complaints`."""
        journal = self.running.sandbox.slack.journal
        kept: list[Any] = [*journal.calls, *journal.deliveries]
        return max((entry.id for entry in kept), default=0)

    def complaints(self, since: int) -> list[str]:
        """What real Slack would have complained about, and every text that does not say what its blocks say."""
        journal = self.running.sandbox.slack.journal
        calls = [call for call in journal.calls if call.id > since]
        deliveries = [one for one in journal.deliveries if one.id > since]
        found = [f"{call.method}: {problem}" for call in calls for problem in call.problems]
        found += [f"{one.kind} {one.summary}: {one.failure}" for one in deliveries if one.failure]
        found += [f"{one.kind} {one.summary}: {problem}" for one in deliveries for problem in one.problems]
        for call in calls:
            if call.method in ("chat.postMessage", "chat.postEphemeral", "chat.update"):
                found += [f"{call.method}: the text lacks {lost!r}" for lost in missing_from_text(call.args)]
        for one in deliveries:
            found += [f"{one.summary}: the text lacks {lost!r}" for lost in missing_from_text(shown(one.answer))]
        return [one for one in found if not any(expected in one for expected in self.tolerated)]


class Seller:
    """A person at their keyboard, who waits until everything has arrived."""

    def __init__(self, system: System, person: Person, say: Speaker, user_id: str) -> None:
        self.system = system
        self.person = person
        self.say = say
        self.id = user_id
        self.dm = f"D0{user_id.removeprefix('U0')}"

    def __repr__(self) -> str:
        return self.person.name

    async def _news(self, said: Said) -> News:
        assert said.ok or said.errors, f"{self} is not acknowledged: {said.failure} {said.problems}"
        await self.system.settled()
        messages = [one for one in await self.person.messages() if one.version > said.version and one.user == "U0BOT"]
        modals = await self.person.modals()
        top = modals[-1] if modals and modals[-1].version > said.version else None
        return News(said, tuple(messages), top)

    async def types(self, command: str, *, channel: str = "") -> News:
        return await self._news(await self.person.types(command, channel=channel, quiet=0))

    async def says(self, words: str, *, channel: str = "", thread: Message | None = None) -> News:
        return await self._news(await self.person.says(words, channel=channel, thread=thread, quiet=0))

    async def presses(
        self, label: str, message: Message | None = None, *, view: View | None = None, value: Any = None
    ) -> News:
        """A button by its label or action id; `value` chooses in a menu."""
        return await self._news(await self.person.clicks(label, message=message, view=view, value=value, quiet=0))

    async def fills(self, **values: Any) -> View:
        """The open form's inputs, by action id."""
        return await self.person.fills(values)

    async def submits(self) -> News:
        return await self._news(await self.person.submits(quiet=0))

    async def opens_home(self) -> View:
        await self.person.home(quiet=0)
        await self.system.settled()
        return await self.person.home(quiet=0)

    async def changes(self, **details: str) -> None:
        await self.person.changes(**details)
        await self.system.settled()
        if locale := details.get("locale"):
            self.say = Speaker(locale_for(locale), tz=self.say.zone.key)

    async def has_store(self, label: str, marketplace: str = "US", *, day: date | None = None) -> str:
        """A store, added in one line; its id."""
        news = await self.types(f'/store add "{label}" {marketplace} {day or self.system.day()}')
        added = news.one(self.say("store.added.title"))
        return next(
            str(control.raw["value"]) for control in added.controls() if control.action_id == "grant.start:orders"
        )

    async def card(self, feature: str, label: str) -> Message:
        """The card of a fresh link."""
        return (await self.types(f'/grant {feature} "{label}"')).one(self.say("button.open_amazon"))

    def link(self, card: Message) -> str:
        found = card.link(self.say("button.open_amazon"))
        assert found, f"no link on {card.plain()}"
        return found

    async def consents(self, card: Message | str, account: str, marketplace: str = "US") -> tuple[Page, News]:
        """In the store's own browser, which has never seen us: signs in, opens the link, goes to Amazon, confirms."""
        before = await self._version()
        async with self.browser() as browser:
            await browser.signs_in(account, marketplace)
            await browser.opens(card if isinstance(card, str) else self.link(card))
            await browser.presses(self.say("page.go"))
            page = await browser.consents()
        return page, await self._news(before)

    async def goes_to_amazon(self, card: Message, account: str, marketplace: str = "US") -> Page:
        """Presses the page's button and does nothing more at Amazon."""
        async with self.browser() as browser:
            await browser.signs_in(account, marketplace)
            await browser.opens(self.link(card))
            return await browser.presses(self.say("page.go"))

    async def grants(self, feature: str, label: str, account: str, marketplace: str = "US") -> News:
        """The whole way, from the command to the result."""
        _, news = await self.consents(await self.card(feature, label), account, marketplace)
        news.one(self.say("grant.complete"))
        return news

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[SellerBrowser]:
        headers = {"Accept-Language": self.say.locale}
        async with SellerBrowser(self.system.client.base_url, headers=headers) as browser:
            yield browser

    async def notices(self, happening: Callable[[], Any]) -> News:
        """What arrives because of something that somebody else does."""
        before = await self._version()
        await happening()
        return await self._news(before)

    async def _version(self) -> Said:
        await self.system.settled()
        version = self.system.running.sandbox.slack.world.version
        return Said(ok=True, status=200, ack_ms=0.0, failure="", version=version)

    async def stores(self) -> int:
        return await self.system.count(
            "SELECT count(*) FROM stores JOIN seller_members USING (seller_id) WHERE user_id = :user", user=self.id
        )


async def verify_dialog(seller: Seller, script: Sequence[tuple[str, str | Sequence[str]]]) -> News:
    """Plays `(said, answered)` pairs; `[a label]` presses a button, `/…` is a command, anything else a message.

    Every fragment of an answer must be read in what is new. Returns what came last.
    """
    news: News | None = None
    for said, answered in script:
        if said.startswith("["):
            news = await seller.presses(said[1:-1])
        elif said.startswith("/"):
            news = await seller.types(said)
        else:
            news = await seller.says(said)
        for fragment in (answered,) if isinstance(answered, str) else answered:
            assert fragment in news.plain(), f"{seller} said {said!r}, and does not read {fragment!r}:\n{news.plain()}"
    assert news is not None, "an empty script"
    return news
