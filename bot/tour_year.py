"""The tour's second part: a year passes, in one call to the sandbox's clock, and the bot does by itself what is due.

Nothing is run by hand here: the scheduler looks at the same clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.i18n import Speaker
from bot.tour import MEIS_ACCOUNT, Scene, Tour, at_amazon

_HOUR = 10
_YEAR = timedelta(days=365)


async def _now(tour: Tour) -> datetime:
    return datetime.fromtimestamp(await tour.slack.advance(0), UTC)


async def _goes_on_to(tour: Tour, day: datetime, *, zone: str) -> datetime:
    """Ten in the morning of a day, there; what is under way is finished first, since leases live by the same clock."""
    local = day.astimezone(ZoneInfo(zone)).replace(hour=_HOUR, minute=0, second=0, microsecond=0)
    now = await _now(tour)
    await tour.slack.advance((local - now).total_seconds())
    tour.console.print(f"  [dim]… it is {local:%A, %Y-%m-%d %H:%M} in {zone}[/dim]")
    return local


async def _a_year_goes_by(tour: Tour) -> None:
    tour.heading("Eleven months later, on a morning, Mei hears what ends, before it does")
    mei, say = tour.slack.person("mei"), Speaker("zh-CN", tz="Asia/Shanghai")
    granted = await _now(tour)
    # the planner looks every five minutes: by then it knows that she reads
    await tour.slack.advance(timedelta(minutes=6).total_seconds())
    await tour.settles()
    await _goes_on_to(tour, granted + _YEAR - timedelta(days=7), zone="Asia/Shanghai")
    digest = await tour.sees(mei, say("digest.title"))
    tour.require(
        say.count("digest.orders.later", 2, days=7) in digest.plain(), "by consequence: order import stops in 7 days"
    )
    pictures = [block for block in digest.raw["blocks"] if block["type"] == "image"]
    tour.require(pictures and pictures[0]["alt_text"] in digest.text, "a calendar, and the same in words")
    image = await tour.fetch(pictures[0]["image_url"])
    tour.require(image.startswith(b"\x89PNG"), "the calendar is a picture")


async def _renews_one(tour: Tour) -> None:
    tour.heading("One press renews order import for both stores, in place")
    mei, say = tour.slack.person("mei"), Speaker("zh-CN")
    digest = await mei.sees(say("digest.title"), within=15)
    said = await tour.press(mei, say("digest.renew"), digest)
    card = await mei.sees(say("feature.orders.does", platform="赛盈"), after=said, within=15)
    await at_amazon(tour, mei, card, account=MEIS_ACCOUNT)
    await tour.sees(mei, say("grant.also_renewed", labels="Acme US"), after=said)
    said = await tour.command(mei, "/digest now")
    tour.require(
        not any(say.count("digest.orders.later", 2, days=7) in message.plain() for message in said.messages),
        "what is mended is quiet",
    )


async def _runs_out(tour: Tour) -> None:
    tour.heading("Stock sync is forgotten: it ends, the desk hears of it, and when it is back so does the gap")
    mei, sam, say = tour.slack.person("mei"), tour.slack.person("sam"), Speaker("zh-CN")
    said = await tour.command(mei, "/digest")
    now = await _now(tour)
    await _goes_on_to(tour, now + timedelta(days=8), zone="Asia/Shanghai")
    ended = await tour.sees(mei, say("digest.title"), after=said)
    tour.require(say("digest.row_ended", ends="").strip("已于到期") in ended.plain(), "what has ended is told once")
    await _goes_on_to(tour, now + timedelta(days=8), zone="Europe/London")
    desk = await tour.sees(sam, Speaker("en")("digest.desk.ignored"))
    tour.require("Acme US" in desk.plain(), "what nobody reacted to goes to the desk")
    said = await tour.press(mei, say("digest.renew"), ended)
    card = await mei.sees(say("feature.listing.does", sister="飞刊"), after=said, within=15)
    await at_amazon(tour, mei, card, account=MEIS_ACCOUNT)
    await tour.sees(mei, say("health.mended.listing"), after=said)


SCENES: tuple[Scene, ...] = (_a_year_goes_by, _renews_one, _runs_out)
