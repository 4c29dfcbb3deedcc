"""What the desk and its sellers are told of tickets and incidents. Agents see state; nothing here can hold a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.features import FeatureKey
from bot.domain.notices import Notice, StoreRef


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCard(Notice):
    """For the support channel: a ticket as it stands, and the line about what just happened for its thread.

    Moments are ISO 8601, empty where there is none; states, reasons and topics are the words the catalogs know them by.
    """

    kind = "ticket_card"

    ticket_id: str
    number: int
    state: str
    source: str
    user_id: str
    locale: str
    opened_at: str
    opened_by: str = ""
    store: StoreRef | None = None
    #: it was about a store that has been deleted since
    store_gone: bool = False
    feature: FeatureKey | None = None
    #: the platform's status, and what it does not show
    status: str = ""
    attention: str = ""
    #: (feature, state or `expiring`, the day it ends)
    grants: tuple[tuple[str, str, str], ...] = ()
    #: the newest link: when it was made, when its button was pressed, and how it ended
    link_made_at: str = ""
    link_pressed_at: str = ""
    link_ended: str = ""
    checked_at: str = ""
    #: a `Reason`, or empty for a grant that Amazon confirmed
    checked: str = ""
    error_code: str = ""
    cause: str = ""
    question: str = ""
    topic: str = ""
    suggestion: str = ""
    answers: tuple[str, ...] = ()
    assignee: str = ""
    answer_due: str = ""
    resolve_due: str = ""
    late: bool = False
    incident: int = 0
    because: str = ""
    joined: int = 0
    reopened: int = 0
    #: a key below `desk.line`, and its facts
    line: str = ""
    line_facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketAlert(Notice):
    """A target is near, or was missed: to its agent, or to the channel while it has none."""

    kind = "ticket_alert"

    ticket_id: str
    number: int
    due: str
    missed: bool
    #: the first answer is due; else the resolution
    answer: bool
    assignee: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftEnds(Notice):
    """To an agent with open tickets, shortly before the desk closes."""

    kind = "shift_ends"

    closes: str
    #: (ticket id, number, state, seller)
    tickets: tuple[tuple[str, int, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(Notice):
    """To the channel, shortly before the desk closes: what the next ones find."""

    kind = "hand_over"

    closes: str
    opens: str
    unclaimed: tuple[int, ...]
    #: (agent, number, state)
    held: tuple[tuple[str, int, str], ...]
    incidents: tuple[int, ...] = ()
    #: those of the unclaimed whose seller was asked for something
    waiting: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerTicket(Notice):
    """To the seller: where their question stands. `event` is a key below `ticket`, or `changed`, which says nothing more."""

    kind = "seller_ticket"

    ticket_id: str
    number: int
    event: str
    state: str
    store: StoreRef | None = None
    agent: str = ""
    #: their own words, and the agent who brought them to the desk
    question: str = ""
    opened_by: str = ""
    #: nobody asked: it was seen to fail by our own fault
    found: bool = False
    #: when the first answer is to be expected
    due: str = ""
    because: str = ""
    incident: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskReply(Notice):
    """To the seller: what the desk answers, already in their words."""

    kind = "desk_reply"

    ticket_id: str
    number: int
    agent: str
    text: str
    asks: bool = False
    #: the button that an article ends in (a name of `faq.facts.Button`), and the store and feature it acts on
    button: str = ""
    store_id: str = ""
    feature: FeatureKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentCard(Notice):
    """For the support channel: one failure that many stores meet."""

    kind = "incident_card"

    incident_id: str
    number: int
    cause: str
    feature: FeatureKey | None = None
    opened_at: str
    last_seen_at: str
    stores: int
    told: int
    tickets: tuple[int, ...] = ()
    closed_at: str = ""
    closed_by: str = ""
    line: str = ""
    line_facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentTold(Notice):
    """To a seller, once: it is not their fault. `over`: once more, when it has passed."""

    kind = "incident_told"

    incident_id: str
    cause: str
    feature: FeatureKey | None = None
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekInNumbers(Notice):
    """For the support channel: the desk's week. Durations in minutes of working time; None where nothing was measured."""

    kind = "week_in_numbers"

    since: str
    until: str
    opened: int
    closed: int
    reopened: int
    on_time: int
    #: how many of the week's answers and resolutions `on_time` is out of
    measured: int
    first_answer: int | None
    resolution: int | None
    #: (topic or language, how many)
    topics: tuple[tuple[str, int], ...]
    locales: tuple[tuple[str, int], ...]
    #: (day, opened, closed)
    days: tuple[tuple[str, int, int], ...]
    #: articles shown, and how many of them nobody asked a person after
    answers: int
    without_person: int
