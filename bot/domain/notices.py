"""What the stories want people to be told, before anybody has thought of Slack.

A notice waits in the outbox as JSON and is put into words, in its reader's language, at the moment it is sent. Its fields are
plain values. `kind` is stored: renaming a class keeps it, changing `kind` needs a migration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from bot.domain.features import FeatureKey
from bot.domain.stores import Store


@dataclass(frozen=True, slots=True)
class StoreRef:
    """As much of a store as a message shows."""

    id: str
    label: str
    marketplace_code: str

    @classmethod
    def of(cls, store: Store) -> StoreRef:
        return cls(store.id, store.label, store.marketplace_code)


#: every kind there is; `notice_from` looks here
_KINDS: dict[str, type[Notice]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something one person, or one channel, is to be told."""

    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Makes the kind known. Raises ValueError for one that is taken; `slots` makes each class twice."""
        known = _KINDS.setdefault(cls.kind, cls)
        if known.__qualname__ != cls.__qualname__:
            raise ValueError(f"the kind {cls.kind} is taken by {known.__qualname__}")
        _KINDS[cls.kind] = cls

    def facts(self) -> dict[str, Any]:
        """The fields as JSON."""
        return asdict(self)

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Notice:
        """The notice that `facts()` was taken from. Raises TypeError or ValueError for what was not."""
        values: dict[str, Any] = {name: _frozen(value) for name, value in facts.items()}
        for name in ("store", "feature", "offer"):
            if values.get(name):
                values[name] = StoreRef(**values[name]) if name == "store" else FeatureKey(values[name])
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentCard(Notice):
    """The card with the consent link. `secret` opens it: this notice is never logged, and is stored encrypted only."""

    kind = "consent_card"

    attempt_id: str
    store: StoreRef
    feature: FeatureKey
    secret: str = field(repr=False)
    #: ISO 8601
    expires_at: str
    #: the seller already holds an authorization that covers this store: one press, no Amazon
    confirmable: bool = False
    #: the selling partner it would be confirmed for
    selling_partner_id: str = ""
    #: nobody of the account has said yet that it is on a Professional plan
    ask_plan: bool = False
    #: edit the card in place instead of posting a new one
    in_place: bool = False
    #: the agent who made the link for the seller, if any
    requested_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentResult(Notice):
    """How a consent ended: the card is closed with it and its thread says so."""

    kind = "consent_result"

    attempt_id: str
    store: StoreRef
    feature: FeatureKey
    #: empty when it was granted
    reason: str = ""
    detail: str = ""
    #: ISO 8601, when granted
    ends_at: str = ""
    #: the next feature to offer, if it is not granted yet
    offer: FeatureKey | None = None
    #: a grant that was there before still stands
    still_granted: bool = False
    #: other stores that got the feature with the same consent
    also_renewed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult(Notice):
    """What Amazon says now about one grant."""

    kind = "check_result"

    store: StoreRef
    feature: FeatureKey
    reason: str = ""
    detail: str = ""
    ends_at: str = ""
    #: ISO 8601: when the state it reports began, e.g. when the link was opened
    since: str = ""
    offer: FeatureKey | None = None
    #: labels of further stores that the same answer of Amazon's took along
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAdded(Notice):
    """Platform account created: both features on offer."""

    kind = "store_added"

    store: StoreRef


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedWithYou(Notice):
    """A colleague shared their distributor account's stores with the reader."""

    kind = "shared_with_you"

    by_user_id: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Notice):
    """An answer that had to wait for Amazon, already in the asker's words."""

    kind = "answered"

    slug: str
    text: str
    button: str
    store_id: str = ""
    feature: FeatureKey = FeatureKey.ORDERS
    #: the asker's stores as (id, label), when there are several
    choices: tuple[tuple[str, str], ...] = ()
    #: what was asked, without anything personal: it goes with *not helpful*, and to whoever is asked in person
    question: str = ""
    #: the thread it was asked in; empty: the DM
    channel_id: str = ""
    thread_ts: str = ""


def _frozen(value: Any) -> Any:
    """Lists, which JSON makes of tuples, as tuples again."""
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


def notice_from(kind: str, facts: Mapping[str, Any]) -> Notice:
    """The notice that `facts()` was taken from. Raises KeyError for a kind nobody knows any more."""
    return _KINDS[kind].read(facts)


def subject_of(store_id: str, feature: FeatureKey) -> str:
    """The subject of a person's card about one (store, feature): newer ones take the older one's place."""
    return f"grant:{store_id}:{feature.value}"
