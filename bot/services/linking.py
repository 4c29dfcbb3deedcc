"""What the stories about links share: finding one by its secret, whether it still works, and minting a state for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.consent import FINAL, STATE_LIFETIME, ConsentAttempt, ConsentState, fingerprint, receipt_of
from bot.domain.grants import Grant
from bot.domain.stores import Seller, Store
from bot.errors import LinkExpired, LinkSpent, LinkUnknown, StoreDisabled
from bot.ports import AuditEvent, Work


@dataclass(frozen=True, slots=True)
class Link:
    """What a consent page shows."""

    attempt: ConsentAttempt
    store: Store
    grant: Grant
    other: Grant | None


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send the browser whose button was pressed."""

    url: str = field(repr=False)
    attempt: ConsentAttempt


def made_event(attempt: ConsentAttempt) -> AuditEvent:
    """For the audit: who made a link, and for whom if it was an agent."""
    return AuditEvent(
        attempt.created_at,
        attempt.team_id,
        attempt.requested_by or attempt.user_id,
        "link.made",
        attempt.store_id,
        on_behalf_of=attempt.user_id if attempt.requested_by else None,
        details={"feature": attempt.feature.value},
    )


async def linked(work: Work, secret: str) -> tuple[ConsentAttempt, Store, Seller]:
    """The attempt behind a secret. Raises LinkUnknown, also when its store is gone."""
    attempt = await work.attempts.by_secret(fingerprint(secret))
    found = None if attempt is None else await store_of(work, attempt)
    if attempt is None or found is None:
        raise LinkUnknown
    return attempt, found[1], found[0]


async def store_of(work: Work, attempt: ConsentAttempt) -> tuple[Seller, Store] | None:
    """Whose attempt it is and for which store; None when either is gone."""
    seller = await work.sellers.get(attempt.team_id, attempt.seller_id)
    store = None if seller is None else await work.stores.get(seller, attempt.store_id)
    return None if seller is None or store is None else (seller, store)


async def shown(work: Work, attempt: ConsentAttempt, store: Store) -> Link:
    """The link with the store's grants as they stand."""
    grants = await work.grants.of_store(store)
    others = [grant for key, grant in grants.items() if key is not attempt.feature]
    return Link(attempt, store, grants[attempt.feature], others[0] if others else None)


def require_usable(attempt: ConsentAttempt, store: Store, now: datetime) -> None:
    """Raises LinkSpent, LinkExpired or StoreDisabled."""
    if attempt.outcome in FINAL:
        raise LinkSpent
    if now >= attempt.expires_at:
        raise LinkExpired
    if store.disabled_at is not None:
        raise StoreDisabled(label=store.label)


async def mint(
    work: Work, attempt: ConsentAttempt, state: str, *, now: datetime, pressed_by: str = ""
) -> ConsentAttempt:
    """A state for Amazon; the attempt waits for its answer again, and nothing held is on offer any more."""
    await work.attempts.mint(
        ConsentState(
            state_hash=fingerprint(state),
            attempt_id=attempt.id,
            feature=attempt.feature,
            receipt_hash=fingerprint(receipt_of(state)),
            minted_at=now,
            expires_at=now + STATE_LIFETIME,
            pressed_by=pressed_by,
        )
    )
    waiting = replace(
        attempt,
        opened_at=attempt.opened_at or now,
        pressed_at=now,
        authorization_id=None,
        outcome=None,
        reason=None,
        detail="",
        ended_at=None,
    )
    await work.attempts.update(waiting)
    return waiting
