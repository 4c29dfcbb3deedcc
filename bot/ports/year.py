"""What the year of a grant asks of persistence: who reads digests, what ends, what Amazon is asked next. A part of the ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bot.domain.digests import Ending, Quiet, Reader
from bot.domain.features import FeatureKey
from bot.domain.grants import Authorization
from bot.domain.health import Outage, Trouble

#: where a stream of rows goes on; None at its start
Place = tuple[object, ...] | None


class Readers(Protocol):
    """Who is told what ends, and when next."""

    async def enroll(self, *, now: datetime, channel: str, channel_tz: str = "UTC", limit: int) -> int:
        """Makes readers of members who are none yet, and of the desk's channel in workspaces that have sellers; how many."""
        ...

    async def get(self, team_id: str, recipient: str) -> Reader | None: ...

    async def put(self, reader: Reader) -> None:
        """Their habits: hour, weekday, zone of a channel, and the next morning."""
        ...

    async def due(self, *, now: datetime, after: Place, limit: int) -> Sequence[Reader]:
        """Whose morning has come, the longest waiting first; the page after the reader at `after`."""
        ...

    async def turn(self, readers: Sequence[Reader], *, last_day: date | None, next_at: datetime) -> Sequence[Reader]:
        """Sets the next morning of readers who are told something; those whom no other replica has turned before."""
        ...

    async def pass_over(self, turns: Sequence[tuple[Reader, datetime]]) -> None:
        """Sets the next mornings of readers who are told nothing."""
        ...

    async def next_due(self) -> datetime | None:
        """The next morning of anybody."""
        ...


class Endings(Protocol):
    """What ends when. Streams of few columns; stores that are switched off are left out."""

    async def of_sellers(
        self, seller_ids: Sequence[str], *, since: datetime, until: datetime
    ) -> Mapping[str, Sequence[Ending]]:
        """By seller, with who asked for silence."""
        ...

    async def of_team(
        self, team_id: str, *, since: datetime, until: datetime, after: Place, limit: int
    ) -> Sequence[Ending]:
        """A page of a whole workspace's, soonest first."""
        ...

    async def next_of(self, seller_id: str, *, now: datetime) -> datetime | None:
        """The first end after `now`."""
        ...

    async def quiet(self, ending: Ending, quiet: Quiet) -> None:
        """Notes a press; a later one of the same person takes its place."""
        ...

    async def reacted(self, endings: Sequence[Ending], *, now: datetime) -> set[tuple[str, FeatureKey]]:
        """Which of them are in somebody's hands: silence was asked for and lasts, or a link was asked for within a week."""
        ...


class Announcements(Protocol):
    """What was told to whom for which period."""

    async def first_times(self, readers: Sequence[Reader], period: str, *, at: datetime) -> Sequence[Reader]:
        """`first_time` for many: those for whom it is."""
        ...

    async def first_time(self, team_id: str, recipient: str, period: str, *, at: datetime) -> bool:
        """True for the first caller with this period, whatever the concurrency: who gets True tells it in the same transaction."""
        ...

    async def take_back(self, team_id: str, recipient: str, period: str) -> None:
        """It was never told after all."""
        ...

    async def prune(self, *, before: datetime) -> int: ...


@dataclass(frozen=True, slots=True)
class Checkup:
    """An authorization whose turn it is."""

    authorization: Authorization
    worked_at: datetime | None
    trouble: Trouble | None


class Health(Protocol):
    """When Amazon is asked about an authorization, and what came of it."""

    async def take(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Checkup]:
        """Those whose turn it is, put back to `until` first: another replica leaves them alone, and a crash gives them back."""
        ...

    async def appoint(self, authorization: Authorization, *, next_at: datetime) -> None:
        """Says when it is asked about, for one that Amazon was not just asked about."""
        ...

    async def worked(self, authorization: Authorization, *, at: datetime, next_at: datetime) -> None:
        """A refresh and the probes were answered, `at` the latest: what was failing is forgotten."""
        ...

    async def failed(self, authorization: Authorization, trouble: Trouble, *, next_at: datetime) -> None: ...

    async def ask_soon(self, authorization_id: str, *, at: datetime) -> None:
        """Its turn comes at `at`, if it would have come later."""
        ...

    async def worked_until(self, authorization: Authorization) -> datetime:
        """The last moment at which it is known to have worked."""
        ...

    async def broke(self, outage: Outage) -> bool:
        """Opens an outage; False when one is open: it was told."""
        ...

    async def mended(self, store_id: str, feature: FeatureKey, *, at: datetime) -> Outage | None:
        """Closes the open outage; None when there is none."""
        ...

    async def next_due(self) -> datetime | None:
        """When the next authorization's turn comes."""
        ...

    async def sellers_of(self, application_id: str) -> int:
        """How many selling partners hold a live authorization of an application."""
        ...
