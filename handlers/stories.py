"""What every capability may use: the services, and the facts of configuration that people are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bot.domain.deadlines import Targets
from bot.ports import Clock, Installation, People, Person
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
from bot.services.digesting import Digesting
from bot.services.granting import Granting
from bot.services.incidents import Incidents
from bot.services.learning import Learning
from bot.services.mirroring import Mirroring
from bot.services.naming import Names
from bot.services.nudging import Nudging
from bot.services.presence import Presence
from bot.services.reporting import Reporting
from bot.services.roles import Roles
from bot.services.stores import StoreKeeping
from bot.services.support import Support


class Departure(Protocol):
    """Where an installation begins, and the cookie it is tied to."""

    @property
    def url(self) -> str: ...
    @property
    def cookie(self) -> str: ...


class Installer(Protocol):
    """Adding the bot to a workspace, in two steps. What is not an Installation is a problem, as a word."""

    @property
    def cookie_name(self) -> str: ...

    async def begin(self) -> Departure: ...

    async def finish(self, query: Mapping[str, str], *, cookie: str | None) -> Installation | Any: ...


class Workspaces(Protocol):
    """The workspaces the bot is in."""

    async def remove(self, team_id: str, *, said_at: datetime | None = None) -> bool: ...


class Profiles(People, Protocol):
    """People whose profile may have changed."""

    async def forget(self, team_id: str, user_id: str) -> None: ...


@dataclass(frozen=True, slots=True, repr=False)
class DeskStories:
    """The support desk's services, and how it is set up."""

    acts: Acts
    work: Desk
    replies: Replies
    care: Care
    talk: Talk
    queue: DeskQueue
    incidents: Incidents
    numbers: DeskNumbers
    time: DeskTime
    roles: Roles
    targets: Targets
    #: the language and channel agents share
    locale: str
    channel: str
    #: channels whose messages become tickets
    listens_in: frozenset[str]

    def voice(self, team_id: str) -> Person:
        """The desk as a reader: its language, its time zone."""
        return Person(team_id, self.channel, self.locale, self.targets.hours.zone.key)


@dataclass(frozen=True, slots=True, repr=False)
class MirrorStories:
    """What the sister system's calls need."""

    mirroring: Mirroring
    #: given a body and its headers, the message's id; None when the sister system did not sign it just now
    verified: Callable[[bytes, Mapping[str, str]], str | None]


@dataclass(frozen=True, slots=True, repr=False)  # whoever prints one would print the whole house
class Stories:
    """The services, as the composition root has wired them."""

    stores: StoreKeeping
    granting: Granting
    checking: Checking
    reporting: Reporting
    support: Support
    desk: DeskStories
    answering: Answering
    learning: Learning
    presence: Presence
    digesting: Digesting
    nudging: Nudging
    people: Profiles
    clock: Clock
    names: Names
    public_url: str
    #: sign the addresses of pictures; the newest first
    picture_keys: Sequence[bytes] = field(repr=False)
    workspaces: Workspaces
    #: None where one workspace is configured by its token
    installer: Installer | None
    #: None where no mirror is configured
    mirror: MirrorStories | None = None
