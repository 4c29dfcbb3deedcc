"""A guided tour: a seller and an agent play the main job against the running system, over HTTP only.

It prints the conversation as it happens, and ends with an exit code other than 0 when a step does not do what it promises.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import httpx
from rich.console import Console
from rich.markup import escape

from bot.domain.status import PLATFORM_LABELS, StatusKind
from bot.i18n import Speaker
from sandbox.amazon.browser import Page, SellerBrowser
from sandbox.client import Message, Person, Said, SandboxClient

#: the Amazon accounts that the sandbox knows Mei by
MEIS_ACCOUNT = "A1MEIACME0001"
_MEIS_OTHER_ACCOUNT = "A2MEIHOME0002"
#: where the agents read
_SUPPORT = "C0SUPPORT"


#: seconds in which the scheduler looks several times
_SETTLING = 1.5


class StepFailed(Exception):
    """A step of the tour did not do what it promises."""


@dataclass(slots=True)
class Tour:
    """Who is where, how it is told, and what is promised."""

    bot_url: str
    slack: SandboxClient
    console: Console
    acks: list[float] = field(default_factory=list)

    # --- telling -----------------------------------------------------------------------------------------------------

    def heading(self, text: str) -> None:
        self.console.print(f"\n[bold]{text}[/bold]")

    def told(self, message: Message) -> None:
        mark = " (only visible to her)" if message.ephemeral else ""
        self.quote(f"Grantdesk{mark}", message.plain())

    def did(self, who: str, what: str) -> None:
        self.console.print(f"  [cyan]{who}[/cyan] {escape(what)}")

    def saw(self, page: Page) -> None:
        words = " ".join(page.text.split())
        self.quote(f"the browser shows “{page.title}”", words[:160] + ("…" if len(words) > len(words[:160]) else ""))

    def quote(self, who: str, text: str) -> None:
        self.console.print(f"  [green]{escape(who)}[/green]")
        for line in text.strip().splitlines():
            self.console.print(f"    [dim]│[/dim] {escape(line)}")

    # --- waiting and fetching ----------------------------------------------------------------------------------------

    async def settles(self) -> None:
        """Until nothing more is happening: the scheduler has looked, and what it caused has been sent."""
        await asyncio.sleep(_SETTLING)

    async def fetch(self, url: str) -> bytes:
        """What a browser gets at an address."""
        async with httpx.AsyncClient(trust_env=False) as browser:
            return (await browser.get(url)).content

    # --- promising ---------------------------------------------------------------------------------------------------

    def require(self, kept: object, promise: str) -> None:
        if not kept:
            raise StepFailed(promise)

    async def command(self, who: Person, text: str) -> Said:
        self.did(who.name, text)
        said = await who.types(text)
        self.require(said.ok, f"{text} is acknowledged: {said.failure}")
        self.acks.append(said.ack_ms)
        for message in said.messages:
            self.told(message)
        return said

    async def press(self, who: Person, label: str, message: Message | None = None) -> Said:
        self.did(who.name, f"presses [{label}]")
        said = await who.clicks(label, message=message)
        self.require(said.ok, f"{label} is acknowledged: {said.failure}")
        self.acks.append(said.ack_ms)
        return said

    async def sees(self, who: Person, fragment: str, *, after: Said | None = None, channel: str = "") -> Message:
        message = await who.sees(fragment, after=after, channel=channel, within=15)
        self.told(message)
        return message


Scene = Callable[["Tour"], Awaitable[None]]


async def run_tour(bot_url: str, sandbox_url: str, console: Console, *, more: Sequence[Scene] = ()) -> int:
    """Plays every scene, then `more`; 0 when all promises were kept."""
    started = time.monotonic()
    async with SandboxClient(sandbox_url) as slack:
        tour = Tour(bot_url, slack, console)
        try:
            for scene in (*_SCENES, *more):
                await scene(tour)
            problems = await slack.problems()
            tour.require(not problems, f"Slack finds nothing wrong with what it was sent: {problems[:3]}")
        except (StepFailed, AssertionError, RuntimeError, LookupError, httpx.HTTPError) as failed:
            console.print(f"\n[bold red]The tour failed:[/bold red] {escape(str(failed))}")
            return 1
    middle = sorted(tour.acks)[len(tour.acks) // 2]
    console.print(
        f"\n[bold]The tour is complete.[/bold] {len(_SCENES) + len(more)} scenes in {time.monotonic() - started:.1f} s; "
        f"Slack was answered within {middle:.0f} ms at the median."
    )
    return 0


# --- scenes ----------------------------------------------------------------------------------------------------------


async def _adds_a_store(tour: Tour) -> None:
    """The first store opens the preparations; an Individual plan stops there."""
    tour.heading("Mei adds her first store")
    mei, say = tour.slack.person("mei"), Speaker("zh-CN")
    await tour.command(mei, "/store add")
    modal = await mei.modal()
    tour.did("mei", f"reads “{modal.title}” and says: Individual plan")
    await mei.fills({say("prepare.plan"): "individual"})
    refused = await mei.submits()
    tour.require(refused.errors, "an Individual plan is told why it stops here")
    tour.quote("under the question", "\n".join(refused.errors.values()))
    tour.did("mei", "corrects herself: Professional plan")
    await mei.fills({say("prepare.plan"): "professional"})
    await mei.submits()
    form = await mei.modal()
    tour.did("mei", f"fills in “{form.title}”: Acme US, US")
    await mei.fills({say("store.form.label"): "Acme US", say("store.form.marketplace"): "US"})
    await mei.submits()
    await tour.sees(mei, say("store.added.title"))


async def _grants_orders(tour: Tour) -> None:
    tour.heading("She grants order import")
    mei, say = tour.slack.person("mei"), Speaker("zh-CN")
    said = await tour.command(mei, "/grant orders")
    card = await tour.sees(mei, say("feature.orders.does", platform="赛盈"), after=said)
    page = await at_amazon(tour, mei, card, account=MEIS_ACCOUNT)
    tour.require(page.status == httpx.codes.OK and "state=" not in page.url, "the result page has a clean address")
    await tour.sees(mei, say("grant.complete"))


async def _checks(tour: Tour) -> None:
    tour.heading("She asks Amazon whether it worked")
    mei, say = tour.slack.person("mei"), Speaker("zh-CN")
    said = await tour.press(mei, say("button.check"))
    await tour.sees(mei, say("check.verified"), after=said)


async def _signs_in_wrong(tour: Tour) -> None:
    tour.heading("For the other feature she is signed in to the wrong store")
    mei, say = tour.slack.person("mei"), Speaker("zh-CN")
    said = await tour.press(mei, say("button.grant", feature=say("feature.listing.name")))
    card = await tour.sees(mei, say("feature.listing.does", sister="飞刊"), after=said)
    await at_amazon(tour, mei, card, account=_MEIS_OTHER_ACCOUNT)
    await tour.sees(mei, say("reason.wrong_account.title"))
    said = await tour.command(mei, "/authstatus")
    tour.require(
        any(PLATFORM_LABELS[StatusKind.ORDERS_ONLY] in message.plain() for message in said.messages),
        "a mismatch writes nothing: order import stands as before",
    )


async def _asks_why(tour: Tour) -> None:
    tour.heading("She asks why it still says 【授权中】 (Q1)")
    mei, say = tour.slack.person("mei"), Speaker("zh-CN")
    said = await tour.command(mei, "/faq 我明明授权了，为什么刊登那边还是显示授权中？")
    answer = await tour.sees(mei, say("reason.wrong_account.title"), after=said)
    tour.require(say("button.new_link") in answer.buttons(), "the answer ends in the one button that mends it")


async def _tries_again(tour: Tour) -> None:
    tour.heading("She tries again with the right store")
    mei, say = tour.slack.person("mei"), Speaker("zh-CN")
    said = await tour.press(mei, say("button.new_link"))
    card = await mei.sees(say("feature.listing.does", sister="飞刊"), after=said, within=15)
    page = await at_amazon(tour, mei, card, account=MEIS_ACCOUNT)
    again = await _reload(tour, page)
    tour.require(again == page.status, "reloading the result changes nothing")
    await tour.sees(mei, say("grant.both_done", sister="飞刊"))
    said = await tour.command(mei, "/authstatus")
    tour.require(
        any(PLATFORM_LABELS[StatusKind.AUTHORIZED] in message.plain() for message in said.messages),
        "the store is 【已授权】",
    )


async def _second_marketplace(tour: Tour) -> None:
    tour.heading("Her Canadian store is covered already: one press, no trip to Amazon")
    mei, say = tour.slack.person("mei"), Speaker("zh-CN")
    await tour.command(mei, '/store add "Acme CA" CA 2026-06-01')
    said = await tour.command(mei, '/grant orders "Acme CA"')
    await mei.sees(say("button.confirm_held"), after=said, within=15)
    said = await tour.press(mei, say("button.confirm_held"))
    await tour.sees(mei, say("grant.complete"), after=said)


async def _mistypes(tour: Tour) -> None:
    tour.heading("Alex mistypes, in English")
    alex = tour.slack.person("alex")
    for typed, wanted in (
        ('/store add "Willow" Germny 2026-01-31', "Did you mean DE?"),
        ('/store add "Willow" DE 31.01.2026', "year-month-day"),
        ("/store lst", "Did you mean list?"),
        ("/grant stck", "/grant orders or /grant listing"),
        ('/store show "Acme US"', "You have no store yet"),
        ("/faq MD5101", "not registered"),
    ):
        said = await tour.command(alex, typed)
        tour.require(
            any(wanted in message.plain() for message in said.messages), f"{typed} is told what to do next: {wanted}"
        )


async def _asks_a_person(tour: Tour) -> None:
    tour.heading("Her stock does not move, and she asks a person: Sam and Kim find the diagnosis done")
    mei, sam, kim = (tour.slack.person(name) for name in ("mei", "sam", "kim"))
    say, english = Speaker("zh-CN"), Speaker("en")
    said = await tour.command(mei, "/desk new Acme CA 的库存一直不同步，怎么办？")
    await tour.sees(mei, say("ticket.title", number=1), after=said)
    card = await tour.sees(sam, "Acme CA", channel=_SUPPORT)
    tour.require(
        all(
            card.contains(part)
            for part in ("简体中文", "库存", english("desk.card.topic"), english("desk.card.status"))
        ),
        "the card says who, which store, where it stands, and what it is likely about",
    )
    await tour.press(kim, english("desk.button.claim"), card)
    lost = await tour.command(sam, "/desk claim 1")
    tour.require(
        any(message.contains("<@U0KIM>") for message in lost.messages),
        "of two agents one wins, and the other is told who",
    )


async def _is_answered(tour: Tour) -> None:
    tour.heading(
        "Kim sends Mei a link in her name and hands the ticket over; Sam reads what Mei will read, answers, and closes it"
    )
    mei, sam, kim = (tour.slack.person(name) for name in ("mei", "sam", "kim"))
    say, english = Speaker("zh-CN"), Speaker("en")
    card = await sam.sees("#1", channel=_SUPPORT)
    await tour.press(kim, english("desk.button.link", feature=english("feature.listing.name")), card)
    link = await tour.sees(mei, say("card.requested_by", agent="U0KIM"))
    tour.require(link.link(say("button.open_amazon")) or link.buttons(), "the link came to Mei alone")
    await tour.press(kim, english("desk.button.hand_over"), card)
    await kim.fills({say("desk.hand_over_form.to", number=1): "U0SAM"})
    await kim.submits()
    await tour.press(sam, english("desk.button.reply"), card)
    await sam.fills({english("desk.reply_form.choice"): "link_sent"})
    preview = (await sam.modal()).plain()
    tour.quote("Sam's form shows both languages", preview)
    tour.require(
        english("desk.reply_form.seller_reads", language="简体中文") in preview, "a preview in the seller's language"
    )
    await sam.submits()
    await tour.sees(mei, say("desk.reply.link_sent", feature="")[:5])
    await tour.press(sam, english("desk.button.close"), card)
    await sam.fills({english("desk.close_form.because", number=1): "sellers_turn"})
    await sam.submits()
    mine = await tour.sees(mei, say("ticket.closed.sellers_turn", number=1))
    tour.did("mei", "writes in the thread: 还是不行")
    again = await mei.says("还是不行", thread=mine)
    await tour.sees(mei, say("ticket.said.reopened", number=1), after=again)
    await tour.sees(sam, "还是不行", channel=_SUPPORT)
    await tour.command(sam, "/authstatus <@U0MEI>")


_SCENES: tuple[Scene, ...] = (
    _adds_a_store,
    _grants_orders,
    _checks,
    _signs_in_wrong,
    _asks_why,
    _tries_again,
    _second_marketplace,
    _mistypes,
    _asks_a_person,
    _is_answered,
)


async def at_amazon(tour: Tour, who: Person, card: Message, *, account: str) -> Page:
    """Opens the card's link in a browser that has never seen us, and consents as `account`."""
    say = Speaker("zh-CN")
    link = card.link(say("button.open_amazon"))
    tour.require(link, "the card has a link")
    async with SellerBrowser(tour.slack.base_url) as browser:
        await browser.signs_in(account, "US")
        tour.did(who.name, f"opens the link in her store's own browser, signed in as {account}")
        await browser.opens(link or "")
        tour.saw(browser.page)
        await browser.presses(say("page.go"))
        tour.saw(browser.page)
        page = await browser.consents()
        tour.saw(page)
        return page


async def _reload(tour: Tour, page: Page) -> int:
    """The same address once more, in another browser."""
    async with SellerBrowser(tour.slack.base_url) as browser:
        callback = next((url for url in page.chain if "spapi_oauth_code" in url), page.url)
        return (await browser.opens(callback)).status
