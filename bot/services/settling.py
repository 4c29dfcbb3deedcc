"""Writing down what came of asking Amazon: attempts, grants, authorizations, and what people are told of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bot.domain.consent import ConsentAttempt, ConsentState, Outcome
from bot.domain.features import FeatureKey, other_feature
from bot.domain.grants import GRANT_LIFETIME, Authorization, AuthorizationState, Grant, GrantState, Move
from bot.domain.health import next_check
from bot.domain.notices import ConsentResult, StoreRef
from bot.domain.stores import Seller, Store
from bot.domain.verification import Reason, Refused, Turn, Verdict, Verified
from bot.errors import ConcurrentChange
from bot.ports import AuditEvent, Clock, Database, Tokens, Work
from bot.services.intake import Intake
from bot.services.mirroring import put_grant
from bot.services.outages import note_broken, note_mended, note_refused

#: a consent that was given, but Amazon then refuses this access
_GIVEN_BUT_REFUSED = frozenset({Reason.PERMISSION_PROBLEM})

#: how often a verified consent is written before a change that keeps getting in its way wins: its token cannot be had again
_TRIES = 3


#: told of every consent that ended: its outcome and reason, for counting
Observer = Callable[[str, str], None]


def nobody(outcome: str, reason: str) -> None:
    """The observer when there is none."""


class Settling:
    """The one place where verdicts turn into rows and notices."""

    def __init__(self, *, clock: Clock, intake: Intake, observe: Observer = nobody) -> None:
        self._clock = clock
        self._intake = intake
        self._observe = observe

    @staticmethod
    def ends(consented_at: datetime) -> datetime:
        """The day a consent given then runs out."""
        return consented_at + GRANT_LIFETIME

    async def opened(self, work: Work, grant: Grant) -> None:
        """A link's button was pressed: an older grant stays what it is."""
        moved = grant.after(Move.OPEN, at=self._clock())
        if moved != grant:
            await work.grants.put(moved)

    async def refuse(
        self,
        work: Work,
        attempt: ConsentAttempt,
        store: Store,
        refused: Refused,
        *,
        state: ConsentState | None,
        quiet: bool = False,
    ) -> None:
        """Ends an attempt with a reason. Its link can be pressed again; an older grant stays.

        An answer to an older press than the last leaves attempt and grant to the trip that is under way. `quiet`: an attempt that
        was refused before was tried again by itself. It stays as it was, unless there is news.
        """
        if quiet and not _is_news(attempt, refused):
            return
        self._observe(Outcome.REFUSED.value, refused.reason.value)
        now = self._clock()
        if state is not None:
            await work.attempts.settle(
                replace(state, outcome=Outcome.REFUSED, reason=refused.reason, detail=refused.detail)
            )
        is_last = True
        if attempt.outcome is not Outcome.GRANTED:
            # what nobody is to blame for leaves a consent to complete, and that is worth more than another trip
            pressed_at = attempt.pressed_at if state is None else state.minted_at
            is_last = await work.attempts.update(
                replace(attempt, outcome=Outcome.REFUSED, reason=refused.reason, detail=refused.detail, ended_at=now),
                unless_pressed_after=None if refused.turn is Turn.NOBODY else pressed_at,
            )
        grant = (await work.grants.of_store(store))[attempt.feature]
        ends = is_last and refused.turn is not Turn.NOBODY and not attempt.arrived
        if ends and grant.state is GrantState.AUTHORIZING and not await self._is_open(work, attempt, store, now):
            await work.grants.put(grant.after(Move.REFUSE, at=now))
        await self.tell_refusal(work, attempt, store, refused)
        await work.audit.record(
            AuditEvent(
                now,
                attempt.team_id,
                _actor(attempt, state),
                "consent.refused",
                store.id,
                on_behalf_of=_on_behalf_of(attempt, state),
                details={"feature": attempt.feature.value, "reason": refused.reason.value},
            )
        )

    async def not_exchanged(
        self, work: Work, attempt: ConsentAttempt, store: Store, refused: Refused, *, state: ConsentState
    ) -> Refused:
        """The code is lost: it lives for five minutes, and nothing is kept that *Check result* could complete. So whoever heard
        that Amazon was away, and to check again, would wait for ever; a new link helps. That Amazon was away counts all the same.
        """
        told = Refused(Reason.CODE_LOST) if refused.turn is Turn.NOBODY else refused
        await self.refuse(work, attempt, store, told, state=state)
        if told is not refused and not attempt.arrived:
            await self._intake.failed(
                work, user_id=attempt.user_id, store=store, feature=attempt.feature, cause=refused.reason.value
            )
        return told

    async def tell_refusal(self, work: Work, attempt: ConsentAttempt, store: Store, refused: Refused) -> None:
        """The person hears why; the desk hears what is ours to mend, and what too many meet at once.

        Of somebody who came in from Amazon's side the page alone speaks: anybody can, as often as they like.
        """
        now = self._clock()
        if attempt.arrived:
            if refused.turn is Turn.US:
                await self._intake.failed(
                    work, user_id=attempt.user_id, store=store, feature=attempt.feature, cause=refused.reason.value
                )
            return
        grant = (await work.grants.of_store(store))[attempt.feature]
        await work.outbox.tell(
            attempt.team_id,
            attempt.user_id,
            ConsentResult(
                attempt_id=attempt.id,
                store=StoreRef.of(store),
                feature=attempt.feature,
                reason=refused.reason.value,
                detail=refused.detail,
                still_granted=grant.standing(now) is GrantState.GRANTED,
                ends_at=grant.ends_at.isoformat() if grant.ends_at else "",
            ),
        )
        await self._intake.failed(
            work, user_id=attempt.user_id, store=store, feature=attempt.feature, cause=refused.reason.value
        )

    async def time_out(self, work: Work, attempt: ConsentAttempt) -> None:
        """Amazon never answered. The grant stays where it is: nothing was learned. The person is nudged, but never twice:
        a link that is pressed again and stays silent again is closed in silence.
        """
        now = self._clock()
        refused = Refused(Reason.NO_ANSWER)
        self._observe(Outcome.TIMED_OUT.value, refused.reason.value)
        await work.attempts.update(replace(attempt, outcome=Outcome.TIMED_OUT, reason=refused.reason, ended_at=now))
        if attempt.nudged_at is None:
            await work.outbox.ask(
                attempt.team_id, "nudge_silent", {"attempt_id": attempt.id}, lane=f"attempt:{attempt.id}"
            )

    async def conclude(
        self,
        database: Database,
        attempt: ConsentAttempt,
        seller: Seller,
        store: Store,
        authorization: Authorization,
        tokens: Tokens,
        refused: Refused | None,
        *,
        state: ConsentState | None,
        quiet: bool = False,
    ) -> Verdict:
        """Writes a verified consent, or what stands in its way.

        A consent that Amazon gave but could not be asked about (5xx, slow down) keeps its token on the attempt, so that
        *Check result* can complete it without another trip to Amazon.
        """
        for _ in range(_TRIES):
            with suppress(ConcurrentChange):
                async with database.begin() as work:
                    return await self._conclude(
                        work, attempt, seller, store, authorization, tokens, refused, state=state, quiet=quiet
                    )
        async with database.begin() as work:
            holder = await work.stores.holder(authorization.key.selling_partner_id)
            held = holder is not None and holder != seller.id
            # without a state it was a held token, which can be tried again; else its only copy is lost
            lost = Reason.AMAZON_UNAVAILABLE if state is None else Reason.CODE_REJECTED
            late = Refused(Reason.HELD_BY_ANOTHER if held else lost)
            await self.refuse(work, attempt, store, late, state=state, quiet=quiet)
        return late

    async def withdrawn(
        self, work: Work, authorization: Authorization, *, token: str, besides: str = ""
    ) -> Refused | Authorization:
        """Amazon refused `token` for good: every grant that rests on it has run out, or was withdrawn, and everybody who
        shares the stores hears of it, but `besides`, who is told by the caller.

        Returns the authorization instead, and moves nothing, when another token took that one's place meanwhile.
        """
        now = self._clock()
        seller = await work.sellers.get(authorization.team_id, authorization.seller_id)
        kept = None if seller is None else await work.authorizations.get(seller, authorization.id)
        if kept is None:
            return Refused(Reason.REVOKED)
        if await work.authorizations.refresh_token(kept) != token:
            return kept
        over = kept.ends_at <= now
        move = Move.EXPIRE if over else Move.REVOKE
        reason = Reason.EXPIRED if over else Reason.REVOKED
        worked_until = kept.ends_at if over else await work.health.worked_until(kept)
        broken = []
        await work.authorizations.update(replace(kept, state=AuthorizationState.REVOKED, checked_at=now))
        for store, grant in await work.grants.resting_on(kept.id):
            if grant.state in (GrantState.GRANTED, GrantState.PERMISSION_PROBLEM):
                await put_grant(work, store, grant, grant.after(move, at=now))
                await self.note(work, store, grant.feature, move)
                broken.append((store, grant.feature))
        await note_broken(work, broken, reason, worked_until=worked_until, at=now, besides=besides)
        return Refused(reason)

    async def renew(
        self, work: Work, authorization: Authorization, *, but: tuple[str, FeatureKey] | None = None
    ) -> tuple[Store, ...]:
        """Every grant that rests on the authorization ends when it ends; the stores that gain by it.

        `but` names the (store, feature) that was taken care of already.
        """
        now = self._clock()
        renewed = []
        for store, grant in await work.grants.resting_on(authorization.id):
            if (store.id, grant.feature) == but:
                continue
            # of the same consent, a grant without permission is as it was: only its own probe can say that it works again
            stands = grant.state in (GrantState.GRANTED, GrantState.PERMISSION_PROBLEM)
            if grant.ends_at != authorization.ends_at or not stands:
                await put_grant(work, store, grant, self._accepted(grant, authorization, now))
                renewed.append(store)
        return tuple(renewed)

    async def note(self, work: Work, store: Store, feature: FeatureKey, move: Move) -> None:
        """For the audit: a grant moved because of what Amazon said."""
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

    @staticmethod
    async def _is_open(work: Work, attempt: ConsentAttempt, store: Store, now: datetime) -> bool:
        """Whether Amazon's page is open for another link of the same store and feature."""
        latest = await work.attempts.latest(store, attempt.feature)
        return latest is not None and latest.id != attempt.id and latest.awaits_answer(now)

    async def _conclude(
        self,
        work: Work,
        attempt: ConsentAttempt,
        seller: Seller,
        store: Store,
        authorization: Authorization,
        tokens: Tokens,
        refused: Refused | None,
        *,
        state: ConsentState | None,
        quiet: bool,
    ) -> Verdict:
        if refused is not None and refused.turn is Turn.NOBODY:
            # deleted while Amazon was asked: a token kept now would hold the account for nobody
            if await work.stores.get(seller, store.id, to_write=True) is None:
                raise ConcurrentChange
            kept = await work.authorizations.put(authorization, refresh_token=tokens.refresh_token)
            attempt = replace(attempt, authorization_id=kept.id)
        if refused is not None and refused.reason not in _GIVEN_BUT_REFUSED:
            await self.refuse(work, attempt, store, refused, state=state, quiet=quiet)
            return refused
        taken = await work.stores.bind(store, authorization.key.selling_partner_id)
        if taken is not None:
            await self.refuse(work, attempt, store, taken, state=state, quiet=quiet)
            return taken
        kept = await work.authorizations.put(authorization, refresh_token=tokens.refresh_token)
        return await self._accept(work, attempt, store, kept, refused, state=state)

    async def _accept(
        self,
        work: Work,
        attempt: ConsentAttempt,
        store: Store,
        authorization: Authorization,
        refused: Refused | None,
        *,
        state: ConsentState | None,
    ) -> Verdict:
        """The grant stands; others that rest on the same authorization are renewed with it."""
        now = self._clock()
        grants = await work.grants.of_store(store)
        accepted = self._accepted(grants[attempt.feature], authorization, now)
        if refused is not None:
            accepted = accepted.after(Move.LOSE_PERMISSION, at=now)
        # the store as it is now: its Amazon account may have become known just before
        bound = replace(store, selling_partner_id=authorization.key.selling_partner_id)
        await put_grant(work, bound, grants[attempt.feature], accepted)
        renewed = await self.renew(work, authorization, but=(store.id, attempt.feature))
        verdict: Verdict = Verified(at=now, ends_at=authorization.ends_at) if refused is None else refused
        outcome = Outcome.GRANTED if refused is None else Outcome.REFUSED
        reason = None if refused is None else refused.reason
        self._observe(outcome.value, reason.value if reason else "")
        if state is not None:
            await work.attempts.settle(replace(state, outcome=outcome, reason=reason))
        await work.attempts.update(
            replace(
                attempt,
                outcome=outcome,
                reason=reason,
                detail="",
                ended_at=now,
                authorization_id=authorization.id,
            )
        )
        other = other_feature(attempt.feature)
        offer = other if other and grants[other].standing(now) is not GrantState.GRANTED else None
        await work.outbox.tell(
            attempt.team_id,
            attempt.user_id,
            ConsentResult(
                attempt_id=attempt.id,
                store=StoreRef.of(store),
                feature=attempt.feature,
                reason=reason.value if reason else "",
                ends_at=authorization.ends_at.isoformat(),
                offer=offer,
                also_renewed=tuple(other.label for other in renewed),
            ),
        )
        if refused is None:
            await work.health.worked(
                authorization, at=now, next_at=next_check(authorization.id, after=now, ends_at=authorization.ends_at)
            )
        else:
            stood = grants[attempt.feature].standing(now) is GrantState.GRANTED
            await note_refused(
                work, store, attempt.feature, refused.reason, stood=stood, at=now, besides=attempt.user_id
            )
        well = renewed if refused is not None else (store, *renewed)
        await note_mended(work, [(one, attempt.feature) for one in well], at=now)
        await work.audit.record(
            AuditEvent(
                now,
                attempt.team_id,
                _actor(attempt, state),
                "grant.accepted" if verdict else "grant.without_permission",
                store.id,
                on_behalf_of=_on_behalf_of(attempt, state),
                details={"feature": attempt.feature.value, "authorization": authorization.id},
            )
        )
        return verdict

    @staticmethod
    def _accepted(grant: Grant, authorization: Authorization, now: datetime) -> Grant:
        return grant.after(Move.ACCEPT, at=now, authorization_id=authorization.id, ends_at=authorization.ends_at)


def _is_news(attempt: ConsentAttempt, refused: Refused) -> bool:
    """Whether the person must hear of it although they asked for nothing: it is theirs to mend, and they do not know."""
    return refused.turn is Turn.SELLER and (refused.reason, refused.detail) != (attempt.reason, attempt.detail)


def _actor(attempt: ConsentAttempt, state: ConsentState | None) -> str:
    """Who consented, as far as it is known: a press in a forwarded link's browser is not the link's person's."""
    return state.pressed_by if state is not None and state.pressed_by else attempt.user_id


def _on_behalf_of(attempt: ConsentAttempt, state: ConsentState | None) -> str | None:
    return None if _actor(attempt, state) == attempt.user_id else attempt.user_id
