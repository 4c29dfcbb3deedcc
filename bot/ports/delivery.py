"""People, the messages they get, and the outbox as its relay sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from bot.domain.notices import Notice


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever is spoken to: where, who, in which language and time zone."""

    team_id: str
    user_id: str
    #: one of `bot.i18n.LOCALES`
    locale: str
    #: an IANA name
    tz: str


class People(Protocol):
    """Languages and time zones of people, kept for a day."""

    async def get(self, team_id: str, user_id: str) -> Person:
        """Never raises: someone whose profile cannot be read is spoken to in English."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """What Slack shows. `text` carries the full content: screen readers and notifications read only that."""

    text: str
    blocks: Sequence[Mapping[str, Any]] = ()


class Placement(StrEnum):
    """Where a message goes."""

    #: on its own
    PLAIN = "plain"
    #: as the new card of its subject; the old one, if any, is edited into `farewell`
    NEW_CARD = "new_card"
    #: in place of the subject's card; posted as a new card when there is none any more
    EDIT_CARD = "edit_card"
    #: under the subject's card; on its own when there is none any more
    THREAD = "thread"


@dataclass(frozen=True, slots=True)
class CardAddress:
    """Where the card of a subject stands in Slack."""

    channel_id: str
    ts: str


@dataclass(frozen=True, slots=True)
class Sending:
    """One message and its place. A notice may need several: the card edited, then a line in its thread."""

    message: Message
    placement: Placement = Placement.PLAIN
    subject: str = ""
    farewell: Message | None = None
    #: for PLAIN: the thread it belongs into; on its own when there is none any more
    thread: CardAddress | None = None


#: puts a notice into its reader's words
Renderer = Callable[[Notice, Person], Sequence[Sending]]


@dataclass(frozen=True, slots=True)
class Errand:
    """One entry of the outbox, as the relay sees it once it holds the lease."""

    id: str
    team_id: str
    #: a user id, a channel id, or empty for a task
    recipient: str
    #: a notice's kind, or a task's name
    kind: str
    is_task: bool
    body: Mapping[str, Any] = field(repr=False)
    created_at: datetime
    tries: int


class ErrandQueue(Protocol):
    """The outbox as its relay sees it."""

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Errand]:
        """Due errands, at most one of each lane (its oldest), leased to the caller; on PostgreSQL skipping what others lock."""
        ...

    async def done(self, errand: Errand) -> None: ...

    async def again(self, errand: Errand, *, at: datetime) -> None:
        """Gives it back, to be tried at `at`."""
        ...

    async def give_up(self, errand: Errand, *, at: datetime, why: str) -> None:
        """Sets it aside for an operator; its lane goes on."""
        ...

    async def pause(self, team_id: str, *, until: datetime) -> None:
        """Nothing of the workspace's messages is claimed before `until`, by any replica."""
        ...

    async def next_due(self) -> datetime | None:
        """When the relay must look again at the latest."""
        ...


class Cards(Protocol):
    """One card per person and subject, edited in place."""

    async def get(self, team_id: str, recipient: str, subject: str) -> CardAddress | None: ...

    async def put(self, team_id: str, recipient: str, subject: str, address: CardAddress) -> None: ...

    async def forget(self, team_id: str, recipient: str, subject: str) -> None: ...
