"""*Check result*: asks Amazon now and says what is so, never from what was true yesterday."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.consent import ConsentAttempt, Outcome
from bot.domain.features import FeatureKey, other_feature
from bot.domain.grants import Authorization, Grant, GrantState
from bot.domain.incidents import counts
from bot.domain.notices import CheckResult, StoreRef
from bot.domain.stores import Seller, Store
from bot.domain.verification import TURNS, Reason, Refused, Turn, Verdict, Verified
from bot.errors import ConcurrentChange, StoreGone
from bot.ports import Amazon, Clock, Database, Person, Work
from bot.services.examining import Examiner
from bot.services.granting import Granting
from bot.services.settling import Settling
from bot.services.stores import own_store


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
        self._examiner = Examiner(database, amazon, Settling(clock=clock, intake=granting.intake), clock=clock)
        self._granting = granting
        self._clock = clock
        self._intake = granting.intake

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

    async def tell(self, person: Person, feature: FeatureKey, store_id: str) -> Verdict | None:
        """Checks, and tells the person what came of it; None when the store is gone: nothing is told of it any more."""
        try:
            return await self._tell(person, feature, store_id)
        except StoreGone:
            return None

    async def _tell(self, person: Person, feature: FeatureKey, store_id: str) -> Verdict:
        found = await self._check(person, feature, store_id, quiet=False)
        verdict, store, since = found.verdict, found.store, found.since
        if since is None:
            return verdict
        now = self._clock()
        async with self._database.begin() as work:
            await own_store(work, person, store_id, to_write=True)
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
                    others=await self._taken_along(work, store, grants[feature], verdict),
                ),
            )
            if found.is_live and isinstance(verdict, Refused):
                await self._intake.failed(
                    work, user_id=person.user_id, store=store, feature=feature, cause=verdict.reason.value
                )
        return verdict

    @staticmethod
    async def _taken_along(work: Work, store: Store, grant: Grant, verdict: Verdict) -> tuple[str, ...]:
        """A withdrawal ends every grant of its consent, and who asked about one of them is told of all here."""
        if not isinstance(verdict, Refused) or verdict.reason is not Reason.REVOKED or grant.authorization_id is None:
            return ()
        resting = await work.grants.resting_on(grant.authorization_id)
        return tuple(one.label for one, _ in resting if one.id != store.id and one.disabled_at is None)

    async def check(self, person: Person, feature: FeatureKey, store_id: str, *, answered: bool = False) -> Verdict:
        """Refresh, then probe; moves the grant by what Amazon says. Raises UnknownStore, also when it is deleted meanwhile.

        For whoever asks in passing or on a seller's behalf: what breaks or is well again is told to everybody who shares the
        store, the person included; what is nobody's to mend is told to nobody. `answered`: the caller tells the person about
        this store, and about no other.
        """
        found = await self._check(person, feature, store_id, quiet=True, answered=answered)
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

    async def _check(
        self, person: Person, feature: FeatureKey, store_id: str, *, quiet: bool, answered: bool = False
    ) -> _Found:
        """`quiet`: the caller does not tell the person what comes of it, or, if `answered`, of this store alone."""
        try:
            return await self._asked(person, feature, store_id, quiet=quiet, answered=answered)
        except ConcurrentChange:
            # perhaps because the store was deleted while Amazon was asked: then there is nothing to try again
            async with self._database.read() as work:
                await own_store(work, person, store_id)
            raise

    async def _asked(
        self, person: Person, feature: FeatureKey, store_id: str, *, quiet: bool, answered: bool
    ) -> _Found:
        async with self._database.read() as work:
            seller, store = await own_store(work, person, store_id)
            grant = (await work.grants.of_store(store))[feature]
            attempt = await work.attempts.latest(store, feature)
            authorization = await self._resting(work, seller, grant)
            token = "" if authorization is None else await work.authorizations.refresh_token(authorization)
            resting = [] if authorization is None else await work.grants.resting_on(authorization.id)
        if store.disabled_at is not None:
            return _Found(Refused(Reason.DISABLED), store, store.disabled_at.isoformat())
        if attempt is not None and _is_unfinished(attempt, grant, self._clock()):
            completed = await self._granting.confirm(attempt.id, quiet=quiet)
            if completed is not None:
                told = (attempt.team_id, attempt.user_id) == (person.team_id, person.user_id)
                # a refusal that is not told is not counted there either
                return _Found(completed, store, None if told else self._clock().isoformat(), is_live=quiet)
        if authorization is None:
            return self._unanswered(attempt, store, grant)
        # an answer about one store says nothing of those that a withdrawal takes along
        knows = not quiet or (answered and all(one.id == store.id for one, _ in resting))
        found = await self._examiner.examine(authorization, token, [store], besides=person.user_id if knows else "")
        verdict = found.of(store)
        if isinstance(verdict, Refused) and verdict.reason is Reason.REVOKED and grant.state is GrantState.EXPIRED:
            verdict = Refused(Reason.EXPIRED)
        return _Found(verdict, store, grant.since.isoformat(), is_live=True)

    @staticmethod
    async def _resting(work: Work, seller: Seller, grant: Grant) -> Authorization | None:
        if grant.authorization_id is None:
            return None
        return await work.authorizations.get(seller, grant.authorization_id)

    def _unanswered(self, attempt: ConsentAttempt | None, store: Store, grant: Grant) -> _Found:
        """Nothing granted yet: what the newest link tells."""
        if attempt is None or attempt.pressed_at is None:
            return _Found(Refused(Reason.NEVER_OPENED), store, grant.since.isoformat())
        pressed = attempt.pressed_at.isoformat()
        if attempt.awaits_answer(self._clock()):
            return _Found(Refused(Reason.WAITING), store, pressed)
        if attempt.outcome in (Outcome.REFUSED, Outcome.REPLACED) and attempt.reason:
            if TURNS[attempt.reason] is Turn.NOBODY:
                # nothing is kept that could be asked about later: checking again would say the same for ever
                return _Found(Refused(Reason.CODE_LOST), store, pressed)
            return _Found(Refused(attempt.reason, attempt.detail), store, pressed)
        return _Found(Refused(Reason.NO_ANSWER), store, pressed)


def _is_unfinished(attempt: ConsentAttempt, grant: Grant, now: datetime) -> bool:
    """Amazon consented, or a held authorization was confirmed, and it could not be verified then.

    Where a grant stands already, only what nobody was to blame for is tried again by itself, within the life of the link:
    after it, asking about the grant tells the same.
    """
    if not attempt.is_kept:
        return False
    if grant.authorization_id is None:
        return True
    return attempt.reason is not None and TURNS[attempt.reason] is Turn.NOBODY and attempt.is_usable(now)
