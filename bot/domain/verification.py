"""What came of asking Amazon: a verdict, and for a refusal its reason and whose turn it is.

A verdict is a value, not an exception. Each reason has a sentence in every catalog (`reason.<value>.title`, what happened,
and `reason.<value>.advice`, what to do next).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class Turn(StrEnum):
    """Who must act next."""

    SELLER = "seller"
    US = "us"
    NOBODY = "nobody"


class Reason(StrEnum):
    """Why a grant is not there. The values are stored and are keys of the catalogs."""

    #: no link has been opened yet
    NEVER_OPENED = "never_opened"
    #: a link was opened and Amazon has not answered within its ten minutes: cancelled, closed, or an Amazon error page
    NO_ANSWER = "no_answer"
    #: a link is open right now, within its ten minutes
    WAITING = "waiting"
    #: Amazon told us that the seller said no
    CANCELLED = "cancelled"
    #: the answer carried a state that we never made, or made for something else
    UNKNOWN_STATE = "unknown_state"
    #: the answer's state was used before
    STATE_USED = "state_used"
    #: the answer came after the ten minutes
    TOO_LATE = "too_late"
    #: Amazon did not accept the code: older than five minutes, or used before
    CODE_REJECTED = "code_rejected"
    #: Amazon gave no answer for the code, which is good once and for five minutes
    CODE_LOST = "code_lost"
    #: the answer lacked what Amazon always sends
    INCOMPLETE_ANSWER = "incomplete_answer"
    #: another Amazon account was signed in than the one the store belongs to
    WRONG_ACCOUNT = "wrong_account"
    #: somebody came from Amazon's side, and nothing shows that it is the store's own account that answered
    UNPROVEN = "unproven"
    #: this browser was used by another person for their own link
    WRONG_PERSON = "wrong_person"
    #: that Amazon account belongs to another distributor account
    HELD_BY_ANOTHER = "held_by_another"
    #: that Amazon store is already one of the seller's stores, under another name
    ALREADY_CONNECTED = "already_connected"
    #: the Amazon account does not sell on the store's marketplace
    MARKETPLACE_NOT_COVERED = "marketplace_not_covered"
    #: only Professional sellers can authorize
    INDIVIDUAL_PLAN = "individual_plan"
    #: the grant was withdrawn at Amazon
    REVOKED = "revoked"
    #: its year is over
    EXPIRED = "expired"
    #: Amazon refuses access for a role, region or account reason: never taken for a revocation
    PERMISSION_PROBLEM = "permission_problem"
    #: our own client id or secret was refused: never the seller's fault
    OUR_CREDENTIALS = "our_credentials"
    #: Amazon answered with an error page, not at all, or not in time
    AMAZON_UNAVAILABLE = "amazon_unavailable"
    #: Amazon asked us to slow down
    THROTTLED = "throttled"
    #: the store is switched off here
    DISABLED = "disabled"


TURNS: Mapping[Reason, Turn] = MappingProxyType(
    {
        Reason.NEVER_OPENED: Turn.SELLER,
        Reason.NO_ANSWER: Turn.SELLER,
        Reason.WAITING: Turn.SELLER,
        Reason.CANCELLED: Turn.SELLER,
        Reason.UNKNOWN_STATE: Turn.SELLER,
        Reason.STATE_USED: Turn.SELLER,
        Reason.TOO_LATE: Turn.SELLER,
        Reason.CODE_REJECTED: Turn.SELLER,
        Reason.CODE_LOST: Turn.SELLER,
        Reason.INCOMPLETE_ANSWER: Turn.SELLER,
        Reason.WRONG_ACCOUNT: Turn.SELLER,
        Reason.UNPROVEN: Turn.SELLER,
        Reason.WRONG_PERSON: Turn.SELLER,
        Reason.HELD_BY_ANOTHER: Turn.SELLER,
        Reason.ALREADY_CONNECTED: Turn.SELLER,
        Reason.MARKETPLACE_NOT_COVERED: Turn.SELLER,
        Reason.INDIVIDUAL_PLAN: Turn.SELLER,
        Reason.REVOKED: Turn.SELLER,
        Reason.EXPIRED: Turn.SELLER,
        Reason.PERMISSION_PROBLEM: Turn.SELLER,
        Reason.OUR_CREDENTIALS: Turn.US,
        Reason.AMAZON_UNAVAILABLE: Turn.NOBODY,
        Reason.THROTTLED: Turn.NOBODY,
        Reason.DISABLED: Turn.SELLER,
    }
)


@dataclass(frozen=True, slots=True)
class Verified:
    """Amazon confirmed the grant at `at`; it ends at `ends_at`."""

    at: datetime
    ends_at: datetime

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Refused:
    """No grant, or no answer, for `reason`. `detail` is a fact a sentence may quote: another store's label, for instance."""

    reason: Reason
    detail: str = ""

    @property
    def turn(self) -> Turn:
        return TURNS[self.reason]

    def __bool__(self) -> bool:
        return False


Verdict = Verified | Refused
