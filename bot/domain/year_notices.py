"""What people are told through the year of a grant: what ends soon, what broke, what is well again. A part of `notices`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from bot.domain.digests import Ending
from bot.domain.features import FeatureKey
from bot.domain.notices import Notice, StoreRef

#: rows of a digest; Slack shows fifty blocks
DIGEST_ROWS = 30


@dataclass(frozen=True, slots=True)
class EndingRef:
    """As much of an ending as a message shows."""

    store: StoreRef
    feature: FeatureKey
    #: ISO 8601
    ends_at: str
    #: who could have done something about it; for the desk only
    members: tuple[str, ...] = ()

    @classmethod
    def of(cls, ending: Ending, members: tuple[str, ...] = ()) -> EndingRef:
        return cls(ending.store, ending.feature, ending.ends_at.isoformat(), members)

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Self:
        return cls(
            StoreRef(**facts["store"]), FeatureKey(facts["feature"]), facts["ends_at"], tuple(facts.get("members", ()))
        )


@dataclass(frozen=True, slots=True)
class DayCount:
    """So many stores lose a feature on a day."""

    #: ISO 8601
    day: str
    orders: int = 0
    listing: int = 0


def calendar_of(counts: Mapping[tuple[date, FeatureKey], int]) -> tuple[DayCount, ...]:
    """Counts by day and feature as days, in order."""
    return tuple(
        DayCount(
            day.isoformat(),
            orders=counts.get((day, FeatureKey.ORDERS), 0),
            listing=counts.get((day, FeatureKey.LISTING), 0),
        )
        for day in sorted({day for day, _ in counts})
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerDigest(Notice):
    """What ends soon for one account, for one of its members."""

    kind = "digest"

    #: the reader's day it was made for, ISO 8601
    period: str
    #: soonest first
    endings: tuple[EndingRef, ...]
    #: endings that found no room
    more: int = 0
    calendar: tuple[DayCount, ...] = ()
    #: the reader's day of the digest before, ISO 8601, should this one never be sent
    before: str = ""

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> SellerDigest:
        return cls(
            period=facts["period"],
            endings=tuple(EndingRef.read(row) for row in facts["endings"]),
            more=facts["more"],
            calendar=tuple(DayCount(**row) for row in facts["calendar"]),
            before=facts["before"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskDigest(Notice):
    """For the support channel: what ends in the workspace, and what nobody has reacted to."""

    kind = "desk_digest"

    period: str
    #: the channel's time zone, for which the days are counted
    tz: str
    calendar: tuple[DayCount, ...]
    ignored: tuple[EndingRef, ...] = ()
    more_ignored: int = 0
    before: str = ""

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> DeskDigest:
        return cls(
            period=facts["period"],
            tz=facts["tz"],
            calendar=tuple(DayCount(**row) for row in facts["calendar"]),
            ignored=tuple(EndingRef.read(row) for row in facts["ignored"]),
            more_ignored=facts["more_ignored"],
            before=facts["before"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantBroke(Notice):
    """A grant stopped working before its year was over."""

    kind = "grant_broke"

    store: StoreRef
    feature: FeatureKey
    reason: str
    #: ISO 8601: the last moment at which it is known to have worked
    worked_until: str
    #: other stores of the same consent that broke with it
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantMended(Notice):
    """A grant works again: from when to when nothing was pulled."""

    kind = "grant_mended"

    store: StoreRef
    feature: FeatureKey
    reason: str
    worked_until: str
    mended_at: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StillSilent(Notice):
    """The one nudge: a link was opened and Amazon never answered. Q1's answer for its state, in the reader's words."""

    kind = "still_silent"

    attempt_id: str
    store: StoreRef
    feature: FeatureKey
    text: str
    #: ISO 8601, when an older grant still stands
    ends_at: str = ""
    #: what the answer ends in, as `faq.facts.Button`
    button: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretEnds(Notice):
    """For the admins: an application's client secret ends."""

    kind = "secret_ends"

    feature: FeatureKey
    #: ISO 8601
    ends_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRefused(Notice):
    """For the support channel and the admins: Amazon refuses our own credentials; until they are replaced nothing can be checked."""

    kind = "secret_refused"

    feature: FeatureKey


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlistedFull(Notice):
    """For the admins: an application outside the Appstore nears Amazon's limit of sellers."""

    kind = "unlisted_full"

    feature: FeatureKey
    sellers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswerForDays(Notice):
    """For the support channel: Amazon has given no usable answer about a grant for days; the grant stays what it is."""

    kind = "no_answer_for_days"

    store: StoreRef
    feature: FeatureKey
    reason: str
    days: int
