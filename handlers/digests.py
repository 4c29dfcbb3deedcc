"""Reacts to `/digest now|settings` and to the buttons under a digest; says digests in DMs and in the support channel.

A seller's digest is one card: a new one takes the place of the last, whose buttons go. In the support channel, `/digest` is about
the desk's own digest, and for agents.
"""

from __future__ import annotations

from bot.domain.digests import Quieting
from bot.domain.notices import Notice
from bot.domain.year_notices import DeskDigest, SellerDigest
from bot.ports import Message, Person, Placement, Sending
from bot.services.digesting import Habits
from handlers.blocks import (
    Block,
    field,
    message,
    modal,
    mrkdwn,
    option,
    section,
    select,
)
from handlers.calendar_picture import CalendarPictures
from handlers.digest_words import desk_blocks, seller_blocks
from handlers.routing import ActionCall, Call, CommandCall, Registry, ViewCall
from handlers.stories import Stories
from handlers.words import pick, split_words

_SUBJECT = "digest"
_OFF, _ON = "off", "on"
_WEEKDAYS = 7
_HOURS = 24


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry."""
    edge = _Digests(stories)
    registry.command("/digest", edge.command)
    registry.action("digest.quiet", edge.quiet)
    registry.action("digest.settings", edge.press_settings)
    registry.view("digest.settings", edge.took_settings)
    registry.notice(SellerDigest, edge.render)
    registry.notice(DeskDigest, edge.render_desk)
    registry.route(edge.pictures.route())


class _Digests:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories
        self._digesting = stories.digesting
        self.pictures = CalendarPictures(stories.public_url, stories.picture_keys, clock=stories.clock)

    # --- asked for ---------------------------------------------------------------------------------------------------

    async def command(self, call: CommandCall) -> None:
        words = split_words(call.text)
        if not words or words[0].casefold() == "help":
            await call.reply(message(section(mrkdwn(call.person)("usage.digest"))))
            return
        match pick(words[0], ("now", "settings", "help")):
            case "now":
                await call.reply(await self._now(call))
            case "settings":
                await self._open_settings(call)
                await call.ack()
            case _:
                await call.reply(message(section(mrkdwn(call.person)("usage.digest"))))

    async def _now(self, call: Call) -> Message:
        person, now = call.person, self._stories.clock()
        say = mrkdwn(person)
        if self._digesting.is_desk(call.channel_id):
            desk = await self._digesting.preview_desk(person)
            if desk is None:
                return message(section(say("digest.desk.nothing")))
            return message(*desk_blocks(desk, person.locale, now=now, pictures=self.pictures))
        preview = await self._digesting.preview(person)
        if preview.digest is not None:
            return message(*seller_blocks(preview.digest, person, now=now, pictures=self.pictures))
        lines = [say("digest.nothing")]
        if preview.next_end is not None:
            lines.append(say("digest.next", ends=say.date(preview.next_end)))
        return message(section("\n".join(lines)))

    # --- pressed -----------------------------------------------------------------------------------------------------

    async def quiet(self, call: ActionCall) -> None:
        """*Snooze* or *I know*."""
        kind = Quieting(call.argument)
        reaction = await self._digesting.react(call.person, kind, call.value)
        say = mrkdwn(call.person)
        await call.ack()
        if reaction.endings == 0:
            words = say("digest.too_late" if reaction.too_late else "digest.none_left")
        elif reaction.until is not None:
            words = say("digest.snoozed", until=say.date(reaction.until))
        else:
            words = say("digest.known")
        await call.whisper(message(section(words)))

    # --- settings ----------------------------------------------------------------------------------------------------

    async def press_settings(self, call: ActionCall) -> None:
        await self._open_settings(call)

    async def _open_settings(self, call: Call) -> None:
        desk = self._digesting.is_desk(call.channel_id)
        habits = await (self._digesting.desk_habits(call.person) if desk else self._digesting.habits(call.person))
        await call.open(self._settings(call, habits, desk=desk))

    @staticmethod
    def _settings(call: Call, habits: Habits, *, desk: bool) -> Block:
        say = call.say
        hours = [option(f"{hour:02d}:00", str(hour)) for hour in range(_HOURS)]
        weekdays = [option(say(f"digest.weekday.{day}"), str(day)) for day in range(_WEEKDAYS)]
        wanted = [option(say(f"digest.settings.{word}"), word) for word in (_ON, _OFF)]
        chosen = _ON if habits.wanted else _OFF
        return modal(
            "digest.settings",
            title=say("digest.settings.title"),
            submit=say("button.save"),
            close=say("button.cancel"),
            notes={"desk": "yes" if desk else ""},
            blocks=[
                section(say("digest.settings.desk" if desk else "digest.settings.mine", zone=call.person.tz)),
                field(say("digest.settings.wanted"), select("digest_wanted", wanted, initial=chosen)),
                field(say("digest.settings.hour"), select("digest_hour", hours, initial=str(habits.hour))),
                field(
                    say("digest.settings.weekday"),
                    select("digest_weekday", weekdays, initial=str(habits.weekday)),
                    hint=say("digest.settings.weekday_hint"),
                ),
            ],
        )

    async def took_settings(self, call: ViewCall) -> None:
        habits = Habits(
            hour=int(call.inputs["digest_hour"]),
            weekday=int(call.inputs["digest_weekday"]),
            wanted=call.inputs["digest_wanted"] != _OFF,
        )
        if call.notes.get("desk"):
            await self._digesting.change_desk_habits(call.person, habits)
            known = True
        else:
            known = await self._digesting.change_habits(call.person, habits)
        say = call.say
        key = "digest.settings.saved" if habits.wanted else "digest.settings.saved_off"
        words = say(key, hour=f"{habits.hour:02d}:00") if known else say("digest.settings.no_stores")
        await call.replace_with(
            modal(
                "digest.settings_saved",
                title=say("digest.settings.title"),
                close=say("button.close"),
                blocks=[section(words)],
            )
        )

    # --- told --------------------------------------------------------------------------------------------------------

    def render(self, notice: Notice, person: Person) -> list[Sending]:
        if not isinstance(notice, SellerDigest):
            raise TypeError(type(notice).__name__)
        blocks = seller_blocks(notice, person, now=self._stories.clock(), pictures=self.pictures)
        return [
            Sending(
                message(*blocks),
                Placement.NEW_CARD,
                subject=_SUBJECT,
                farewell=message(section(mrkdwn(person)("digest.replaced"))),
            )
        ]

    def render_desk(self, notice: Notice, person: Person) -> list[Sending]:
        if not isinstance(notice, DeskDigest):
            raise TypeError(type(notice).__name__)
        blocks = desk_blocks(notice, person.locale, now=self._stories.clock(), pictures=self.pictures)
        return [Sending(message(*blocks))]
