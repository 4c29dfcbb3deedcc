"""Asks Amazon about one authorization and writes what follows for the grants that rest on it.

Shared by *Check result*, which a person waits for, and by the health sweep. Only a refresh that Amazon refuses for good ends a
grant; only a 403 of a probe takes its permission; everything else moves nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.features import FeatureKey
from bot.domain.grants import GRANT_LIFETIME, Authorization, AuthorizationState, Grant, GrantState, Move
from bot.domain.health import NO_ACCESS, next_check, renewed_unseen
from bot.domain.stores import Store
from bot.domain.verification import Reason, Refused, Verdict, Verified
from bot.ports import Amazon, Clock, Database, Participation, Tokens, Work
from bot.services.mirroring import put_grant
from bot.services.outages import note_broken, note_mended
from bot.services.settling import Settling
from bot.services.verifying import Verifier, covers


@dataclass(frozen=True, slots=True)
class Finding:
    """What Amazon says of an authorization, and for each store whose probe was refused, with what."""

    verdict: Verdict
    refused: Mapping[str, Refused] = field(default_factory=dict)
    #: those of them that moved no grant, now or before: they must be asked about again
    unsettled: Mapping[str, Refused] = field(default_factory=dict)

    def of(self, store: Store) -> Verdict:
        """The verdict on one store."""
        return self.refused.get(store.id, self.verdict) if self.verdict else self.verdict


class Examiner:
    """Refresh, then probe, then write."""

    def __init__(self, database: Database, amazon: Amazon, settling: Settling, *, clock: Clock) -> None:
        self._database = database
        self._amazon = amazon
        self._clock = clock
        self._verifier = Verifier(amazon)
        self._settling = settling

    async def examine(
        self,
        authorization: Authorization,
        token: str,
        stores: Sequence[Store],
        *,
        refused_before: Collection[str] | None = None,
        besides: str = "",
    ) -> Finding:
        """Asks, and moves the grants of `stores` by what is answered.

        `refused_before`, of a caller who looks a second time: the stores whose access was refused at the first look. A lost
        access is written for these only; without it, for all. `besides`: who asked, and is told the result by the caller. Raises
        ConcurrentChange, also when the authorization is not held any more.
        """
        tokens = await self._amazon.refresh(authorization.feature, token)
        if isinstance(tokens, Refused):
            return await self._refused(
                authorization, token, tokens, stores, refused_before=refused_before, besides=besides
            )
        if tokens.refresh_token != token:
            # kept before anything else can go wrong: the old one may be dead already
            async with self._database.begin() as work:
                await work.authorizations.update(authorization, refresh_token=tokens.refresh_token)
        answers = await self._probed(authorization, tokens, stores)
        now = self._clock()
        async with self._database.begin() as work:
            kept = await work.authorizations.update(self._as_known(authorization, now))
            if kept.ends_at <= now:
                return Finding(Refused(Reason.EXPIRED))
            unsettled = await self._write(work, kept, stores, answers, refused_before=refused_before, besides=besides)
            # a store that is known to have no access is no trouble of the others that rest on the same authorization
            works = len(answers) < len(stores) or not stores
            if not unsettled and (works or refused_before is not None):
                last = now if works else await work.health.worked_until(kept)
                await work.health.worked(kept, at=last, next_at=next_check(kept.id, after=now, ends_at=kept.ends_at))
        return Finding(Verified(at=now, ends_at=kept.ends_at), answers, unsettled)

    # --- parts -------------------------------------------------------------------------------------------------------

    async def _probed(
        self, authorization: Authorization, tokens: Tokens, stores: Sequence[Store]
    ) -> Mapping[str, Refused]:
        """The stores whose probe was refused."""
        async with self._database.read() as work:
            grants = {store.id: (await work.grants.of_store(store))[authorization.feature] for store in stores}
        # asked once for all stores of the consent: Amazon allows few such calls
        sold = None
        if stores and authorization.feature is FeatureKey.ORDERS:
            sold = await self._verifier.sold(authorization.feature, stores[0].marketplace, tokens)
        answers = {
            store.id: await self._probe(store, grants[store.id], authorization, tokens, sold) for store in stores
        }
        return {store_id: answer for store_id, answer in answers.items() if answer is not None}

    async def _probe(
        self,
        store: Store,
        grant: Grant,
        authorization: Authorization,
        tokens: Tokens,
        sold: Sequence[Participation] | Refused | None,
    ) -> Refused | None:
        """The cheapest proof. `orders` shares 0.0056 calls a second with the real import, so it is asked by participation,
        unless its own call was refused before: then only that call can show that it works again.
        """
        if sold is not None:
            refused = covers(sold, store.marketplace)
            if refused is not None or grant.state is not GrantState.PERMISSION_PROBLEM:
                return refused
        return await self._verifier.works(
            authorization.feature,
            store.marketplace,
            selling_partner_id=authorization.key.selling_partner_id,
            tokens=tokens,
        )

    @staticmethod
    def _as_known(authorization: Authorization, now: datetime) -> Authorization:
        """The authorization as a refresh that worked shows it: alive, and in a new year if Amazon began one unseen."""
        known = replace(authorization, checked_at=now, state=AuthorizationState.LIVE)
        renewed = renewed_unseen(authorization.ends_at, lifetime=GRANT_LIFETIME, now=now)
        return known if renewed is None else replace(known, consented_at=renewed - GRANT_LIFETIME, ends_at=renewed)

    async def _write(
        self,
        work: Work,
        authorization: Authorization,
        stores: Sequence[Store],
        answers: Mapping[str, Refused],
        *,
        refused_before: Collection[str] | None,
        besides: str,
    ) -> Mapping[str, Refused]:
        """Moves the grants by the answers; tells what broke and what is well again. Returns the answers that settle nothing."""
        now, feature = self._clock(), authorization.feature
        lost: list[Store] = []
        unsettled: dict[str, Refused] = {}
        restored: dict[str, Store] = {}
        still_out = {
            store.id
            for store in stores
            if store.id in answers
            and (await work.grants.of_store(store))[feature].state is GrantState.PERMISSION_PROBLEM
        }
        # what is well comes first: it may renew others of the consent, and of those their own probe has the last word
        for store in sorted(stores, key=lambda one: one.id in answers):
            grant = (await work.grants.of_store(store))[feature]
            answer = answers.get(store.id)
            if answer is None:
                restored |= {one.id: one for one in await self._restore(work, store, grant, authorization)}
            elif answer.reason in NO_ACCESS and grant.state is GrantState.PERMISSION_PROBLEM:
                continue
            elif (
                answer.reason in NO_ACCESS
                and grant.state is GrantState.GRANTED
                and (refused_before is None or store.id in refused_before or store.id in still_out)
            ):
                await put_grant(work, store, grant, grant.after(Move.LOSE_PERMISSION, at=now))
                await self._settling.note(work, store, feature, Move.LOSE_PERMISSION)
                restored.pop(store.id, None)
                lost.append(store)
            else:
                unsettled[store.id] = answer
        if lost:
            await note_broken(
                work,
                [(store, feature) for store in lost],
                answers[lost[0].id].reason,
                worked_until=await work.health.worked_until(authorization),
                at=now,
                besides=besides,
            )
        if restored:
            await note_mended(work, [(store, feature) for store in restored.values()], at=now)
        return unsettled

    async def _restore(self, work: Work, store: Store, grant: Grant, authorization: Authorization) -> Sequence[Store]:
        """Amazon says that all is well: so it is here. Completes a renewal that could not be verified when it was made.

        Returns the stores whose grants stand again, or anew.
        """
        stands = grant.state in (GrantState.GRANTED, GrantState.PERMISSION_PROBLEM)
        if not stands or grant.ends_at != authorization.ends_at:
            renewed = await self._settling.renew(work, authorization)
            await self._settling.note(work, store, grant.feature, Move.ACCEPT)
            return renewed
        if grant.state is GrantState.PERMISSION_PROBLEM:
            await put_grant(work, store, grant, grant.after(Move.RESTORE, at=self._clock()))
            await self._settling.note(work, store, grant.feature, Move.RESTORE)
            return (store,)
        return ()

    async def _refused(
        self,
        authorization: Authorization,
        token: str,
        refused: Refused,
        stores: Sequence[Store],
        *,
        refused_before: Collection[str] | None,
        besides: str,
    ) -> Finding:
        """A refresh was refused. Only Amazon's own *no* moves grants, and all that rest on the authorization."""
        if refused.reason is not Reason.REVOKED:
            return Finding(refused)
        async with self._database.begin() as work:
            ending = await self._settling.withdrawn(work, authorization, token=token, besides=besides)
            newer = token if isinstance(ending, Refused) else await work.authorizations.refresh_token(ending)
        if isinstance(ending, Refused):
            return Finding(ending)
        # another token took that one's place meanwhile
        return await self.examine(ending, newer, stores, refused_before=refused_before, besides=besides)
