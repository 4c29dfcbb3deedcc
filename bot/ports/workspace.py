"""Workspaces, their deliveries, and scheduled runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Installation:
    """The bot in one workspace."""

    team_id: str
    bot_token: str = field(repr=False)
    bot_user_id: str
    bot_id: str
    installed_at: datetime
    team_name: str = ""
    scopes: str = ""


class Installations(Protocol):
    async def get(self, team_id: str) -> Installation | None: ...

    async def put(self, installation: Installation) -> None: ...

    async def remove(self, team_id: str, *, said_at: datetime | None = None) -> bool:
        """Forgets the token and everything waiting for that workspace.

        False, and nothing goes, when it was installed after `said_at`, which is to the second: it is about an earlier time.
        """
        ...

    async def mint_state(self, state_hash: str, *, expires_at: datetime) -> None: ...

    async def consume_state(self, state_hash: str, *, now: datetime) -> bool:
        """True once, before it expires."""
        ...


class Sighting(Enum):
    """What is known of a delivery when it arrives."""

    #: it is the caller's to handle, and nobody else's
    FIRST = auto()
    #: somebody is handling it now
    IN_HAND = auto()
    HANDLED = auto()


class Deliveries(Protocol):
    """Which of Slack's deliveries were seen, shared by all replicas."""

    async def take(self, key: str, *, now: datetime, hold: timedelta | None = None) -> Sighting:
        """FIRST for one caller with `key`, whatever the concurrency.

        With `hold`, it is in that caller's hand until `finish`; one that says nothing for so long is dead, and the next
        caller is the first. Without, it counts as handled at once.
        """
        ...

    async def finish(self, key: str) -> None:
        """It was handled."""
        ...

    async def forget(self, key: str) -> None:
        """Lets a delivery that was not handled be taken up again when Slack repeats it."""
        ...


class JobRuns(Protocol):
    """Scheduled runs: each (job, due time) belongs to whoever inserts its row first."""

    async def claim(self, job: str, *, due: datetime) -> bool: ...

    async def last(self, job: str) -> datetime | None:
        """The newest due time that somebody claimed."""
        ...

    async def prune(self, *, before: datetime) -> int:
        """Forgets older runs."""
        ...
