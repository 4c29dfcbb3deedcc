"""What the core asks of the world. Implemented by `storage`, `bot.adapters`, and by fakes in the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from bot.domain.consent import ConsentAttempt, ConsentState
from bot.domain.features import FeatureKey
from bot.domain.grants import Authorization, AuthorizationKey, Grant
from bot.domain.marketplaces import Marketplace
from bot.domain.notices import Notice
from bot.domain.questions import GivenAnswer, Miss, MissCount, TaughtPhrase
from bot.domain.stores import Seller, Store
from bot.domain.verification import Refused
from bot.ports_year import Announcements, Endings, Health, Readers

#: the present moment, always aware and in UTC
Clock = Callable[[], datetime]


class Entropy(Protocol):
    """Where ids and secrets come from."""

    def new_id(self) -> str:
        """A unique id that sorts by time; not secret."""
        ...

    def secret(self) -> str:
        """256 random bits, URL-safe."""
        ...


# --- Amazon ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tokens:
    """What Login with Amazon returns. `refresh_token` may differ from the one sent: the new one is to be kept."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    lifetime: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Participation:
    """One marketplace an Amazon account sells on."""

    marketplace_id: str
    participating: bool
    suspended_listings: bool = False


class Amazon(Protocol):
    """Consent links, Login with Amazon, and the probes. Expected failures are `Refused` values; nothing is retried here."""

    def application_id(self, feature: FeatureKey) -> str: ...

    def developer_name(self, feature: FeatureKey) -> str: ...

    def application_name(self, feature: FeatureKey) -> str: ...

    def consent_url(self, feature: FeatureKey, marketplace: Marketplace, *, state: str) -> str:
        """Seller Central's consent page for the feature's application."""
        ...

    def confirm_url(self, feature: FeatureKey, callback_uri: str, *, amazon_state: str, state: str) -> str | None:
        """Where to send a seller who came by the login URI; None when `callback_uri` is not Amazon's own page for our app."""
        ...

    async def exchange(self, feature: FeatureKey, code: str) -> Tokens | Refused:
        """An authorization code for tokens. The code works once and for five minutes."""
        ...

    async def refresh(self, feature: FeatureKey, refresh_token: str) -> Tokens | Refused:
        """A fresh access token: proves that the grant was not revoked and that it is the right application."""
        ...

    async def participations(
        self, feature: FeatureKey, marketplace: Marketplace, access_token: str
    ) -> Sequence[Participation] | Refused:
        """The marketplaces of the account, in the region of `marketplace`."""
        ...

    async def probe(
        self, feature: FeatureKey, marketplace: Marketplace, *, selling_partner_id: str, access_token: str
    ) -> Refused | None:
        """The feature's cheapest real call; None when it works."""
        ...


# --- Persistence -----------------------------------------------------------------------------------------------------


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
        """Writes the editable fields and `disabled_at`. Raises DuplicateLabel."""
        ...

    async def get(self, seller: Seller, store_id: str) -> Store | None: ...

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

    async def put(self, authorization: Authorization, *, refresh_token: str | None = None) -> Authorization:
        """Inserts or renews by key, encrypting the token when one is given; returns what is stored (an existing row keeps its id).

        Raises ConcurrentChange when the key is held by another seller.
        """
        ...

    async def refresh_token(self, authorization: Authorization) -> str:
        """The decrypted token. Raises CannotDecrypt."""
        ...


class Attempts(Protocol):
    async def add(self, attempt: ConsentAttempt) -> None:
        """Adds it and closes every older usable attempt of the same person, store and feature as REPLACED."""
        ...

    async def get(self, attempt_id: str) -> ConsentAttempt | None: ...

    async def of_person(self, team_id: str, user_id: str, attempt_id: str) -> ConsentAttempt | None:
        """The attempt if it is that person's: what a button pressed in Slack may speak of."""
        ...

    async def by_secret(self, secret_hash: str) -> ConsentAttempt | None: ...

    async def latest(self, store: Store, feature: FeatureKey) -> ConsentAttempt | None:
        """The newest attempt that was pressed, else the newest."""
        ...

    async def latest_of_seller(self, seller: Seller) -> Mapping[str, Mapping[FeatureKey, ConsentAttempt]]:
        """`latest` for every store of a seller, by store id; one query."""
        ...

    async def update(self, attempt: ConsentAttempt) -> None: ...

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


class Misses(Protocol):
    """Questions that were not answered well. Texts are encrypted and go after a month; counts stay."""

    async def add(self, miss: Miss, *, key: str) -> None:
        """Counts it; keeps its text, if it has one, or counts the same `key` of the workspace once more."""
        ...

    async def frequent(self, team_id: str, *, since: datetime, offset: int, limit: int) -> tuple[Sequence[Miss], int]:
        """Those of a workspace that nobody has settled, most frequent first, and how many there are."""
        ...

    async def get(self, team_id: str, miss_id: str) -> Miss | None:
        """One whose text is still there."""
        ...

    async def settle(self, miss: Miss) -> None:
        """Somebody has dealt with it: forgets the text; the counts stay."""
        ...

    async def counts(self, team_id: str) -> Sequence[MissCount]:
        """By language and topic, most frequent first."""
        ...

    async def forget(self, *, before: datetime) -> int:
        """Forgets the texts of questions first asked before then; how many."""
        ...


class Taught(Protocol):
    """Phrases that agents have taught since the articles were written; they hold for every workspace."""

    async def add(self, phrase: TaughtPhrase) -> bool:
        """False when the same phrase is taught already."""
        ...

    async def all(self) -> Sequence[TaughtPhrase]:
        """Newest first."""
        ...

    async def get(self, phrase_id: str) -> TaughtPhrase | None: ...

    async def remove(self, phrase_id: str) -> bool:
        """True for the caller who removed it."""
        ...


class AnsweredThreads(Protocol):
    """What was answered where, shared by all replicas: never the same answer twice in a thread."""

    async def first_time(self, answered: GivenAnswer, *, gist: str, now: datetime) -> bool:
        """True for the first caller, and when the answer has another `gist` by now: the state behind it has changed."""
        ...

    async def was_given(self, answered: GivenAnswer) -> bool: ...

    async def take_back(self, answered: GivenAnswer) -> None:
        """It was not said after all."""
        ...

    async def forget(self, *, before: datetime) -> int:
        """Forgets what was last said before then; how many."""
        ...


class Channels(Protocol):
    """The channels that an agent has opened to the bot; it listens in no other."""

    async def open(self, team_id: str, channel_id: str, *, by: str, now: datetime) -> bool:
        """False when it was open already."""
        ...

    async def close(self, team_id: str, channel_id: str) -> bool:
        """False when it was not open."""
        ...

    async def is_open(self, team_id: str, channel_id: str) -> bool: ...


class Work(Protocol):
    """One transaction's view of everything kept."""

    @property
    def sellers(self) -> Sellers: ...
    @property
    def stores(self) -> Stores: ...
    @property
    def grants(self) -> Grants: ...
    @property
    def authorizations(self) -> Authorizations: ...
    @property
    def attempts(self) -> Attempts: ...
    @property
    def readers(self) -> Readers: ...
    @property
    def endings(self) -> Endings: ...
    @property
    def announcements(self) -> Announcements: ...
    @property
    def health(self) -> Health: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def misses(self) -> Misses: ...
    @property
    def taught(self) -> Taught: ...
    @property
    def answered(self) -> AnsweredThreads: ...
    @property
    def channels(self) -> Channels: ...


class Database(Protocol):
    """Where it is kept."""

    def begin(self) -> AbstractAsyncContextManager[Work]:
        """A transaction: committed when the block ends, rolled back when it raises. The relay is woken after a commit that
        put something into the outbox.
        """
        ...

    def read(self) -> AbstractAsyncContextManager[Work]:
        """A view to read from; nothing written through it is kept."""
        ...


# --- People and delivery ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever is spoken to: where, who, in which language and time zone."""

    team_id: str
    user_id: str
    #: one of `bot.i18n.LOCALES`
    locale: str
    #: an IANA name
    tz: str


class People(Protocol):
    """Languages and time zones of people, kept for a day."""

    async def get(self, team_id: str, user_id: str) -> Person:
        """Never raises: someone whose profile cannot be read is spoken to in English."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """What Slack shows. `text` carries the full content: screen readers and notifications read only that."""

    text: str
    blocks: Sequence[Mapping[str, Any]] = ()


class Placement(StrEnum):
    """Where a message goes."""

    #: on its own
    PLAIN = "plain"
    #: as the new card of its subject; the old one, if any, is edited into `farewell`
    NEW_CARD = "new_card"
    #: in place of the subject's card; posted as a new card when there is none any more
    EDIT_CARD = "edit_card"
    #: under the subject's card; on its own when there is none any more
    THREAD = "thread"


@dataclass(frozen=True, slots=True)
class CardAddress:
    """Where the card of a subject stands in Slack."""

    channel_id: str
    ts: str


@dataclass(frozen=True, slots=True)
class Sending:
    """One message and its place. A notice may need several: the card edited, then a line in its thread."""

    message: Message
    placement: Placement = Placement.PLAIN
    subject: str = ""
    farewell: Message | None = None
    #: for PLAIN: the thread it belongs into; on its own when there is none any more
    thread: CardAddress | None = None


#: puts a notice into its reader's words
Renderer = Callable[[Notice, Person], Sequence[Sending]]


@dataclass(frozen=True, slots=True)
class Errand:
    """One entry of the outbox, as the relay sees it once it holds the lease."""

    id: str
    team_id: str
    #: a user id, a channel id, or empty for a task
    recipient: str
    #: a notice's kind, or a task's name
    kind: str
    is_task: bool
    body: Mapping[str, Any] = field(repr=False)
    created_at: datetime
    tries: int


class ErrandQueue(Protocol):
    """The outbox as its relay sees it."""

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Errand]:
        """Due errands, at most one of each lane (its oldest), leased to the caller; on PostgreSQL skipping what others lock."""
        ...

    async def done(self, errand: Errand) -> None: ...

    async def again(self, errand: Errand, *, at: datetime) -> None:
        """Gives it back, to be tried at `at`."""
        ...

    async def give_up(self, errand: Errand, *, at: datetime, why: str) -> None:
        """Sets it aside for an operator; its lane goes on."""
        ...

    async def pause(self, team_id: str, *, until: datetime) -> None:
        """Nothing of the workspace's messages is claimed before `until`, by any replica."""
        ...

    async def next_due(self) -> datetime | None:
        """When the relay must look again at the latest."""
        ...


class Cards(Protocol):
    """One card per person and subject, edited in place."""

    async def get(self, team_id: str, recipient: str, subject: str) -> CardAddress | None: ...

    async def put(self, team_id: str, recipient: str, subject: str, address: CardAddress) -> None: ...

    async def forget(self, team_id: str, recipient: str, subject: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Installation:
    """The bot in one workspace."""

    team_id: str
    bot_token: str = field(repr=False)
    bot_user_id: str
    bot_id: str
    installed_at: datetime
    team_name: str = ""
    scopes: str = ""


class Installations(Protocol):
    async def get(self, team_id: str) -> Installation | None: ...

    async def first(self) -> str | None:
        """The workspace that was there first: the operator's own."""
        ...

    async def put(self, installation: Installation) -> None: ...

    async def remove(self, team_id: str) -> None:
        """Forgets the token and everything waiting for that workspace."""
        ...

    async def mint_state(self, state_hash: str, *, expires_at: datetime) -> None: ...

    async def consume_state(self, state_hash: str, *, now: datetime) -> bool:
        """True once, before it expires."""
        ...


class Deliveries(Protocol):
    """Which of Slack's deliveries were seen, shared by all replicas."""

    async def first_time(self, key: str, *, now: datetime) -> bool:
        """True for the first caller with `key`, whatever the concurrency."""
        ...

    async def forget(self, key: str) -> None:
        """Lets a delivery that was not handled be taken up again when Slack repeats it."""
        ...


class JobRuns(Protocol):
    """Scheduled runs: each (job, due time) belongs to whoever inserts its row first."""

    async def claim(self, job: str, *, due: datetime) -> bool: ...

    async def last(self, job: str) -> datetime | None:
        """The newest due time that somebody claimed."""
        ...

    async def prune(self, *, before: datetime) -> int:
        """Forgets older runs."""
        ...
