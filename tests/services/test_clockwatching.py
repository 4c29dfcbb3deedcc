"""Our own clocks: each warning once, to the admins in their direct messages; to the desk while nobody is one."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from bot.domain.roles import Appointment, Role
from bot.domain.verification import Reason, Refused
from bot.domain.year_notices import SecretEnds, SecretRefused, UnlistedFull
from bot.i18n import LOCALES
from bot.ports import Person
from bot.services.clockwatching import ClockWatching, OurApplication
from bot.services.naming import Names, feature_name
from handlers.blocks import mrkdwn
from handlers.health import register
from handlers.routing import Registry
from tests.services.desk import ALEX, LISTING, MEI, ORDERS, Desk

ANA = "U0ANA"
DAY = timedelta(days=1)


def watching(desk: Desk, *, issued: date | None = None, listed: bool = True) -> ClockWatching:
    application = OurApplication(ORDERS, desk.amazon.application_id(ORDERS), secret_issued=issued, listed=listed)
    return ClockWatching(desk.database, [application], desk._home, clock=desk.clock)


async def appoint(desk: Desk, user_id: str, role: Role, *, team_id: str = MEI.team_id) -> None:
    async with desk.database.begin() as work:
        await work.roles.put(Appointment(team_id, user_id, role, "U0BOSS", desk.clock()))


async def test_a_secret_is_warned_of_from_ninety_days_before_weekly_and_then_in_the_last_days(desk: Desk) -> None:
    await appoint(desk, ANA, Role.ADMIN)
    issued = desk.clock().date()
    clocks = watching(desk, issued=issued)
    told: list[int] = []
    for day in range(195):
        for _ in range(3):
            await clocks.watch()
        told += [180 - day for _ in await desk.told(ANA)]
        desk.clock.advance(DAY)
    assert told == [90, 83, 76, 69, 62, 55, 48, 41, 34, 27, 20, 14, 7, 3, 2, 1, 0, -1, -8]
    assert await desk.support_told() == [], "the admins hear of it, not everybody at the desk"


@pytest.mark.parametrize("locale", LOCALES)
def test_the_last_day_of_a_secret_is_today_not_in_no_days(locale: str) -> None:
    now = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    registry = Registry()
    names = Names(platform="", sister="", developers={}, applications={ORDERS: "Ushops"})
    register(registry, SimpleNamespace(names=names, clock=lambda: now))  # type: ignore[arg-type]
    reader = Person("T0", "U0", locale, "Asia/Shanghai")
    for days, wanted in ((0, "clock.secret_today"), (1, "clock.secret_ends"), (-1, "clock.secret_over")):
        ends = now.date() + timedelta(days=days)
        notice = SecretEnds(feature=ORDERS, ends_on=ends.isoformat())
        [sending] = registry.renderers[SecretEnds.kind](notice, reader)
        say = mrkdwn(reader)
        facts = {"application": "Ushops", "feature": feature_name(say, ORDERS), "ends": ends}
        told = say(wanted, **facts) if days == 0 else say.count(wanted, 1, **facts)
        assert told in sending.message.text


async def test_every_admin_is_told_those_of_the_workspace_itself_too_and_nobody_else(desk: Desk) -> None:
    await appoint(desk, ANA, Role.ADMIN)
    await appoint(desk, "U0SAM", Role.AGENT)
    await appoint(desk, "U0FAR", Role.ADMIN, team_id=ALEX.team_id)
    owner = Person(MEI.team_id, "U0OWNER", "en", "UTC", is_admin=True)
    await desk.database.people.put(owner, fetched_at=desk.clock())
    await desk.database.people.put(MEI, fetched_at=desk.clock())
    clocks = watching(desk, issued=desk.clock().date() - 170 * DAY)
    assert await clocks.watch() == 1
    for admin in (ANA, "U0OWNER"):
        [warning] = await desk.told(admin)
        assert isinstance(warning, SecretEnds)
    assert [await desk.told(one) for one in ("U0SAM", "U0FAR", MEI.user_id)] == [[], [], []]


async def test_while_nobody_is_an_admin_the_desk_is_told(desk: Desk) -> None:
    assert await watching(desk, issued=desk.clock().date() - 170 * DAY).watch() == 1
    [warning] = await desk.support_told()
    assert isinstance(warning, SecretEnds)


async def test_replicas_that_watch_at_once_tell_once(desk: Desk) -> None:
    await appoint(desk, ANA, Role.ADMIN)
    clocks = watching(desk, issued=desk.clock().date() - 170 * DAY)
    assert sum(await asyncio.gather(*(clocks.watch() for _ in range(4)))) == 1
    assert len(await desk.told(ANA)) == 1


@pytest.mark.parametrize("listed", [False, True])
async def test_sellers_of_an_unlisted_application_are_counted(desk: Desk, *, listed: bool) -> None:
    await appoint(desk, ANA, Role.ADMIN)
    clocks = watching(desk, listed=listed)
    counted: list[int] = []
    for number in range(25):
        person = Person(MEI.team_id, f"U{number:03d}", "en", "UTC")
        account = desk.amazon.opens(f"A{number:03d}PARTNER", "US", "JP")
        store = await desk.store(person, f"Store {number}", "US")
        assert (await desk.consent(store, person=person, account=account)).verdict
        for _ in range(2):
            await clocks.watch()
        counted += [one.sellers for one in await desk.told(ANA) if isinstance(one, UnlistedFull)]
    assert counted == ([] if listed else [20, 21, 22, 23, 24, 25])


async def test_a_secret_that_amazon_refuses_is_told_to_desk_and_admins_once_a_day_and_blames_nobody(desk: Desk) -> None:
    await appoint(desk, ANA, Role.ADMIN)
    store = await desk.granted(feature=LISTING)
    before = await desk.grant(store, LISTING)
    desk.amazon.will("refresh", *[Refused(Reason.OUR_CREDENTIALS)] * 100)
    for _ in range(3 * 24):
        desk.clock.advance(timedelta(hours=1))
        await desk.sweeping.sweep()
    told = [notice for notice in await desk.told(ANA) if isinstance(notice, SecretRefused)]
    assert 2 <= len(told) <= 4
    assert len([notice for notice in await desk.support_told() if isinstance(notice, SecretRefused)]) == len(told)
    assert await desk.told(MEI.user_id) == []
    assert await desk.grant(store, LISTING) == before
