"""The queue, and whichever seller's stores, as blocks: for `/desk`, `/authstatus` of agents, and their App Home."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.features import FeatureKey
from bot.domain.status import status_of
from bot.domain.tickets import Ticket
from bot.i18n import Speaker
from bot.ports import Message, Person
from bot.ports.desk import Queue, StoreLine
from bot.services.desk_queue import Everybody, IncidentLine, QueuePage
from bot.services.naming import Names, feature_name
from bot.services.reporting import StoreReport
from handlers.blocks import Block, actions, button, context, divider, escape, fit, header, message, mrkdwn, section
from handlers.desk_wording import ago, cause_words, moment
from handlers.wording import grant_line, report_lines, status_name, store_name

#: what App Home and `/desk` offer, in this order
QUEUES = (Queue.MINE, Queue.UNCLAIMED, Queue.BREACHING, Queue.STUCK, Queue.EXPIRING, Queue.INCIDENTS)


def queue_blocks(person: Person, names: Names, page: QueuePage, *, action: str) -> list[Block]:
    """A page with its filters and its turns. `action` is what a filter's button does: it differs in App Home."""
    say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
    blocks: list[Block] = [header(bare("desk.queue.title")), actions(*_filters(bare, page, action))]
    rows: list[Block] = []
    for ticket in page.tickets:
        rows += _ticket(say, bare, names, ticket, page)
    for line in page.stores:
        rows.append(section(_store(say, line, page.at)))
    for incident in page.incidents:
        rows += _incident(say, bare, names, incident)
    blocks += rows or [section(say(f"desk.empty.{page.queue.value}"))]
    turns = _turns(bare, f"{action}:{page.queue.value}", page.page, has_more=page.has_more)
    if turns:
        blocks.append(actions(*turns))
    return blocks


def _filters(bare: Speaker, page: QueuePage, action: str) -> list[Block]:
    counts = page.counts or {}
    return [
        button(
            f"{bare(f'desk.queue.{queue.value}')} ({counts.get(queue, 0)})",
            f"{action}:{queue.value}",
            value="0",
            style="primary" if queue is page.queue else "",
        )
        for queue in QUEUES
    ]


def _turns(bare: Speaker, action: str, page: int, *, has_more: bool) -> list[Block]:
    return [
        button(bare(key), f"{action}.{goal}", value=str(goal))
        for key, goal, there in (
            ("button.previous", page - 1, page > 0),
            ("button.next", page + 1, has_more),
        )
        if there
    ]


def _ticket(say: Speaker, bare: Speaker, names: Names, ticket: Ticket, page: QueuePage) -> list[Block]:
    head = f"*#{ticket.number}* · {say(f'desk.state.{ticket.state.value}')} · <@{ticket.user_id}>"
    if ticket.assignee:
        head += f" · {say('desk.card.agent')} <@{ticket.assignee}>"
    lines = [head]
    if store := page.about.get(ticket.id):
        lines.append(store_name(say, store) + (f" · {feature_name(say, ticket.feature)}" if ticket.feature else ""))
    due = ticket.due_at
    if ticket.waiting_since is not None:
        lines.append(say("desk.card.waits"))
    elif due is not None:
        mark = ":rotating_light:" if due <= page.at else ":hourglass:"
        key = "desk.card.answer_due" if ticket.answer_due_at else "desk.card.resolve_due"
        lines.append(f"{mark} {say(key)} {moment(say, due.isoformat())}")
    if ticket.question:
        lines.append(f"_{escape(fit(' '.join(ticket.question.split()), 150))}_")
    elif cause := ticket.error_code or ticket.cause:
        lines.append(cause_words(say, names, cause, ticket.feature))
    buttons = [button(bare("desk.button.show"), "desk.show", value=ticket.id)]
    if ticket.assignee is None:
        buttons.insert(0, button(bare("desk.button.claim"), "desk.claim", value=ticket.id))
    else:
        buttons.append(button(bare("desk.button.reply"), "desk.reply", value=ticket.id))
    return [section("\n".join(lines)), actions(*buttons)]


def _store(say: Speaker, line: StoreLine, now: datetime) -> str:
    status = status_of(line.store, line.grants, now=now)
    members = " ".join(f"<@{user_id}>" for user_id in line.members[:5])
    lines = [f"*{store_name(say, line.store)}* · {members}", status_name(say, status)]
    lines += [grant_line(say, grant, now=now) for grant in line.grants.values()]
    return "\n".join(lines)


def _incident(say: Speaker, bare: Speaker, names: Names, line: IncidentLine) -> list[Block]:
    incident = line.incident
    words = [
        f":fire: *{say('desk.incident.title', number=incident.number)}*",
        cause_words(say, names, incident.cause, incident.feature or FeatureKey.ORDERS),
        f"{say.count('desk.incident.stores', line.stores)} · {ago(say, incident.opened_at.isoformat())}",
    ]
    over = button(bare("desk.button.over"), "desk.incident_over", value=incident.id)
    return [section("\n".join(words)), actions(over)]


def queue_message(person: Person, names: Names, page: QueuePage) -> Message:
    return message(*queue_blocks(person, names, page, action="desk.queue"))


# --- whichever seller's stores ---------------------------------------------------------------------------------------


def seller_message(person: Person, names: Names, user_id: str, reports: Sequence[StoreReport]) -> Message:
    """`/authstatus @seller`: where their stores stand, without the buttons that are theirs to press."""
    say = mrkdwn(person)
    blocks: list[Block] = [section(say("desk.stores_of", seller=user_id))]
    for report in reports[:20]:
        blocks += [section(report_lines(say, names, report)), divider()]
    if len(reports) > 20:  # noqa: PLR2004  # as many as fit
        blocks.append(context(say("desk.more_stores", n=len(reports) - 20)))
    return message(*blocks)


def everybody_message(person: Person, found: Everybody) -> Message:
    """`/authstatus all`: how many need somebody, then everybody's stores."""
    say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
    blocks: list[Block] = [
        section(say("desk.everybody", total=found.total, stuck=found.stuck, expiring=found.expiring)),
        actions(
            button(f"{bare('desk.queue.stuck')} ({found.stuck})", "desk.queue:stuck", value="0"),
            button(f"{bare('desk.queue.expiring')} ({found.expiring})", "desk.queue:expiring", value="0"),
        ),
    ]
    for line in found.stores:
        blocks += [section(_store(say, line, found.at)), divider()]
    turns = _turns(bare, "desk.everybody:all", found.page, has_more=found.has_more)
    if turns:
        blocks.append(actions(*turns))
    return message(*blocks)
