"""Reacts to the buttons of a ticket's card, and to the forms they open: answer, hand over, close. For agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.features import FeatureKey
from bot.domain.templates import ARTICLE, OWN_WORDS, TEMPLATES
from bot.domain.tickets import CHOSEN_BY_AGENTS, CloseReason, Ticket
from bot.errors import TicketClosed, WrongChoice
from bot.i18n import Speaker
from bot.ports import Person
from bot.ports.desk import Queue
from bot.services.desk_replies import WORDS_LIMIT, Answer, Preview
from handlers.blocks import (
    Block,
    context,
    field,
    fit,
    message,
    modal,
    mrkdwn,
    option,
    plain,
    section,
    select,
    text_input,
)
from handlers.desk_cards import Cards
from handlers.desk_wording import LANGUAGES
from handlers.home_view import publish
from handlers.routing import ActionCall, Registry, ViewCall, notes_of
from handlers.stories import Stories

_PREVIEW_LIMIT = 1400


def hang(registry: Registry, stories: Stories) -> None:
    """Puts the buttons and forms on the registry."""
    edge = _Acts(stories)
    registry.action("desk.claim", edge.claim)
    registry.action("desk.release", edge.release)
    registry.action("desk.release_all", edge.release_all)
    registry.action("desk.acknowledge", edge.acknowledge)
    registry.action("desk.check", edge.check)
    registry.action("desk.link", edge.link)
    registry.action("desk.show", edge.show)
    registry.action("desk.reply", edge.open_reply)
    registry.action("desk.ask", edge.open_ask)
    registry.action("desk.choice", edge.chosen)
    registry.action("desk.hand_over", edge.open_hand_over)
    registry.action("desk.close", edge.open_close)
    registry.action("desk.incident_over", edge.incident_over)
    registry.view("desk.reply", edge.replied)
    registry.view("desk.hand_over", edge.handed_over)
    registry.view("desk.close", edge.closed)
    registry.task("desk_diagnose", edge.run_diagnose)


class _Acts:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories
        self._desk = stories.desk

    # --- one press ---------------------------------------------------------------------------------------------------

    async def claim(self, call: ActionCall) -> None:
        ticket = await self._desk.work.claim(call.person, call.value)
        await self._confirm(call, "desk.done.claimed", ticket)

    async def release(self, call: ActionCall) -> None:
        ticket = await self._desk.work.release(call.person, call.value)
        await self._confirm(call, "desk.done.released", ticket)

    async def release_all(self, call: ActionCall) -> None:
        count = await self._desk.work.release_all(call.person)
        await call.ack()
        await call.whisper(message(section(call.say.count("desk.done.released_all", count))))

    async def acknowledge(self, call: ActionCall) -> None:
        ticket = await self._desk.work.acknowledge(call.person, call.value)
        await call.ack()
        await call.whisper(message(section(call.say("desk.done.acknowledged", number=ticket.number))))

    async def check(self, call: ActionCall) -> None:
        ticket = await self._desk.care.ask_check(call.person, call.value)
        await self._confirm(call, "desk.done.checking", ticket)

    async def link(self, call: ActionCall) -> None:
        """On behalf of the seller: the link goes to them, and to nobody else."""
        ticket = await self._desk.care.prepare_link(call.person, call.value, FeatureKey(call.argument))
        await self._confirm(call, "desk.done.link", ticket)

    async def show(self, call: ActionCall) -> None:
        card = await self._desk.care.card(call.person, call.value, say=mrkdwn(call.person))
        await call.ack()
        await call.whisper(Cards(self._stories).shown(card, call.person))

    async def incident_over(self, call: ActionCall) -> None:
        await self._desk.incidents.end(call.person, call.value)

    async def _confirm(self, call: ActionCall, key: str, ticket: Ticket) -> None:
        """The card in the channel shows it by itself, and so does App Home; anywhere else a word is needed."""
        await call.ack()
        if call.view is not None and call.view.get("type") == "home":
            await publish(call, self._stories, queue=Queue.MINE)
        elif call.channel_id != self._desk.channel or call.ephemeral:
            await call.whisper(message(section(call.say(key, number=ticket.number))))

    async def run_diagnose(self, team_id: str, arguments: Mapping[str, Any]) -> None:
        await self._desk.care.diagnose(
            team_id,
            arguments["ticket_id"],
            by=arguments.get("by", ""),
            say=mrkdwn(self._desk.voice(team_id)),
        )

    # --- answering ---------------------------------------------------------------------------------------------------

    async def open_reply(self, call: ActionCall) -> None:
        """With the likely article chosen already, where there is one."""
        ticket = await self._desk.acts.workable(call.person, call.value)
        known = ticket.topic in self._stories.answering.library.slugs
        choice = f"{ARTICLE}{ticket.topic}" if known else OWN_WORDS
        await call.open(await self._form(call.person, ticket, Answer(choice)))

    async def open_ask(self, call: ActionCall) -> None:
        ticket = await self._desk.acts.workable(call.person, call.value)
        first = next(key for key, row in TEMPLATES.items() if row.asks)
        await call.open(await self._form(call.person, ticket, Answer(first, wants_more=True)))

    async def chosen(self, call: ActionCall) -> None:
        """Another answer was chosen in the form: its preview follows."""
        view = call.view or {}
        notes = notes_of(view)
        ticket = await self._desk.acts.ticket(call.person, notes.get("ticket_id", ""))
        answer = Answer(call.value, wants_more=notes.get("ask") == "yes")
        await call.ack()
        await call.client.views_update(view_id=view.get("id"), view=await self._form(call.person, ticket, answer))

    async def replied(self, call: ViewCall) -> None:
        answer = Answer(
            call.inputs.get("desk.choice") or OWN_WORDS,
            call.inputs.get("words", ""),
            wants_more=call.notes.get("ask") == "yes",
        )
        await self._desk.replies.reply(call.person, call.notes.get("ticket_id", ""), answer, speak=mrkdwn)
        await call.ack()

    async def _form(self, person: Person, ticket: Ticket, answer: Answer) -> Block:
        say = Speaker(person.locale, tz=person.tz)
        shown = await self._desk.replies.preview(person, ticket.id, answer, speak=mrkdwn)
        notes = {"ticket_id": ticket.id, "ask": "yes" if answer.wants_more else ""}
        return modal(
            "desk.reply",
            title=say("desk.reply_form.ask_title" if answer.wants_more else "desk.reply_form.title"),
            submit=say("desk.reply_form.send"),
            close=say("button.cancel"),
            notes=notes,
            blocks=[
                context(
                    say(
                        "desk.reply_form.to",
                        number=ticket.number,
                        seller=ticket.user_id,
                        language=LANGUAGES[shown.locale],
                    )
                ),
                field(say("desk.reply_form.choice"), self._choices(say, ticket, answer), dispatch=True),
                *_preview(say, shown, person),
                field(
                    say("desk.reply_form.words"),
                    text_input("words", multiline=True, limit=WORDS_LIMIT),
                    hint=say("desk.reply_form.words_hint", language=LANGUAGES[shown.locale]),
                    optional=True,
                ),
            ],
        )

    def _choices(self, say: Speaker, ticket: Ticket, answer: Answer) -> Block:
        library = self._stories.answering.library
        asks = [option(say(f"desk.template.{key}"), key) for key, row in TEMPLATES.items() if row.asks]
        own = option(say("desk.template.own"), OWN_WORDS)
        groups: list[tuple[str, Sequence[Block]]] = []
        if answer.wants_more:
            groups.append((say("desk.reply_form.group_ask"), [*asks, own]))
        else:
            told = [option(say(f"desk.template.{key}"), key) for key, row in TEMPLATES.items() if not row.asks]
            first = [ticket.topic] if ticket.topic in library.slugs else []
            slugs = [*first, *(slug for slug in library.slugs if slug not in first)]
            articles = [option(library.article(slug, say.locale).short, f"{ARTICLE}{slug}") for slug in slugs]
            groups.append((say("desk.reply_form.group_articles"), articles))
            groups.append((say("desk.reply_form.group_templates"), [*told, own]))
            groups.append((say("desk.reply_form.group_ask"), asks))
        chosen = next(
            (one for _, options in groups for one in options if one["value"] == answer.choice), groups[0][1][0]
        )
        return {
            "type": "static_select",
            "action_id": "desk.choice",
            "option_groups": [{"label": plain(fit(name, 75)), "options": list(options)} for name, options in groups],
            "initial_option": chosen,
        }

    # --- whose it is, and its end ------------------------------------------------------------------------------------

    async def open_hand_over(self, call: ActionCall) -> None:
        ticket = await self._desk.acts.ticket(call.person, call.value)
        if not ticket.is_open:
            raise TicketClosed(number=ticket.number)
        say = call.say
        await call.open(
            modal(
                "desk.hand_over",
                title=say("desk.button.hand_over"),
                submit=say("desk.button.hand_over"),
                close=say("button.cancel"),
                notes={"ticket_id": ticket.id},
                blocks=[
                    field(
                        say("desk.hand_over_form.to", number=ticket.number),
                        {"type": "users_select", "action_id": "agent"},
                        hint=say("desk.hand_over_form.hint"),
                    )
                ],
            )
        )

    async def handed_over(self, call: ViewCall) -> None:
        await self._desk.work.hand_over(call.person, call.notes.get("ticket_id", ""), call.inputs.get("agent", ""))
        await call.ack()

    async def open_close(self, call: ActionCall) -> None:
        ticket = await self._desk.acts.workable(call.person, call.value)
        say = call.say
        reasons = [option(say(f"desk.because.{reason.value}"), reason.value) for reason in CHOSEN_BY_AGENTS]
        await call.open(
            modal(
                "desk.close",
                title=say("desk.button.close"),
                submit=say("desk.button.close"),
                close=say("button.cancel"),
                notes={"ticket_id": ticket.id},
                blocks=[
                    field(
                        say("desk.close_form.because", number=ticket.number),
                        select("because", reasons, initial=CloseReason.ANSWERED.value),
                        hint=say("desk.close_form.hint"),
                    )
                ],
            )
        )

    async def closed(self, call: ViewCall) -> None:
        try:
            because = CloseReason(call.inputs.get("because", ""))
        except ValueError:
            raise WrongChoice from None
        await self._desk.work.close(call.person, call.notes.get("ticket_id", ""), because)
        await call.ack()


def _preview(say: Speaker, shown: Preview, agent: Person) -> list[Block]:
    """As the seller will read it, then as the agent does, where the languages differ."""
    nothing = f"_{say('desk.reply_form.nothing')}_"
    blocks = [
        section(
            f"*{say('desk.reply_form.seller_reads', language=LANGUAGES[shown.locale])}*\n"
            f"{fit(shown.seller, _PREVIEW_LIMIT) or nothing}"
        )
    ]
    if shown.locale != agent.locale and shown.agent:
        blocks.append(section(f"*{say('desk.reply_form.you_read')}*\n{fit(shown.agent, _PREVIEW_LIMIT)}"))
    return blocks
