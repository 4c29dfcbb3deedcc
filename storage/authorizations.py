"""Authorizations by (application, selling partner, region), each held by one seller. Refresh tokens are sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.features import FeatureKey
from bot.domain.grants import Authorization, AuthorizationKey, AuthorizationState
from bot.domain.health import next_check
from bot.domain.stores import Seller
from bot.errors import CannotDecrypt, ConcurrentChange
from storage import selling_partners, statements
from storage.columns import whole_milliseconds
from storage.tables import SEALED_REFRESH_TOKEN, authorizations
from storage.vault import Vault

#: everything but the token, which is read only where it is asked for
PLAIN = tuple(column for column in authorizations.c if column is not authorizations.c.refresh_token)


class SqlAuthorizations:
    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def find(self, key: AuthorizationKey) -> Authorization | None:
        return await self._one(select(*PLAIN).where(_has(key)))

    async def get(self, seller: Seller, authorization_id: str) -> Authorization | None:
        mine = authorizations.c
        return await self._one(
            select(*PLAIN).where(
                mine.team_id == seller.team_id, mine.seller_id == seller.id, mine.id == authorization_id
            )
        )

    async def held(self, seller: Seller, *, application_id: str, consent_region: str) -> Sequence[Authorization]:
        mine = authorizations.c
        rows = await self._connection.execute(
            select(*PLAIN)
            .where(
                mine.team_id == seller.team_id,
                mine.seller_id == seller.id,
                mine.application_id == application_id,
                mine.consent_region == consent_region,
                mine.state == AuthorizationState.LIVE.value,
            )
            .order_by(mine.consented_at.desc(), mine.id.desc())
        )
        return [as_authorization(row) for row in rows]

    async def put(self, authorization: Authorization, *, refresh_token: str) -> Authorization:
        stored = await self._locked(_has(authorization.key))
        if stored is None and await self._insert(authorization, refresh_token):
            return await self._stored(authorization.key)
        # Somebody may have inserted it in between; then it is renewed.
        stored = stored or await self._locked(_has(authorization.key))
        return await self._renew(stored, authorization, refresh_token)

    async def update(self, authorization: Authorization, *, refresh_token: str | None = None) -> Authorization:
        stored = await self._locked(authorizations.c.id == authorization.id)
        return await self._renew(stored, authorization, refresh_token)

    async def refresh_token(self, authorization: Authorization) -> str:
        mine = authorizations.c
        sealed = await self._connection.scalar(
            select(mine.refresh_token).where(
                mine.id == authorization.id,
                mine.team_id == authorization.team_id,
                mine.seller_id == authorization.seller_id,
            )
        )
        if sealed is None:
            raise CannotDecrypt(key_id="none")
        return self._vault.open(sealed, SEALED_REFRESH_TOKEN, authorization.id)

    async def _renew(
        self, stored: Authorization | None, authorization: Authorization, refresh_token: str | None
    ) -> Authorization:
        """Leaves a newer consent than the given one as it is: an answer that was on its way when the seller consented again
        says nothing about the new consent.
        """
        if stored is None or (stored.team_id, stored.seller_id) != (authorization.team_id, authorization.seller_id):
            raise ConcurrentChange
        if stored.consented_at > whole_milliseconds(authorization.consented_at):
            return stored
        await self._connection.execute(
            update(authorizations)
            .where(authorizations.c.id == stored.id)
            .values(**self._values(authorization, stored.id, refresh_token))
        )
        return await self._stored(stored.key)

    async def _insert(self, authorization: Authorization, refresh_token: str) -> bool:
        team_id, seller_id = authorization.team_id, authorization.seller_id
        if not await selling_partners.hold(self._connection, team_id, seller_id, authorization.key.selling_partner_id):
            raise ConcurrentChange
        try:
            async with self._connection.begin_nested():
                inserted = await self._connection.execute(
                    statements.insert(self._connection, authorizations)
                    .values(
                        id=authorization.id,
                        team_id=team_id,
                        seller_id=seller_id,
                        application_id=authorization.key.application_id,
                        selling_partner_id=authorization.key.selling_partner_id,
                        consent_region=authorization.key.consent_region,
                        next_check_at=next_check(
                            authorization.id, after=authorization.consented_at, ends_at=authorization.ends_at
                        ),
                        failed_days=0,
                        **self._values(authorization, authorization.id, refresh_token),
                    )
                    .on_conflict_do_nothing(index_elements=["application_id", "selling_partner_id", "consent_region"])
                )
        except IntegrityError:
            # The seller's last store of this account was deleted at this moment.
            raise ConcurrentChange from None
        return inserted.rowcount == 1

    def _values(self, authorization: Authorization, row_id: str, refresh_token: str | None) -> dict[str, Any]:
        values: dict[str, Any] = {
            "feature": authorization.feature.value,
            "consented_at": authorization.consented_at,
            "ends_at": authorization.ends_at,
            "state": authorization.state.value,
            "checked_at": authorization.checked_at,
        }
        if refresh_token is not None:
            values["refresh_token"] = self._vault.seal(refresh_token, SEALED_REFRESH_TOKEN, row_id)
        return values

    async def _locked(self, which: ColumnElement[bool]) -> Authorization | None:
        return await self._one(select(*PLAIN).where(which).with_for_update())

    async def _stored(self, key: AuthorizationKey) -> Authorization:
        return as_authorization((await self._connection.execute(select(*PLAIN).where(_has(key)))).one())

    async def _one(self, query: Select[Any]) -> Authorization | None:
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else as_authorization(row)


def _has(key: AuthorizationKey) -> ColumnElement[bool]:
    return and_(
        authorizations.c.application_id == key.application_id,
        authorizations.c.selling_partner_id == key.selling_partner_id,
        authorizations.c.consent_region == key.consent_region,
    )


def as_authorization(row: Row[Any]) -> Authorization:
    return Authorization(
        id=row.id,
        team_id=row.team_id,
        seller_id=row.seller_id,
        feature=FeatureKey(row.feature),
        key=AuthorizationKey(row.application_id, row.selling_partner_id, row.consent_region),
        consented_at=row.consented_at,
        ends_at=row.ends_at,
        state=AuthorizationState(row.state),
        checked_at=row.checked_at,
    )
