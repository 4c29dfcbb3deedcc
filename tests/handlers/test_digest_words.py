"""A digest as its reader reads it: what has ended is not what ends tonight, and the desk is spoken to in its own language."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.features import FeatureKey
from bot.domain.notices import StoreRef
from bot.domain.year_notices import DayCount, DeskDigest, EndingRef, SellerDigest
from bot.i18n import LOCALES, Speaker
from bot.ports import Person
from handlers.blocks import message
from handlers.calendar_picture import CalendarPictures
from handlers.digest_words import desk_blocks, seller_blocks
from sandbox.slack.limits import posted_too_long, problems

#: nine in the morning in Shanghai
MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PICTURES = CalendarPictures("https://grants.example.com", [bytes(32)], clock=lambda: MORNING)


def ending(label: str, ends_at: datetime, feature: FeatureKey = FeatureKey.ORDERS) -> EndingRef:
    return EndingRef(StoreRef(label.lower(), label, "US"), feature, ends_at.isoformat())


def headlines(digest: SellerDigest, locale: str = "en") -> list[str]:
    person = Person("T0", "U0", locale, "Asia/Shanghai")
    blocks = seller_blocks(digest, person, now=MORNING, pictures=PICTURES)
    return [block["text"]["text"] for block in blocks if block["type"] == "section" and "accessory" not in block]


@pytest.mark.parametrize("locale", LOCALES)
def test_what_ended_this_morning_is_told_apart_from_what_ends_tonight(locale: str) -> None:
    ended, tonight = MORNING - timedelta(hours=3), MORNING + timedelta(hours=9)
    digest = SellerDigest(period="2026-03-02", endings=(ending("Early", ended), ending("Late", tonight)))
    say = Speaker(locale, tz="Asia/Shanghai")
    assert headlines(digest, locale) == [
        f":no_entry: *{say.count('digest.orders.ended', 1, ends=say.date(ended))}*",
        f":warning: *{say.count('digest.orders.today', 1)}*",
    ]


@pytest.mark.parametrize("hours", [-1, 1])
def test_days_are_the_readers_whatever_the_hour(hours: float) -> None:
    """An end in seven days is as urgent an hour earlier as an hour later."""
    digest = SellerDigest(period="2026-03-02", endings=(ending("Acme", MORNING + timedelta(days=7, hours=hours)),))
    assert headlines(digest) == [":alarm_clock: *In 7 days order import stops for 1 store*"]


@pytest.mark.parametrize("days", [1, 2, 30])
@pytest.mark.parametrize("more", [0, 12])
@pytest.mark.parametrize("locale", LOCALES)
def test_however_much_ends_nothing_falls_off_its_end(locale: str, days: int, more: int) -> None:
    """Thirty rows under as many headlines are more than Slack shows: what finds no room is counted."""
    endings = tuple(
        ending(f"Store {number:02} {'x' * 50}", MORNING + timedelta(days=number % days + 1), feature)
        for number in range(15)
        for feature in FeatureKey
    )
    calendar = tuple(DayCount(f"2026-03-{day:02}", orders=3, listing=100) for day in range(3, 32))
    digest = SellerDigest(period="2026-03-02", endings=endings, more=more, calendar=calendar)
    blocks = seller_blocks(digest, Person("T0", "U0", locale, "Asia/Shanghai"), now=MORNING, pictures=PICTURES)
    assert problems(blocks) == []
    rows = [block for block in blocks if "accessory" in block]
    assert len(rows) >= 12
    assert {block["type"] for block in blocks[-3:]} == {"image", "context", "actions"}
    missing = len(endings) + more - len(rows)
    assert (Speaker(locale).count("digest.more", missing) in str(blocks)) is (missing > 0)
    shown = message(*blocks)
    assert len(shown.blocks) == len(blocks)
    assert not posted_too_long(blocks)
    assert all(block["text"]["text"] in shown.text for block in rows), "the text says all of it"


@pytest.mark.parametrize("locale", LOCALES)
def test_the_desk_is_spoken_to_in_the_channels_language(locale: str) -> None:
    digest = DeskDigest(period="2026-03-02", tz="Asia/Shanghai", calendar=(DayCount("2026-03-09", orders=2),))
    [title, counts, *_] = desk_blocks(digest, locale, now=MORNING, pictures=PICTURES)
    say = Speaker(locale)
    assert title["text"]["text"] == say("digest.desk.title")
    assert say.count("digest.orders.later", 2, days=7) in counts["text"]["text"]


def test_what_nobody_reacted_to_is_headed_by_what_it_is_when_nothing_else_ends() -> None:
    late = ending("Acme", MORNING - timedelta(days=1))
    digest = DeskDigest(period="2026-03-02", tz="Asia/Shanghai", calendar=(), ignored=(late,))
    blocks = desk_blocks(digest, "en", now=MORNING, pictures=PICTURES)
    assert [block["type"] for block in blocks] == ["header", "section"]
    assert blocks[0]["text"]["text"] == Speaker("en")("digest.desk.ignored")


@pytest.mark.parametrize("locale", LOCALES)
def test_however_many_react_to_nothing_the_desks_digest_can_be_posted(locale: str) -> None:
    calendar = tuple(DayCount(f"2026-03-{day:02}", orders=3, listing=100) for day in range(3, 32))
    ignored = tuple(
        EndingRef(
            StoreRef(str(number), f"{number:03}{'&' * 57}", "US"), FeatureKey.LISTING, MORNING.isoformat(), ("U1",)
        )
        for number in range(100)
    )
    digest = DeskDigest(period="2026-03-02", tz="Asia/Shanghai", calendar=calendar, ignored=ignored, more_ignored=7)
    blocks = desk_blocks(digest, locale, now=MORNING, pictures=PICTURES)
    assert problems(blocks) == []
    assert not posted_too_long(blocks)
    named = str(blocks).count("<@U1>")
    assert named >= 20
    assert Speaker(locale).count("digest.desk.more_ignored", 107 - named) in blocks[-1]["text"]["text"]
