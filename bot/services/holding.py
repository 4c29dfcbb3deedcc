"""Authorizations that a seller holds already: which one may cover a store, so that nobody goes to Amazon twice."""

from __future__ import annotations

from datetime import datetime

from bot.domain.consent import ConsentAttempt
from bot.domain.grants import Authorization
from bot.domain.stores import Seller, Store
from bot.ports import Work


async def covering(
    work: Work, seller: Seller, store: Store, *, application_id: str, now: datetime
) -> Authorization | None:
    """A live authorization for the application that may cover the store already."""
    held = await work.authorizations.held(
        seller, application_id=application_id, consent_region=store.marketplace.consent_region
    )
    taken = {
        other.selling_partner_id
        for other in await work.stores.of_seller(seller)
        if other.id != store.id and other.marketplace_code == store.marketplace_code
    }
    for authorization in held:
        partner = authorization.key.selling_partner_id
        if authorization.ends_at <= now:
            continue
        if store.selling_partner_id == partner or (store.selling_partner_id is None and partner not in taken):
            return authorization
    return None


async def on_offer(work: Work, attempt: ConsentAttempt, seller: Seller, store: Store) -> Authorization | None:
    """The authorization an attempt names, while it can still be confirmed for the store as that is now."""
    if attempt.authorization_id is None or store.disabled_at is not None:
        return None
    named = await work.authorizations.get(seller, attempt.authorization_id)
    covers = named is not None and named.key.consent_region == store.marketplace.consent_region
    return named if covers else None
