"""*Check result*: asks Amazon now and says what is so, never from what was true yesterday."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.domain.consent import ConsentAttempt, Outcome
from bot.domain.features import FeatureKey, other_feature
from bot.domain.grants import Authorization, AuthorizationState, Grant, GrantState, Move
from bot.domain.incidents import counts
from bot.domain.notices import CheckResult, StoreRef
from bot.domain.stores import Seller, Store
from bot.domain.verification import Reason, Refused, Verdict, Verified
from bot.ports import Amazon, AuditEvent, Clock, Database, Person, Tokens, Work
from bot.services.granting import Granting
from bot.services.stores import own_store
from bot.services.verifying import Verifier


@dataclass(frozen=True, slots=True)
class _Found:
    """What a check came to. `since` is None when the consent's own notice tells it all."""

    verdict: Verdict
    store: Store
    since: str | None
    #: Amazon said so just now; else it is what the newest link tells
    is_live: bool = False


class Checking:
    """The present truth about one grant."""

    def __init__(self, database: Database, amazon: Amazon, granting: Granting, *, clock: Clock) -> None:
        self._database = database
        self._amazon = amazon
        self._granting = granting
        self._clock = clock
        self._intake = granting.intake
        self._verifier = Verifier(amazon)

    async def ask(self, person: Person, feature: FeatureKey, store_id: str) -> Store:
        """Puts the question into the queue: Amazon may take seconds, Slack waits three. Raises UnknownStore."""
        async with self._database.begin() as work:
            _, store = await own_store(work, person, store_id)
            await work.outbox.ask(
                person.team_id,
                "check_grant",
                {"user_id": person.user_id, "feature": feature.value, "store_id": store.id},
                lane=f"check:{store.id}:{feature.value}",
            )
        return store

    async def tell(self, person: Person, feature: FeatureKey, store_id: str) -> Verdict:
        """Checks, and tells the person what came of it."""
        found = await self._check(person, feature, store_id)
        verdict, store, since = found.verdict, found.store, found.since
        if since is None:
            return verdict
        now = self._clock()
        async with self._database.begin() as work:
            grants = await work.grants.of_store(store)
            other = other_feature(feature)
            offer = other if verdict and other and grants[other].standing(now) is not GrantState.GRANTED else None
            await work.outbox.tell(
                person.team_id,
                person.user_id,
                CheckResult(
                    store=StoreRef.of(store),
                    feature=feature,
                    reason="" if isinstance(verdict, Verified) else verdict.reason.value,
                    detail="" if isinstance(verdict, Verified) else verdict.detail,
                    ends_at=verdict.ends_at.isoformat() if isinstance(verdict, Verified) else "",
                    since=since,
                    offer=offer,
                ),
            )
            if found.is_live and isinstance(verdict, Refused):
                await self._intake.failed(
                    work, user_id=person.user_id, store=store, feature=feature, cause=verdict.reason.value
                )
        return verdict

    async def check(self, person: Person, feature: FeatureKey, store_id: str) -> Verdict:
        """Refresh, then probe; moves the grant by what Amazon says. Raises UnknownStore."""
        found = await self._check(person, feature, store_id)
        verdict = found.verdict
        if found.is_live and isinstance(verdict, Refused) and counts(verdict.reason.value):
            async with self._database.begin() as work:
                await self._intake.failed(
                    work,
                    user_id=person.user_id,
                    store=found.store,
                    feature=feature,
                    cause=verdict.reason.value,
                    may_open=False,
                )
        return verdict

    async def _check(self, person: Person, feature: FeatureKey, store_id: str) -> _Found:
        async with self._database.read() as work:
            seller, store = await own_store(work, person, store_id)
            grant = (await work.grants.of_store(store))[feature]
            attempt = await work.attempts.latest(store, feature)
            authorization = await self._resting(work, seller, grant)
            token = "" if authorization is None else await work.authorizations.refresh_token(authorization)
        if store.disabled_at is not None:
            return _Found(Refused(Reason.DISABLED), store, store.disabled_at.isoformat())
        if authorization is None:
            return await self._unanswered(attempt, store, grant)
        verdict = await self._asked(feature, store, grant, authorization, token)
        return _Found(verdict, store, grant.since.isoformat(), is_live=True)

    @staticmethod
    async def _resting(work: Work, seller: Seller, grant: Grant) -> Authorization | None:
        if grant.authorization_id is None:
            return None
        return await work.authorizations.get(seller, grant.authorization_id)

    async def _unanswered(self, attempt: ConsentAttempt | None, store: Store, grant: Grant) -> _Found:
        """Nothing granted yet: what the newest link tells."""
        now = self._clock()
        if attempt is None or attempt.pressed_at is None:
            return _Found(Refused(Reason.NEVER_OPENED), store, grant.since.isoformat())
        pressed = attempt.pressed_at.isoformat()
        if attempt.awaits_answer(now):
            return _Found(Refused(Reason.WAITING), store, pressed)
        if attempt.outcome is Outcome.REFUSED and attempt.reason and attempt.authorization_id:
            completed = await self._granting.confirm(attempt.id)
            if completed is not None:
                return _Found(completed, store, None)
        if attempt.outcome is Outcome.REFUSED and attempt.reason:
            return _Found(Refused(attempt.reason, attempt.detail), store, pressed)
        return _Found(Refused(Reason.NO_ANSWER), store, pressed)

    async def _asked(
        self, feature: FeatureKey, store: Store, grant: Grant, authorization: Authorization, token: str
    ) -> Verdict:
        tokens = await self._amazon.refresh(feature, token)
        if isinstance(tokens, Refused):
            return await self._rejected(grant, authorization, tokens)
        refused = await self._probe(feature, store, authorization, tokens)
        now = self._clock()
        async with self._database.begin() as work:
            rotated = None if tokens.refresh_token == token else tokens.refresh_token
            await work.authorizations.put(
                replace(authorization, checked_at=now, state=AuthorizationState.LIVE), refresh_token=rotated
            )
            current = (await work.grants.of_store(store))[feature]
            if current.standing(now) is GrantState.EXPIRED:
                return Refused(Reason.EXPIRED)
            move = None
            if refused is None:
                move = Move.RESTORE if current.state is GrantState.PERMISSION_PROBLEM else None
            elif refused.reason in (Reason.PERMISSION_PROBLEM, Reason.MARKETPLACE_NOT_COVERED):
                move = Move.LOSE_PERMISSION if current.state is GrantState.GRANTED else None
            if move:
                await work.grants.put(current.after(move, at=now))
                await self._note(work, store, feature, move)
        if refused is not None:
            return refused
        return Verified(at=now, ends_at=authorization.ends_at)

    async def _probe(
        self, feature: FeatureKey, store: Store, authorization: Authorization, tokens: Tokens
    ) -> Refused | None:
        """The cheapest proof: `orders` shares 0.0056 calls a second with the real import, so it is asked by participation."""
        if feature is FeatureKey.ORDERS:
            return await self._verifier.sells_on(feature, store.marketplace, tokens)
        return await self._verifier.works(
            feature,
            store.marketplace,
            selling_partner_id=authorization.key.selling_partner_id,
            tokens=tokens,
        )

    async def _rejected(self, grant: Grant, authorization: Authorization, refused: Refused) -> Verdict:
        """A refresh was refused. Only Amazon's own *no* moves grants, and all that rest on the authorization."""
        if refused.reason is not Reason.REVOKED:
            return refused
        now = self._clock()
        over = authorization.ends_at <= now
        async with self._database.begin() as work:
            await work.authorizations.put(replace(authorization, state=AuthorizationState.REVOKED, checked_at=now))
            for store, resting in await work.grants.resting_on(authorization.id):
                moved = resting.after(Move.EXPIRE if over else Move.REVOKE, at=now) if _held(resting) else resting
                if moved != resting:
                    await work.grants.put(moved)
                    await self._note(work, store, resting.feature, Move.EXPIRE if over else Move.REVOKE)
        return Refused(Reason.EXPIRED if over or grant.state is GrantState.EXPIRED else Reason.REVOKED)

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


def _held(grant: Grant) -> bool:
    return grant.state in (GrantState.GRANTED, GrantState.PERMISSION_PROBLEM)
