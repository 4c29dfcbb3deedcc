"""What the desk is told by itself: incidents, the end of a shift, the week in numbers; and what sellers hear of incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from bot.domain.desk_notices import HandOver, IncidentCard, IncidentTold, ShiftEnds, WeekInNumbers
from bot.domain.incidents import incident_subject
from bot.domain.notices import Notice
from bot.domain.tickets import TicketState
from bot.i18n import Speaker
from bot.ports import Message, Person, Placement, Sending
from handlers.blocks import Block, actions, button, context, fit, header, message, mrkdwn, plain, section
from handlers.desk_cards import of_kind
from handlers.desk_wording import LANGUAGES, cause_words, duration, line_words, moment
from handlers.routing import Registry
from handlers.stories import Stories
from handlers.week_picture import WeekPictures

_BAR = 20
_MOST_LISTED = 20


def hang(registry: Registry, stories: Stories) -> None:
    """Puts the renderers on the registry."""
    news = News(stories)
    registry.notice(IncidentCard, news.incident)
    registry.notice(IncidentTold, news.told)
    registry.notice(ShiftEnds, news.shift_ends)
    registry.notice(HandOver, news.hand_over)
    registry.notice(WeekInNumbers, news.week)
    registry.route(news.pictures.route())


class News:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories
        self.pictures = WeekPictures(stories.public_url, stories.picture_keys, clock=stories.clock)

    # --- incidents ---------------------------------------------------------------------------------------------------

    def incident(self, notice: Notice, person: Person) -> list[Sending]:
        """One card for one cause, edited as more stores meet it."""
        card = of_kind(IncidentCard, notice)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        subject = incident_subject(card.incident_id)
        key = "desk.incident.over" if card.closed_at else "desk.incident.title"
        mark = ":white_check_mark:" if card.closed_at else ":fire:"
        lines = [
            f"{mark} *{say(key, number=card.number)}*",
            cause_words(say, self._stories.names, card.cause, card.feature),
            say.count("desk.incident.stores", card.stores),
            " · ".join(
                (
                    f"{say('desk.incident.since')} {moment(say, card.opened_at)}",
                    f"{say('desk.incident.last_seen')} {moment(say, card.last_seen_at)}",
                )
            ),
            say.count("desk.incident.told", card.told),
        ]
        if card.tickets:
            numbers = say.list([f"#{number}" for number in card.tickets[:_MOST_LISTED]])
            lines.append(say("desk.incident.tickets", tickets=numbers))
        blocks: list[Block] = [section("\n".join(lines))]
        if not card.closed_at:
            if say.has(f"desk.mend.{card.cause}"):
                blocks.append(section(say(f"desk.mend.{card.cause}")))
            blocks.append(
                actions(button(bare("desk.button.over"), "desk.incident_over", value=card.incident_id, style="primary"))
            )
        sendings = [Sending(message(*blocks), Placement.EDIT_CARD, subject=subject)]
        if card.line:
            words = line_words(say, self._stories.names, f"incident_{card.line}", card.line_facts)
            sendings.append(Sending(message(section(words)), Placement.THREAD, subject=subject))
        return sendings

    def told(self, notice: Notice, person: Person) -> list[Sending]:
        """For a seller: it is not you. And once more: it is over, go on."""
        told = of_kind(IncidentTold, notice)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        if not told.over:
            words = f":fire: *{say('incident.title')}*\n{say('incident.not_you')}"
            return [Sending(message(section(words)))]
        words = f":white_check_mark: *{say('incident.over_title')}*\n{say('incident.over')}"
        buttons = [button(bare("button.status"), "status.show", style="primary")]
        return [Sending(message(section(words), actions(*buttons)))]

    # --- the end of a shift ------------------------------------------------------------------------------------------

    def shift_ends(self, notice: Notice, person: Person) -> list[Sending]:
        """For one agent: what they hold, with a way to let go of it."""
        shift = of_kind(ShiftEnds, notice)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        blocks: list[Block] = [
            section(
                f":crescent_moon: *{say.count('desk.shift.you_hold', len(shift.tickets))}* "
                f"{say('desk.shift.closes')} {moment(say, shift.closes)}"
            )
        ]
        for ticket_id, number, state, seller in shift.tickets[:_MOST_LISTED]:
            words = f"*#{number}* · {say(f'desk.state.{state}')} · <@{seller}>"
            hand = button(bare("desk.button.hand_over"), f"desk.hand_over:{number}", value=ticket_id)
            blocks.append(section(words, accessory=hand))
        blocks.append(actions(button(bare("desk.button.release_all"), "desk.release_all", style="primary")))
        blocks.append(context(say("desk.shift.keep")))
        return [Sending(message(*blocks))]

    def hand_over(self, notice: Notice, person: Person) -> list[Sending]:
        """For the channel: what the next ones find."""
        shift = of_kind(HandOver, notice)
        say = mrkdwn(person)
        closes = f"{say('desk.shift.closes')} {moment(say, shift.closes)}"
        opens = f"{say('desk.shift.opens')} {moment(say, shift.opens)}"
        lines = [f":crescent_moon: *{say('desk.shift.title')}* {closes} · {opens}"]
        waits = f" ({say(f'desk.state.{TicketState.WAITING.value}')})"
        unclaimed = [f"#{number}{waits if number in shift.waiting else ''}" for number in shift.unclaimed]
        lines.append(_listed(say, "desk.shift.unclaimed", unclaimed))
        held = [
            f"#{number} <@{agent}>{waits if state == TicketState.WAITING else ''}"
            for agent, number, state in shift.held
        ]
        lines.append(_listed(say, "desk.shift.held", held))
        if shift.incidents:
            lines.append(_listed(say, "desk.shift.incidents", [f"#{number}" for number in shift.incidents]))
        return [Sending(message(section("\n".join(lines))))]

    # --- numbers -----------------------------------------------------------------------------------------------------

    def week(self, notice: Notice, person: Person) -> list[Sending]:
        return [Sending(self.numbers(of_kind(WeekInNumbers, notice), person))]

    def numbers(self, week: WeekInNumbers, person: Person) -> Message:
        """The week, with a chart whose alt text says the same; topics and languages have bars of text, which names fit into."""
        say = mrkdwn(person)
        since = datetime.fromisoformat(week.since)
        until = datetime.fromisoformat(week.until) - timedelta(microseconds=1)
        on_time = f"{round(100 * week.on_time / week.measured)}%" if week.measured else say("desk.took.none")
        alone = f"{round(100 * week.without_person / week.answers)}%" if week.answers else say("desk.took.none")
        fields = (
            ("desk.week.opened", str(week.opened)),
            ("desk.week.closed", str(week.closed)),
            ("desk.week.first_answer", duration(say, week.first_answer)),
            ("desk.week.resolution", duration(say, week.resolution)),
            ("desk.week.on_time", on_time),
            ("desk.week.reopened", str(week.reopened)),
            ("desk.week.answers", str(week.answers)),
            ("desk.week.without_person", alone),
        )
        bare = Speaker(person.locale, tz=person.tz)
        facts: Block = {
            "type": "section",
            "fields": [{"type": "mrkdwn", "text": f"*{say(key)}*\n{value}"} for key, value in fields],
        }
        library = self._stories.answering.library
        topics = [
            (library.article(slug, person.locale).short if slug in library.slugs else slug, count)
            for slug, count in week.topics
        ]
        languages = [(LANGUAGES.get(locale, locale), count) for locale, count in week.locales]
        blocks: list[Block] = [
            header(bare("desk.week.title", since=bare.date(since), until=bare.date(until))),
            facts,
            *self._picture(bare, week),
        ]
        for key, rows in (("desk.week.by_topic", topics), ("desk.week.by_language", languages)):
            if rows:
                top = max(count for _, count in rows)
                blocks.append(
                    section(f"*{say(key)}*\n{_chart([f'{_bar(count, top)} {count} {name}' for name, count in rows])}")
                )
        blocks.append(context(say("desk.week.note")))
        return message(*blocks)

    def _picture(self, bare: Speaker, week: WeekInNumbers) -> list[Block]:
        """The days as a chart, and the same in words for whoever does not see it."""
        if not week.days:
            return []
        days = [
            bare("desk.week.day", day=_weekday(bare, day), opened=came, closed=went) for day, came, went in week.days
        ]
        title = bare("desk.week.by_day")
        return [
            {
                "type": "image",
                "title": plain(title),
                "image_url": self.pictures.url(week.days),
                "alt_text": fit("\n".join([title, *days]), 2000),
            }
        ]


def _listed(say: Speaker, key: str, entries: Sequence[str]) -> str:
    shown = say.list(list(entries[:_MOST_LISTED])) if entries else say("desk.shift.nothing")
    more = f" +{len(entries) - _MOST_LISTED}" if len(entries) > _MOST_LISTED else ""
    return f"*{say(key)}* {shown}{more}"


def _weekday(say: Speaker, iso: str) -> str:
    return say(f"desk.weekday.{date.fromisoformat(iso).weekday()}")


def _bar(count: int, most: int) -> str:
    """A bar as long as its share of the longest."""
    length = 0 if not most else max(1 if count else 0, round(_BAR * count / most))
    return "█" * length + "░" * (_BAR - length)


def _chart(lines: Sequence[str]) -> str:
    return "```\n" + "\n".join(line.replace("`", "'") for line in lines) + "\n```"
