"""Consent attempts: one link to one person, the states it minted, and how it ended."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.features import FeatureKey
from bot.domain.verification import Reason

#: how long a link in Slack can be opened
LINK_LIFETIME = timedelta(hours=24)
#: Amazon: the whole flow must be done within ten minutes
STATE_LIFETIME = timedelta(minutes=10)
#: how long the page a browser was sent to can be looked at
RECEIPT_LIFETIME = timedelta(hours=1)


def fingerprint(secret: str) -> str:
    """What is kept of a secret: SHA-256 in hex. The secrets are 256 random bits, so no salt and no stretching."""
    return hashlib.sha256(secret.encode()).hexdigest()


def receipt_of(state: str) -> str:
    """The name of the result page for a state: derived, so that reloading the callback finds the same page."""
    return hashlib.sha256(f"grantdesk receipt {state}".encode()).hexdigest()


class Outcome(StrEnum):
    """How an attempt ended."""

    GRANTED = "granted"
    #: the last answer was a refusal; the link can be pressed again until it expires
    REFUSED = "refused"
    #: no answer came within the link's life
    TIMED_OUT = "timed_out"
    #: a newer link took its place
    REPLACED = "replaced"


#: outcomes after which the link does nothing any more
FINAL = frozenset({Outcome.GRANTED, Outcome.REPLACED})


@dataclass(frozen=True, slots=True)
class ConsentAttempt:
    """One link to one person for one (store, feature)."""

    id: str
    team_id: str
    user_id: str
    seller_id: str
    store_id: str
    feature: FeatureKey
    secret_hash: str
    created_at: datetime
    expires_at: datetime
    #: the link's page was shown; harmless, link previews do it too
    opened_at: datetime | None = None
    #: the button was pressed last, the page's or the card's: Amazon's ten minutes run from here
    pressed_at: datetime | None = None
    outcome: Outcome | None = None
    reason: Reason | None = None
    detail: str = ""
    ended_at: datetime | None = None
    #: the authorization that Amazon gave while we could not yet verify it: *Check result* completes it
    authorization_id: str | None = None
    #: the agent who made the link for the seller, if it was not the seller
    requested_by: str | None = None
    #: when the person was told of its silence: once, however often the link is pressed
    nudged_at: datetime | None = None
    #: no link was followed: somebody came in from Amazon's side, which anybody can. Until it is granted, nobody hears of it
    arrived: bool = False

    def is_usable(self, now: datetime) -> bool:
        """True while pressing the button may still lead to Amazon."""
        return now < self.expires_at and self.outcome not in FINAL

    @property
    def is_kept(self) -> bool:
        """True when Amazon consented, or a held authorization was confirmed, and it could not be verified then. Completing it
        needs no link any more, so none that expires or is replaced stands in its way.
        """
        given = self.pressed_at is not None and self.authorization_id is not None
        return given and self.outcome in (Outcome.REFUSED, Outcome.REPLACED)

    def awaits_answer(self, now: datetime) -> bool:
        """True in the ten minutes after the button was pressed, while nothing came back."""
        return self.pressed_at is not None and self.outcome is None and now < self.pressed_at + STATE_LIFETIME

    def is_silent(self, now: datetime) -> bool:
        """True when the ten minutes passed and Amazon never answered."""
        return self.pressed_at is not None and self.outcome is None and now >= self.pressed_at + STATE_LIFETIME


@dataclass(frozen=True, slots=True)
class ConsentState:
    """A single-use `state` sent to Amazon. Kept as a fingerprint."""

    state_hash: str
    attempt_id: str
    feature: FeatureKey
    receipt_hash: str
    minted_at: datetime
    expires_at: datetime
    #: who left for Amazon, when it was not the link's person: an account's primary user, or somebody in Seller Central
    pressed_by: str = ""
    consumed_at: datetime | None = None
    #: fingerprint of the code it came back with: the same again is a reload, another one is not
    answer_hash: str = ""
    #: what came of it, once known; shown on the result page
    outcome: Outcome | None = None
    reason: Reason | None = None
    detail: str = ""
