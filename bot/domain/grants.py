"""Grants: where a store stands with one feature, and the only moves that change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from bot.domain.features import FeatureKey
from bot.domain.marketplaces import Marketplace
from bot.errors import ImpossibleMove

#: how long Amazon keeps a consent valid
GRANT_LIFETIME = timedelta(days=365)
#: from when on a grant is called expiring
EXPIRING_WITHIN = timedelta(days=30)


class GrantState(StrEnum):
    """What is stored of a grant. *Expiring* is not here: it is computed from a date."""

    #: nothing asked for yet, or Amazon answered with a refusal
    NOT_GRANTED = "not_granted"
    #: a link was opened and Amazon has not answered
    AUTHORIZING = "authorizing"
    #: consent given, token kept
    GRANTED = "granted"
    #: its 365 days are over
    EXPIRED = "expired"
    #: withdrawn by the seller at Amazon
    REVOKED = "revoked"
    #: Amazon knows the grant but refuses access: role, region or account
    PERMISSION_PROBLEM = "permission_problem"


class Move(StrEnum):
    """What can happen to a grant."""

    #: the seller pressed the button of a consent page
    OPEN = "open"
    #: Amazon's consent was verified, or a held authorization was confirmed; also how a grant is renewed
    ACCEPT = "accept"
    #: Amazon answered, but not with a usable consent
    REFUSE = "refuse"
    #: the year ran out
    EXPIRE = "expire"
    #: a refresh was rejected for good
    REVOKE = "revoke"
    #: a probe was answered with an ambiguous 403
    LOSE_PERMISSION = "lose_permission"
    #: a probe succeeds again
    RESTORE = "restore"


_S, _M = GrantState, Move

#: (where it stands, what happens) → where it stands then; whatever is not here is impossible.
#: A link dying moves nothing: an older grant outlives every failed attempt to renew it.
MOVES: Mapping[tuple[GrantState, Move], GrantState] = MappingProxyType(
    {
        (_S.NOT_GRANTED, _M.OPEN): _S.AUTHORIZING,
        (_S.NOT_GRANTED, _M.ACCEPT): _S.GRANTED,
        (_S.NOT_GRANTED, _M.REFUSE): _S.NOT_GRANTED,
        (_S.AUTHORIZING, _M.OPEN): _S.AUTHORIZING,
        (_S.AUTHORIZING, _M.ACCEPT): _S.GRANTED,
        (_S.AUTHORIZING, _M.REFUSE): _S.NOT_GRANTED,
        (_S.GRANTED, _M.OPEN): _S.GRANTED,
        (_S.GRANTED, _M.ACCEPT): _S.GRANTED,
        (_S.GRANTED, _M.REFUSE): _S.GRANTED,
        (_S.GRANTED, _M.RESTORE): _S.GRANTED,
        (_S.GRANTED, _M.EXPIRE): _S.EXPIRED,
        (_S.GRANTED, _M.REVOKE): _S.REVOKED,
        (_S.GRANTED, _M.LOSE_PERMISSION): _S.PERMISSION_PROBLEM,
        (_S.PERMISSION_PROBLEM, _M.OPEN): _S.PERMISSION_PROBLEM,
        (_S.PERMISSION_PROBLEM, _M.ACCEPT): _S.GRANTED,
        (_S.PERMISSION_PROBLEM, _M.REFUSE): _S.PERMISSION_PROBLEM,
        (_S.PERMISSION_PROBLEM, _M.RESTORE): _S.GRANTED,
        (_S.PERMISSION_PROBLEM, _M.LOSE_PERMISSION): _S.PERMISSION_PROBLEM,
        (_S.PERMISSION_PROBLEM, _M.EXPIRE): _S.EXPIRED,
        (_S.PERMISSION_PROBLEM, _M.REVOKE): _S.REVOKED,
        (_S.EXPIRED, _M.OPEN): _S.EXPIRED,
        (_S.EXPIRED, _M.ACCEPT): _S.GRANTED,
        (_S.EXPIRED, _M.REFUSE): _S.EXPIRED,
        (_S.EXPIRED, _M.EXPIRE): _S.EXPIRED,
        (_S.EXPIRED, _M.REVOKE): _S.EXPIRED,
        (_S.REVOKED, _M.OPEN): _S.REVOKED,
        (_S.REVOKED, _M.ACCEPT): _S.GRANTED,
        (_S.REVOKED, _M.REFUSE): _S.REVOKED,
        (_S.REVOKED, _M.REVOKE): _S.REVOKED,
    }
)


@dataclass(frozen=True, slots=True)
class Grant:
    """Where (store, feature) stands. `version` counts its writes: a write with an old one is refused."""

    store_id: str
    feature: FeatureKey
    state: GrantState
    #: when it came to stand there
    since: datetime
    authorization_id: str | None = None
    granted_at: datetime | None = None
    ends_at: datetime | None = None
    version: int = 0

    def after(
        self,
        move: Move,
        *,
        at: datetime,
        authorization_id: str | None = None,
        ends_at: datetime | None = None,
    ) -> Grant:
        """The grant once `move` has happened at `at`. Raises ImpossibleMove.

        ACCEPT needs the authorization it now rests on and the day that one ends.
        """
        target = MOVES.get((self.state, move))
        if target is None:
            raise ImpossibleMove(state=self.state.value, move=move.value)
        moved = replace(self, state=target, since=self.since if target is self.state else at)
        if move is Move.ACCEPT:
            if authorization_id is None or ends_at is None:
                raise ImpossibleMove(state=self.state.value, move="accept without an authorization")
            return replace(moved, since=at, authorization_id=authorization_id, granted_at=at, ends_at=ends_at)
        return moved

    def standing(self, now: datetime) -> GrantState:
        """The state as of `now`: a grant whose day has passed is expired, whether or not a job has noticed."""
        over = self.ends_at is not None and self.ends_at <= now
        return GrantState.EXPIRED if over and self.state in _HELD else self.state

    def is_expiring(self, now: datetime) -> bool:
        """True from 30 days before its end until it ends."""
        return (
            self.standing(now) is GrantState.GRANTED
            and self.ends_at is not None
            and self.ends_at - now <= EXPIRING_WITHIN
        )


_HELD = (GrantState.GRANTED, GrantState.PERMISSION_PROBLEM)


def first_grant(store_id: str, feature: FeatureKey, *, at: datetime) -> Grant:
    """How every grant begins."""
    return Grant(store_id=store_id, feature=feature, state=GrantState.NOT_GRANTED, since=at)


class AuthorizationState(StrEnum):
    """Whether a kept token still counts."""

    LIVE = "live"
    #: a refresh was rejected for good
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class AuthorizationKey:
    """What one consent is for: unique, and the database says so."""

    application_id: str
    selling_partner_id: str
    consent_region: str

    @classmethod
    def of(cls, application_id: str, selling_partner_id: str, marketplace: Marketplace) -> AuthorizationKey:
        return cls(application_id, selling_partner_id, marketplace.consent_region)


@dataclass(frozen=True, slots=True)
class Authorization:
    """A token of one key, held by one distributor; several grants may rest on it.

    The refresh token is not here: it is asked of the store by id at the moment it is needed, so that it cannot be
    printed by accident.
    """

    id: str
    team_id: str
    seller_id: str
    feature: FeatureKey
    key: AuthorizationKey
    consented_at: datetime
    ends_at: datetime
    state: AuthorizationState = AuthorizationState.LIVE
    checked_at: datetime | None = None
