"""What a ticket's card shows: its own facts, and its store as it stands at the moment of writing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from bot.domain.consent import ConsentAttempt, Outcome
from bot.domain.desk_notices import IncidentCard, SellerTicket, TicketCard
from bot.domain.grants import Grant
from bot.domain.incidents import LONGEST_WATCH, Incident
from bot.domain.notices import StoreRef
from bot.domain.status import status_of
from bot.domain.stores import Store
from bot.domain.tickets import Source, Ticket
from bot.domain.verification import Reason
from bot.ports import Work


async def store_of_ticket(work: Work, ticket: Ticket) -> Store | None:
    """The store it is about; None when there is none, or none any more."""
    if ticket.store_id is None or ticket.seller_id is None:
        return None
    seller = await work.sellers.get(ticket.team_id, ticket.seller_id)
    return None if seller is None else await work.stores.get(seller, ticket.store_id)


async def show(work: Work, ticket: Ticket, *, now: datetime, line: str = "", **facts: str) -> None:
    """Brings the desk's card up to date, and says in its thread what happened."""
    await work.outbox.tell_support(ticket.team_id, await card_of(work, ticket, now, line, facts))


async def card_of(
    work: Work, ticket: Ticket, now: datetime, line: str = "", facts: Mapping[str, str] = MappingProxyType({})
) -> TicketCard:
    """The ticket as the desk sees it now."""
    store = await store_of_ticket(work, ticket)
    incident = None if ticket.incident_id is None else await work.incidents.get(ticket.team_id, ticket.incident_id)
    status = attention = ""
    grants: tuple[tuple[str, str, str], ...] = ()
    link: ConsentAttempt | None = None
    if store is not None:
        found = await work.grants.of_store(store)
        stands = status_of(store, found, now=now)
        status, attention = stands.base.value, stands.attention.value if stands.attention else ""
        grants = tuple(_grant(grant, now) for grant in found.values())
        link = await work.attempts.newest(store, ticket.feature)
    return TicketCard(
        ticket_id=ticket.id,
        number=ticket.number,
        state=ticket.state.value,
        source=ticket.source.value,
        user_id=ticket.user_id,
        locale=ticket.locale,
        opened_at=ticket.opened_at.isoformat(),
        opened_by=ticket.opened_by or "",
        store=StoreRef.of(store) if store else None,
        store_gone=store is None and ticket.store_id is not None,
        feature=ticket.feature,
        status=status,
        attention=attention,
        grants=grants,
        link_made_at=_iso(link.created_at if link else None),
        link_pressed_at=_iso(link.pressed_at if link else None),
        link_ended=_ended(link, now),
        checked_at=_iso(ticket.checked_at),
        checked=ticket.checked,
        error_code=ticket.error_code,
        cause=ticket.cause,
        question=ticket.question,
        topic=ticket.topic,
        suggestion=ticket.suggestion,
        answers=ticket.answers,
        assignee=ticket.assignee or "",
        answer_due=_iso(ticket.answer_due_at),
        resolve_due=_iso(ticket.resolve_due_at),
        late=ticket.late,
        incident=incident.number if incident else 0,
        because=ticket.because.value if ticket.because else "",
        joined=ticket.joined,
        reopened=ticket.reopened,
        line=line,
        line_facts=dict(facts),
    )


def _grant(grant: Grant, now: datetime) -> tuple[str, str, str]:
    key = "expiring" if grant.is_expiring(now) else grant.standing(now).value
    return grant.feature.value, key, _iso(grant.ends_at)


def _ended(link: ConsentAttempt | None, now: datetime) -> str:
    """How the newest link ended: `granted`, `replaced`, a `Reason`, or empty while it is still good."""
    if link is None:
        return ""
    if link.outcome in (Outcome.GRANTED, Outcome.REPLACED):
        return link.outcome.value
    if link.reason is not None:
        return link.reason.value
    if link.awaits_answer(now):
        return Reason.WAITING.value
    return Reason.NO_ANSWER.value if link.is_silent(now) else ""


def _iso(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()


async def tell_seller(work: Work, ticket: Ticket, event: str, *, agent: str = "", only: str = "") -> None:
    """Tells everybody who asked where their question stands; `only`: just this one of them."""
    store = await store_of_ticket(work, ticket)
    incident = None if ticket.incident_id is None else await work.incidents.get(ticket.team_id, ticket.incident_id)
    for user_id in [only] if only else await work.tickets.people(ticket):
        await work.outbox.tell(
            ticket.team_id,
            user_id,
            SellerTicket(
                ticket_id=ticket.id,
                number=ticket.number,
                event=event,
                state=ticket.state.value,
                store=StoreRef.of(store) if store else None,
                agent=agent or ticket.assignee or "",
                question=ticket.question,
                opened_by=ticket.opened_by or "",
                found=ticket.source is Source.FAILURE and not ticket.joined,
                due=_iso(ticket.answer_due_at),
                because=ticket.because.value if ticket.because else "",
                incident=incident is not None and incident.closed_at is None,
            ),
        )


async def show_incident(work: Work, incident: Incident, *, line: str = "", **facts: str) -> None:
    """Brings an incident's card up to date."""
    await work.outbox.tell_support(
        incident.team_id,
        IncidentCard(
            incident_id=incident.id,
            number=incident.number,
            cause=incident.cause,
            feature=incident.feature,
            opened_at=incident.opened_at.isoformat(),
            last_seen_at=incident.last_seen_at.isoformat(),
            stores=await work.incidents.stores(
                incident.team_id, incident.cause, incident.feature, since=incident.opened_at - LONGEST_WATCH
            ),
            told=len(await work.incidents.told(incident)),
            tickets=tuple(ticket.number for ticket in await work.tickets.of_incident(incident)),
            closed_at=_iso(incident.closed_at),
            closed_by=incident.closed_by or "",
            line=line,
            line_facts=facts,
        ),
    )
