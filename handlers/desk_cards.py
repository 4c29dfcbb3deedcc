"""The desk's cards: a ticket as agents see it, edited in place, and what its seller sees of it."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from bot.domain.desk_notices import DeskReply, SellerTicket, TicketAlert, TicketCard
from bot.domain.features import FEATURES, FeatureKey
from bot.domain.grants import GrantState
from bot.domain.notices import Notice
from bot.domain.status import PLATFORM_LABELS, StatusKind
from bot.domain.tickets import TicketState, ticket_subject
from bot.i18n import Speaker
from bot.ports import Message, Person, Placement, Sending
from bot.services.answering import Answer
from bot.services.naming import feature_name
from faq.facts import Button
from handlers.answer_cards import mend_button
from handlers.blocks import (
    POSTED_LIMIT,
    Block,
    actions,
    button,
    confirmation,
    context,
    escape,
    fit,
    message,
    messages,
    mrkdwn,
    section,
    weight,
)
from handlers.desk_wording import (
    LANGUAGES,
    ago,
    cause_words,
    grant_words,
    in_brackets,
    line_words,
    moment,
    quoted,
    spread,
)
from handlers.routing import Registry
from handlers.stories import Stories
from handlers.wording import store_name

_Kind = TypeVar("_Kind", bound=Notice)
_SHOWN_SUGGESTION = 600
#: characters of their own question on the seller's card
_SHOWN_QUESTION = 300


def hang(registry: Registry, stories: Stories) -> None:
    """Puts the renderers on the registry."""
    cards = Cards(stories)
    registry.notice(TicketCard, cards.ticket)
    registry.notice(TicketAlert, cards.alert)
    registry.notice(SellerTicket, cards.seller)
    registry.notice(DeskReply, cards.reply)


def of_kind(kind: type[_Kind], notice: Notice) -> _Kind:
    """The notice as what its renderer was registered for. Raises TypeError."""
    if not isinstance(notice, kind):
        raise TypeError(type(notice).__name__)
    return notice


class Cards:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories

    # --- for the desk ------------------------------------------------------------------------------------------------

    def ticket(self, notice: Notice, person: Person) -> list[Sending]:
        card = of_kind(TicketCard, notice)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        subject = ticket_subject(card.ticket_id)
        blocks = self._card(say, bare, card, posted=True)
        sendings = [Sending(message(*blocks), Placement.EDIT_CARD, subject=subject)]
        if card.line:
            words = line_words(say, self._stories.names, card.line, card.line_facts)
            sendings += [Sending(part, Placement.THREAD, subject=subject) for part in messages(*spread(words))]
        return sendings

    def shown(self, card: TicketCard, person: Person) -> Message:
        """The card for one agent alone, in their language."""
        return message(*self._card(mrkdwn(person), Speaker(person.locale, tz=person.tz), card))

    def _card(self, say: Speaker, bare: Speaker, card: TicketCard, *, posted: bool = False) -> list[Block | None]:
        """A posted card must be short enough for Slack; what is shown to one agent has all of the question."""
        state = say(f"desk.state.{card.state}")
        who = f"<@{card.user_id}>"
        language = LANGUAGES.get(card.locale, "")
        head = f"*#{card.number} · {state}* · {who}" + (f" · {language}" if language else "")
        if card.assignee:
            head += f" · {say('desk.card.agent')} <@{card.assignee}>"
        if card.state == TicketState.CLOSED:
            lines = [head, say(f"desk.because.{card.because}")] if card.because else [head]
            if card.store:
                lines.append(store_name(say, card.store))
            if card.question:
                lines.append(quoted(escape(fit(card.question, 300))))
            return [section("\n".join(lines)), context(say("desk.card.reopens"))]
        before = [section(head), self._facts(say, card), self._trouble(say, card)]
        after = [self._suggestion(say, card), self._notes(say, card), actions(*card_buttons(bare, card))]
        question = spread(quoted(escape(card.question))) if card.question else []
        room = POSTED_LIMIT - weight(*(block for block in (*before, *after) if block is not None))
        if posted and weight(*question) > room:
            cut = context(say("desk.card.cut", number=card.number))
            while question and weight(*question, cut) > room:
                question.pop()
            question.append(cut)
        return [*before, *question, *after]

    def _facts(self, say: Speaker, card: TicketCard) -> Block:
        now = self._stories.clock()
        rows = [(say("desk.card.came"), self._came(say, card))]
        if card.store:
            rows.append((say("desk.card.store"), store_name(say, card.store)))
            rows.append((say("desk.card.feature"), self._feature(say, card)))
            rows.append((say("desk.card.status"), self._status(say, card)))
            rows.append((say("desk.card.grants"), "\n".join(grant_words(say, *grant, now) for grant in card.grants)))
            rows.append((say("desk.card.check"), self._check(say, card)))
            rows.append((say("desk.card.link"), self._link(say, card)))
        else:
            rows.append(
                (say("desk.card.store"), say("desk.card.store_gone" if card.store_gone else "desk.card.no_store"))
            )
        if card.state == TicketState.WAITING:
            rows.append((say("desk.card.due"), say("desk.card.waits")))
        elif due := card.answer_due or card.resolve_due:
            key = "desk.card.answer_due" if card.answer_due else "desk.card.resolve_due"
            late = " :rotating_light:" if datetime.fromisoformat(due) <= now else ""
            rows.append((say(key), f"{moment(say, due)}{late}"))
        fields = [{"type": "mrkdwn", "text": fit(f"*{name}*\n{value}", 2000)} for name, value in rows]
        return {"type": "section", "fields": fields[:10]}

    @staticmethod
    def _came(say: Speaker, card: TicketCard) -> str:
        came = f"{say(f'desk.source.{card.source}')}, {moment(say, card.opened_at)}"
        return (
            f"{came}{in_brackets(say, f'<@{card.opened_by}>')}"
            if card.opened_by and card.opened_by != card.user_id
            else came
        )

    @staticmethod
    def _feature(say: Speaker, card: TicketCard) -> str:
        return feature_name(say, card.feature) if card.feature else say("desk.card.feature_unknown")

    @staticmethod
    def _status(say: Speaker, card: TicketCard) -> str:
        label = PLATFORM_LABELS[StatusKind(card.status)]
        words = label if say.locale == "zh-CN" else f"{say(f'status.{card.status}')} {label}"
        return f"{words} · :warning: {say(f'status.{card.attention}')}" if card.attention else words

    def _check(self, say: Speaker, card: TicketCard) -> str:
        if not card.checked_at:
            return say("desk.card.not_checked")
        when = ago(say, card.checked_at)
        if not card.checked:
            return f":white_check_mark: {say('check.verified')}{in_brackets(say, when)}"
        happened, advice = self._stories.names.refusal(
            say, card.checked, detail="", feature=card.feature or FeatureKey.ORDERS
        )
        return f":x: {happened}{in_brackets(say, when)}\n_{advice}_"

    def _link(self, say: Speaker, card: TicketCard) -> str:
        if not card.link_made_at:
            return say("desk.card.no_link")
        bare = Speaker(say.locale, tz=say.zone.key)  # the moments are markup of our own
        words = bare("desk.card.link_made", age=ago(say, card.link_made_at))
        if card.link_pressed_at:
            words += f"\n{bare('desk.card.link_pressed', age=ago(say, card.link_pressed_at))}"
        if card.link_ended:
            ended = card.link_ended
            words += "\n" + (
                say(f"desk.card.link_{ended}")
                if ended in ("granted", "replaced")
                else cause_words(say, self._stories.names, ended, card.feature)
            )
        return words

    def _trouble(self, say: Speaker, card: TicketCard) -> Block | None:
        """The code and its meaning, or our own failure with how to mend it."""
        lines = []
        for mark, cause in ((":warning:", card.error_code), (":wrench:", card.cause)):
            if cause:
                lines.append(f"{mark} {cause_words(say, self._stories.names, cause, card.feature)}")
                if say.has(f"desk.mend.{cause}"):
                    lines.append(say(f"desk.mend.{cause}"))
        return section("\n".join(lines)) if lines else None

    def _suggestion(self, say: Speaker, card: TicketCard) -> Block | None:
        library = self._stories.answering.library
        if card.topic not in library.slugs:
            return None
        title = library.article(card.topic, say.locale).title
        words = f":bulb: *{say('desk.card.topic')}* {title}"
        if card.suggestion:
            words += f"\n{say('desk.card.suggested')}\n{quoted(fit(card.suggestion, _SHOWN_SUGGESTION))}"
        return section(words)

    def _notes(self, say: Speaker, card: TicketCard) -> Block | None:
        library = self._stories.answering.library
        notes = []
        read = [library.article(slug, say.locale).title for slug in card.answers if slug in library.slugs]
        if read:
            notes.append(f":books: {say('desk.card.answers')} {say.list(read)}")
        if card.incident:
            notes.append(f":fire: {say('desk.card.incident', number=card.incident)}")
        if card.joined:
            notes.append(say.count("desk.card.joined", card.joined))
        if card.reopened:
            notes.append(say.count("desk.card.reopened", card.reopened))
        return context("\n".join(notes)) if notes else None

    def alert(self, notice: Notice, person: Person) -> list[Sending]:
        """To the agent whose ticket it is; to the channel while it is nobody's."""
        alert = of_kind(TicketAlert, notice)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        kind = ("missed" if alert.missed else "near") + ("_answer" if alert.answer else "_resolve")
        mark = ":rotating_light:" if alert.missed else ":hourglass:"
        # the moment is markup of our own
        words = f"{mark} {bare(f'desk.alert.{kind}', number=alert.number, due=moment(say, alert.due))}"
        buttons = []
        if alert.missed:
            buttons.append(button(bare("desk.button.acknowledge"), "desk.acknowledge", value=alert.ticket_id))
        if not alert.assignee:
            buttons.insert(0, button(bare("desk.button.claim"), "desk.claim", value=alert.ticket_id, style="primary"))
        buttons.append(button(bare("desk.button.show"), "desk.show", value=alert.ticket_id))
        return [Sending(message(section(words), actions(*buttons)))]

    # --- for the seller ----------------------------------------------------------------------------------------------

    def seller(self, notice: Notice, person: Person) -> list[Sending]:
        """Their card: edited as the ticket moves; what is worth a word stands in its thread."""
        ticket = of_kind(SellerTicket, notice)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        subject = ticket_subject(ticket.ticket_id)
        closed = ticket.state == TicketState.CLOSED
        lines = [
            f":speech_balloon: *{say('ticket.title', number=ticket.number)}* · {say(f'ticket.state.{ticket.state}')}"
        ]
        if ticket.store:
            lines.append(store_name(say, ticket.store))
        if ticket.found:
            lines.append(say("ticket.found"))
        if ticket.opened_by and ticket.opened_by != person.user_id:
            lines.append(say("ticket.opened_by", agent=ticket.opened_by))
        if ticket.question:
            lines.append(quoted(escape(fit(ticket.question, _SHOWN_QUESTION))))
        if ticket.agent and not closed:
            lines.append(say("ticket.agent", agent=ticket.agent))
        if ticket.due and not closed:
            lines.append(self._expected(say, ticket.due))
        if ticket.incident and not closed:
            lines.append(say("ticket.incident"))
        buttons: list[Block] = [button(bare("ticket.button.write"), "ticket.write", value=ticket.ticket_id)]
        if not closed:
            solved = confirmation(
                title=bare("ticket.button.solved"),
                text=bare("ticket.solved_ask"),
                yes=bare("ticket.button.solved"),
                no=bare("button.cancel"),
            )
            buttons.append(
                button(bare("ticket.button.solved"), "ticket.solved", value=ticket.ticket_id, confirm=solved)
            )
        hint = say("ticket.closed_hint" if closed else "ticket.hint")
        card = message(section("\n".join(lines)), actions(*buttons), context(hint))
        sendings = [Sending(card, Placement.EDIT_CARD, subject=subject)]
        words = self._said(say, ticket)
        if words:
            sendings.append(Sending(message(section(words)), Placement.THREAD, subject=subject))
        return sendings

    def _expected(self, say: Speaker, due: str) -> str:
        """When to expect an answer; the desk may be closed now."""
        hours = self._stories.desk.targets.hours
        now = self._stories.clock()
        if hours.is_open(now):
            return say("ticket.due", due=datetime.fromisoformat(due))
        return say("ticket.due_closed", opens=hours.opens(now), due=datetime.fromisoformat(due))

    @staticmethod
    def _said(say: Speaker, ticket: SellerTicket) -> str:
        match ticket.event:
            case "opened" | "changed":
                return ""
            case "closed":
                return say(f"ticket.closed.{ticket.because}", number=ticket.number)
            case _:
                return say(f"ticket.said.{ticket.event}", number=ticket.number, agent=ticket.agent)

    def reply(self, notice: Notice, person: Person) -> list[Sending]:
        """The desk's answer, under the seller's card."""
        reply = of_kind(DeskReply, notice)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        head = say("ticket.asks" if reply.asks else "ticket.answers", agent=reply.agent, number=reply.number)
        style = "primary" if reply.asks else ""
        buttons = [button(bare("ticket.button.write"), "ticket.write", value=reply.ticket_id, style=style)]
        if not reply.asks:
            buttons.append(button(bare("ticket.button.solved"), "ticket.solved", value=reply.ticket_id))
        if mend := _mend(bare, reply):
            buttons.insert(0, mend)
        subject = ticket_subject(reply.ticket_id)
        parts = messages(section(head), *spread(reply.text), actions(*buttons))
        return [Sending(part, Placement.THREAD, subject=subject) for part in parts]


def _mend(bare: Speaker, reply: DeskReply) -> Block | None:
    """The button an article speaks of; *ask a person* is where the seller is already."""
    if not reply.button:
        return None
    feature = reply.feature or FeatureKey.ORDERS
    return mend_button(bare, Answer("", "", Button(reply.button), reply.store_id, feature))


def _worth_a_link(card: TicketCard) -> list[FeatureKey]:
    """The feature in question first, then what is not granted: what a ticket is about is a guess at first."""
    missing = {FeatureKey(feature) for feature, state, _ in card.grants if state != GrantState.GRANTED}
    return [key for key in FEATURES if key is card.feature] + [
        key for key in FEATURES if key in missing and key is not card.feature
    ]


def card_buttons(bare: Speaker, card: TicketCard) -> list[Block]:
    """What makes sense now, the likeliest first."""
    ticket = card.ticket_id
    claim = button(bare("desk.button.claim"), "desk.claim", value=ticket, style="primary")
    reply = button(bare("desk.button.reply"), "desk.reply", value=ticket)
    if card.assignee:
        reply["style"] = "primary"
    found = [reply] if card.assignee else [claim, reply]
    found.append(button(bare("desk.button.ask"), "desk.ask", value=ticket))
    if card.store:
        found.append(button(bare("desk.button.check"), "desk.check", value=ticket))
        for feature in _worth_a_link(card):
            name = bare(f"feature.{feature.value}.name")
            sure = confirmation(
                title=bare("desk.link.title"),
                text=bare("desk.link.text", store=card.store.label, feature=name),
                yes=bare("desk.link.yes"),
                no=bare("button.cancel"),
            )
            found.append(
                button(bare("desk.button.link", feature=name), f"desk.link:{feature.value}", value=ticket, confirm=sure)
            )
    found.append(button(bare("desk.button.hand_over"), "desk.hand_over", value=ticket))
    if card.assignee:
        found.append(button(bare("desk.button.release"), "desk.release", value=ticket))
    found.append(button(bare("desk.button.close"), "desk.close", value=ticket))
    return found
