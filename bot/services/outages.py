"""One message when a grant breaks and one when it is well again, to everybody who shares the store.

An outage is a row, open once for each (store, feature): whoever opens or closes it tells it, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.features import FeatureKey
from bot.domain.health import Outage
from bot.domain.notices import StoreRef
from bot.domain.stores import Store
from bot.domain.verification import Reason
from bot.domain.year_notices import GrantBroke, GrantMended
from bot.ports import Work


async def note_broken(
    work: Work,
    broken: Sequence[tuple[Store, FeatureKey]],
    reason: Reason,
    *,
    worked_until: datetime,
    at: datetime,
    besides: str = "",
) -> None:
    """Grants of one consent broke together: one message names them all.

    A year that is over was told beforehand and is told by the digest of that day, so it opens an outage without a message.
    `besides` is somebody who hears of it anyway, because they asked.
    """
    fresh = []
    for store, feature in broken:
        outage = Outage(store.id, feature, reason, worked_until=worked_until, noticed_at=at)
        if await work.health.broke(outage) and store.disabled_at is None:
            fresh.append((store, feature))
    if not fresh or reason is Reason.EXPIRED:
        return
    store, feature = fresh[0]
    notice = GrantBroke(
        store=StoreRef.of(store),
        feature=feature,
        reason=reason.value,
        worked_until=worked_until.isoformat(),
        others=tuple(other.label for other, _ in fresh[1:]),
    )
    for member in await _members(work, store):
        if member != besides:
            await work.outbox.tell(store.team_id, member, notice)


async def note_refused(
    work: Work, store: Store, feature: FeatureKey, reason: Reason, *, stood: bool, at: datetime, besides: str
) -> None:
    """A consent was given, and Amazon refuses the access: an outage from the first moment on, so that its end is told.

    One that never `stood` cannot stop working, so nobody but `besides` hears of it now: who consented is told by the caller.
    """
    if stood:
        await note_broken(work, [(store, feature)], reason, worked_until=at, at=at, besides=besides)
    else:
        await work.health.broke(Outage(store.id, feature, reason, worked_until=at, noticed_at=at))


async def note_mended(work: Work, mended: Sequence[tuple[Store, FeatureKey]], *, at: datetime) -> None:
    """Grants of one consent work again: one message with the gap, from the earliest to now."""
    closed: list[tuple[Store, FeatureKey, Outage]] = []
    for store, feature in mended:
        outage = await work.health.mended(store.id, feature, at=at)
        if outage is not None and store.disabled_at is None:
            closed.append((store, feature, outage))
    if not closed:
        return
    store, feature, first = min(closed, key=lambda row: row[2].worked_until)
    notice = GrantMended(
        store=StoreRef.of(store),
        feature=feature,
        reason=first.reason.value,
        worked_until=first.worked_until.isoformat(),
        mended_at=at.isoformat(),
        others=tuple(other.label for other, _, _ in closed if other.id != store.id),
    )
    for member in await _members(work, store):
        await work.outbox.tell(store.team_id, member, notice)


async def _members(work: Work, store: Store) -> Sequence[str]:
    seller = await work.sellers.get(store.team_id, store.seller_id)
    return [] if seller is None else await work.sellers.members(seller)
