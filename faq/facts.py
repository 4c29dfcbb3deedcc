"""What an article may say about the asker: the facts its body is rendered with, and the button it ends in.

Everything here is a plain value. **Text that came from people (store labels, reasons) is already escaped for Slack
mrkdwn (`&amp; &lt; &gt;`) by the caller**, dates are already written in the reader's language and time zone, and
statuses already carry their label in the reader's language. The articles only put them in a sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class FeatureKey(StrEnum):
    """The two features of the platform. Bodies read them as `facts` do: `orders`, `listing`."""

    ORDERS = "orders"
    LISTING = "listing"


class Standing(StrEnum):
    """Where one feature of one store stands, as far as an answer needs to tell."""

    #: Nobody opened a link yet.
    NONE = "none"
    #: A link is open at Amazon right now, within its ten minutes.
    WAITING = "waiting"
    #: A link was opened and Amazon never answered.
    SILENT = "silent"
    #: Amazon answered, and we had to refuse: `reason_text` says why.
    REFUSED = "refused"
    GRANTED = "granted"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    REVOKED = "revoked"
    #: Amazon lets us in, and then not: a role, the region or the account.
    PERMISSION_PROBLEM = "permission_problem"
    DISABLED = "disabled"


class Case(StrEnum):
    """Which of the answers to one question fits this asker's store.

    `GENERAL` looks at no store: the one answer of most articles, and what of the others may be shared in public.
    """

    GENERAL = "general"

    #: Both questions: the asker has no store yet.
    NO_STORE = "no_store"

    #: Q1, *I authorized, why still 授权中 or 未授权*.
    NEVER_OPENED = "never_opened"
    WAITING = "waiting"
    OPENED_SILENT = "opened_silent"
    REFUSED = "refused"
    GRANTED = "granted"

    #: Both questions: granted less than a quarter of an hour ago.
    JUST_GRANTED = "just_granted"
    #: Both questions: granted as far as we know, and Amazon could not be asked just now.
    UNCHECKED = "unchecked"

    #: Q2, *I authorized, why no orders or no stock*.
    NONE_GRANTED = "none_granted"
    OTHER_FEATURE_ONLY = "other_feature_only"
    EXPIRED = "expired"
    REVOKED = "revoked"
    START_IN_FUTURE = "start_in_future"
    PERMISSION_PROBLEM = "permission_problem"
    DISABLED = "disabled"
    ALL_GOOD = "all_good"


#: The cases each state-dependent article tells apart; every other article knows `Case.GENERAL` only.
CASES: Mapping[str, tuple[Case, ...]] = MappingProxyType(
    {
        "still-authorizing": (
            Case.GENERAL,
            Case.NO_STORE,
            Case.NEVER_OPENED,
            Case.WAITING,
            Case.OPENED_SILENT,
            Case.REFUSED,
            Case.EXPIRED,
            Case.REVOKED,
            Case.PERMISSION_PROBLEM,
            Case.DISABLED,
            Case.UNCHECKED,
            Case.JUST_GRANTED,
            Case.GRANTED,
        ),
        "granted-but-not-working": (
            Case.GENERAL,
            Case.NO_STORE,
            Case.NONE_GRANTED,
            Case.OTHER_FEATURE_ONLY,
            Case.JUST_GRANTED,
            Case.EXPIRED,
            Case.REVOKED,
            Case.START_IN_FUTURE,
            Case.PERMISSION_PROBLEM,
            Case.DISABLED,
            Case.UNCHECKED,
            Case.ALL_GOOD,
        ),
    }
)


def cases_of(slug: str) -> tuple[Case, ...]:
    return CASES.get(slug, (Case.GENERAL,))


class Button(StrEnum):
    """The one thing to press under an answer."""

    GRANT_ORDERS = "grant_orders"
    GRANT_LISTING = "grant_listing"
    CHECK = "check"
    NEW_LINK = "new_link"
    RENEW = "renew"
    EDIT_STORE = "edit_store"
    ADD_STORE = "add_store"
    ASK_PERSON = "ask_person"
    ENABLE_STORE = "enable_store"


#: The button that mends each case. Where the feature decides, `button_for` picks; this table holds the one for orders.
BUTTONS: Mapping[Case, Button] = MappingProxyType(
    {
        Case.GENERAL: Button.ASK_PERSON,
        Case.NO_STORE: Button.ADD_STORE,
        Case.NEVER_OPENED: Button.GRANT_ORDERS,
        Case.WAITING: Button.CHECK,
        Case.OPENED_SILENT: Button.NEW_LINK,
        Case.REFUSED: Button.NEW_LINK,
        Case.GRANTED: Button.CHECK,
        Case.JUST_GRANTED: Button.CHECK,
        Case.UNCHECKED: Button.CHECK,
        Case.NONE_GRANTED: Button.GRANT_ORDERS,
        Case.OTHER_FEATURE_ONLY: Button.GRANT_ORDERS,
        Case.EXPIRED: Button.RENEW,
        Case.REVOKED: Button.NEW_LINK,
        Case.START_IN_FUTURE: Button.EDIT_STORE,
        Case.PERMISSION_PROBLEM: Button.ASK_PERSON,
        Case.DISABLED: Button.ENABLE_STORE,
        Case.ALL_GOOD: Button.ASK_PERSON,
    }
)


def button_for(case: Case, feature: FeatureKey) -> Button:
    """The mending button, with the feature in question taken into account."""
    button = BUTTONS[case]
    if button is Button.GRANT_ORDERS and feature is FeatureKey.LISTING:
        return Button.GRANT_LISTING
    return button


@dataclass(frozen=True, slots=True)
class FeatureNames:
    """How one feature is called, here and at Amazon. Configuration, not copy."""

    #: The platform's own label, in 【】.
    platform_label: str
    #: As Seller Central's Manage Your Apps lists it.
    developer_name: str
    app_name: str = ""


@dataclass(frozen=True, slots=True)
class FeatureFacts:
    """One feature of one store."""

    standing: Standing = Standing.NONE
    #: Why the last attempt was refused, as a whole sentence in the reader's language; empty if it was not.
    reason_text: str = ""
    opened_at: str = ""
    granted_at: str = ""
    ends_on: str = ""
    #: Days until the grant ends; negative once it has ended; None if there is no grant.
    days_left: int | None = None
    #: None unless granted.
    minutes_since_grant: int | None = None

    @property
    def works(self) -> bool:
        return self.standing in {Standing.GRANTED, Standing.EXPIRING}


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """One store of the asker."""

    label: str
    marketplace: str
    #: The platform's own status label, as it stands, with its brackets.
    status_label: str
    orders: FeatureFacts = field(default_factory=FeatureFacts)
    listing: FeatureFacts = field(default_factory=FeatureFacts)
    #: Orders are pulled from that day on; formatted; empty if unknown.
    initial_order_date: str = ""

    def feature(self, key: FeatureKey) -> FeatureFacts:
        return self.orders if key is FeatureKey.ORDERS else self.listing


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a body may name. A name that is not here fails the check, not the chat (`StrictUndefined`)."""

    orders_names: FeatureNames
    listing_names: FeatureNames
    platform_name: str = "SaleYee"
    sister_name: str = "Feikan"
    #: what is done in one of the two systems shows in the other
    mirrored: bool = True
    stores: tuple[StoreFacts, ...] = ()
    #: The store in question; None if there is none, or if none could be told from the question.
    store: StoreFacts | None = None
    case: Case = Case.GENERAL
    #: The feature in question.
    feature: FeatureKey = FeatureKey.ORDERS

    @property
    def here(self) -> FeatureFacts:
        """The feature in question of the store in question."""
        return self.store.feature(self.feature) if self.store else FeatureFacts()

    @property
    def names(self) -> FeatureNames:
        """What the feature in question is called."""
        return self.orders_names if self.feature is FeatureKey.ORDERS else self.listing_names

    @property
    def other(self) -> FeatureNames:
        """What the feature that is *not* in question is called."""
        return self.listing_names if self.feature is FeatureKey.ORDERS else self.orders_names

    @property
    def button(self) -> Button:
        return button_for(self.case, self.feature)

    def context(self) -> dict[str, Any]:
        """The names a body sees: the fields above, and `here`, `names`, `other`."""
        named: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        named.update(here=self.here, names=self.names, other=self.other)
        return named


#: The names every body may use, for `faq check` and for writers.
CONTEXT_NAMES = frozenset({*(f.name for f in fields(Facts)), "here", "names", "other"})
