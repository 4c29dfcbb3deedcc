"""What the platform and its sister system tell each other of stores and grants. Facts only: no token is ever among them.

`docs/mirror.md` is the contract; types and field names here are what stands on the wire.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.domain.features import FEATURES, FeatureKey
from bot.domain.grants import Grant, GrantState
from bot.domain.notices import Notice, StoreRef
from bot.domain.stores import Store

#: the outbox's name for an event that waits to be sent
MIRROR_TASK = "mirror_event"


class Happening(StrEnum):
    """An event's type."""

    STORE_ADDED = "store.added"
    STORE_EDITED = "store.edited"
    STORE_DISABLED = "store.disabled"
    STORE_ENABLED = "store.enabled"
    STORE_DELETED = "store.deleted"
    GRANT_ACCEPTED = "grant.accepted"
    GRANT_RENEWED = "grant.renewed"
    #: Amazon lets the application in again
    GRANT_RESTORED = "grant.restored"
    GRANT_EXPIRED = "grant.expired"
    GRANT_REVOKED = "grant.revoked"
    GRANT_PERMISSION_PROBLEM = "grant.permission_problem"
    #: these three only the sister system says: a feature of one store switched off, on again, or taken away there
    GRANT_DISABLED = "grant.disabled"
    GRANT_ENABLED = "grant.enabled"
    GRANT_DELETED = "grant.deleted"


class SisterState(StrEnum):
    """Where the sister system last said that something stands. Stored."""

    #: a store's
    ENABLED = "enabled"
    #: a store's, or a grant's
    DISABLED = "disabled"
    #: the rest are grants'
    GRANTED = "granted"
    DELETED = "deleted"
    EXPIRED = "expired"
    REVOKED = "revoked"
    PERMISSION_PROBLEM = "permission_problem"


#: what an incoming event says of the store or grant it names; types that are not here are taken note of by nobody
SAYS: Mapping[Happening, SisterState] = {
    Happening.STORE_DISABLED: SisterState.DISABLED,
    Happening.STORE_ENABLED: SisterState.ENABLED,
    Happening.STORE_DELETED: SisterState.DELETED,
    Happening.GRANT_ACCEPTED: SisterState.GRANTED,
    Happening.GRANT_RENEWED: SisterState.GRANTED,
    Happening.GRANT_RESTORED: SisterState.GRANTED,
    Happening.GRANT_ENABLED: SisterState.GRANTED,
    Happening.GRANT_DISABLED: SisterState.DISABLED,
    Happening.GRANT_DELETED: SisterState.DELETED,
    Happening.GRANT_EXPIRED: SisterState.EXPIRED,
    Happening.GRANT_REVOKED: SisterState.REVOKED,
    Happening.GRANT_PERMISSION_PROBLEM: SisterState.PERMISSION_PROBLEM,
}

#: states that are Amazon's doing, so that Amazon can be asked whether it is so here as well
AMAZONS_DOING = frozenset({SisterState.EXPIRED, SisterState.REVOKED, SisterState.PERMISSION_PROBLEM})


_LOST: Mapping[GrantState, Happening] = {
    GrantState.EXPIRED: Happening.GRANT_EXPIRED,
    GrantState.REVOKED: Happening.GRANT_REVOKED,
    GrantState.PERMISSION_PROBLEM: Happening.GRANT_PERMISSION_PROBLEM,
}


def what_happened(before: Grant, after: Grant) -> Happening | None:
    """What a move of a grant is to the sister system; None for what is nobody else's business, such as a link opened."""
    if (after.state, after.granted_at, after.ends_at) == (before.state, before.granted_at, before.ends_at):
        return None
    if after.state is not GrantState.GRANTED:
        return _LOST.get(after.state)
    if before.granted_at is None:
        return Happening.GRANT_ACCEPTED
    renewed = (after.granted_at, after.ends_at) != (before.granted_at, before.ends_at)
    return Happening.GRANT_RENEWED if renewed else Happening.GRANT_RESTORED


@dataclass(frozen=True, slots=True)
class MirrorEvent:
    """Something that happened here, for the sister system."""

    happening: Happening
    at: datetime
    store: Store
    #: of the `grant.…` types
    grant: Grant | None = None

    def facts(self) -> dict[str, Any]:
        """The event as JSON."""
        store = self.store
        data: dict[str, Any] = {
            "workspace": store.team_id,
            "distributor": store.seller_id,
            "store": {
                "id": store.id,
                "label": store.label,
                "marketplace": store.marketplace_code,
                "selling_partner_id": store.selling_partner_id,
                "disabled": store.disabled_at is not None,
            },
        }
        if self.grant is not None:
            data["grant"] = {
                "feature": self.grant.feature.value,
                "state": self.grant.state.value,
                "consented_at": _written(self.grant.granted_at),
                "expires_at": _written(self.grant.ends_at),
            }
        return {"type": self.happening.value, "timestamp": self.at.isoformat(), "data": data}


def all_about(store: Store, grants: Mapping[FeatureKey, Grant]) -> list[MirrorEvent]:
    """What a store and its grants are now, as events with the moments at which they became so.

    Whoever keeps the latest of each can take them at any time: they turn back nothing that was said since.
    """
    events = [MirrorEvent(Happening.STORE_ADDED, store.created_at, store)]
    if store.disabled_at is not None:
        events.append(MirrorEvent(Happening.STORE_DISABLED, store.disabled_at, store))
    for grant in grants.values():
        if grant.state is GrantState.GRANTED:
            events.append(MirrorEvent(Happening.GRANT_ACCEPTED, grant.granted_at or grant.since, store, grant))
        elif grant.state in _LOST:
            events.append(MirrorEvent(_LOST[grant.state], grant.since, store, grant))
    return events


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


class MalformedEvent(Exception):
    """Signed, but not an event as the contract has it; the message says what is wrong, without quoting it."""


@dataclass(frozen=True, slots=True)
class SisterEvent:
    """Something that happened in the sister system, about one store of ours."""

    happening: Happening
    at: datetime
    workspace: str
    distributor: str
    store_id: str
    feature: FeatureKey | None = None
    consented_at: datetime | None = None
    expires_at: datetime | None = None


#: moments beyond these cannot be meant, and some could not even be turned into a reader's time zone
_FIRST_YEAR, _LAST_YEAR = 2000, 2100

#: our ids, and Slack's
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def read_event(body: bytes) -> SisterEvent | None:
    """An incoming event; None for a type or a feature that nothing here follows from. Raises MalformedEvent."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedEvent("the body is not JSON") from None
    event = _object(event, "the body")
    given = event.get("type")
    if not isinstance(given, str):
        raise MalformedEvent("type must be a text")
    if given not in SAYS:
        return None
    happening = Happening(given)
    data = _object(event.get("data"), "data")
    feature: FeatureKey | None = None
    grant: Mapping[str, Any] = {}
    if happening.value.startswith("grant."):
        grant = _object(data.get("grant"), "data.grant")
        if not isinstance(grant.get("feature"), str):
            raise MalformedEvent("data.grant.feature must be a text")
        if grant["feature"] not in FEATURES:
            return None
        feature = FeatureKey(grant["feature"])
    at = _moment(event, "timestamp")
    if at is None:
        raise MalformedEvent("timestamp is missing")
    return SisterEvent(
        happening=happening,
        at=at,
        workspace=_id(data, "workspace"),
        distributor=_id(data, "distributor"),
        store_id=_id(_object(data.get("store"), "data.store"), "id"),
        feature=feature,
        consented_at=_moment(grant, "consented_at"),
        expires_at=_moment(grant, "expires_at"),
    )


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedEvent(f"{name} must be an object")
    return value


def _id(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise MalformedEvent(f"{name} must be an id")
    return value


def _moment(fields: Mapping[str, Any], name: str) -> datetime | None:
    value = fields.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise MalformedEvent(f"{name} must be a moment in ISO 8601") from None
    if moment.tzinfo is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise MalformedEvent(f"{name} must have a time zone and be of this century")
    return moment


@dataclass(frozen=True, slots=True)
class SisterWord:
    """The last that was said of a store, or of one feature of it, and when. A later word takes its place."""

    store_id: str
    #: None: the store itself
    feature: FeatureKey | None
    state: SisterState
    at: datetime
    consented_at: datetime | None = None
    expires_at: datetime | None = None

    def standing(self, now: datetime) -> SisterState:
        """The state as of `now`: what was granted until a day that has passed has run out."""
        over = self.expires_at is not None and self.expires_at <= now
        return SisterState.EXPIRED if over and self.state is SisterState.GRANTED else self.state

    def adds_to(self, grant: Grant, *, now: datetime) -> bool:
        """Whether it says something that our own state does not: not the same, and not of before the last consent here."""
        state = self.standing(now)
        outdated = grant.granted_at is not None and grant.granted_at > self.at and state is not SisterState.DISABLED
        return not outdated and state.value != grant.standing(now).value


@dataclass(frozen=True, slots=True, kw_only=True)
class SisterNews(Notice):
    """Something was done in the sister system, and shows here."""

    kind = "sister_news"

    store: StoreRef
    #: a SisterState
    state: str
    #: None: the store itself
    feature: FeatureKey | None = None
    #: ISO 8601; of a grant that stands there
    ends_at: str = ""
    #: the feature is granted here, on an authorization of our own
    stands: bool = False
    #: Amazon is being asked whether it is so for that one as well
    asking: bool = False
