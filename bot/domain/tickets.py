"""Tickets: a question a person must answer, and the only moves that change where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from bot.domain.features import FeatureKey
from bot.errors import ImpossibleMove

#: characters of a seller's own words that a ticket keeps
QUESTION_LIMIT = 3000
#: characters of the suggested reply that its card shows
SUGGESTION_LIMIT = 900
#: asking again about the same store within this time opens the old ticket instead of a new one
REOPEN_WITHIN = timedelta(days=7)


class TicketState(StrEnum):
    """Where a ticket stands."""

    #: nobody has it
    OPEN = "open"
    #: an agent works on it
    CLAIMED = "claimed"
    #: the seller was asked for something: its clock stands still, whoever has it, and also while nobody has
    WAITING = "waiting"
    CLOSED = "closed"


class TicketMove(StrEnum):
    """What can happen to a ticket."""

    #: an agent takes it
    CLAIM = "claim"
    #: it goes to another agent
    HAND_OVER = "hand_over"
    #: its agent puts it back
    RELEASE = "release"
    #: the seller gets an answer
    REPLY = "reply"
    #: the seller is asked for more
    ASK = "ask"
    #: the seller writes: a closed ticket opens again
    WRITE = "write"
    CLOSE = "close"


class Source(StrEnum):
    """The way it came to the desk. Values are keys of the catalogs (`desk.source.<value>`)."""

    #: *ask a person* under an answer
    ANSWER = "answer"
    #: *I saw an error*, when it is ours
    ERROR = "error"
    #: a consent or a check failed by our own fault
    FAILURE = "failure"
    #: the message shortcut
    SHORTCUT = "shortcut"
    #: `/desk new`
    COMMAND = "command"
    #: a message in a channel that the desk reads
    CHANNEL = "channel"


class CloseReason(StrEnum):
    """Why a ticket ended. Values are keys of the catalogs (`desk.because.<value>`)."""

    ANSWERED = "answered"
    #: we mended something of ours
    MENDED = "mended"
    #: it was the seller's to do, and was explained
    SELLERS_TURN = "sellers_turn"
    DUPLICATE = "duplicate"
    #: nothing came back from the seller
    SILENT = "silent"
    #: the seller said that it is solved
    SOLVED = "solved"
    #: it was part of an incident that is over
    INCIDENT = "incident"
    #: its source was deleted before anybody took it
    WITHDRAWN = "withdrawn"


#: what an agent may choose
CHOSEN_BY_AGENTS = (
    CloseReason.ANSWERED,
    CloseReason.MENDED,
    CloseReason.SELLERS_TURN,
    CloseReason.DUPLICATE,
    CloseReason.SILENT,
)


class Alert(StrEnum):
    """How far the deadline has been spoken of."""

    QUIET = "quiet"
    WARNED = "warned"
    #: the deadline passed, and its reminder waits to be acknowledged
    BREACHED = "breached"
    ACKNOWLEDGED = "acknowledged"


_S, _M = TicketState, TicketMove

#: (where it stands, what happens) → where it stands then; whatever is not here is impossible. What nobody has is never CLAIMED
#: by what the seller writes, but OPEN
MOVES: Mapping[tuple[TicketState, TicketMove], TicketState] = MappingProxyType(
    {
        (_S.OPEN, _M.CLAIM): _S.CLAIMED,
        (_S.OPEN, _M.HAND_OVER): _S.CLAIMED,
        (_S.OPEN, _M.WRITE): _S.OPEN,
        (_S.OPEN, _M.CLOSE): _S.CLOSED,
        (_S.CLAIMED, _M.HAND_OVER): _S.CLAIMED,
        (_S.CLAIMED, _M.RELEASE): _S.OPEN,
        (_S.CLAIMED, _M.REPLY): _S.CLAIMED,
        (_S.CLAIMED, _M.ASK): _S.WAITING,
        (_S.CLAIMED, _M.WRITE): _S.CLAIMED,
        (_S.CLAIMED, _M.CLOSE): _S.CLOSED,
        (_S.WAITING, _M.CLAIM): _S.WAITING,
        (_S.WAITING, _M.HAND_OVER): _S.WAITING,
        (_S.WAITING, _M.RELEASE): _S.WAITING,
        (_S.WAITING, _M.REPLY): _S.WAITING,
        (_S.WAITING, _M.ASK): _S.WAITING,
        (_S.WAITING, _M.WRITE): _S.CLAIMED,
        (_S.WAITING, _M.CLOSE): _S.CLOSED,
        (_S.CLOSED, _M.WRITE): _S.OPEN,
    }
)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One question at the desk. `version` counts its writes: of two with the same one, the database lets one through."""

    id: str
    team_id: str
    #: the seller, and the language they are answered in
    user_id: str
    locale: str
    source: Source
    opened_at: datetime
    #: what people call it by; the database gives it
    number: int = 0
    #: the agent who opened it for the seller, if it was not the seller
    opened_by: str | None = None
    seller_id: str | None = None
    store_id: str | None = None
    feature: FeatureKey | None = None
    #: the seller's own words, cut; emptied when their source is deleted
    question: str = ""
    #: the likely article, and what it would say about this seller's stores, in the desk's language
    topic: str = ""
    suggestion: str = ""
    #: Amazon's code, or one of `Reason`, that brought it here
    error_code: str = ""
    cause: str = ""
    #: articles the seller had read before
    answers: tuple[str, ...] = ()
    state: TicketState = TicketState.OPEN
    assignee: str | None = None
    claimed_at: datetime | None = None
    #: the first answer ever
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    because: CloseReason | None = None
    reopened: int = 0
    #: how often somebody else's or another question joined it
    joined: int = 0
    #: targets still to be met; None once met
    answer_due_at: datetime | None = None
    resolve_due_at: datetime | None = None
    #: since when the clock stands still
    waiting_since: datetime | None = None
    alert: Alert = Alert.QUIET
    #: when the deadline must be looked at next
    alert_at: datetime | None = None
    #: True once any target was missed
    late: bool = False
    #: what Amazon said when it was last asked for the desk; `checked` is a `Reason`, or empty for a verified grant
    checked_at: datetime | None = None
    checked: str = ""
    incident_id: str | None = None
    version: int = 0

    @property
    def is_open(self) -> bool:
        return self.state is not TicketState.CLOSED

    @property
    def due_at(self) -> datetime | None:
        """The nearest target."""
        dues = [due for due in (self.answer_due_at, self.resolve_due_at) if due is not None]
        return min(dues, default=None)

    def after(
        self, move: TicketMove, *, at: datetime, to: str | None = None, because: CloseReason | None = None
    ) -> Ticket:
        """The ticket once `move` has happened at `at`. Raises ImpossibleMove.

        CLAIM and HAND_OVER need the agent who has it then, CLOSE a reason. Targets are `Targets.after`'s business.
        """
        target = MOVES.get((self.state, move))
        if target is None:
            raise ImpossibleMove(state=self.state.value, move=move.value)
        if target is TicketState.CLAIMED and move is TicketMove.WRITE and self.assignee is None:
            target = TicketState.OPEN
        moved = replace(self, state=target)
        match move:
            case TicketMove.CLAIM | TicketMove.HAND_OVER:
                if to is None:
                    raise ImpossibleMove(state=self.state.value, move=f"{move.value} to nobody")
                return replace(moved, assignee=to, claimed_at=at)
            case TicketMove.RELEASE:
                return replace(moved, assignee=None, claimed_at=None)
            case TicketMove.REPLY | TicketMove.ASK:
                return replace(moved, answered_at=self.answered_at or at)
            case TicketMove.CLOSE:
                if because is None:
                    raise ImpossibleMove(state=self.state.value, move="close without a reason")
                return replace(moved, closed_at=at, because=because)
            case TicketMove.WRITE if self.state is TicketState.CLOSED:
                return replace(
                    moved,
                    assignee=None,
                    claimed_at=None,
                    closed_at=None,
                    because=None,
                    reopened=self.reopened + 1,
                    incident_id=None,
                )
            case _:
                return moved


#: characters that are read at all: the patterns take time by the square
_READ = 3 * QUESTION_LIMIT
_SECRETS = (
    # an address keeps its path, unless the path is the secret; its query may hold a code or a state
    (re.compile(r"(https?://[^\s?#<>|]+/connect/)[^\s<>|]+"), r"\1…"),
    (re.compile(r"(https?://[^\s?#<>|]+)[?#][^\s<>|]*"), r"\1?…"),
    (re.compile(r"\b(?:Atz[ra]|Atc)\|[\w\-./+=|]+"), "…"),
    (re.compile(r"\bxox[a-z]-[\w-]+"), "…"),
    (re.compile(r"\bamzn1\.oa2-cs\.[\w.]+"), "…"),
    (
        re.compile(r"\b(spapi_oauth_code|refresh_token|access_token|client_secret|state)=[^\s&]+", re.IGNORECASE),
        r"\1=…",
    ),
    # a card's number (an Amazon order's is grouped otherwise), or a code that somebody pasted with its word
    (re.compile(r"\b\d{4}(?:[ -]?\d{4}){2,3}(?:[ -]?\d{1,3})?\b"), "…"),
    (re.compile(r"(?i)\b(password|passcode|otp)(\s*[:=]?\s*)\S+"), r"\1\2…"),
    (re.compile(r"(密码|密碼|验证码|驗證碼)(\s*(?:是|为|為|[:：=])\s*)\S+"), r"\1\2…"),
)


def safe_words(text: str) -> str:
    """What a person wrote, as much of it as agents may read: cut, and without anything that opens something."""
    safe = text.strip()[:_READ]
    for pattern, instead in _SECRETS:
        safe = pattern.sub(instead, safe)
    return safe if len(safe) <= QUESTION_LIMIT else safe[: QUESTION_LIMIT - 1] + "…"


def ticket_subject(ticket_id: str) -> str:
    """The subject of a ticket's cards: the desk's one, and the seller's."""
    return f"ticket:{ticket_id}"


def ticket_of(subject: str) -> str | None:
    """The ticket a card is about; None for cards about something else."""
    kind, _, ticket_id = subject.partition(":")
    return ticket_id if kind == "ticket" and ticket_id else None
