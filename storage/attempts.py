"""Consent attempts and the single-use states they send to Amazon. Only fingerprints of secrets are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.consent import FINAL, STATE_LIFETIME, ConsentAttempt, ConsentState, Outcome
from bot.domain.features import FeatureKey
from bot.domain.stores import Seller, Store
from bot.domain.verification import Reason, Refused
from bot.errors import ConcurrentChange
from storage.tables import consent_attempts, consent_states, stores

_LATEST_FIRST = (
    consent_attempts.c.pressed_at.desc().nulls_last(),
    consent_attempts.c.created_at.desc(),
    consent_attempts.c.id.desc(),
)
_FINAL = sorted(outcome.value for outcome in FINAL)


class SqlAttempts:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, attempt: ConsentAttempt, *, replacing: bool = True) -> None:
        # Two links made at the same moment take turns at the store's row, so that one of them replaces the other.
        store = await self._connection.scalar(
            select(stores.c.id)
            .where(stores.c.id == attempt.store_id, stores.c.seller_id == attempt.seller_id)
            .with_for_update(key_share=True)
        )
        if store is None:
            raise ConcurrentChange
        mine = consent_attempts.c
        if replacing:
            await self._connection.execute(
                update(consent_attempts)
                .where(
                    mine.team_id == attempt.team_id,
                    mine.user_id == attempt.user_id,
                    mine.store_id == attempt.store_id,
                    mine.feature == attempt.feature.value,
                    mine.expires_at > attempt.created_at,
                    _is_open(),
                )
                .values(outcome=Outcome.REPLACED.value, ended_at=attempt.created_at)
            )
        await self._connection.execute(
            insert(consent_attempts).values(
                id=attempt.id,
                team_id=attempt.team_id,
                user_id=attempt.user_id,
                seller_id=attempt.seller_id,
                store_id=attempt.store_id,
                feature=attempt.feature.value,
                secret_hash=attempt.secret_hash,
                created_at=attempt.created_at,
                expires_at=attempt.expires_at,
                opened_at=attempt.opened_at,
                pressed_at=attempt.pressed_at,
                authorization_id=attempt.authorization_id,
                requested_by=attempt.requested_by,
                arrived=attempt.arrived,
                **_end(attempt),
            )
        )

    async def get(self, attempt_id: str) -> ConsentAttempt | None:
        return await self._one(select(consent_attempts).where(consent_attempts.c.id == attempt_id))

    async def of_person(self, team_id: str, user_id: str, attempt_id: str) -> ConsentAttempt | None:
        mine = consent_attempts.c
        return await self._one(
            select(consent_attempts).where(mine.id == attempt_id, mine.team_id == team_id, mine.user_id == user_id)
        )

    async def just_made(
        self, team_id: str, user_id: str, store_id: str, feature: FeatureKey, *, since: datetime
    ) -> ConsentAttempt | None:
        # presses at the same moment take turns at the store's row
        await self._connection.scalar(
            select(stores.c.id).where(stores.c.id == store_id).with_for_update(key_share=True)
        )
        mine = consent_attempts.c
        return await self._one(
            select(consent_attempts)
            .where(
                mine.team_id == team_id,
                mine.user_id == user_id,
                mine.store_id == store_id,
                mine.feature == feature.value,
                mine.created_at > since,
                mine.pressed_at.is_(None),
                _is_open(),
            )
            .order_by(mine.created_at.desc())
            .limit(1)
        )

    async def by_secret(self, secret_hash: str) -> ConsentAttempt | None:
        return await self._one(select(consent_attempts).where(consent_attempts.c.secret_hash == secret_hash))

    async def latest(self, store: Store, feature: FeatureKey) -> ConsentAttempt | None:
        mine = consent_attempts.c
        return await self._one(
            select(consent_attempts)
            .where(
                mine.store_id == store.id,
                mine.seller_id == store.seller_id,
                mine.feature == feature.value,
                _counts(),
            )
            .order_by(*_LATEST_FIRST)
            .limit(1)
        )

    async def newest(self, store: Store, feature: FeatureKey | None) -> ConsentAttempt | None:
        mine = consent_attempts.c
        of_store = and_(mine.store_id == store.id, mine.seller_id == store.seller_id, _counts())
        return await self._one(
            select(consent_attempts)
            .where(of_store if feature is None else and_(of_store, mine.feature == feature.value))
            .order_by(mine.created_at.desc(), mine.id.desc())
            .limit(1)
        )

    async def latest_of_seller(self, seller: Seller) -> Mapping[str, Mapping[FeatureKey, ConsentAttempt]]:
        mine = consent_attempts.c
        place = func.row_number().over(partition_by=(mine.store_id, mine.feature), order_by=_LATEST_FIRST)
        ranked = (
            select(consent_attempts, place.label("place"))
            .where(mine.team_id == seller.team_id, mine.seller_id == seller.id, _counts())
            .subquery()
        )
        found: dict[str, dict[FeatureKey, ConsentAttempt]] = {}
        for row in await self._connection.execute(select(ranked).where(ranked.c.place == 1)):
            attempt = _attempt(row)
            found.setdefault(attempt.store_id, {})[attempt.feature] = attempt
        return found

    async def update(self, attempt: ConsentAttempt, *, unless_pressed_after: datetime | None = None) -> bool:
        """A link that is done stays done: what was read before that cannot bring it back. One that was replaced takes the reason
        of a refusal all the same.
        """
        mine = consent_attempts.c
        ends: dict[str, Any] = _end(attempt)
        if attempt.outcome not in FINAL:
            done, granted = ~_is_open(), mine.outcome == Outcome.GRANTED.value
            why = {"reason", "detail"} if attempt.outcome is Outcome.REFUSED else set()
            ends = {
                name: case((granted if name in why else done, mine[name]), else_=literal(value, mine[name].type))
                for name, value in ends.items()
            }
        wanted = [mine.id == attempt.id]
        if unless_pressed_after is not None:
            # a press at the same moment holds the row: what is compared is what it wrote
            wanted.append(mine.pressed_at.is_(None) | (mine.pressed_at <= unless_pressed_after))
        updated = await self._connection.execute(
            update(consent_attempts)
            .where(*wanted)
            .values(
                expires_at=attempt.expires_at,
                opened_at=attempt.opened_at,
                pressed_at=attempt.pressed_at,
                authorization_id=attempt.authorization_id,
                **ends,
            )
        )
        return updated.rowcount == 1

    async def silent(self, *, now: datetime, limit: int) -> Sequence[ConsentAttempt]:
        """On PostgreSQL they are locked until the transaction ends, and another replica's are left out."""
        mine = consent_attempts.c
        rows = await self._connection.execute(
            select(consent_attempts)
            .where(
                mine.outcome.is_(None),
                mine.pressed_at.is_not(None),
                mine.pressed_at <= now - STATE_LIFETIME,
                mine.arrived.is_(False),
            )
            .order_by(mine.pressed_at, mine.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [_attempt(row) for row in rows]

    async def nudge(self, attempt: ConsentAttempt, *, at: datetime) -> bool:
        mine = consent_attempts.c
        nudged = await self._connection.execute(
            update(consent_attempts)
            .where(mine.id == attempt.id, mine.nudged_at.is_(None), mine.outcome == Outcome.TIMED_OUT.value)
            .values(nudged_at=at)
        )
        return nudged.rowcount == 1

    async def mint(self, state: ConsentState) -> None:
        await self._connection.execute(
            insert(consent_states).values(
                state_hash=state.state_hash,
                attempt_id=state.attempt_id,
                feature=state.feature.value,
                receipt_hash=state.receipt_hash,
                minted_at=state.minted_at,
                expires_at=state.expires_at,
                pressed_by=state.pressed_by,
                consumed_at=state.consumed_at,
                answer_hash=state.answer_hash,
                **_came_of(state),
            )
        )

    async def consume(
        self, state_hash: str, *, feature: FeatureKey, answer_hash: str, now: datetime
    ) -> ConsentState | Refused:
        wanted = (consent_states.c.state_hash == state_hash, consent_states.c.feature == feature.value)
        used_up = await self._connection.execute(
            update(consent_states)
            .where(*wanted, consent_states.c.consumed_at.is_(None))
            .values(consumed_at=now, answer_hash=answer_hash)
            .returning(consent_states)
        )
        row = used_up.one_or_none()
        if row is not None:
            state = _state(row)
            return state if now < state.expires_at else Refused(Reason.TOO_LATE)
        there = await self._connection.scalar(select(consent_states.c.state_hash).where(*wanted))
        return Refused(Reason.UNKNOWN_STATE if there is None else Reason.STATE_USED)

    async def state(self, state_hash: str) -> ConsentState | None:
        return await self._one_state(consent_states.c.state_hash == state_hash)

    async def state_by_receipt(self, receipt_hash: str) -> ConsentState | None:
        return await self._one_state(consent_states.c.receipt_hash == receipt_hash)

    async def settle(self, state: ConsentState) -> None:
        await self._connection.execute(
            update(consent_states).where(consent_states.c.state_hash == state.state_hash).values(**_came_of(state))
        )

    async def _one(self, query: Select[Any]) -> ConsentAttempt | None:
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else _attempt(row)

    async def _one_state(self, which: ColumnElement[bool]) -> ConsentState | None:
        row = (await self._connection.execute(select(consent_states).where(which))).one_or_none()
        return None if row is None else _state(row)


def _is_open() -> ColumnElement[bool]:
    return consent_attempts.c.outcome.is_(None) | consent_attempts.c.outcome.not_in(_FINAL)


def _counts() -> ColumnElement[bool]:
    """Anybody can come in from Amazon's side: that says something of the store once it was granted."""
    mine = consent_attempts.c
    return mine.arrived.is_(False) | (mine.outcome == Outcome.GRANTED.value)


def _end(attempt: ConsentAttempt) -> dict[str, Any]:
    return {**_came_of(attempt), "ended_at": attempt.ended_at}


def _came_of(which: ConsentAttempt | ConsentState) -> dict[str, Any]:
    return {
        "outcome": None if which.outcome is None else which.outcome.value,
        "reason": None if which.reason is None else which.reason.value,
        "detail": which.detail,
    }


def _attempt(row: Row[Any]) -> ConsentAttempt:
    return ConsentAttempt(
        id=row.id,
        team_id=row.team_id,
        user_id=row.user_id,
        seller_id=row.seller_id,
        store_id=row.store_id,
        feature=FeatureKey(row.feature),
        secret_hash=row.secret_hash,
        created_at=row.created_at,
        expires_at=row.expires_at,
        opened_at=row.opened_at,
        pressed_at=row.pressed_at,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        reason=None if row.reason is None else Reason(row.reason),
        detail=row.detail,
        ended_at=row.ended_at,
        authorization_id=row.authorization_id,
        requested_by=row.requested_by,
        nudged_at=row.nudged_at,
        arrived=row.arrived,
    )


def _state(row: Row[Any]) -> ConsentState:
    return ConsentState(
        state_hash=row.state_hash,
        attempt_id=row.attempt_id,
        feature=FeatureKey(row.feature),
        receipt_hash=row.receipt_hash,
        minted_at=row.minted_at,
        expires_at=row.expires_at,
        pressed_by=row.pressed_by,
        consumed_at=row.consumed_at,
        answer_hash=row.answer_hash,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        reason=None if row.reason is None else Reason(row.reason),
        detail=row.detail,
    )
