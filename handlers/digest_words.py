"""A digest in its reader's words: by what stops and when, a button for each store, the calendar. Days are counted as it is said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from bot.domain.digests import Quieting
from bot.domain.features import FEATURES, FeatureKey
from bot.domain.year_notices import DayCount, DeskDigest, EndingRef, SellerDigest
from bot.i18n import Speaker
from bot.ports import Person
from bot.services.naming import feature_name
from handlers.blocks import (
    MESSAGE_BLOCKS,
    POSTED_LIMIT,
    Block,
    actions,
    button,
    context,
    divider,
    fit,
    header,
    mrkdwn,
    section,
    weight,
)
from handlers.calendar_picture import CalendarPictures
from handlers.wording import store_name

_ALT_LIMIT = 1900
#: days of a list, before it is cut
_LISTED = 14


def stops(say: Speaker, feature: FeatureKey, stores: int, *, ends_at: datetime, now: datetime) -> str:
    """*In 9 days order import stops for 3 stores*, in the reader's own calendar days."""
    zone = say.zone
    left = (ends_at.astimezone(zone).date() - now.astimezone(zone).date()).days
    when = "ended" if ends_at <= now else {0: "today", 1: "tomorrow"}.get(left, "later")
    return say.count(f"digest.{feature.value}.{when}", stores, days=left, ends=say.date(ends_at))


def seller_blocks(digest: SellerDigest, person: Person, *, now: datetime, pictures: CalendarPictures) -> list[Block]:
    """The whole digest; *snooze* and *I know* while something of it is still ahead."""
    say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
    closing = [context(f"{say('digest.one_consent')}\n{say('digest.in_place')}")]
    closing += _picture(bare, digest.period, digest.calendar, pictures)
    ahead = any(datetime.fromisoformat(ending.ends_at) > now for ending in digest.endings)
    quiet = [
        button(bare("digest.snooze"), f"digest.quiet:{Quieting.SNOOZE.value}", value=digest.period),
        button(bare("digest.know"), f"digest.quiet:{Quieting.KNOW.value}", value=digest.period),
    ]
    closing.append(actions(*(quiet if ahead else []), button(bare("button.status"), "status.show")))
    everything = digest.more + len(digest.endings)
    blocks = [header(bare("digest.title"))]
    room = POSTED_LIMIT - weight(*blocks, *closing, section(say.count("digest.more", everything)))
    rows, told = _rows(digest.endings, say, bare, now=now, room=room)
    blocks += rows
    if more := everything - told:
        blocks.append(section(say.count("digest.more", more)))
    return [*blocks, *closing]


def _rows(
    endings: Sequence[EndingRef], say: Speaker, bare: Speaker, *, now: datetime, room: int
) -> tuple[list[Block], int]:
    """What ends, under a sentence for each day, as far as there is room; and how many endings that is."""
    today, told = now.astimezone(say.zone).date(), 0
    blocks: list[Block] = []
    for group in _groups(endings, say.zone, now):
        first = datetime.fromisoformat(group[0].ends_at)
        sentence = stops(say, group[0].feature, len(group), ends_at=first, now=now)
        hasty = (first.astimezone(say.zone).date() - today).days < _HASTE
        mark = ":no_entry:" if first <= now else ":warning:" if hasty else ":alarm_clock:"
        headline = section(f"{mark} *{sentence}*")
        for place, ending in enumerate(group):
            needed = [*([headline] if place == 0 else []), _row(say, bare, ending, now)]
            room -= weight(*needed)
            if room < 0 or len(blocks) + len(needed) > _MOST_ROWS:
                return blocks, told
            blocks += needed
            told += 1
    return blocks, told


#: blocks for what ends; those around them are six at the most
_MOST_ROWS = MESSAGE_BLOCKS - 6

#: fewer days of the reader's than this are marked as urgent
_HASTE = 7


def _row(say: Speaker, bare: Speaker, ending: EndingRef, now: datetime) -> Block:
    ends_at = datetime.fromisoformat(ending.ends_at)
    key = "digest.row_ended" if ends_at <= now else "digest.row"
    renew = button(
        bare("digest.renew"),
        f"grant.start:{ending.feature.value}",
        value=ending.store.id,
        style="primary",
        label=bare(
            "digest.renew_label", store=ending.store.label, feature=bare(f"feature.{ending.feature.value}.name")
        ),
    )
    return section(f"{store_name(say, ending.store)} — {say(key, ends=say.date(ends_at))}", accessory=renew)


def _groups(endings: Sequence[EndingRef], zone: ZoneInfo, now: datetime) -> list[list[EndingRef]]:
    """By day and by what stops, in the order in which they come; what has ended today apart from what ends tonight."""
    rank = {feature: place for place, feature in enumerate(FEATURES)}

    def key(ending: EndingRef) -> tuple[date, bool, int]:
        ends_at = datetime.fromisoformat(ending.ends_at)
        return ends_at.astimezone(zone).date(), ends_at > now, rank[ending.feature]

    return [list(group) for _, group in groupby(sorted(endings, key=key), key=key)]


def _picture(bare: Speaker, period: str, calendar: Sequence[DayCount], pictures: CalendarPictures) -> list[Block]:
    if not calendar:
        return []
    alt = "\n".join([bare("digest.calendar"), *day_lines(bare, calendar)])
    image: Block = {
        "type": "image",
        "image_url": pictures.url(date.fromisoformat(period), calendar),
        "alt_text": fit(alt, _ALT_LIMIT),
    }
    return [image, context(bare("digest.legend"))]


def day_lines(say: Speaker, calendar: Sequence[DayCount]) -> list[str]:
    """The calendar in words: a line for each day on which something ends."""
    lines = []
    for row in calendar[:_LISTED]:
        counts = [
            say.count(f"digest.count.{feature.value}", count)
            for feature, count in ((FeatureKey.ORDERS, row.orders), (FeatureKey.LISTING, row.listing))
            if count
        ]
        lines.append(say("digest.day", day=date.fromisoformat(row.day), counts=say.list(counts)))
    if len(calendar) > _LISTED:
        lines.append("…")
    return lines


def desk_blocks(digest: DeskDigest, locale: str, *, now: datetime, pictures: CalendarPictures) -> list[Block]:
    """For the support channel: counts by what stops and when, then who has not reacted."""
    reader = Person("", "", locale, digest.tz)
    say, bare = mrkdwn(reader), Speaker(locale, tz=digest.tz)
    today = now.astimezone(say.zone).date()
    lines = []
    for row in digest.calendar:
        left = (date.fromisoformat(row.day) - today).days
        when = "ended" if left < 0 else {0: "today", 1: "tomorrow"}.get(left, "later")
        day = date.fromisoformat(row.day)
        for feature, count in ((FeatureKey.ORDERS, row.orders), (FeatureKey.LISTING, row.listing)):
            if count:
                lines.append(f"• {say.count(f'digest.{feature.value}.{when}', count, days=left, ends=day)}")
    blocks = [header(bare("digest.desk.title" if lines else "digest.desk.ignored"))]
    if lines:
        shown = lines[:_DESK_LINES]
        if len(lines) > len(shown):
            shown.append(say.count("digest.desk.more_lines", len(lines) - len(shown)))
        blocks.append(section("\n".join(shown)))
        blocks += _picture(bare, digest.period, digest.calendar, pictures)
    if digest.ignored:
        if lines:
            blocks += [divider(), section(f":raising_hand: *{say('digest.desk.ignored')}*")]
        blocks += _nobody_reacted(digest, say, now=now, room=POSTED_LIMIT - weight(*blocks))
    return blocks


_DESK_LINES = 16


def _nobody_reacted(digest: DeskDigest, say: Speaker, *, now: datetime, room: int) -> list[Block]:
    """What nobody reacted to, as far as there is room; the rest is a number."""
    blocks: list[Block] = []
    more = digest.more_ignored
    room -= weight(section(say.count("digest.desk.more_ignored", more + len(digest.ignored))))
    for group in _fives([_ignored(say, one, now) for one in digest.ignored]):
        block = section("\n".join(group))
        room -= weight(block)
        if room < 0:
            more += len(group)
        else:
            blocks.append(block)
    if more:
        blocks.append(section(say.count("digest.desk.more_ignored", more)))
    return blocks


def _ignored(say: Speaker, ending: EndingRef, now: datetime) -> str:
    ends_at = datetime.fromisoformat(ending.ends_at)
    key = "digest.row_ended" if ends_at <= now else "digest.row"
    people = " ".join(f"<@{member}>" for member in ending.members)
    what = f"{store_name(say, ending.store)} · {feature_name(say, ending.feature)}"
    return f"• {what} — {say(key, ends=say.date(ends_at))} {people}".rstrip()


def _fives(lines: Sequence[str]) -> list[Sequence[str]]:
    return [lines[start : start + 5] for start in range(0, len(lines), 5)]
