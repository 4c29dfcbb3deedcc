"""Granting: from `/grant` to Amazon's answer.

prepare → (page) look → press → Amazon → answer → grant; or prepare → confirm, when a held authorization covers the store.
Calls to Amazon happen between transactions, never inside one. What a change causes people to be told is written with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.domain.consent import (
    LINK_LIFETIME,
    RECEIPT_LIFETIME,
    ConsentAttempt,
    ConsentState,
    Outcome,
    fingerprint,
    receipt_of,
)
from bot.domain.features import FeatureKey, other_feature
from bot.domain.grants import Authorization, AuthorizationKey, GrantState
from bot.domain.notices import ConsentCard, StoreRef
from bot.domain.stores import Seller, Store
from bot.domain.verification import Reason, Refused, Verdict
from bot.errors import LinkExpired, LinkSpent, NothingToConfirm, StoreDisabled
from bot.ports import Amazon, AuditEvent, Clock, Database, Entropy, Person, Tokens, Work
from bot.services.amazon_answers import AmazonAnswer, objection, state_for
from bot.services.holding import covering, on_offer
from bot.services.intake import Intake
from bot.services.linking import Departure, Link, linked, made_event, mint, require_usable, shown, store_of
from bot.services.proving import Proving
from bot.services.settling import Observer, Settling, nobody
from bot.services.stores import own_store
from bot.services.verifying import Verifier, covers
from bot.services.visiting import PRIMARY_USER, Visiting


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came of an answer: the page's name (None when the state was not ours) and the verdict."""

    receipt: str | None = field(repr=False)
    verdict: Verdict


class Granting:
    """The consent flow of one feature for one store."""

    def __init__(
        self,
        database: Database,
        amazon: Amazon,
        *,
        clock: Clock,
        entropy: Entropy,
        intake: Intake | None = None,
        observe: Observer = nobody,
    ) -> None:
        self._database = database
        self._amazon = amazon
        self._clock = clock
        self._entropy = entropy
        self._verifier = Verifier(amazon)
        #: where failures go that are not the seller's to mend
        self.intake = intake or Intake(clock=clock, entropy=entropy)
        self._settling = Settling(clock=clock, intake=self.intake, observe=observe)
        #: following a link, forwarding it, coming in from Amazon's side
        self.visits = Visiting(database, amazon, clock=clock, entropy=entropy)
        self._proving = Proving(database, amazon, self._verifier)

    # --- the link ----------------------------------------------------------------------------------------------------

    async def prepare(
        self,
        person: Person,
        feature: FeatureKey,
        store_id: str,
        *,
        in_place: bool = False,
        secret: str = "",
        requested_by: str | None = None,
        unless_within: timedelta | None = None,
    ) -> ConsentAttempt:
        """Makes a link and the card that carries it; older links of the same person, store and feature stop working.

        `secret` is a fresh one of the caller's, if the caller needs to know it; `requested_by` is the agent who has it made
        for the person. A link made less than `unless_within` ago is returned instead: then this was the second press of a
        button. Raises UnknownStore or StoreDisabled.
        """
        now = self._clock()
        secret = secret or self._entropy.secret()
        async with self._database.begin() as work:
            seller, store = await own_store(work, person, store_id)
            if store.disabled_at is not None:
                raise StoreDisabled(label=store.label)
            if unless_within is not None:
                made = await work.attempts.just_made(
                    person.team_id, person.user_id, store.id, feature, since=now - unless_within
                )
                if made is not None:
                    return made
            grant = (await work.grants.of_store(store))[feature]
            held = (
                None
                if grant.standing(now) is GrantState.GRANTED
                else await covering(work, seller, store, application_id=self._amazon.application_id(feature), now=now)
            )
            attempt = ConsentAttempt(
                id=self._entropy.new_id(),
                team_id=person.team_id,
                user_id=person.user_id,
                seller_id=seller.id,
                store_id=store.id,
                feature=feature,
                secret_hash=fingerprint(secret),
                created_at=now,
                expires_at=now + LINK_LIFETIME,
                authorization_id=held.id if held else None,
                requested_by=requested_by,
            )
            await work.attempts.add(attempt)
            await work.outbox.tell(
                person.team_id,
                person.user_id,
                ConsentCard(
                    attempt_id=attempt.id,
                    store=StoreRef.of(store),
                    feature=feature,
                    secret=secret,
                    expires_at=attempt.expires_at.isoformat(),
                    confirmable=held is not None,
                    selling_partner_id=held.key.selling_partner_id if held else "",
                    ask_plan=seller.prepared_at is None,
                    in_place=in_place,
                    requested_by=requested_by,
                ),
            )
            await work.audit.record(made_event(attempt))
        return attempt

    async def onward(self, person: Person, done: ConsentAttempt) -> str:
        """After a consent: a link and a card for the other feature of the same store; the new link's secret.

        Raises LinkSpent unless `done` was granted and its own link's day is not over; UnknownStore or StoreDisabled.
        """
        other = other_feature(done.feature)
        if done.outcome is not Outcome.GRANTED or self._clock() >= done.expires_at or other is None:
            raise LinkSpent
        secret = self._entropy.secret()
        await self.prepare(person, other, done.store_id, secret=secret)
        return secret

    async def look(self, secret: str) -> Link:
        """What the page of a link shows. Changes nothing that matters: previews and scanners open links too.

        Raises LinkUnknown or LinkExpired. A link that has done its work can still be looked at.
        """
        now = self._clock()
        async with self._database.begin() as work:
            attempt, store, _ = await linked(work, secret)
            if attempt.outcome is None and now >= attempt.expires_at:
                raise LinkExpired
            if attempt.opened_at is None:
                attempt = replace(attempt, opened_at=now)
                await work.attempts.update(attempt)
            return await shown(work, attempt, store)

    async def press(self, secret: str, *, forwarded: bool = False) -> Departure:
        """Mints a fresh single-use state, moves the grant to *authorizing*, and names Amazon's page.

        `forwarded`: the account's primary user pressed, on behalf of the link's person.
        Raises LinkUnknown, LinkExpired, LinkSpent or StoreDisabled.
        """
        now = self._clock()
        async with self._database.begin() as work:
            attempt, store, _ = await linked(work, secret)
            require_usable(attempt, store, now)
            state = state_for(store, self._entropy.secret())
            url = self._amazon.consent_url(attempt.feature, store.marketplace, state=state)
            attempt = await mint(work, attempt, state, now=now, pressed_by=PRIMARY_USER if forwarded else "")
            grant = (await work.grants.of_store(store))[attempt.feature]
            await self._settling.opened(work, grant)
            await work.audit.record(
                AuditEvent(
                    now,
                    attempt.team_id,
                    PRIMARY_USER if forwarded else attempt.user_id,
                    "link.pressed",
                    store.id,
                    on_behalf_of=attempt.user_id if forwarded else None,
                    details={"attempt": attempt.id},
                )
            )
        return Departure(url, attempt)

    # --- Amazon's answer ---------------------------------------------------------------------------------------------

    async def answer(self, feature: FeatureKey, answer: AmazonAnswer, *, browser: str | None = None) -> Arrival:
        """Takes Amazon's redirect: uses up the state, exchanges the code at once, verifies, grants.

        `browser` is whom the browser's cookie names, if it has one: `<team>:<user>`. Every refusal is settled on the attempt,
        told in Slack, and leaves older grants as they were.
        """
        now = self._clock()
        state_hash = fingerprint(answer.state)
        async with self._database.begin() as work:
            consumed = await work.attempts.consume(state_hash, feature=feature, answer_hash=answer.print, now=now)
            if isinstance(consumed, Refused):
                return await self._again(work, consumed, state_hash, answer)
            attempt = await work.attempts.get(consumed.attempt_id)
            found = None if attempt is None else await store_of(work, attempt)
            if attempt is None or found is None:
                return Arrival(None, Refused(Reason.UNKNOWN_STATE))
            seller, store = found
            if browser == f"{attempt.team_id}:{attempt.user_id}":
                attempt = replace(attempt, arrived=False)  # the person's own browser, wherever it came from
            refused = await objection(work, answer, attempt, store, browser=browser)
            if refused is not None:
                await self._settling.refuse(work, attempt, store, refused, state=consumed)
                return Arrival(receipt_of(answer.state), refused)
        verdict = await self._exchange(consumed, attempt, seller, store, answer)
        return Arrival(receipt_of(answer.state), verdict)

    async def result(self, receipt: str) -> tuple[ConsentState, Link] | None:
        """What the result page shows; None once its hour is over or when there is no such page."""
        now = self._clock()
        async with self._database.read() as work:
            state = await work.attempts.state_by_receipt(fingerprint(receipt))
            if state is None or now >= state.minted_at + RECEIPT_LIFETIME:
                return None
            attempt = await work.attempts.get(state.attempt_id)
            found = None if attempt is None else await store_of(work, attempt)
            if attempt is None or found is None:
                return None
            return state, await shown(work, attempt, found[1])

    # --- confirming what is held -------------------------------------------------------------------------------------

    async def begin_confirm(self, person: Person, attempt_id: str) -> None:
        """The seller says that a held authorization's account is the store's: verified by a task.

        Raises NothingToConfirm, LinkSpent, LinkExpired or StoreDisabled. Pressed twice, the second task finds it done.
        """
        async with self._database.begin() as work:
            attempt = await work.attempts.of_person(person.team_id, person.user_id, attempt_id)
            found = None if attempt is None else await store_of(work, attempt)
            if attempt is None or found is None or attempt.authorization_id is None:
                raise NothingToConfirm
            require_usable(attempt, found[1], self._clock())
            if await on_offer(work, attempt, *found) is None:
                raise NothingToConfirm
            await work.outbox.ask(
                person.team_id, "confirm_held", {"attempt_id": attempt.id}, lane=f"attempt:{attempt.id}"
            )

    async def confirm(self, attempt_id: str, *, quiet: bool = False) -> Verdict | None:
        """Verifies and grants on the authorization that the attempt names; None when that is done or not possible any more.

        `quiet`: nobody waits for it, so a refusal is told only if it is the seller's to mend and new to them.
        """
        now = self._clock()
        async with self._database.read() as work:
            attempt = await work.attempts.get(attempt_id)
            found = None if attempt is None else await store_of(work, attempt)
            if attempt is None or found is None or not (attempt.is_usable(now) or attempt.is_kept):
                return None
            seller, store = found
            authorization = await on_offer(work, attempt, seller, store)
            if authorization is None:
                return None
            token = await work.authorizations.refresh_token(authorization)
        attempt = replace(attempt, pressed_at=attempt.pressed_at or now)
        tokens = await self._amazon.refresh(attempt.feature, token)
        if isinstance(tokens, Refused):
            return await self._not_confirmed(attempt, store, authorization, token, tokens, quiet=quiet)
        if tokens.refresh_token != token:
            # kept before anything else can go wrong: the old one may be dead already
            async with self._database.begin() as work:
                await work.authorizations.update(authorization, refresh_token=tokens.refresh_token)
        return await self._verify(attempt, seller, store, authorization, tokens, state=None, quiet=quiet)

    # --- silence -----------------------------------------------------------------------------------------------------

    async def close_silent(self, *, limit: int = 100) -> int:
        """Closes attempts that Amazon never answered within its ten minutes, with a reason; how many.

        Each person is nudged once for a link, by a task: what the nudge says depends on what Amazon answers then.
        """
        now = self._clock()
        async with self._database.begin() as work:
            silent = await work.attempts.silent(now=now, limit=limit)
            for attempt in silent:
                await self._settling.time_out(work, attempt)
        return len(silent)

    # --- parts -------------------------------------------------------------------------------------------------------

    async def _again(self, work: Work, refused: Refused, state_hash: str, answer: AmazonAnswer) -> Arrival:
        """A state that cannot be used: a reload shows its page again; a late or second answer is told."""
        state = await work.attempts.state(state_hash)
        if state is None:
            return Arrival(None, Refused(Reason.UNKNOWN_STATE))
        if refused.reason is Reason.STATE_USED and state.answer_hash == answer.print:
            return Arrival(receipt_of(answer.state), refused)
        attempt = await work.attempts.get(state.attempt_id)
        found = None if attempt is None else await store_of(work, attempt)
        if attempt is None or found is None or refused.reason is Reason.UNKNOWN_STATE:
            return Arrival(None, refused)
        if refused.reason is Reason.TOO_LATE:
            await self._settling.refuse(work, attempt, found[1], refused, state=state)
            return Arrival(receipt_of(answer.state), refused)
        await self._settling.tell_refusal(work, attempt, found[1], refused)
        return Arrival(None, refused)

    async def _exchange(
        self, state: ConsentState, attempt: ConsentAttempt, seller: Seller, store: Store, answer: AmazonAnswer
    ) -> Verdict:
        tokens = await self._amazon.exchange(attempt.feature, answer.code)
        if isinstance(tokens, Refused):
            async with self._database.begin() as work:
                return await self._settling.not_exchanged(work, attempt, store, tokens, state=state)
        now = self._clock()
        fresh = Authorization(
            id=self._entropy.new_id(),
            team_id=attempt.team_id,
            seller_id=seller.id,
            feature=attempt.feature,
            key=AuthorizationKey.of(
                self._amazon.application_id(attempt.feature), answer.selling_partner_id, store.marketplace
            ),
            consented_at=now,
            ends_at=self._settling.ends(now),
        )
        return await self._verify(attempt, seller, store, fresh, tokens, state=state)

    async def _verify(
        self,
        attempt: ConsentAttempt,
        seller: Seller,
        store: Store,
        authorization: Authorization,
        tokens: Tokens,
        *,
        state: ConsentState | None,
        quiet: bool = False,
    ) -> Verdict:
        """Asks whose account it is and whether it works, then writes what follows."""
        partner = authorization.key.selling_partner_id
        sold = await self._verifier.sold(attempt.feature, store.marketplace, tokens)
        refused = covers(sold, store.marketplace)
        if refused is None:
            refused = await self._verifier.works(
                attempt.feature, store.marketplace, selling_partner_id=partner, tokens=tokens
            )
        if attempt.arrived:
            doubt = await self._proving.doubt(attempt.feature, seller, store, partner, sold, works=refused is None)
            if doubt is not None:
                async with self._database.begin() as work:
                    await self._settling.refuse(work, attempt, store, doubt, state=state, quiet=quiet)
                return doubt
        return await self._settling.conclude(
            self._database, attempt, seller, store, authorization, tokens, refused, state=state, quiet=quiet
        )

    async def _not_confirmed(
        self,
        attempt: ConsentAttempt,
        store: Store,
        authorization: Authorization,
        token: str,
        refused: Refused,
        *,
        quiet: bool,
    ) -> Verdict | None:
        """The held token was refused. If for good, all that rests on it is moved, and it is not on offer again."""
        async with self._database.begin() as work:
            ending: Refused | Authorization = refused
            if refused.reason is Reason.REVOKED:
                ending = await self._settling.withdrawn(work, authorization, token=token)
            if isinstance(ending, Refused):
                await self._settling.refuse(work, attempt, store, ending, state=None, quiet=quiet)
                return ending
        # another token took that one's place meanwhile
        return await self.confirm(attempt.id, quiet=quiet)
