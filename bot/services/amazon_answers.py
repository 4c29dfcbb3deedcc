"""What Amazon's redirect carries, and what can be said against it before its code is spent."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.domain.consent import ConsentAttempt, fingerprint
from bot.domain.stores import Store
from bot.domain.verification import Reason, Refused
from bot.ports import Work


def state_for(store: Store, secret: str) -> str:
    """A state that says which region Amazon is asked to consent for. We know states by their fingerprint alone, so nobody can
    make it say another one.
    """
    return f"{secret}.{store.marketplace.consent_region}"


@dataclass(frozen=True, slots=True)
class AmazonAnswer:
    """What Amazon's redirect carried; empty strings for what was missing."""

    state: str = field(repr=False)
    selling_partner_id: str = ""
    code: str = field(default="", repr=False)
    #: OAuth's `error`, which Amazon does not send today
    error: str = ""

    @property
    def consent_region(self) -> str:
        """What the seller was asked to consent for; empty when the state does not say."""
        return self.state.partition(".")[2]

    @property
    def print(self) -> str:
        """By which the same answer, reloaded, is recognised."""
        return fingerprint(f"{self.selling_partner_id} {self.code} {self.error}")


async def objection(
    work: Work, answer: AmazonAnswer, attempt: ConsentAttempt, store: Store, *, browser: str | None
) -> Refused | None:
    """What can be said before the code is spent."""
    if browser is not None and browser != f"{attempt.team_id}:{attempt.user_id}":
        return Refused(Reason.WRONG_PERSON)
    useless = _useless(answer, store)
    if useless is not None:
        return useless
    if store.selling_partner_id and store.selling_partner_id != answer.selling_partner_id:
        return Refused(Reason.WRONG_ACCOUNT)
    holder = await work.stores.holder(answer.selling_partner_id)
    if holder is not None and holder != store.seller_id:
        return Refused(Reason.HELD_BY_ANOTHER)
    return None


def _useless(answer: AmazonAnswer, store: Store) -> Refused | None:
    if answer.error:
        return Refused(Reason.CANCELLED)
    if not answer.code or not answer.selling_partner_id:
        return Refused(Reason.INCOMPLETE_ANSWER)
    if answer.consent_region not in ("", store.marketplace.consent_region):
        # the store was given another marketplace since: this consent is not for it, and its link leads elsewhere now
        return Refused(Reason.UNKNOWN_STATE)
    return None
