"""Looking after a ticket's store: asking Amazon now, finding what the ticket is about, preparing a link for the seller."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from bot.domain.desk_notices import TicketCard
from bot.domain.error_codes import ERROR_CODES
from bot.domain.features import FEATURES, FeatureKey
from bot.domain.tickets import SUGGESTION_LIMIT, Ticket
from bot.domain.verification import Verdict, Verified
from bot.errors import NoStoreThere, TicketClosed, UnknownStore
from bot.i18n import Speaker
from bot.ports import Person
from bot.services.answering import Answer, Answering
from bot.services.checking import Checking
from bot.services.desk_acts import Acts, existing
from bot.services.desk_cards import card_of, show
from bot.services.granting import Granting
from bot.services.naming import Names
from faq.facts import Button
from faq.matcher import Band

#: the article about codes, and the one of Amazon's refusals that has no code
CODES, PRIMARY_USER = "error-code", "PRIMARY_USER"


class Care:
    """What the desk does for a ticket's store."""

    def __init__(
        self, acts: Acts, *, answering: Answering, checking: Checking, granting: Granting, names: Names
    ) -> None:
        self._acts = acts
        self._names = names
        self._answering = answering
        self._checking = checking
        self._granting = granting

    async def ask_check(self, agent: Person, ticket_id: str) -> Ticket:
        """*Check now*: Amazon is asked in the background. Raises TicketClosed or NoStoreThere."""
        ticket, _ = await self._with_store(agent, ticket_id)
        async with self._acts.database.begin() as work:
            await work.outbox.ask(
                agent.team_id,
                "desk_diagnose",
                {"ticket_id": ticket.id, "by": agent.user_id},
                lane=f"ticket:{ticket.id}",
            )
            await work.audit.record(
                self._acts.event(agent.team_id, agent.user_id, "ticket.check_asked", ticket, behalf=ticket.user_id)
            )
        return ticket

    async def diagnose(self, team_id: str, ticket_id: str, *, by: str, say: Speaker) -> None:
        """Asks Amazon about the ticket's store, finds what the ticket is likely about, and brings the card up to date.

        `say` is the desk's voice. An agent (`by`) asked for it, or nobody.
        """
        async with self._acts.database.read() as work:
            ticket = await work.tickets.get(team_id, ticket_id)
        if ticket is None:
            return
        seller = await self._acts.seller_of(ticket)
        verdict = await self._asked(ticket, seller)
        topic = ticket.topic or await self._topic(ticket, seller)
        suggestion = await self._suggestion(replace(ticket, topic=topic), seller, say)
        now = self._acts.clock()
        async with self._acts.database.begin() as work:
            current = await work.tickets.get(team_id, ticket_id)
            if current is None:
                return
            known = replace(
                current,
                locale=seller.locale,
                topic=current.topic or topic,
                suggestion=_cut(suggestion),
                checked_at=now if verdict is not None else current.checked_at,
                checked=_word(verdict) if verdict is not None else current.checked,
            )
            written = await work.tickets.put(known)
            line = "" if verdict is None else "checked" if verdict else "checked_refused"
            await show(work, written, now=now, line=line, by=by, cause=_word(verdict))

    async def _asked(self, ticket: Ticket, seller: Person) -> Verdict | None:
        """What Amazon says of the ticket's feature; of both, the first that is refused when it names none."""
        if ticket.store_id is None:
            return None
        verdict: Verdict | None = None
        for feature in [ticket.feature] if ticket.feature else list(FEATURES):
            try:
                verdict = await self._checking.check(seller, feature, ticket.store_id)
            except UnknownStore:
                return None
            if not isinstance(verdict, Verified):
                return verdict
        return verdict

    async def _topic(self, ticket: Ticket, seller: Person) -> str:
        if not ticket.question:
            return ""
        understood = await self._answering.understand(seller, ticket.question)
        return "" if understood.band is Band.SILENT else understood.likeliest

    async def _with_store(self, agent: Person, ticket_id: str) -> tuple[Ticket, str]:
        ticket = await self._acts.ticket(agent, ticket_id)
        if not ticket.is_open:  # an older copy of its card still has the buttons
            raise TicketClosed(number=ticket.number)
        if ticket.store_id is None:
            raise NoStoreThere(number=ticket.number)
        return ticket, ticket.store_id

    async def card(self, agent: Person, ticket_id: str, *, say: Speaker) -> TicketCard:
        """The ticket as its card shows it now, for one agent: what it suggests is in their language (`say`), and of now.

        Raises NotAnAgent or UnknownTicket.
        """
        ticket = await self._acts.ticket(agent, ticket_id)
        seller = await self._acts.seller_of(ticket)
        suggestion = _cut(await self._suggestion(ticket, seller, say)) if ticket.suggestion else ""
        async with self._acts.database.read() as work:
            return await card_of(work, replace(ticket, suggestion=suggestion), self._acts.clock())

    async def _suggestion(self, ticket: Ticket, seller: Person, say: Speaker) -> str:
        if not ticket.topic:
            return ""
        return (await article_for(self._answering, self._names, ticket, seller, say, ticket.topic)).text

    async def prepare_link(self, agent: Person, ticket_id: str, feature: FeatureKey) -> Ticket:
        """Sends the seller a fresh link, on their behalf: only they get it, and the agent never sees it.

        Raises TicketClosed, NoStoreThere, StoreDisabled or UnknownStore.
        """
        ticket, store_id = await self._with_store(agent, ticket_id)
        seller = await self._acts.seller_of(ticket)
        await self._granting.prepare(seller, feature, store_id, requested_by=agent.user_id)
        async with self._acts.database.begin() as work:
            current = await existing(work, agent, ticket_id)
            await work.audit.record(
                self._acts.event(
                    agent.team_id,
                    agent.user_id,
                    "ticket.link_prepared",
                    current,
                    behalf=ticket.user_id,
                    more={"feature": feature.value},
                )
            )
            await show(work, current, now=self._acts.clock(), line="link", who=agent.user_id, feature=feature.value)
        return ticket


async def article_for(  # who says what about which ticket to whom
    answering: Answering, names: Names, ticket: Ticket, seller: Person, say: Speaker, slug: str
) -> Answer:
    """An article about the ticket's store and feature; about all of the seller's stores when that one has gone.

    Of a code that is known it says what that one means, instead of how codes are read.
    """
    if slug == CODES and ticket.error_code in ERROR_CODES:
        feature = ticket.feature or FeatureKey.ORDERS
        about = f"`{ticket.error_code}` " if ticket.error_code != PRIMARY_USER else ""
        words = about + names.code(say, ticket.error_code, feature=feature)
        return Answer(slug, words, Button.ASK_PERSON, ticket.store_id or "", feature)
    if ticket.store_id is not None:
        with suppress(UnknownStore):
            return await answering.now(
                seller, say, slug, ticket.question, store_id=ticket.store_id, feature=ticket.feature
            )
    return await answering.now(seller, say, slug, ticket.question)


def _word(verdict: Verdict | None) -> str:
    return "" if verdict is None or isinstance(verdict, Verified) else verdict.reason.value


def _cut(text: str) -> str:
    return text if len(text) <= SUGGESTION_LIMIT else text[: SUGGESTION_LIMIT - 1] + "…"
