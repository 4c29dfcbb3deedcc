"""The desk's part of the composition root: `bot.app` calls it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.ports import Clock, People
from bot.ports.desk import DeskObserver
from bot.services.answering import Answering
from bot.services.checking import Checking
from bot.services.desk import Desk
from bot.services.desk_acts import Acts
from bot.services.desk_care import Care
from bot.services.desk_numbers import DeskNumbers
from bot.services.desk_queue import DeskQueue
from bot.services.desk_replies import Replies
from bot.services.desk_talk import Talk
from bot.services.desk_time import DeskTime
from bot.services.granting import Granting
from bot.services.incidents import Incidents
from bot.services.intake import Intake
from bot.services.jobs import Job
from bot.services.naming import Names
from bot.services.reporting import Reporting
from bot.services.roles import Roles
from bot.settings import Settings
from handlers.stories import DeskStories
from storage.database import SqlDatabase


def make_desk(
    settings: Settings,
    database: SqlDatabase,
    *,
    intake: Intake,
    answering: Answering,
    granting: Granting,
    checking: Checking,
    reporting: Reporting,
    people: People,
    names: Names,
    clock: Clock,
    observe: DeskObserver,
) -> DeskStories:
    """The desk, wired."""
    targets = settings.targets
    roles = Roles(database, clock, seeds=settings.support_agents)
    acts = Acts(database, roles=roles, targets=targets, people=people, clock=clock, observe=observe)
    return DeskStories(
        acts=acts,
        work=Desk(acts),
        replies=Replies(acts, answering=answering, names=names),
        care=Care(acts, answering=answering, checking=checking, granting=granting, names=names),
        talk=Talk(database, cards=database.cards, targets=targets, clock=clock, observe=observe),
        queue=DeskQueue(database, roles=roles, reporting=reporting, people=people, clock=clock),
        incidents=Incidents(
            database,
            watching=intake.watching,
            roles=roles,
            checking=checking,
            people=people,
            clock=clock,
            watch=settings.watch,
        ),
        numbers=DeskNumbers(database, roles=roles, targets=targets, clock=clock, observe=observe),
        time=DeskTime(database, targets=targets, clock=clock, observe=observe),
        roles=roles,
        targets=targets,
        locale=settings.desk_locale,
        channel=settings.support_channel,
        listens_in=settings.desk_channels,
    )


def desk_jobs(desk: DeskStories) -> Sequence[Job]:
    """The desk's scheduled jobs: one row each."""
    return (
        Job("desk-deadlines", timedelta(minutes=1), lambda _: desk.time.deadlines()),
        Job("desk-hand-over", timedelta(minutes=1), lambda _: desk.time.hand_over()),
        Job("desk-incidents", timedelta(minutes=1), lambda _: desk.incidents.look()),
        Job("desk-week", timedelta(minutes=10), lambda _: desk.numbers.tell_week()),
    )
