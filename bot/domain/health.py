"""The health of a grant through its year: when Amazon is asked, what counts as broken, and for how long it was."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from bot.domain.features import FeatureKey
from bot.domain.verification import Reason

_DAY_MINUTES = 24 * 60
#: an authorization that was just consented to is not asked about again at once
_REST = timedelta(hours=12)
#: clocks differ a little
_AFTER_THE_END = timedelta(minutes=1)
#: Amazon still lets us in after the recorded end: looked at so often until it is certain what that means
STILL_OPEN = timedelta(hours=6)
#: an answer that may be a moment's weakness is asked for again after this
SECOND_LOOK = timedelta(minutes=15)
#: after so many days without a usable answer the desk hears of it; the grant stays what it is
TROUBLING_DAYS = 3
#: a refresh that works so long after the recorded end proves a renewal at Amazon that we were not told of
GRACE = timedelta(days=1)
#: Amazon offers to renew in the last month: such a renewal is at most this old when the old year ends
OFFERED_WITHIN = timedelta(days=30)

#: a grant in one of these does not work, and a person must do something about it
BREAKING = frozenset({Reason.REVOKED, Reason.EXPIRED, Reason.PERMISSION_PROBLEM, Reason.MARKETPLACE_NOT_COVERED})

#: refusals by which a grant that stands loses its permission
NO_ACCESS = frozenset({Reason.PERMISSION_PROBLEM, Reason.MARKETPLACE_NOT_COVERED})


def minute_of(authorization_id: str) -> int:
    """An authorization's own minute of the day, spread evenly by its id."""
    digest = hashlib.sha256(authorization_id.encode()).digest()
    return int.from_bytes(digest[:4], "big") % _DAY_MINUTES


def next_check(authorization_id: str, *, after: datetime, ends_at: datetime | None = None) -> datetime:
    """Its minute of the next day, or of the same day when that is half a day off: about once a day, whatever was late.

    A year that ends before that is looked at as soon as it has ended.
    """
    at = _own_minute(authorization_id, after)
    if ends_at is None or ends_at < after:
        return at
    return min(at, ends_at + _AFTER_THE_END)


def _own_minute(authorization_id: str, after: datetime) -> datetime:
    earliest = (after + _REST).astimezone(UTC)
    midnight = earliest.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + timedelta(minutes=minute_of(authorization_id))
    return at if at >= earliest else at + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What an authorization has been failing with, and on how many days. A day counts once, however often it fails."""

    reason: Reason
    days: int
    last_on: date
    #: stores that were refused access, and are looked at a second time before they lose it
    stores: frozenset[str] = frozenset()

    def again(self, reason: Reason, *, on: date, stores: frozenset[str] = frozenset()) -> Trouble:
        """The same trouble at another time of day, or on another day. A refused access is an answer: silence is counted anew
        after it, and it after silence.
        """
        if (reason in NO_ACCESS) != (self.reason in NO_ACCESS):
            return Trouble(reason, 1, on, stores)
        return Trouble(reason, self.days if on == self.last_on else self.days + 1, on, stores)


def retry_at(trouble: Trouble, *, now: datetime) -> datetime:
    """When an unusable answer is asked for again: soon at first, then every few hours, forever."""
    match trouble.reason:
        case Reason.PERMISSION_PROBLEM | Reason.MARKETPLACE_NOT_COVERED:
            return now + SECOND_LOOK
        case Reason.OUR_CREDENTIALS:
            return now + timedelta(hours=1)
        case _:
            return now + (timedelta(minutes=30) if trouble.days <= 1 else timedelta(hours=4))


@dataclass(frozen=True, slots=True)
class Outage:
    """One time during which a grant did not work."""

    store_id: str
    feature: FeatureKey
    reason: Reason
    #: the last moment at which it is known to have worked, or the end of its year
    worked_until: datetime
    noticed_at: datetime
    mended_at: datetime | None = None


def renewed_unseen(ends_at: datetime, *, lifetime: timedelta, now: datetime) -> datetime | None:
    """The earliest end of a year that was begun at Amazon without our hearing of it; None while that is not certain.

    The seller pressed *renew* in the last month of the old year at the earliest, so the new one ends a month earlier than
    a full year after the old end, at the earliest: an early reminder does no harm, a late one does.
    """
    return ends_at + lifetime - OFFERED_WITHIN if now >= ends_at + GRACE else None
