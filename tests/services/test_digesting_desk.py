"""The support channel's digest: whose it is to change, and in which morning it is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import NotAnAgent
from bot.ports import AuditFilter
from bot.services.digesting import Digesting, Habits
from tests.fakes import SUPPORT
from tests.services.desk import MEI, SAM, Desk
from tests.services.test_digesting import MORNING, desk_digests, granted_ending_in


async def test_nobody_but_an_agent_reads_or_changes_the_desks_digest(desk: Desk) -> None:
    await granted_ending_in(desk, 20)
    for forbidden in (
        desk.digesting.preview_desk(MEI),
        desk.digesting.desk_habits(MEI),
        desk.digesting.change_desk_habits(MEI, Habits(8, 0, wanted=False)),
    ):
        with pytest.raises(NotAnAgent):
            await forbidden
    assert (await desk.digesting.desk_habits(SAM)).wanted
    assert await desk.digesting.preview_desk(SAM) is not None
    desk.clock.set(MORNING + timedelta(hours=8))
    await desk.digesting.plan()
    assert len(await desk_digests(desk)) == 1


async def test_what_an_agent_changes_about_the_desks_digest_is_in_the_audit(desk: Desk) -> None:
    await desk.digesting.change_desk_habits(SAM, Habits(8, 0, wanted=False))
    [event] = [one async for one in desk.database.audit_log.read(AuditFilter(action="digest."))]
    assert (event.team_id, event.actor, event.subject) == (SAM.team_id, SAM.user_id, SUPPORT)
    assert event.details == {"wanted": "no", "hour": "8", "weekday": "0", "tz": SAM.tz}


async def test_the_desks_morning_can_be_moved_by_an_agent(desk: Desk) -> None:
    sam = replace(SAM, tz="America/New_York")
    await granted_ending_in(desk, 20)
    await desk.digesting.change_desk_habits(sam, Habits(8, 0, wanted=True))
    desk.clock.set(MORNING + timedelta(hours=8))
    await desk.digesting.plan()
    assert await desk_digests(desk) == []
    desk.clock.set(datetime(2026, 3, 2, 13, 0, tzinfo=UTC))
    await desk.digesting.plan()
    [digest] = await desk_digests(desk)
    assert digest.tz == "America/New_York"


async def test_the_desk_reads_in_the_morning_of_its_own_zone(desk: Desk) -> None:
    await granted_ending_in(desk, 20)
    shanghai = Digesting(
        desk.database, desk.people, clock=desk.clock, roles=desk.roles, channel=SUPPORT, channel_tz="Asia/Shanghai"
    )
    desk.clock.set(MORNING - timedelta(minutes=1))
    await shanghai.plan()
    assert await desk_digests(desk) == []
    desk.clock.set(MORNING)
    await shanghai.plan()
    [digest] = await desk_digests(desk)
    assert digest.tz == "Asia/Shanghai"
    preview = await shanghai.desk.preview(MEI.team_id, SUPPORT, now=desk.clock())
    assert preview is not None
    assert preview.tz == "Asia/Shanghai"
