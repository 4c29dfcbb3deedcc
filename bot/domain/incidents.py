"""Is it me or Amazon? The same failure on many sellers' stores within minutes is one incident, and not the sellers' fault."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.error_codes import ERROR_CODES
from bot.domain.features import FeatureKey
from bot.domain.verification import TURNS, Reason, Turn

#: refusals that say nothing about how Amazon or we are doing: the seller has not done anything yet, or is at it
_ORDINARY = frozenset({Reason.THROTTLED})
#: a seller's doing one at a time, and a sign of Amazon's error pages (which never call back) when many fall silent at once
_TELLING_IN_NUMBERS = frozenset({Reason.NO_ANSWER})

#: distributor accounts that must have met what people tell us of, or bring about by silence: nobody alone makes an incident for all
_LEAST_SELLERS = 2

#: failures further apart than this are never one incident, whatever is configured
LONGEST_WATCH = timedelta(hours=1)


def counts(cause: str) -> bool:
    """Whether a failure (a `Reason` or a code of Amazon's) can be part of an incident: one the seller cannot mend."""
    if cause in ERROR_CODES:
        return ERROR_CODES[cause].turn is not Turn.SELLER
    try:
        reason = Reason(cause)
    except ValueError:
        return False
    return reason in _TELLING_IN_NUMBERS or (TURNS[reason] is not Turn.SELLER and reason not in _ORDINARY)


def can_be_probed(cause: str) -> bool:
    """Whether asking Amazon about a store's grant tells that it is over. Errors of Amazon's pages only people see."""
    return cause in {Reason.OUR_CREDENTIALS.value, Reason.AMAZON_UNAVAILABLE.value}


def least_sellers(cause: str) -> int:
    """How many distributor accounts must have met it, however many stores one of them has. What Amazon answers to us is beyond a
    seller's power; a code can be typed, and silence kept, for stores that were made up.
    """
    return 1 if can_be_probed(cause) else _LEAST_SELLERS


def concerns(cause: str, feature: FeatureKey | None) -> FeatureKey | None:
    """The feature by which failures are told apart: each has its own application with its own credentials and addresses."""
    ours = cause == Reason.OUR_CREDENTIALS or cause in ERROR_CODES
    return feature if ours else None


@dataclass(frozen=True, slots=True)
class Watch:
    """How many stores within how long make an incident, and how long it must have been quiet to be over."""

    stores: int = 3
    within: timedelta = timedelta(minutes=10)
    quiet: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure as it was met."""

    team_id: str
    store_id: str
    user_id: str
    cause: str
    feature: FeatureKey | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """One cause, met by many stores at once."""

    id: str
    team_id: str
    cause: str
    feature: FeatureKey | None
    opened_at: datetime
    #: the newest failure, or the newest probe that failed
    last_seen_at: datetime
    number: int = 0
    closed_at: datetime | None = None
    #: the agent who said that it is over; None when it was seen to be
    closed_by: str | None = None


def incident_subject(incident_id: str) -> str:
    """The subject of an incident's card."""
    return f"incident:{incident_id}"
