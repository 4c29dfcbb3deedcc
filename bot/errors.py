"""The errors Grantdesk raises, as a tree by who must act.

    GrantdeskError
    ├── PersonMustAct            the person who asked can mend it; told to them, nothing was stored
    │   ├── UnknownMarketplace ( NoSuchMarketplace ) · MalformedDate · DateTooOld · DateTooFar
    │   ├── EmptyLabel · LabelTooLong · DuplicateLabel · MalformedEmail · MalformedWebsite · MalformedMapping
    │   ├── UnknownStore ( MisspelledStore · StoreGone ) · WhichStore · MarketplaceIsFixed · SeveralProblems
    │   ├── NoStores · StoreDisabled · UnknownFeature · UnknownWord · TooManyWords · UnclosedQuote
    │   ├── IndividualPlan · NotAPerson · AlreadyAMember · NotAnAgent · UnknownPerson
    │   ├── NotAChannel · UnknownTopic · PhraseUnusable · PhraseCollides
    │   ├── LinkSpent · LinkExpired · LinkUnknown · NothingToConfirm
    │   ├── AlreadyClaimed · TicketClosed · UnknownTicket · NotAtTheDesk · NotAnAdmin · IncidentOver
    │   └── NoStoreThere · NoStoresThere · EmptyQuestion · NothingToSend · WrongChoice
    ├── WeMustAct                the operator must mend it; the person gets an id to quote
    │   └── ConfigurationError · ImpossibleMove · CannotDecrypt
    └── TryAgainLater            nobody must act; the same request may work in a moment
        └── ConcurrentChange · FormTimedOut · SlackUnavailable

A class's docstring is its message in English, with `{facts}` in braces; its name is its key in the catalogs
(`error.<Name>`). `field` names the input a form should show it under.
"""

from __future__ import annotations

from typing import ClassVar


class GrantdeskError(Exception):
    """Something went wrong."""

    #: the input of a form that the sentence belongs to, if any
    field: ClassVar[str | None] = None

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(str(self))

    @property
    def key(self) -> str:
        """The message's key in the catalogs."""
        return f"error.{type(self).__name__}"

    def __str__(self) -> str:
        """The English sentence; for logs and tests, never shown without translation."""
        return (type(self).__doc__ or "").format(**self.facts)


class PersonMustAct(GrantdeskError):
    """Please correct what you entered and try again."""


class UnknownMarketplace(PersonMustAct):
    """I don't know the marketplace "{given}". Did you mean {suggestion}?"""

    field = "marketplace"


class NoSuchMarketplace(UnknownMarketplace):
    """I don't know the marketplace "{given}". Write one of these: {known}."""


class MalformedDate(PersonMustAct):
    """ "{given}" is not a date I can read. Write it as year-month-day, for example {example}."""

    field = "initial_order_date"


class DateTooOld(PersonMustAct):
    """Amazon keeps no orders older than two years. Choose {earliest} or a later day."""

    field = "initial_order_date"


class DateTooFar(PersonMustAct):
    """The initial order date lies too far ahead. Choose {latest} or an earlier day."""

    field = "initial_order_date"


class EmptyLabel(PersonMustAct):
    """Give the store a name, for example "Acme US"."""

    field = "label"


class LabelTooLong(PersonMustAct):
    """The name has {length} characters; use at most {limit}."""

    field = "label"


class DuplicateLabel(PersonMustAct):
    """You already have a store named "{label}". Choose another name."""

    field = "label"


class MalformedEmail(PersonMustAct):
    """ "{given}" is not an e-mail address. Write it like name@example.com, or leave it empty."""

    field = "contact_email"


class MalformedWebsite(PersonMustAct):
    """ "{given}" is not a web address. Write it like https://shop.example.com, or leave it empty."""

    field = "website"


class MalformedMapping(PersonMustAct):
    """I can't read "{given}". Write one pair per line, such as EAN=barcode; Amazon's types are {types}."""

    field = "attribute_mapping"


class UnknownStore(PersonMustAct):
    """You have no store named "{given}". /store list shows yours."""

    field = "store"


class MisspelledStore(UnknownStore):
    """You have no store named "{given}". Did you mean "{suggestion}"?"""


class StoreGone(UnknownStore):
    """That store is not among yours any more. /store list shows those you have."""


class WhichStore(PersonMustAct):
    """You have several stores. Name one of them: {labels}."""


class MarketplaceIsFixed(PersonMustAct):
    """The store "{label}" is connected to Amazon, so its marketplace can't change. Add another store instead."""

    field = "marketplace"


class SeveralProblems(PersonMustAct):
    """Several entries need another look."""

    def __init__(self, *problems: PersonMustAct) -> None:
        self.problems = problems
        super().__init__()


class NoStores(PersonMustAct):
    """You have no store yet. Add one with /store add."""


class StoreDisabled(PersonMustAct):
    """The store "{label}" is disabled. Enable it first with /store enable."""


class UnknownFeature(PersonMustAct):
    """I don't know the feature "{given}". Write /grant orders or /grant listing."""

    field = "feature"


class UnknownWord(PersonMustAct):
    """I don't know "{given}". Did you mean {suggestion}?"""


class TooManyWords(PersonMustAct):
    """I did not understand "{given}". Put names that contain spaces in quotes, for example {example}."""


class UnclosedQuote(PersonMustAct):
    """A quotation mark is missing. Put names that contain spaces in quotes, for example {example}."""


class IndividualPlan(PersonMustAct):
    """Amazon lets only Professional sellers authorize an application. Upgrade in Seller Central first, then add the store."""

    field = "plan"


class NotAPerson(PersonMustAct):
    """Name a colleague with @, for example /store share @mei."""


class UnknownPerson(PersonMustAct):
    """I could not find that person in this workspace. Choose them from the list that Slack shows."""


class AlreadyAMember(PersonMustAct):
    """{name} already has stores of their own here, so I can't add them to yours."""


class NotAnAgent(PersonMustAct):
    """Only support agents can do that. /desk new brings a question to them."""


class NotAChannel(PersonMustAct):
    """Type this in the channel that it is about."""


class UnknownTopic(PersonMustAct):
    """That topic is not there any more. Choose another one."""


class PhraseUnusable(PersonMustAct):
    """A phrase is one question in somebody's words, at most {limit} characters, without names and numbers."""

    field = "phrase"


class PhraseCollides(PersonMustAct):
    """Another topic has that phrase already: "{other}". A phrase can mean one thing only."""

    field = "phrase"


class LinkUnknown(PersonMustAct):
    """This link is not one of ours, or it has been cut short. Ask for a new one in Slack with /grant."""


class LinkExpired(PersonMustAct):
    """This link is too old. Ask for a new one in Slack with /grant."""


class LinkSpent(PersonMustAct):
    """This link has been used or replaced. Ask for a new one in Slack with /grant."""


class NothingToConfirm(PersonMustAct):
    """There is no authorization to confirm any more. Use the link to Amazon instead."""


class AlreadyClaimed(PersonMustAct):
    """<@{agent}> was quicker: ticket #{number} is theirs. Hand it over if it should be yours."""


class TicketClosed(PersonMustAct):
    """Ticket #{number} is closed. It opens again when the seller writes."""


class UnknownTicket(PersonMustAct):
    """I don't know ticket "{given}". /desk all shows the open ones."""


class WhichTicket(PersonMustAct):
    """Add the ticket's number, as in /desk {word} 12. /desk all shows the open ones."""


class NotAtTheDesk(PersonMustAct):
    """That person does not work at the support desk. A workspace admin can change that in App Home."""

    field = "agent"


class NotAnAdmin(PersonMustAct):
    """Only an admin can do that."""


class NoStoreThere(PersonMustAct):
    """Ticket #{number} is about no store, so there is nothing to check and no link to prepare."""


class NoStoresThere(PersonMustAct):
    """That person has no store yet."""


class EmptyQuestion(PersonMustAct):
    """Say in a few words what is wrong."""

    field = "question"


class NothingToSend(PersonMustAct):
    """Choose an answer, or write one."""

    field = "words"


class WrongChoice(PersonMustAct):
    """That is not on offer any more. Look again, then choose."""


class IncidentOver(PersonMustAct):
    """Incident #{number} is over already."""


class WeMustAct(GrantdeskError):
    """Something went wrong on our side. Tell support the number {incident}."""


class ConfigurationError(WeMustAct):
    """The configuration is not usable: {problems}"""


class ImpossibleMove(WeMustAct):
    """A grant that is {state} cannot {move}."""


class CannotDecrypt(WeMustAct):
    """A stored secret cannot be read: its key {key_id} is not among ENCRYPTION_KEYS, or the row was altered."""


class TryAgainLater(GrantdeskError):
    """That did not work just now. Nothing was changed; please try again in a moment."""


class ConcurrentChange(TryAgainLater):
    """Somebody changed this at the same moment. Look again, then repeat it if it is still needed."""


class FormTimedOut(TryAgainLater):
    """Slack waits three seconds for a form, and they were over. Nothing was lost: please press or type it again."""


class SlackUnavailable(TryAgainLater):
    """Slack did not answer. Nothing was lost; please try again in a moment."""
