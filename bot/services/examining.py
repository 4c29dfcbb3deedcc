"""Asks Amazon about one authorization and writes what follows for the grants that rest on it.

Shared by *Check result*, which a person waits for, and by the health sweep. Only a refresh that Amazon refuses for good moves a
grant to *revoked* or *expired*; only a 403 of a probe moves it to *permission problem*; everything else moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.features import FeatureKey
from bot.domain.grants import GRANT_LIFETIME, Authorization, AuthorizationState, Grant, GrantState, Move
from bot.domain.health import next_check, renewed_unseen
from bot.domain.stores import Store
from bot.domain.verification import Reason, Refused, Verdict, Verified
from bot.ports import Amazon, AuditEvent, Clock, Database, Tokens, Work
from bot.services.outages import note_broken, note_mended
from bot.services.verifying import Verifier

#: what a probe says of the access itself, not of the moment
LOST_ACCESS = frozenset({Reason.PERMISSION_PROBLEM, Reason.MARKETPLACE_NOT_COVERED})


@dataclass(frozen=True, slots=True)
class Finding:
    """What Amazon says of an authorization: a verdict on the whole, and what the probe of each store was refused with."""

    verdict: Verdict
    refused: tuple[tuple[str, Refused], ...] = ()

    def of(self, store_id: str) -> Verdict:
        """The verdict on one store."""
        return next((refused for asked, refused in self.refused if asked == store_id), self.verdict)


class Examiner:
    """Refresh, then probe, then write."""

    def __init__(self, database: Database, amazon: Amazon, *, clock: Clock) -> None:
        self._database = database
        self._amazon = amazon
        self._clock = clock
        self._verifier = Verifier(amazon)

    async def examine(
        self,
        authorization: Authorization,
        token: str,
        stores: Sequence[Store],
        *,
        patient: bool = False,
        besides: str = "",
    ) -> Finding:
        """Asks, and moves the grants of `stores` by what is answered.

        `patient`: a lost access is not written yet, because the caller will look a second time. `besides`: who asked, and
        is told the result by the caller.
        """
        tokens = await self._amazon.refresh(authorization.feature, token)
        if isinstance(tokens, Refused):
            return Finding(await self._rejected(authorization, token, tokens, besides))
        refused = {store.id: await self._probe(store, authorization, tokens) for store in stores}
        found = tuple((store_id, answer) for store_id, answer in refused.items() if answer is not None)
        now = self._clock()
        async with self._database.begin() as work:
            kept = await self._kept(work, authorization, tokens, token, now)
            over = kept.ends_at <= now
            lost: list[tuple[Store, Refused]] = []
            restored = await self._renewed(work, authorization, kept, now)
            for store in stores:
                answer = refused[store.id]
                grant = (await work.grants.of_store(store))[authorization.feature]
                move = self._move(grant, answer, patient=patient, now=now)
                if move is None or grant.authorization_id != kept.id:
                    continue
                await work.grants.put(grant.after(move, at=now))
                await self._note(work, store, authorization.feature, move)
                if answer is None:
                    restored.append(store)
                else:
                    lost.append((store, answer))
            await self._tell(work, authorization, lost, restored, now, besides)
            if not found:
                await work.health.worked(kept, at=now, next_at=next_check(kept.id, after=now))
        if over:
            return Finding(Refused(Reason.EXPIRED), found)
        return Finding(Verified(at=now, ends_at=kept.ends_at), found)

    # --- parts -------------------------------------------------------------------------------------------------------

    async def _kept(
        self, work: Work, authorization: Authorization, tokens: Tokens, token: str, now: datetime
    ) -> Authorization:
        """The authorization as it is now known: its token if it changed, and its new year if Amazon began one unseen."""
        current = replace(authorization, checked_at=now, state=AuthorizationState.LIVE)
        renewed = renewed_unseen(authorization.ends_at, lifetime=GRANT_LIFETIME, now=now)
        if renewed is not None:
            current = replace(current, consented_at=renewed - GRANT_LIFETIME, ends_at=renewed)
        rotated = None if tokens.refresh_token == token else tokens.refresh_token
        return await work.authorizations.put(current, refresh_token=rotated)

    async def _renewed(self, work: Work, before: Authorization, kept: Authorization, now: datetime) -> list[Store]:
        """The stores whose grants follow their authorization into a year that Amazon began unseen."""
        renewed = []
        if kept.ends_at > before.ends_at:
            for store, grant in await work.grants.resting_on(kept.id):
                if grant.ends_at != kept.ends_at:
                    await work.grants.put(
                        grant.after(Move.ACCEPT, at=now, authorization_id=kept.id, ends_at=kept.ends_at)
                    )
                    await self._note(work, store, grant.feature, Move.ACCEPT)
                    renewed.append(store)
        return renewed

    @staticmethod
    def _move(grant: Grant, refused: Refused | None, *, patient: bool, now: datetime) -> Move | None:
        if grant.standing(now) is GrantState.EXPIRED:
            return None
        if refused is None:
            return Move.RESTORE if grant.state is GrantState.PERMISSION_PROBLEM else None
        lost = refused.reason in LOST_ACCESS and not patient
        return Move.LOSE_PERMISSION if lost and grant.state is GrantState.GRANTED else None

    async def _tell(
        self,
        work: Work,
        authorization: Authorization,
        lost: Sequence[tuple[Store, Refused]],
        restored: Sequence[Store],
        now: datetime,
        besides: str,
    ) -> None:
        feature = authorization.feature
        if lost:
            worked_until = await work.health.worked_until(authorization)
            stores = [(store, feature) for store, _ in lost]
            await note_broken(
                work, stores, lost[0][1].reason, worked_until=worked_until, at=now, besides=besides
            )
        if restored:
            await note_mended(work, [(store, feature) for store in restored], at=now)

    async def _probe(self, store: Store, authorization: Authorization, tokens: Tokens) -> Refused | None:
        """The cheapest proof: `orders` shares 0.0056 calls a second with the real import, so it is asked by participation."""
        if authorization.feature is FeatureKey.ORDERS:
            return await self._verifier.sells_on(authorization.feature, store.marketplace, tokens)
        return await self._verifier.works(
            authorization.feature,
            store.marketplace,
            selling_partner_id=authorization.key.selling_partner_id,
            tokens=tokens,
        )

    async def _rejected(self, authorization: Authorization, token: str, refused: Refused, besides: str) -> Verdict:
        """A refresh was refused. Only Amazon's own *no* moves grants, and all that rest on the authorization.

        A *no* to a token that has been replaced meanwhile says nothing about the new one.
        """
        if refused.reason is not Reason.REVOKED:
            return refused
        now = self._clock()
        over = authorization.ends_at <= now
        reason = Reason.EXPIRED if over else Reason.REVOKED
        move = Move.EXPIRE if over else Move.REVOKE
        async with self._database.begin() as work:
            if await work.authorizations.refresh_token(authorization) != token:
                return Refused(Reason.AMAZON_UNAVAILABLE)
            await work.authorizations.put(replace(authorization, state=AuthorizationState.REVOKED, checked_at=now))
            worked_until = authorization.ends_at if over else await work.health.worked_until(authorization)
            broken = []
            for store, grant in await work.grants.resting_on(authorization.id):
                if grant.state not in (GrantState.GRANTED, GrantState.PERMISSION_PROBLEM):
                    continue
                await work.grants.put(grant.after(move, at=now))
                await self._note(work, store, grant.feature, move)
                broken.append((store, grant.feature))
            await note_broken(work, broken, reason, worked_until=worked_until, at=now, besides=besides)
        return Refused(reason)

    async def _note(self, work: Work, store: Store, feature: FeatureKey, move: Move) -> None:
        await work.audit.record(
            AuditEvent(
                self._clock(),
                store.team_id,
                "grantdesk",
                f"grant.{move.value}",
                store.id,
                details={"feature": feature.value},
            )
        )
