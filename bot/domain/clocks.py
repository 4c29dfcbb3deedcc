"""Our own clocks: client secrets that end after 180 days, and the seller limit of applications outside the Appstore."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from bot.domain.features import FeatureKey

SECRET_LIFETIME = timedelta(days=180)
#: Amazon accepts a new secret from here on
SECRET_WARNING = 90
#: days before the end at which it is told whatever the weekday, and every day from the first of them that is this near
SECRET_MILESTONES = (14, 7, 3, 2, 1, 0)

#: Amazon: sellers of an application that is not in the Appstore
UNLISTED_LIMIT = 25
#: from how many on the desk is told
UNLISTED_WARNING = 20


@dataclass(frozen=True, slots=True)
class SecretClock:
    """When an application's client secret ends."""

    feature: FeatureKey
    ends_on: date

    @classmethod
    def of(cls, feature: FeatureKey, issued: date) -> SecretClock:
        return cls(feature, issued + SECRET_LIFETIME)

    def period(self, today: date) -> str | None:
        """The name of the warning that is due today, weekly or for one of the last days; None before it is time.

        Telling is once for each name: whoever sleeps through a week tells the present one.
        """
        left = (self.ends_on - today).days
        if left > SECRET_WARNING:
            return None
        if left <= SECRET_MILESTONES[0]:
            passed = [milestone for milestone in SECRET_MILESTONES if left <= milestone]
            word = str(passed[-1]) if left >= 0 else f"over:{(-left - 1) // 7}"
            return f"secret:{self.feature.value}:{self.ends_on.isoformat()}:{word}"
        week = (SECRET_WARNING - left) // 7
        return f"secret:{self.feature.value}:{self.ends_on.isoformat()}:week{week}"


def unlisted_period(feature: FeatureKey, sellers: int) -> str | None:
    """The name of the warning for an unlisted application with so many sellers; None while there is room."""
    if sellers < UNLISTED_WARNING:
        return None
    return f"sellers:{feature.value}:{min(sellers, UNLISTED_LIMIT)}"
