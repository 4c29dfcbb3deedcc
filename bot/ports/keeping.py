"""What is kept of sellers, stores, grants and consents, and what belongs to a change of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bot.domain.consent import ConsentAttempt, ConsentState
from bot.domain.features import FeatureKey
from bot.domain.grants import Authorization, AuthorizationKey, Grant
from bot.domain.notices import Notice
from bot.domain.stores import Seller, Store
from bot.domain.verification import Refused


class Sellers(Protocol):
    async def of_member(self, team_id: str, user_id: str) -> Seller | None: ...

    async def get(self, team_id: str, seller_id: str) -> Seller | None: ...

    async def add(self, seller: Seller, *, user_id: str) -> Seller:
        """Creates it with its first member; when that person became a member elsewhere meanwhile, returns that seller."""
        ...

    async def prepared(self, seller: Seller, *, at: datetime) -> None:
        """Notes that the preparations were confirmed."""
        ...

    async def add_member(self, seller: Seller, user_id: str, *, at: datetime) -> None:
        """Raises AlreadyAMember when the person belongs to another seller of the workspace that has stores."""
        ...

    async def members(self, seller: Seller) -> Sequence[str]:
        """User ids, first member first."""
        ...


class Stores(Protocol):
    """Every read is scoped to one seller of one workspace: another's store is as if it did not exist."""

    async def add(self, store: Store) -> None:
        """Raises DuplicateLabel."""
        ...

    async def update(self, store: Store) -> None:
        """Writes the editable fields and `disabled_at`, of a store that was read to write. Raises DuplicateLabel."""
        ...

    async def get(self, seller: Seller, store_id: str, *, to_write: bool = False) -> Store | None:
        """`to_write`: others who mean to write it wait from here on, so that what is read stays true until it is written."""
        ...

    async def by_label(self, seller: Seller, label: str) -> Store | None:
        """By `label_key`."""
        ...

    async def of_seller(self, seller: Seller) -> Sequence[Store]:
        """In the order they were added."""
        ...

    async def bind(self, store: Store, selling_partner_id: str) -> Refused | None:
        """Makes the store that Amazon account's store in its marketplace.

        Refused(HELD_BY_ANOTHER) when the account belongs to another distributor, in whatever workspace;
        Refused(ALREADY_CONNECTED, label) when another store of this seller is it. Decided by constraints of the database.
        Raises ConcurrentChange when the store is gone, or in another marketplace than the given one.
        """
        ...

    async def holder(self, selling_partner_id: str) -> str | None:
        """The id of the seller who holds that Amazon account, in whatever workspace; never shown to anybody."""
        ...

    async def of_selling_partner(self, selling_partner_id: str) -> Sequence[Store]:
        """The stores of one Amazon account, in whatever workspace: for a visit that comes from Amazon itself."""
        ...

    async def delete(self, store: Store) -> None:
        """Removes it with its grants and attempts; lets go of the Amazon account when no store of it is left."""
        ...


class Grants(Protocol):
    async def of_store(self, store: Store) -> Mapping[FeatureKey, Grant]:
        """One for each feature; those never written are NOT_GRANTED."""
        ...

    async def of_seller(self, seller: Seller) -> Mapping[str, Mapping[FeatureKey, Grant]]:
        """By store id; one query."""
        ...

    async def put(self, grant: Grant) -> None:
        """Writes it as `version + 1`. Raises ConcurrentChange when the stored version is not `grant.version`."""
        ...

    async def resting_on(self, authorization_id: str) -> Sequence[tuple[Store, Grant]]:
        """The grants that stand or fall with one authorization, in the order the stores were added."""
        ...


class Authorizations(Protocol):
    async def find(self, key: AuthorizationKey) -> Authorization | None:
        """Whoever holds it: the caller must compare `seller_id`."""
        ...

    async def get(self, seller: Seller, authorization_id: str) -> Authorization | None: ...

    async def held(self, seller: Seller, *, application_id: str, consent_region: str) -> Sequence[Authorization]:
        """The seller's live ones for an application and region, newest consent first."""
        ...

    async def put(self, authorization: Authorization, *, refresh_token: str) -> Authorization:
        """A consent: inserts or renews by key, encrypting the token; returns what is stored (an existing row keeps its id).

        A newer consent stays as it is. Raises ConcurrentChange when the key is held by another seller.
        """
        ...

    async def update(self, authorization: Authorization, *, refresh_token: str | None = None) -> Authorization:
        """What was learnt of one that is held: writes it by id, without a token keeps the old one; returns what is stored.

        A newer consent stays as it is. Raises ConcurrentChange when it is not held any more: its stores were deleted while
        Amazon was asked, and the Amazon account is free.
        """
        ...

    async def refresh_token(self, authorization: Authorization) -> str:
        """The decrypted token. Raises CannotDecrypt."""
        ...


class Attempts(Protocol):
    async def add(self, attempt: ConsentAttempt, *, replacing: bool = True) -> None:
        """Adds it and closes every older usable attempt of the same person, store and feature as REPLACED.

        Not `replacing` is for a visit that Amazon sends: whoever knows a merchant id could make one, and must not close links.
        """
        ...

    async def get(self, attempt_id: str) -> ConsentAttempt | None: ...

    async def of_person(self, team_id: str, user_id: str, attempt_id: str) -> ConsentAttempt | None:
        """The attempt if it is that person's: what a button pressed in Slack may speak of."""
        ...

    async def just_made(
        self, team_id: str, user_id: str, store_id: str, feature: FeatureKey, *, since: datetime
    ) -> ConsentAttempt | None:
        """The person's usable link for a store and feature that was made after `since`: a second press finds the first's."""
        ...

    async def by_secret(self, secret_hash: str) -> ConsentAttempt | None: ...

    async def latest(self, store: Store, feature: FeatureKey) -> ConsentAttempt | None:
        """The newest attempt that was pressed, else the newest."""
        ...

    async def newest(self, store: Store, feature: FeatureKey | None) -> ConsentAttempt | None:
        """The attempt that was made last, pressed or not; of any feature when none is named."""
        ...

    async def latest_of_seller(self, seller: Seller) -> Mapping[str, Mapping[FeatureKey, ConsentAttempt]]:
        """`latest` for every store of a seller, by store id; one query."""
        ...

    async def update(self, attempt: ConsentAttempt, *, unless_pressed_after: datetime | None = None) -> bool:
        """Writes it. False, and nothing written, when its button was pressed after the given moment, or when it is gone."""
        ...

    async def silent(self, *, now: datetime, limit: int) -> Sequence[ConsentAttempt]:
        """Pressed more than STATE_LIFETIME ago, without outcome and not yet told: oldest first."""
        ...

    async def nudge(self, attempt: ConsentAttempt, *, at: datetime) -> bool:
        """True once for an attempt that was closed for its silence: whoever gets True tells the person."""
        ...

    async def mint(self, state: ConsentState) -> None: ...

    async def consume(
        self, state_hash: str, *, feature: FeatureKey, answer_hash: str, now: datetime
    ) -> ConsentState | Refused:
        """Uses up a state, once whatever the concurrency, noting the fingerprint of the answer it came back with.

        Refused(UNKNOWN_STATE | STATE_USED | TOO_LATE); a late state is used up as well.
        """
        ...

    async def state(self, state_hash: str) -> ConsentState | None: ...

    async def state_by_receipt(self, receipt_hash: str) -> ConsentState | None: ...

    async def settle(self, state: ConsentState) -> None:
        """Writes what came of a state."""
        ...


class Outbox(Protocol):
    """Messages and tasks that belong to a change: written with it, done later by the relay."""

    async def tell(self, team_id: str, user_id: str, notice: Notice) -> None:
        """A message to a person."""
        ...

    async def tell_all(self, messages: Sequence[tuple[str, str, Notice]]) -> None:
        """Messages to many, as (workspace, user id, notice)."""
        ...

    async def tell_support(self, team_id: str, notice: Notice) -> None:
        """A message to the support agents' channel; nothing when none is configured."""
        ...

    async def ask(self, team_id: str, task: str, arguments: Mapping[str, Any], *, lane: str) -> None:
        """Work for later. Tasks of one lane run one after the other, in order."""
        ...


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who did what, when, on whose behalf."""

    at: datetime
    team_id: str
    actor: str
    action: str
    subject: str
    on_behalf_of: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


class Audit(Protocol):
    async def record(self, event: AuditEvent) -> None: ...


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events to read; what is empty or None leaves everything in."""

    team_id: str = ""
    #: did it, or had it done for them
    person: str = ""
    #: the beginning of an action: `ticket` finds `ticket.claimed`
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


class AuditLog(Protocol):
    """The trail as its readers see it."""

    def read(self, wanted: AuditFilter, *, limit: int | None = None) -> AsyncIterator[AuditEvent]:
        """Oldest first; with a limit the newest so many. Streams."""
        ...
